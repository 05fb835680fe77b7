"""Reads Grafana dashboards (classic JSON) into the queries of their panels.

Called before anything is judged. It takes what people have: rows of any age, panels nested in
collapsed rows, legacy `graph` panels, panels without a datasource, exports wrapped in
`{"dashboard": ...}`; Grafana's variables get the values they have on the last hour. How a panel
draws is not read, only what it asks of Prometheus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, InvalidSyntax
from documents.mistakes import InputError, Mistake, gather
from documents.yaml_reader import load
from verifier.pack.walker import PackWalker
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from documents.document import Document, Steps, Value
    from documents.mistakes import Place
    from verifier.errors import Finding

RANGE_S: Final = 3600
"""What `$__range` stands for: Grafana's usual last hour."""

INTERVAL_S: Final = 15
"""What `$__interval` stands for: the scrape interval, which Grafana never goes below."""

_ANY: Final = ".*"
"""What a variable with every choice stands for."""

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)")
"""The three ways in which Grafana lets a variable be written, the first two with a format."""

_EQUALS_ANY: Final = re.compile(r"(?<![=!~<>])=\s*(?=(['\"`])\.\*\1)")
"""A `=` before a value that is `.*` in any quotes: it must be `=~` for the value to match."""

_QUERYLESS: Final = frozenset({"row", "text", "dashlist", "alertlist", "news", "welcome"})
"""Types of panels that never have a query: no finding, and nothing to judge."""


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel, variables replaced, and its legend format."""

    expr: str
    legend: str
    position: Place


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that asks Prometheus something; `raw` is its JSON as it stands in the file."""

    dashboard: str
    title: str
    type: str
    queries: tuple[Query, ...]
    position: Place
    raw: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Dashboards:
    """All panels of some dashboards in the order of the files, and what to know about them."""

    panels: tuple[Panel, ...]
    findings: tuple[Finding, ...] = ()


def load_dashboards(
    paths: Iterable[str | Path], *, range_s: int = RANGE_S, interval_s: int = INTERVAL_S
) -> Dashboards:
    """Read dashboards; raise one `InputError` with every mistake in them."""
    panels: list[Panel] = []
    mistakes: list[InputError | Mistake] = []
    findings: list[Finding] = []
    built_in = _built_in_variables(range_s, interval_s)
    for path in paths:
        try:
            reader = _DashboardReader(load(path), built_in)
        except InputError as error:
            mistakes.append(error)
            continue
        panels += reader.panels()
        mistakes += reader.mistakes
        findings += reader.findings
    if mistakes:
        raise gather(mistakes)
    return Dashboards(tuple(panels), tuple(findings))


def _built_in_variables(range_s: int, interval_s: int) -> dict[str, str]:
    rate_interval_s = 4 * interval_s  # Grafana's own: four scrapes, so that one may be missing
    return {
        "__range": f"{range_s}s",
        "__range_s": str(range_s),
        "__range_ms": str(range_s * 1000),
        "__interval": f"{interval_s}s",
        "__interval_ms": str(interval_s * 1000),
        "__rate_interval": f"{rate_interval_s}s",
        "__rate_interval_ms": str(rate_interval_s * 1000),
    }


