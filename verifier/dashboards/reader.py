"""Reads Grafana dashboards of any age and wrapping into the queries of their panels.

Called before anything is judged. How a panel draws is not read, only what it asks of Prometheus.
What asks something else, or has its query elsewhere, is named with its reason and not judged.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.document import decimal
from documents.mistakes import gather
from verifier.dashboards.data_sources import (
    EXPRESSION,
    MIXED,
    PROMETHEUS,
    DataSources,
    is_log_query,
)
from verifier.dashboards.models import ModelReader
from verifier.dashboards.reading import panel_reads
from verifier.dashboards.resolution import board_values, resolved_query
from verifier.dashboards.resources import BoardFinder
from verifier.dashboards.time_range import override_s, range_length_s
from verifier.dashboards.variables import read_variable
from verifier.pack.panels import (
    Board,
    Dashboards,
    LeftOutPanel,
    Panel,
    Query,
    Resolution,
    Variable,
)
from verifier.promql.parsing import UNASKED, is_askable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from documents.document import Value
    from verifier.dashboards.models import RawBoard, RawPanel, RawTarget
    from verifier.dashboards.resources import BoardSource
    from verifier.dashboards.variable_values import VariableValues

COLUMN_POINTS: Final = 80
"""Points that a panel draws for each of the 24 columns of its width: a screen of 1,920."""
COLUMNS_MAX: Final = 240
POINTS_MAX: Final = 1_000_000
FACTOR_MAX: Final = 10_000
"""No screen is as wide, no panel as fine or as coarse."""
COLUMNS: Final = 12
"""Width of a panel that does not say, in such columns."""

_QUERYLESS: Final = frozenset(
    {"row", "text", "dashlist", "alertlist", "news", "welcome", "annolist", "gettingstarted"}
    | {"pluginlist", "dashboard-list"}
)
"""Types of panels that never have a query: nothing to judge, and nothing to say."""


def load_dashboards(paths: Iterable[str | Path]) -> Dashboards:
    """Read dashboards from files and folders; raise one `InputError` with every mistake in them."""
    finder = BoardFinder()
    finder.read(map(Path, paths))
    mistakes, findings = list(finder.mistakes), list(finder.findings)
    panels: list[Panel] = []
    left_out: list[LeftOutPanel] = []
    for source in finder.boards:
        reader = _BoardReader(source)
        panels += reader.panels()
        mistakes += reader.mistakes
        findings += reader.findings
        left_out += reader.left_out
    if mistakes:
        raise gather(mistakes)
    return Dashboards(tuple(panels), tuple(findings), tuple(left_out))


class _BoardReader(ModelReader):
    """One walk over a dashboard, which makes its panels."""

    def __init__(self, source: BoardSource) -> None:
        super().__init__(source)
        self.raw: RawBoard = self.read()
        self.left_out: list[LeftOutPanel] = []
        self.sources = DataSources()
        for entry in self.raw.inputs:
            self.sources.add_input(entry)
        for variable in self.raw.variables:
            if variable.get("type") == "datasource":
                self.sources.add_variable(variable)
        range_s = range_length_s(self.raw.time_from, self.raw.time_to)
        self.board = Board(self.raw.title, self._variables(), range_s)
        self.values = board_values(self.board, end_s=range_s)

    def panels(self) -> list[Panel]:
        """Return the panels that ask Prometheus something; name the others."""
        panels = []
        for raw in self.raw.panels:
            if str(raw.fields.get("type")) in _QUERYLESS:
                continue
            panel = self._panel(raw)
            if panel is not None:
                panels.append(panel)
        return panels

    def _variables(self) -> tuple[Variable, ...]:
        """Return the inputs that stand for a text, and the variables."""
        inputs = [
            Variable(str(entry.get("name")), "constant", chosen=(str(entry.get("value") or ""),))
            for entry in self.raw.inputs
            if entry.get("type") == "constant"
        ]
        variables = []
        for raw in self.raw.variables:
            is_prometheus = self.sources.kind(raw.get("datasource")) == PROMETHEUS
            variable = read_variable(raw, is_prometheus=is_prometheus)
            if variable.kind == "constant" and "${VAR_" in variable.query:
                known = {f"${{{entry.name}}}": entry for entry in inputs}
                source = known.get(variable.query)
                variable = replace(variable, chosen=source.chosen) if source else variable
            if variable.kind == "adhoc" and raw.get("filters"):
                self.note(f"the filters of variable {variable.name!r} are left out", ())
            variables.append(variable)
        return (*inputs, *variables)

    def _panel(self, raw: RawPanel) -> Panel | None:
        title = str(raw.fields.get("title") or f"panel {raw.fields.get('id', raw.steps[-1])}")
        if raw.library:
            reason = f"its model is not in the file: it is library panel {raw.library!r}"
            self._leave_out(title, reason, raw)
            return None
        panel = Panel(
            dashboard=self.raw.title,
            title=title,
            type=str(raw.fields.get("type") or "graph"),
            queries=(),
            position=self.place(raw.steps),
            raw=raw.fields,
            board=self.board,
            resolution=_resolution(raw.fields, self.board),
            repeats=raw.repeats,
        )
        values = self._repeated(panel)
        read = [self._query(target, raw) for target in raw.targets if not _hidden(target)]
        queries = [resolved_query(panel, q, values) for q in read if isinstance(q, Query)]
        for reason in dict.fromkeys(reason for reason in read if isinstance(reason, str)):
            self._leave_out(title, reason, raw)
        if not raw.targets:
            self._leave_out(title, "it has no query", raw)
        elif not read:
            self._leave_out(title, "its queries are hidden", raw)
        if not queries:
            return None
        panel = replace(panel, queries=tuple(queries))
        return replace(panel, reads=panel_reads(panel, values))

    def _repeated(self, panel: Panel) -> VariableValues:
        """Return the values that a repeated panel is drawn with first."""
        values = self.values
        for name in panel.repeats:
            value = values.get(name)
            if value is not None and value.values:
                values = values.fixed(name, value.values[0])
        return values

    def _query(self, target: RawTarget, panel: RawPanel) -> Query | str:
        """Return what a target asks of Prometheus, or why it is not judged."""
        fields = target.fields
        own = self.sources.kind(panel.fields.get("datasource"))
        kind = self.sources.kind(fields.get("datasource"), own)
        expr = fields.get("expr")
        if kind == MIXED:
            kind = PROMETHEUS
        if kind == PROMETHEUS and isinstance(expr, str) and is_log_query(expr):
            kind = "Loki"
        if kind == EXPRESSION:
            return "it calculates with what other queries return, in Grafana"
        if kind != PROMETHEUS:
            return f"it asks {kind}"
        if not isinstance(expr, str) or not expr.strip():
            return "it has a query without expr"
        if not is_askable(expr):
            return f"its query is too long: {UNASKED}"
        factor = fields.get("intervalFactor")
        return Query(
            expr=expr,
            legend=str(fields.get("legendFormat") or ""),
            position=self.place((*target.steps, "expr")),
            template=expr,
            instant=bool(fields.get("instant")) and not fields.get("range"),
            min_step=str(fields.get("interval") or ""),
            interval_factor=min(max(1, factor), FACTOR_MAX) if isinstance(factor, int) else 1,
        )

    def _leave_out(self, title: str, reason: str, raw: RawPanel) -> None:
        texts = [target.fields.get("expr") for target in raw.targets if not _hidden(target)]
        queries = tuple(text for text in texts if isinstance(text, str) and text.strip())
        place = self.place(raw.steps)
        self.left_out.append(LeftOutPanel(self.raw.title, title, reason, place, queries))


def _hidden(target: RawTarget) -> bool:
    return bool(target.fields.get("hide"))


def _resolution(fields: Mapping[str, Value], board: Board) -> Resolution:
    """Return what decides the step of a panel; an old one has its width in twelfths."""
    position = fields.get("gridPos")
    columns = position.get("w") if isinstance(position, dict) else None
    span = fields.get("span")
    if columns is None and isinstance(span, (int, float)):
        columns = 2 * span
    width = columns if isinstance(columns, (int, float)) and columns > 0 else COLUMNS
    width = min(width, COLUMNS_MAX)
    points = _whole_number(fields.get("maxDataPoints"))
    return Resolution(
        range_s=override_s(str(fields.get("timeFrom") or "")) or board.range_s,
        points=points or round(COLUMN_POINTS * width),
        min_interval=str(fields.get("interval") or ""),
    )


def _whole_number(value: Value) -> int:
    if isinstance(value, str):
        value = decimal(value.strip())
    return int(min(value, POINTS_MAX)) if isinstance(value, (int, float)) and value >= 1 else 0
