"""Reads the variables of a dashboard as they stand in its file, of any age and resource form.

What a variable stands for is decided in `verifier.dashboards.variable_values`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from verifier.pack.panels import Option, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from documents.document import Value

ALL: Final = "$__all"
"""What Grafana writes where every choice is chosen."""
AUTO: Final = "$__auto"
"""The choice of an interval variable that depends on the range shown."""

_CHOICE: Final = re.compile(r"(?:\\,|[^,])+")
_NAMED_CHOICE: Final = re.compile(r"\s*(.+)\s:\s(.+)", re.DOTALL)
_INTERVAL: Final = re.compile(r"([\"'])(.*?)\1|\w+")

_KINDS: Final = {
    "QueryVariable": "query",
    "TextVariable": "textbox",
    "ConstantVariable": "constant",
    "DatasourceVariable": "datasource",
    "IntervalVariable": "interval",
    "CustomVariable": "custom",
    "GroupByVariable": "groupby",
    "AdhocVariable": "adhoc",
    "SwitchVariable": "switch",
}
"""The kinds of the newer resource form, as the classic model calls them."""


def classic_form(raw: Mapping[str, Value]) -> dict[str, Value]:
    """Return a variable of the newer form, `{kind, spec}`, in that of the classic model."""
    kind, spec = str(raw.get("kind")), raw.get("spec")
    fields = dict(spec) if isinstance(spec, dict) else {}
    fields["type"] = _KINDS.get(kind, kind)
    if kind == "DatasourceVariable":
        fields["query"] = fields.get("pluginId")
    query = fields.get("query")
    if isinstance(query, dict) and "spec" in query:
        # The query of a data source, with the source's kind in one of two places.
        inner = query["spec"]
        fields["query"] = inner
        kind_of_source = query.get("group") or query.get("kind")
        fields.setdefault("datasource", {"type": kind_of_source})
    return fields


def read_variable(raw: Mapping[str, Value], *, is_prometheus: bool) -> Variable:
    """Return a variable; with `is_prometheus` its query asks the Prometheus that is judged."""
    kind = str(raw.get("type") or "custom")
    query = _query_text(raw)
    current = raw.get("current")
    current = current if isinstance(current, dict) else {}
    chosen = _texts(current.get("value"))
    if kind == "textbox" and not any(chosen):
        chosen = (query,)
    elif kind == "constant":
        chosen = (query,) if query or not any(chosen) else chosen
    include_all = bool(raw.get("includeAll"))
    all_value = raw.get("allValue")
    return Variable(
        name=str(raw.get("name") or ""),
        kind=kind,
        query=query,
        regex=_text(raw.get("regex")),
        sort=_sort(raw.get("sort")),
        multi=bool(raw.get("multi")),
        include_all=include_all,
        all_value=all_value if isinstance(all_value, str) and all_value else None,
        chosen=chosen,
        chosen_texts=_texts(current.get("text")),
        options=_OPTIONS.get(kind, _saved_options)(raw, query),
        asks=kind == "query" and is_prometheus and bool(query),
    )


def _query_text(raw: Mapping[str, Value]) -> str:
    """Return what a variable asks; newer dashboards have it in a mapping of its own."""
    query = raw.get("query")
    if isinstance(query, dict):
        query = query.get("query") or query.get("__legacyStringValue") or query.get("expr")
    if not isinstance(query, str) or not query:
        definition = raw.get("definition")
        return _text(query) or (definition if isinstance(definition, str) else "")
    return query


def _custom_options(raw: Mapping[str, Value], query: str) -> tuple[Option, ...]:
    """Return the choices of `a, b, label : value`, or of a JSON list."""
    if raw.get("valuesFormat") == "json":
        return _json_options(query)
    options = []
    for choice in _CHOICE.findall(query):
        text = choice.replace("\\,", ",")
        named = _NAMED_CHOICE.fullmatch(text)
        label, value = (named[1], named[2]) if named else (text, text)
        options.append(Option(label.strip(), value.strip()))
    return tuple(options) or _saved_options(raw, query)


def _json_options(query: str) -> tuple[Option, ...]:
    try:
        items = json.loads(query)
    except ValueError:
        return ()
    options = []
    for item in items if isinstance(items, list) else []:
        fields = item if isinstance(item, dict) else {"value": item}
        value = _text(fields.get("value"))
        options.append(Option(_text(fields.get("text") or fields.get("label") or value), value))
    return tuple(options)


def _interval_options(raw: Mapping[str, Value], query: str) -> tuple[Option, ...]:
    """Return the choices of `1m,10m,1h`; `auto` last, so that it is never taken unasked."""
    texts = [match[2] or match[0].strip("\"'") for match in _INTERVAL.finditer(query)]
    options = [Option(text, text) for text in texts if text != "auto"]
    if raw.get("auto") or not options:
        steps = _text(raw.get("auto_count") or raw.get("autoCount")) or "30"
        options.append(Option("auto", f"{AUTO}:{steps}:{_text(raw.get('auto_min')) or '10s'}"))
    return tuple(options)


def _switch_options(raw: Mapping[str, Value], _: str) -> tuple[Option, ...]:
    values = [_text(raw.get(key)) for key in ("disabledValue", "enabledValue")]
    return tuple(Option(value, value) for value in values if value)


def _saved_options(raw: Mapping[str, Value], _: str) -> tuple[Option, ...]:
    saved = raw.get("options")
    return tuple(
        Option(_text(option.get("text")), _text(option.get("value")))
        for option in (saved if isinstance(saved, list) else [])
        if isinstance(option, dict) and option.get("value") not in (ALL, None)
    )


_OPTIONS: Final[dict[str, Callable[[Mapping[str, Value], str], tuple[Option, ...]]]] = {
    "custom": _custom_options,
    "interval": _interval_options,
    "switch": _switch_options,
}


def _sort(raw: Value) -> int:
    """Return the order of choices: a number, or the word of the newer form."""
    if isinstance(raw, int):
        return raw
    words = (
        "disabled", "alphabeticalAsc", "alphabeticalDesc", "numericalAsc", "numericalDesc",
        "alphabeticalCaseInsensitiveAsc", "alphabeticalCaseInsensitiveDesc", "naturalAsc",
        "naturalDesc",
    )  # fmt: skip
    return words.index(raw) if isinstance(raw, str) and raw in words else 0


def _texts(raw: Value) -> tuple[str, ...]:
    """Return one value or a list of them as texts; nothing for nothing."""
    items = raw if isinstance(raw, list) else [raw]
    return tuple(_text(item) for item in items if item is not None and not isinstance(item, dict))


def _text(raw: Value) -> str:
    """Write a value as JavaScript writes it into a text."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)
