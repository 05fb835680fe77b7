"""How many cells are proven, and which are open: for people and as a document.

Made by `coverage` when all scenarios are judged. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from documents.amounts import amount
from verifier.coverage.cells import CELLS, TITLES
from verifier.coverage.observing import CoveredScenario
from verifier.coverage.value_cells import has_threshold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from verifier.coverage.cells import Cell, MissedCell
    from verifier.coverage.reasons import Reasons
    from verifier.judge.verdict import ScenarioOutcome
    from verifier.pack.rules import AlertRule, RuleFiles

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("coverage.schema.json")
SEARCHED: Final[tuple[MissedCell, ...]] = ("near_threshold", "near_for")
"""Cells that `scenarios near-miss` can fill."""
NO_THRESHOLD: Final = (
    "its condition is not one comparison with a number, so no value is near a threshold"
)
NO_SCENARIO: Final = "no judged scenario with a number to search shows that it fires"
NO_FOR: Final = "it has no `for`"

CellState = Literal["proven", "open", "explained"]


@dataclass(frozen=True, slots=True)
class CoveredCell:
    """A cell of an alert: which scenarios prove it, which showed it and hold nothing, and why not.

    `reason` says why it cannot be proven, where somebody wrote that down or the rule says so.
    """

    rule: AlertRule
    cell: Cell
    proofs: tuple[tuple[str, str], ...]
    unheld: tuple[tuple[str, str], ...]
    reason: str | None = None

    @property
    def state(self) -> CellState:
        """A proof counts, whatever reason is given; a reason counts where there is no proof."""
        if self.proofs:
            return "proven"
        return "open" if self.reason is None else "explained"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every cell of every alert, in the order of the rules.

    `failing` are alerts that a scenario does not accept (scenario, alert, why): there they prove
    nothing. `unjudged` says why scenarios could not be judged, by their names. `searches` are the
    commands that search a near miss, by scenario, alert and cell.
    """

    cells: tuple[CoveredCell, ...]
    failing: tuple[tuple[str, str, str], ...] = ()
    unjudged: tuple[tuple[str, str], ...] = ()
    searches: Mapping[tuple[str, str, Cell], str] = field(default_factory=dict)

    def count(self, state: CellState) -> int:
        """How many cells are in a state."""
        return sum(cell.state == state for cell in self.cells)

    @property
    def share(self) -> float:
        """The share of the cells without a reason that is proven, 0..1; 1 without any."""
        of = len(self.cells) - self.count("explained")
        return self.count("proven") / of if of else 1.0

    @property
    def needless(self) -> tuple[CoveredCell, ...]:
        """Cells with a reason that are proven all the same."""
        return tuple(cell for cell in self.cells if cell.reason is not None and cell.proofs)


def coverage_of(
    rules: RuleFiles, outcomes: Sequence[ScenarioOutcome], reasons: Reasons
) -> Coverage:
    """Put together what every scenario showed."""
    judged = [each for each in outcomes if isinstance(each, CoveredScenario) and not each.invalid]
    return Coverage(
        tuple(
            _covered(rule, cell, _shown(number, cell, judged), reasons)
            for number, (_, rule) in enumerate(rules.alerts)
            for cell in CELLS
        ),
        tuple((each.name, alert, why) for each in judged for alert, why in each.failing),
        tuple((each.name, "; ".join(each.invalid)) for each in outcomes if each not in judged),
    )


