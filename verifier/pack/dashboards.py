"""Reads Grafana dashboards (classic JSON) into the queries their panels ask.

Called before anything is judged. It takes what people have: rows of any age, panels nested in
collapsed rows, legacy `graph` panels, panels without a datasource, exports wrapped in
`{"dashboard": ...}`; Grafana's variables get the values they have on the last hour. It judges no
drawing, only what is asked of Prometheus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import promql_parser

from documents.mistakes import InputError, Place, gather
from documents.yaml_reader import load
from verifier.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from documents.document import Document, Step

RANGE_S: Final = 3600
"""What `$__range` stands for: Grafana's usual last hour."""

INTERVAL_S: Final = 15
"""What `$__interval` stands for: the scrape interval, which Grafana never goes below."""

_ANY: Final = ".*"
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)")
_EQUALS_ANY: Final = re.compile(r"(?<![=!~<>])=\s*(?=(['\"`])\.\*\1)")
_QUERYLESS: Final = frozenset({"row", "text", "dashlist", "alertlist", "news", "welcome"})


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
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dashboards:
    """All panels of some dashboards in the order of the files, and what is to be said of them."""

    panels: tuple[Panel, ...]
    findings: tuple[Finding, ...] = ()


def load_dashboards(
    paths: Iterable[str | Path], *, range_s: int = RANGE_S, interval_s: int = INTERVAL_S
) -> Dashboards:
    """Read dashboards; raise one InputError telling every mistake found in them."""
    panels: list[Panel] = []
    mistakes: list[InputError] = []
    findings: list[Finding] = []
    built_in = {
        "__range": f"{range_s}s",
        "__range_s": str(range_s),
        "__range_ms": str(range_s * 1000),
        "__interval": f"{interval_s}s",
        "__interval_ms": str(interval_s * 1000),
        "__rate_interval": f"{4 * interval_s}s",
        "__rate_interval_ms": str(4 * interval_s * 1000),
    }
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


class _DashboardReader:
    """One walk over a dashboard; mistakes are collected, so that all are told at once."""

    def __init__(self, document: Document, built_in: Mapping[str, str]) -> None:
        """Take a document and the values of Grafana's own variables."""
        self.document = document
        self.mistakes: list[InputError] = []
        self.findings: list[Finding] = []
        top = document.data
        inner = top.get("dashboard") if isinstance(top, dict) else None
        self.root: tuple[Step, ...] = ()
        if isinstance(inner, dict):  # as exported by Grafana's API
            top, self.root = inner, ("dashboard",)
        if not isinstance(top, dict) or not ("panels" in top or "rows" in top):
            raise document.error(
                "a dashboard must be classic Grafana JSON with a list of panels", self.root
            )
        self.top: dict[str, Any] = top
        self.title = str(top.get("title") or self.document.path)
        self.variables = dict(built_in) | _variables(top)

    def panels(self) -> list[Panel]:
        found = []
        for raw, steps in self.raw_panels(self.top, self.root):
            if raw.get("type") in _QUERYLESS:
                continue
            if "libraryPanel" in raw and "targets" not in raw:
                self.note("a library panel keeps its queries elsewhere, it is not judged", steps)
                continue
            panel = self.panel(raw, steps)
            if panel.queries:
                found.append(panel)
        return found

    def raw_panels(
        self, holder: dict[str, Any], steps: tuple[Step, ...]
    ) -> Iterator[tuple[dict[str, Any], tuple[Step, ...]]]:
        """Yield every panel below `holder` with its place, those of rows in their order."""
        for key in ("rows", "panels"):
            children = holder.get(key) or []
            if not isinstance(children, list):
                self.mistakes.append(self.document.error(f"{key} must be a list", (*steps, key)))
                continue
            for index, child in enumerate(children):
                child_steps = (*steps, key, index)
                if not isinstance(child, dict):
                    message = f"a panel must be a mapping, got {child!r:.40}"
                    self.mistakes.append(self.document.error(message, child_steps))
                    continue
                if key == "panels":
                    yield child, child_steps
                yield from self.raw_panels(child, child_steps)

    def panel(self, raw: dict[str, Any], steps: tuple[Step, ...]) -> Panel:
        queries = []
        title = str(raw.get("title") or f"panel {raw.get('id', steps[-1])}")
        targets = raw.get("targets") or []
        for index, target in enumerate(targets if isinstance(targets, list) else []):
            target_steps = (*steps, "targets", index)
            if not isinstance(target, dict) or target.get("hide"):
                continue
            kind = _datasource(target) or _datasource(raw)
            expr = target.get("expr")
            if kind not in ("", "prometheus"):
                self.note(f"panel {title!r} asks {kind}, not Prometheus: not judged", target_steps)
            elif not isinstance(expr, str) or not expr.strip():
                self.note(f"panel {title!r} has a query without expr: not judged", target_steps)
            else:
                query = self.query(expr, str(target.get("legendFormat") or ""), target_steps)
                queries.append(query)
        position = Place(self.document.path, *self.document.position(steps))
        kind = str(raw.get("type") or "graph")
        return Panel(self.title, title, kind, tuple(queries), position, raw)

    def query(self, raw: str, legend: str, steps: tuple[Step, ...]) -> Query:
        expr = substitute(raw, self.variables)
        position = Place(self.document.path, *self.document.position((*steps, "expr")))
        try:
            promql_parser.parse(expr)
        except ValueError as error:
            seen = "" if expr == raw else f" (read as {expr!r})"
            self.mistakes.append(position.error(f"expr is not PromQL: {error}{seen}"))
        return Query(expr, legend, position)

    def note(self, message: str, steps: tuple[Step, ...]) -> None:
        position = Place(self.document.path, *self.document.position(steps))
        self.findings.append(Finding(position, message))


