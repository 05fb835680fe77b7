"""How the value of a variable is written into a query: Grafana's formats.

`${name:csv}` names a format; without one the Prometheus data source writes regular expressions
where a variable may have several values, and escapes what stands in quotes else. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

_SPECIAL: Final = re.compile(r"[$^*{}\[\]'+?.()|]")
_REGEX: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_LUCENE: Final = re.compile(r'([!*+\-=<>\s&|()\[\]{}^~?:\\/"])')
_UNRESERVED: Final = "-_.~"


@dataclass(frozen=True, slots=True)
class VariableValue:
    """What a variable stands for: one value, or a list where several are chosen.

    `several` says whether it may have several: its values are then written as regular expressions.
    `literal` is text that no format changes: the value that stands for everything.
    """

    name: str
    values: tuple[str, ...]
    texts: tuple[str, ...] = ()
    is_list: bool = False
    several: bool = False
    literal: str | None = None
    stands_for_all: bool = False


def write_value(value: VariableValue, form: str = "") -> str:
    """Write a value in the format `form`; in that of the Prometheus data source without one."""
    if form == "text":
        if value.stands_for_all:
            return "All"
        return " + ".join(value.texts or value.values)
    if value.literal is not None:
        return quote(value.literal, safe=_UNRESERVED) if form == "percentencode" else value.literal
    if not form:
        return _for_prometheus(value)
    return _FORMATS.get(form.split(":", maxsplit=1)[0], _glob)(value)


def _for_prometheus(value: VariableValue) -> str:
    if not value.several:
        return value.values[0].replace("\\", "\\\\").replace("'", "\\\\'") if value.values else ""
    escaped = [_SPECIAL.sub(r"\\\\\g<0>", text.replace("\\", "\\\\\\\\")) for text in value.values]
    return escaped[0] if len(escaped) == 1 or not value.is_list else f"({'|'.join(escaped)})"


def _joined(separator: str, write: Callable[[str], str] = str) -> Callable[[VariableValue], str]:
    return lambda value: separator.join(map(write, value.values))


def _regex(value: VariableValue) -> str:
    escaped = [_REGEX.sub(r"\\\g<0>", text) for text in value.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _glob(value: VariableValue) -> str:
    return value.values[0] if len(value.values) == 1 else f"{{{','.join(value.values)}}}"


def _json(value: VariableValue) -> str:
    plain = list(value.values) if value.is_list else (value.values or ("",))[0]
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def _distributed(value: VariableValue) -> str:
    return f",{value.name}=".join(value.values)


def _lucene(value: VariableValue) -> str:
    if not value.is_list:
        return _LUCENE.sub(r"\\\1", value.values[0]) if value.values else ""
    if not value.values:
        return "__empty__"
    quoted = ['"' + _LUCENE.sub(r"\\\1", text) + '"' for text in value.values]
    return f"({' OR '.join(quoted)})"


def _percent(value: VariableValue) -> str:
    text = f"{{{','.join(value.values)}}}" if value.is_list else (value.values or ("",))[0]
    return quote(text, safe=_UNRESERVED)


def _query_parameters(value: VariableValue) -> str:
    texts = ["$__all"] if value.stands_for_all else value.values
    return "&".join(f"var-{value.name}={quote(text, safe=_UNRESERVED)}" for text in texts)


def _backslashed(mark: str) -> Callable[[str], str]:
    return lambda text: mark + text.replace(mark, f"\\{mark}") + mark


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_FORMATS: Final[dict[str, Callable[[VariableValue], str]]] = {
    "csv": _joined(","),
    "distributed": _distributed,
    "doublequote": _joined(",", _backslashed('"')),
    "glob": _glob,
    "html": _joined(", "),
    "join": _joined(","),
    "json": _json,
    "lucene": _lucene,
    "percentencode": _percent,
    "pipe": _joined("|"),
    "queryparam": _query_parameters,
    "raw": _joined(","),
    "regex": _regex,
    "singlequote": _joined(",", _backslashed("'")),
    "sqlstring": _joined(",", _sql),
    "uriencode": _joined(",", lambda text: quote(text, safe="-_.~;,/?:@&=+$#")),
}