def _shown(
    number: int, cell: Cell, judged: Sequence[CoveredScenario]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what scenarios proved of a cell, and what others showed of it, by their names."""
    proofs: dict[str, str] = {}
    unheld: dict[str, str] = {}
    for outcome in judged:
        for each in outcome.observations:
            if (each.number, each.cell) == (number, cell):
                (proofs if each.binds else unheld).setdefault(outcome.name, each.shown)
    return proofs, {name: text for name, text in unheld.items() if name not in proofs}


def _covered(
    rule: AlertRule, cell: Cell, shown: tuple[dict[str, str], dict[str, str]], reasons: Reasons
) -> CoveredCell:
    proofs, unheld = shown
    reason = reasons.get((rule.alert, cell))
    if reason is None and cell == "near_for" and not rule.for_s:
        reason = NO_FOR
    return CoveredCell(rule, cell, tuple(proofs.items()), tuple(unheld.items()), reason)


def table_rows(coverage: Coverage) -> Iterator[tuple[str, ...]]:
    """Yield a row for each alert: in each cell the first scenario that proves it, and how many."""
    width = len(CELLS)
    for start in range(0, len(coverage.cells), width):
        cells = coverage.cells[start : start + width]
        yield (cells[0].rule.alert, *map(_cell_text, cells))


def _cell_text(cell: CoveredCell) -> str:
    if cell.state == "explained":
        return "explained"
    if not cell.proofs:
        return "OPEN"
    more = len(cell.proofs) - 1
    return cell.proofs[0][0] + (f" +{more}" if more else "")


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """Yield the open cells with what was seen of them, those explained, and the score."""
    for cell in coverage.cells:
        if cell.state == "open":
            place = f"{cell.rule.position.path}:{cell.rule.position.line}"
            yield f"{cell.rule.alert} ({place}): {TITLES[cell.cell]}: open"
            for name, text in cell.unheld:
                yield f"  {name}: {text}, and its expectations hold nothing of it"
            if cell.cell in SEARCHED:
                yield _search_line(coverage, cell)
    for cell in coverage.cells:
        if cell.state == "explained":
            yield f"{cell.rule.alert}: {TITLES[cell.cell]}: explained: {cell.reason}"
    for cell in coverage.needless:
        name = cell.proofs[0][0]
        yield f"{cell.rule.alert}: {TITLES[cell.cell]}: a reason stands there, yet {name} proves it"
    for scenario, alert, why in coverage.failing:
        yield f"{scenario}: {alert}: {why}, so it proves nothing there"
    for scenario, reason in coverage.unjudged:
        yield f"{scenario}: not judged: {reason}"
    of = amount(len(coverage.cells), "cells")
    open_, explained = coverage.count("open"), coverage.count("explained")
    proven = f"{coverage.count('proven'):,} of {of} proven"
    yield f"COVERAGE: {coverage.share:.1%}: {proven}, {explained:,} explained, {open_:,} open"


def search_command(coverage: Coverage, cell: CoveredCell) -> str | None:
    """Return the command that searches an open near miss; None where none can, or for other cells.

    It needs a scenario in which the alert fires: the first that shows that and can be searched.
    """
    if cell.state != "open" or cell.cell not in SEARCHED:
        return None
    if cell.cell == "near_threshold" and not has_threshold(cell.rule.expr):
        return None
    firing = (
        name
        for each in coverage.cells
        if each.rule is cell.rule and each.cell == "fires"
        for name, _ in (*each.proofs, *each.unheld)
    )
    commands = (coverage.searches.get((name, cell.rule.alert, cell.cell)) for name in firing)
    return next((command for command in commands if command is not None), None)


def _search_line(coverage: Coverage, cell: CoveredCell) -> str:
    """Return how an open near miss is searched, or why it cannot be."""
    if (command := search_command(coverage, cell)) is not None:
        return f"  search it, with the same --rules if there were any: {command}"
    if cell.cell == "near_threshold" and not has_threshold(cell.rule.expr):
        return f"  no search finds one: {NO_THRESHOLD}"
    return f"  no search finds one: {NO_SCENARIO}"


def coverage_document(coverage: Coverage) -> dict[str, Any]:
    """Return the coverage as `coverage.schema.json` describes it."""
    return {
        "version": VERSION,
        "score": round(coverage.share, 6),
        "proven": coverage.count("proven"),
        "explained": coverage.count("explained"),
        "open": coverage.count("open"),
        "cells": [
            {
                "alert": cell.rule.alert,
                "file": cell.rule.position.path,
                "line": cell.rule.position.line,
                "cell": cell.cell,
                "state": cell.state,
                "proven_by": _documents(cell.proofs),
                "not_held_in": _documents(cell.unheld),
                "reason": cell.reason,
                "search": search_command(coverage, cell),
            }
            for cell in coverage.cells
        ],
        "failing": [
            {"scenario": scenario, "alert": alert, "reason": why}
            for scenario, alert, why in coverage.failing
        ],
        "not_judged": [{"scenario": name, "reason": why} for name, why in coverage.unjudged],
    }


def _documents(shown: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"scenario": name, "shown": text} for name, text in shown]