def substitute(expr: str, variables: Mapping[str, str]) -> str:
    """Replace `$name`, `${name}` and `[[name]]` by their values; a name unknown stays.

    A variable that stands for everything (`.*`) turns the `=` before it into `=~`.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2) or match.group(3)
        return variables.get(name, match.group())

    return _EQUALS_ANY.sub("=~", _VARIABLE.sub(value, expr))


def _variables(top: Mapping[str, Any]) -> dict[str, str]:
    """Return the value of every template variable of a dashboard."""
    templating = top.get("templating")
    raw = templating.get("list") if isinstance(templating, dict) else None
    found = {}
    for variable in raw if isinstance(raw, list) else []:
        if isinstance(variable, dict) and isinstance(variable.get("name"), str):
            found[variable["name"]] = _variable_value(variable)
    return found


def _variable_value(variable: Mapping[str, Any]) -> str:
    """Return what a variable stands for: its current choice, else its first, else everything."""
    current = variable.get("current")
    chosen = current.get("value") if isinstance(current, dict) else None
    values = [str(one) for one in (chosen if isinstance(chosen, list) else [chosen]) if one]
    if "$__all" in values:
        return str(variable.get("allValue") or _ANY)
    if variable.get("type") == "interval":
        choices = [*values, *str(variable.get("query") or "").split(",")]
        return next((one for one in choices if re.fullmatch(r"\d+\w+", one)), f"{INTERVAL_S}s")
    if not values and variable.get("type") in ("custom", "constant", "textbox"):
        values = [one.strip() for one in str(variable.get("query") or "").split(",")][:1]
    if len(values) > 1:
        return "(" + "|".join(values) + ")"
    return values[0] if values and values[0] else _ANY


def _datasource(holder: Mapping[str, Any]) -> str:
    """Return the type of datasource a panel or target names; empty when it does not say."""
    source = holder.get("datasource")
    kind = str(source.get("type") or "") if isinstance(source, dict) else ""
    return "" if kind in ("datasource", "mixed") else kind
