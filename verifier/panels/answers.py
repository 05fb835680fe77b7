"""Asks a running Prometheus what dashboard panels show over a scenario.

Called by the judge of virtual time after its history was pushed, and by the judge of real time at
the end of a run. It returns answers; `verifier.judge.panel_verdicts` makes verdicts of them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, Final

import numpy as np

from documents.mistakes import InputError
from verifier.dashboards.resolution import board_values, resolved_query
from verifier.evidence.relaxed import is_unstored, relax
from verifier.evidence.stock import EvaluationSpan
from verifier.panels.stored_values import ServerValues
from verifier.promql.parsing import parse
from verifier.servers.prometheus import QueryError, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from verifier.dashboards.variable_values import VariableValues
    from verifier.pack.panels import Board, Panel, Query
    from verifier.servers.prometheus import Prometheus, Series

EMPTY: Final = "query returns nothing"
PANEL_POINTS: Final = 500
"""About as many points as are asked of a panel over a long scenario."""
REPEATS_MAX: Final = 20
"""Choices for which a repeated panel is asked; the rest would show nothing else."""


@dataclass(frozen=True, slots=True)
class PanelWindow:
    """When panels are asked: from `start_s` to `end_s`, Unix seconds, at least `scrape_s` apart.

    Time runs `factor` times as fast as the dashboards were written for.
    """

    start_s: float
    end_s: float
    scrape_s: float
    factor: float = 1.0

    def grid(self, query: Query) -> RangeQuery:
        """Return the query of a panel on its own step, so that the last point is the end."""
        length_s = self.end_s - self.start_s
        step_s = min(max(query.step_s / self.factor, self.scrape_s), max(length_s, 1.0))
        step_s *= max(1, math.ceil(length_s / step_s / PANEL_POINTS))
        steps = int(length_s / step_s + 1e-9)
        return RangeQuery(query.expr, self.end_s - steps * step_s, self.end_s, step_s)

    def span(self, query: Query) -> EvaluationSpan:
        """Return the points of a panel's query."""
        grid = self.grid(query)
        return EvaluationSpan(grid.start_s, grid.start_s, grid.end_s, grid.step_s)

    def instant(self, query: Query) -> RangeQuery:
        """Return the query of a panel at the end alone."""
        return RangeQuery(query.expr, self.end_s, self.end_s, self.scrape_s)