class _DashboardReader(PackWalker):
    """One walk over a dashboard."""

    def __init__(self, document: Document, built_in: Mapping[str, str]) -> None:
        """Take a document and the values of Grafana's own variables."""
        super().__init__(document)
        top = document.data
        inner = top.get("dashboard") if isinstance(top, dict) else None
        self.root: Steps = ()
        if isinstance(inner, dict):  # as exported by Grafana's API
            top, self.root = inner, ("dashboard",)
        if not isinstance(top, dict) or not ("panels" in top or "rows" in top):
            rule = "be classic Grafana JSON with a list of panels"
            raise document.error(BrokenRule("a dashboard", rule), self.root)
        self.top = top
        self.title = str(top.get("title") or self.document.path)
        self.variables = dict(built_in) | _variables(top)

    def panels(self) -> list[Panel]:
        panels = []
        for raw, steps in self.raw_panels(self.top, self.root):
            if raw.get("type") in _QUERYLESS:
                continue
            if "libraryPanel" in raw and "targets" not in raw:
                self.note("a library panel keeps its queries elsewhere, it is not judged", steps)
                continue
            panel = self.panel(raw, steps)
            if panel.queries:
                panels.append(panel)
        return panels

    def raw_panels(
        self, holder: dict[str, Value], steps: Steps
    ) -> Iterator[tuple[dict[str, Value], Steps]]:
        """Yield every panel below `holder` with its place, those of rows in their order."""
        for key in ("rows", "panels"):
            for index, child in enumerate(self.sequence(holder.get(key) or None, (*steps, key))):
                child_steps = (*steps, key, index)
                if not isinstance(child, dict):
                    self.reject(BrokenRule("a panel", "be a mapping", child), child_steps)
                    continue
                if key == "panels":
                    yield child, child_steps
                yield from self.raw_panels(child, child_steps)

    def panel(self, raw: dict[str, Value], steps: Steps) -> Panel:
        title = str(raw.get("title") or f"panel {raw.get('id', steps[-1])}")
        targets = raw.get("targets")
        queries = [
            self.query(title, raw, target, (*steps, "targets", index))
            for index, target in enumerate(targets if isinstance(targets, list) else [])
        ]
        return Panel(
            dashboard=self.title,
            title=title,
            type=str(raw.get("type") or "graph"),
            queries=tuple(query for query in queries if query),
            position=self.place(steps),
            raw=raw,
        )

    def query(
        self, title: str, panel: dict[str, Value], target: Value, steps: Steps
    ) -> Query | None:
        """Return what a target asks of Prometheus; None, mostly with a finding, when nothing."""
        if not isinstance(target, dict) or target.get("hide"):
            return None
        datasource = _datasource(target) or _datasource(panel)
        raw = target.get("expr")
        if datasource not in ("", "prometheus"):
            self.note(f"panel {title!r} asks {datasource}, not Prometheus: not judged", steps)
            return None
        if not isinstance(raw, str) or not raw.strip():
            self.note(f"panel {title!r} has a query without expr: not judged", steps)
            return None
        expr = substitute(raw, self.variables)
        where = (*steps, "expr")
        try:
            parse(expr)
        except ValueError as error:
            replaced = "" if expr == raw else f" (read as {expr!r})"
            self.reject(InvalidSyntax("expr", "PromQL", f"{error}{replaced}"), where)
        return Query(expr, str(target.get("legendFormat") or ""), self.place(where))


def substitute(expr: str, variables: Mapping[str, str]) -> str:
    """Replace `$name`, `${name}` and `[[name]]` by their values; a name unknown stays.

    A variable that stands for everything (`.*`) turns the `=` before it into `=~`.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2) or match.group(3)
        return variables.get(name, match.group())

    return _EQUALS_ANY.sub("=~", _VARIABLE.sub(value, expr))


def _variables(top: Mapping[str, Value]) -> dict[str, str]:
    """Return the value of every template variable of a dashboard."""
    templating = top.get("templating")
    raw = templating.get("list") if isinstance(templating, dict) else None
    values = {}
    for variable in raw if isinstance(raw, list) else []:
        name = variable.get("name") if isinstance(variable, dict) else None
        if isinstance(variable, dict) and isinstance(name, str):
            values[name] = _variable_value(variable)
    return values


def _variable_value(variable: Mapping[str, Value]) -> str:
    """Return what a variable stands for: its current choice, else its first, else everything."""
    current = variable.get("current")
    chosen = current.get("value") if isinstance(current, dict) else None
    values = [str(value) for value in (chosen if isinstance(chosen, list) else [chosen]) if value]
    if "$__all" in values:
        return str(variable.get("allValue") or _ANY)
    if variable.get("type") == "interval":
        choices = [*values, *str(variable.get("query") or "").split(",")]
        return next((text for text in choices if re.fullmatch(r"\d+\w+", text)), f"{INTERVAL_S}s")
    if not values and variable.get("type") in ("custom", "constant", "textbox"):
        values = [text.strip() for text in str(variable.get("query") or "").split(",")][:1]
    if len(values) > 1:
        return "(" + "|".join(values) + ")"
    return values[0] if values and values[0] else _ANY


def _datasource(holder: Mapping[str, Value]) -> str:
    """Return the type of datasource a panel or target names; empty when it does not say."""
    source = holder.get("datasource")
    kind = str(source.get("type") or "") if isinstance(source, dict) else ""
    return "" if kind in ("datasource", "mixed") else kind
