"""Panels of dashboards as values: what each asks, and what decides how Grafana asks it.

Made by `verifier.dashboards`, asked by `verifier.panels`; rules and panels have their history in
common, so `verifier.pack.history_depth` reads them too. Nothing here reads a file or asks a server.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from verifier.errors import NotJudged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documents.document import Value
    from documents.mistakes import Place
    from verifier.errors import Finding


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a variable: the text that is shown, and the value that is sent."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a dashboard as it stands in the file.

    `query` is what a variable of kind `query` asks, the choices of another; `chosen` are the
    current values, empty when there are none. With `asks` its choices come from the Prometheus
    that is judged. `all_value` replaces the list of all choices.
    """

    name: str
    kind: str
    query: str = ""
    regex: str = ""
    sort: int = 0
    multi: bool = False
    include_all: bool = False
    all_value: str | None = None
    chosen: tuple[str, ...] = ()
    chosen_texts: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """What all panels of a dashboard share: its variables, and the range of time that it shows."""

    title: str = ""
    variables: tuple[Variable, ...] = ()
    range_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Resolution:
    """What decides the step of a panel: the range it shows, its width in points, its least step."""

    range_s: float = 3600.0
    points: int = 1000
    min_interval: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel, variables replaced as far as the file says, and its legend format.

    `template` is the expression as it stands in the file. An `instant` query is asked for the end
    of the range only.
    """

    expr: str
    legend: str
    position: Place
    template: str = ""
    instant: bool = False
    min_step: str = ""
    interval_factor: int = 1
    step_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that asks Prometheus something; `raw` is its JSON as it stands in the file.

    `repeats` are the variables for each of whose values it is drawn. `reads` are expressions
    that read at least what its queries and variables read.
    """

    dashboard: str
    title: str
    type: str
    queries: tuple[Query, ...]
    position: Place
    raw: Mapping[str, Value]
    board: Board = field(default_factory=Board)
    resolution: Resolution = field(default_factory=Resolution)
    repeats: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOutPanel:
    """A panel, or some queries of one, that nobody asks, and why; it keeps no verdict from passing.

    `queries` are the expressions of all its queries as they stand in the file.
    """

    dashboard: str
    title: str
    reason: str
    position: Place
    queries: tuple[str, ...] = ()

    @property
    def not_judged(self) -> NotJudged:
        """It as verdicts name it."""
        subject = f"panel {self.dashboard} / {self.title}"
        return NotJudged(subject, self.reason, self.position, keeps_from_passing=False)


@dataclass(frozen=True, slots=True)
class Dashboards:
    """All panels of some dashboards in the order of the files, and what to know about them.

    `left_out` are the panels, or queries of them, that ask something else than Prometheus.
    """

    panels: tuple[Panel, ...]
    findings: tuple[Finding, ...] = ()
    left_out: tuple[LeftOutPanel, ...] = ()

    @property
    def not_judged(self) -> tuple[NotJudged, ...]:
        """What is left out, as verdicts name it.

        Where nothing else is there, no panel is judged at all: that is no pass.
        """
        nothing_else = not self.panels
        return tuple(
            replace(panel.not_judged, keeps_from_passing=nothing_else) for panel in self.left_out
        )