@dataclass(frozen=True, slots=True)
class PanelComparison:
    """An answer beside what the world counted: `shows` is what it must show, in words.

    It was compared at `instants_s`, scenario seconds; at none where scrapes were disturbed, or
    where the world has no such value. `reason` says why it does not agree, empty where it does.
    """

    shows: str
    instants_s: tuple[float, ...]
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether nothing speaks against it; with no instant, nothing was compared."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class PanelAnswer:
    """The answer to one query of a panel over the scenario; `series` has Unix times.

    `reason` says why it is not `ok`, or what to know where it is; `hints` are what a person should
    look at where it is empty. Values are `step_s` seconds apart, 0 where there is one instant.
    `truth` is the comparison with the world, None where nobody says what the panel must show.
    """

    panel: Panel
    query: Query
    ok: bool
    reason: str
    series: tuple[Series, ...] = ()
    is_empty: bool = False
    hints: tuple[str, ...] = ()
    step_s: float = 0.0
    truth: PanelComparison | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query of a panel as it is sent, and the values of the variables in it.

    `refusal` says why it cannot be sent.
    """

    panel: Panel
    query: Query
    values: VariableValues
    refusal: str = ""


def answer_panels(
    server: Prometheus,
    panels: Sequence[Panel],
    window: PanelWindow,
    *,
    adapt: Callable[[Query], Query] | None = None,
) -> tuple[PanelAnswer, ...]:
    """Ask every query of every panel; `adapt` fits a query to the clock, raising InputError.

    An instant query is asked at the end, and over the whole scenario where it then shows nothing
    though every metric that it needs is stored.
    """
    asked = list(_resolved(server, panels, window, adapt))
    first = [window.instant(a.query) if a.query.instant else window.grid(a.query) for a in asked]
    answers = server.query_ranges(first)
    again = [
        index
        for index, (each, answer) in enumerate(zip(asked, answers, strict=True))
        if each.query.instant and answer == []
    ]
    names = frozenset(server.metric_names()) if again else frozenset()
    again = [index for index in again if not _never_shows(asked[index].query, names)]
    later = server.query_ranges([window.grid(asked[index].query) for index in again])
    for index, answer in zip(again, later, strict=True):
        answers[index] = answer
    steps_s = [
        0.0 if each.query.instant and index not in again else window.grid(each.query).step_s
        for index, each in enumerate(asked)
    ]
    judged = map(_answer, asked, answers)
    return tuple(replace(each, step_s=s) for each, s in zip(judged, steps_s, strict=True))


def _never_shows(query: Query, names: Collection[str]) -> bool:
    """Return whether a query shows nothing at any moment, for want of a metric in `names`."""
    try:
        root, *_ = relax(parse(query.expr)).roots
    except ValueError:
        return False
    return is_unstored(root, names)


def _resolved(
    server: Prometheus,
    panels: Sequence[Panel],
    window: PanelWindow,
    adapt: Callable[[Query], Query] | None,
) -> Iterator[_Asked]:
    """Yield every query with the values that variables have on what is stored."""
    stored = ServerValues(server, window.start_s, window.end_s)
    known: dict[Board, VariableValues] = {}
    for panel in panels:
        if panel.board not in known:
            known[panel.board] = board_values(panel.board, end_s=window.end_s, stored=stored)
        for drawn, values in _repeated(panel, known[panel.board]):
            for query in panel.queries:
                resolved = resolved_query(drawn, query, values)
                try:
                    adapted = adapt(resolved) if adapt is not None else resolved
                except InputError as error:
                    yield _Asked(drawn, resolved, values, error.mistakes[0].sentence)
                else:
                    yield _Asked(drawn, adapted, values)


def _repeated(panel: Panel, values: VariableValues) -> Iterator[tuple[Panel, VariableValues]]:
    """Yield a panel for every choice of the variables that it, or its row, is repeated for."""
    names = [name for name in panel.repeats if (value := values.get(name)) and value.values]
    choices = [value.values for name in names if (value := values.get(name))]
    for combination in islice(product(*choices), REPEATS_MAX):
        drawn, fixed = panel, values
        for name, choice, all_choices in zip(names, combination, choices, strict=True):
            fixed = fixed.fixed(name, choice)
            if len(all_choices) > 1:
                drawn = replace(drawn, title=f"{drawn.title} ({name}: {choice})")
        yield drawn, fixed


def _answer(asked: _Asked, answer: list[Series] | QueryError) -> PanelAnswer:
    panel, query = asked.panel, asked.query
    if asked.refusal:
        return PanelAnswer(panel, query, ok=False, reason=asked.refusal)
    if isinstance(answer, QueryError):
        return PanelAnswer(panel, query, ok=False, reason=f"query fails: {answer}")
    reason = ""
    if not answer:
        hints = tuple(_hints(asked))
        return PanelAnswer(panel, query, ok=False, reason=EMPTY, is_empty=True, hints=hints)
    if all(np.isnan(series.values).all() for series in answer):
        reason = "query returns NaN only"
    return PanelAnswer(panel, query, ok=not reason, reason=reason, series=tuple(answer))


def _hints(asked: _Asked) -> Iterator[str]:
    """Yield what about the variables of a query may be why it shows nothing."""
    template = asked.query.template
    variables = {variable.name: variable for variable in asked.panel.board.variables}
    for value in asked.values.used(template):
        asks = variables[value.name].query
        if value.literal is None and not value.values:
            yield f"variable ${value.name} has no choices, as {asks} returns nothing"
        as_text = rf'(?<![!=~<>])=\s*["\'`][^"\'`]*(?:\$|\$\{{|\[\[){value.name}\b'
        if value.stands_for_all and re.search(as_text, template):
            yield (
                f"${value.name} stands for all choices, as a regular expression, which `=` takes"
                " as text: `=~` matches them"
            )
