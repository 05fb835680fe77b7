"""Rules of Grafana's dashboard-linter, under its names: conventions, so that none fails a check.

Read from the dashboards as they stand in their files. What a board's readers refuse has been
refused before.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.check.findings.finding import CheckFinding
from verifier.dashboards.data_sources import DataSources
from verifier.dashboards.models import ModelReader
from verifier.dashboards.resources import BoardFinder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from documents.document import Value
    from documents.mistakes import Place
    from verifier.dashboards.models import RawBoard, RawPanel
    from verifier.dashboards.resources import BoardSource

PREFIX: Final = "dashboard-linter/"
WITHOUT_QUERY: Final = frozenset({"row", "text", "dashlist", "alertlist", "news", "annolist"})
WITHOUT_UNIT: Final = WITHOUT_QUERY | {"logs", "nodeGraph", "traces", "flamegraph", "table"}
TIME_CHANGED: Final = 2
"""What a variable has for `refresh` when it is asked again on a change of the time range."""
_RATE: Final = re.compile(r"\b(?:rate|irate|increase)\s*\(")
_RANGE: Final = re.compile(r"\[\s*([^\]:]+?)\s*(?::[^\]]*)?\]")
_RATE_INTERVAL: Final = ("$__rate_interval", "${__rate_interval}", "$__range", "${__range}")
_MATCHED: Final = {
    label: re.compile(rf"\b{label}\s*=~?\s*[\"']\$") for label in ("job", "instance")
}


def dashboard_findings(paths: Iterable[str | Path]) -> Iterator[CheckFinding]:
    """Yield what the linter would say of the dashboards in files and folders."""
    finder = BoardFinder()
    finder.read(map(Path, paths))
    for source in finder.boards:
        yield from _BoardLint(source).findings()


class _BoardLint:
    """One dashboard, and what is said of it."""

    def __init__(self, source: BoardSource) -> None:
        self.source = source
        self.reader = ModelReader(source)
        self.board: RawBoard = self.reader.read()
        self.sources = DataSources()
        for entry in self.board.inputs:
            self.sources.add_input(entry)
        for variable in self.board.variables:
            if variable.get("type") == "datasource":
                self.sources.add_variable(variable)

    def findings(self) -> Iterator[CheckFinding]:
        top = self.reader.place(self.source.steps)
        subject = f"dashboard {self.board.title}"
        for rule, reason in self._of_board():
            yield CheckFinding(PREFIX + rule, top, subject, reason)
        for panel in self.board.panels:
            place = self.reader.place(panel.steps)
            title = str(panel.fields.get("title") or f"panel {panel.fields.get('id', '')}").strip()
            for rule, reason, where in self._of_panel(panel, place):
                yield CheckFinding(
                    PREFIX + rule, where, f"panel {self.board.title} / {title}", reason
                )

    def _of_board(self) -> Iterator[tuple[str, str]]:
        variables = self.board.variables
        if not any(each.get("type") == "datasource" for each in variables):
            yield "template-datasource-rule", "it has no variable of type datasource"
        names = {str(each.get("name")) for each in variables}
        for label in ("job", "instance"):
            if label not in names:
                yield f"template-{label}-rule", f"it has no variable called {label}"
        for each in variables:
            if each.get("type") == "query" and not _follows_time(each):
                reason = f"variable {each.get('name')!r} is not asked again when the time changes"
                yield "template-on-time-change-reload-rule", reason
        if self.source.is_classic and self.source.model.get("editable") is not False:
            yield "uneditable-dashboard", "editable is not false"

    def _of_panel(self, panel: RawPanel, place: Place) -> Iterator[tuple[str, str, Place]]:
        kind = str(panel.fields.get("type"))
        if kind in WITHOUT_QUERY:
            return
        if not panel.fields.get("title") or not panel.fields.get("description"):
            lacks = [key for key in ("title", "description") if not panel.fields.get(key)]
            yield "panel-title-description-rule", f"it has no {' and no '.join(lacks)}", place
        if not panel.targets and not panel.library:
            yield "panel-no-targets-rule", "it has no query", place
        if kind not in WITHOUT_UNIT and not _unit(panel.fields):
            yield "panel-units-rule", "it has no unit", place
        own = panel.fields.get("datasource")
        if panel.targets and own is not None and not _is_variable(own):
            yield "panel-datasource-rule", "its data source is no variable", place
        for target in panel.targets:
            expr = target.fields.get("expr")
            if (
                isinstance(expr, str)
                and not target.fields.get("hide")
                and self.sources.asks_prometheus(target.fields, own)
            ):
                where = self.reader.place((*target.steps, "expr"))
                for rule, reason in _of_query(expr):
                    yield rule, reason, where


def _of_query(expr: str) -> Iterator[tuple[str, str]]:
    ranges = [match[1] for match in _RANGE.finditer(expr)] if _RATE.search(expr) else []
    fixed = [text for text in ranges if text not in _RATE_INTERVAL]
    if fixed:
        yield "target-rate-interval-rule", f"its range is [{fixed[0]}]"
    for label, pattern in _MATCHED.items():
        if not pattern.search(expr):
            yield f"target-{label}-rule", f'it has no matcher {label}=~"${label}"'


def _follows_time(variable: Mapping[str, Value]) -> bool:
    return variable.get("refresh") in (TIME_CHANGED, "onTimeRangeChanged")


def _is_variable(source: Value) -> bool:
    text = source.get("uid") if isinstance(source, dict) else source
    return isinstance(text, str) and (text.startswith(("$", "[[", "--")) or text == "grafana")


def _unit(fields: Mapping[str, Value]) -> bool:
    config = fields.get("fieldConfig")
    defaults = config.get("defaults") if isinstance(config, dict) else None
    if isinstance(defaults, dict) and (defaults.get("unit") or defaults.get("mappings")):
        return True
    axes = fields.get("yaxes")
    return bool(fields.get("format")) or (
        isinstance(axes, list) and any(isinstance(a, dict) and a.get("format") for a in axes)
    )
