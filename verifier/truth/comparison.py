"""What a panel shows beside what the world counted, at instants around every fault.

Read from the answers of the Prometheus that judges: nothing is asked again. It says of no
difference why it is there: `verifier.truth.mismatch` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.panels.units import base_unit, panel_unit
from verifier.truth.measures import LE, bound_text, expected_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.scenario import Scenario
    from verifier.panels.answers import PanelAnswer, PanelWindow
    from verifier.truth.declared import PanelTruth
    from verifier.truth.ledger import WorldRecord
    from verifier.truth.measures import Ranges

INSTANTS_MAX: Final = 12
AFTER_S: Final = 300.0
"""So long after a fault, windows of five minutes have left it behind."""


@dataclass(frozen=True, slots=True)
class ShownValue:
    """The values of a panel at one instant, in the world's units, by the label `by`.

    `series` is how many series there are; a label that they do not have reads as empty.
    """

    at_s: float
    values: dict[str, float]
    series: int


@dataclass(frozen=True, slots=True)
class ComparedInstant:
    """What a panel shows at an instant beside what it must."""

    shown: ShownValue
    expected: Ranges

    @property
    def wrong(self) -> tuple[str, ...]:
        """The labels whose values are not those of the world.

        What the world has none of need not be shown.
        """
        shown, expected = self.shown.values, self.expected
        missing = (key for key, each in expected.items() if key not in shown and each.high > 0)
        different = (k for k, each in expected.items() if k in shown and not each.holds(shown[k]))
        further = (key for key in shown if key not in expected)
        return (*missing, *different, *further)

    @property
    def agrees(self) -> bool:
        """Whether every series is as in the world, and there is no other."""
        return not self.wrong and self.shown.series <= len(self.expected)


@dataclass(frozen=True, slots=True)
class TruthOfRun:
    """What the panels of a run are compared with: `record` in scenario seconds from `epoch_s`."""

    record: WorldRecord
    scenario: Scenario
    epoch_s: float
    window: PanelWindow


def compared_instants(
    answer: PanelAnswer, truth: PanelTruth, run: TruthOfRun
) -> Iterator[ComparedInstant]:
    """Yield what a panel shows at each instant at which the world can say what it must."""
    for at_s in instants_of(answer, run):
        expected = expected_at(truth, run.record, at_s)
        if expected:
            yield ComparedInstant(shown_at(answer, truth, run.epoch_s, at_s), expected)


def instants_of(answer: PanelAnswer, run: TruthOfRun) -> list[float]:
    """Return points of an answer before, during and after every fault, scenario seconds."""
    end_s = run.window.end_s - run.epoch_s
    if not answer.step_s:
        return [end_s]
    grid = run.window.grid(answer.query)
    points_s = np.arange(grid.start_s, grid.end_s + grid.step_s / 2, grid.step_s) - run.epoch_s
    looked_at = [0.0, end_s]
    for fault in run.scenario.plan.faults:
        until_s = fault.start_s + fault.duration_s
        looked_at += [fault.start_s, (fault.start_s + until_s) / 2, until_s, until_s + AFTER_S]
        looked_at.append((until_s + end_s) / 2)
    looked_at = [end_s * part / 4 for part in range(5)] if len(looked_at) == 2 else looked_at
    numbers = np.searchsorted(points_s, [s for s in looked_at if s <= end_s], side="right") - 1
    chosen = sorted({max(int(number), 0) for number in numbers})
    every = max(1, -(-len(chosen) // INSTANTS_MAX))
    return [float(points_s[number]) for number in chosen[::every]]


def shown_at(answer: PanelAnswer, truth: PanelTruth, epoch_s: float, at_s: float) -> ShownValue:
    """Return what an answer shows at one of its points, in the world's units."""
    _, factor = base_unit(panel_unit(answer.panel))
    if truth.take == "buckets":
        factor = 1.0  # its unit is that of the bounds
    by = LE if truth.take == "buckets" else truth.by
    values: dict[str, float] = {}
    count = 0
    for series in answer.series:
        at = np.flatnonzero(np.abs(series.times_s - epoch_s - at_s) < 1e-3)
        if not len(at) or np.isnan(series.values[at[0]]):
            continue
        key = series.labels.get(by, "") if by else ""
        count += 1
        if by == LE and key:
            key = bound_text(float(key))
        values[key] = float(series.values[at[0]]) * factor
    return ShownValue(at_s, values, count)
