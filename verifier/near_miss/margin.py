"""How far from the boundary a near miss is safe: silent on every seed, and proven to be near.

Called after the boundary is known for one seed. Other seeds have other noise and other instants of
evaluation, so the near miss keeps away from it, step by step, until it holds on all of them, and
does so at the step before as well. What a near miss is, `coverage` decides. Pure but for the judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.coverage.observing import CoveredScenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from verifier.coverage.cells import MissedCell
    from verifier.judge.verdict import ScenarioOutcome
    from verifier.near_miss.knobs import Knob

SHARES: Final = (0.01, 0.02, 0.035, 0.05, 0.07, 0.1, 0.14, 0.19, 0.25)
"""Margins that are tried, as shares of the way from no effect to the boundary."""


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What a scenario with the near miss showed on one seed.

    `shown` are the near misses that its judge would have missed had the alert fired; `complaint`
    says what is wrong, None where it is a near miss.
    """

    seed: int
    shown: tuple[str, ...]
    complaint: str | None = None


@dataclass(frozen=True, slots=True)
class SafeValue:
    """A value that is a near miss on every seed, and one nearer to the boundary that is, too."""

    value: float
    nearer: float
    results: tuple[SeedResult, ...]


def margins(knob: Knob, edge: float, step: float, *, upwards: bool) -> Iterator[float]:
    """Yield values further and further from the last silent one, on its silent side, each once.

    `step` is the least that makes a difference: that of the evaluations, for a time. `upwards` says
    that larger values fire.
    """
    # Where less is what fires there is no value without an effect: then the edge itself is the way.
    way = edge - knob.low if upwards else edge
    sign = -1.0 if upwards else 1.0
    seen = {edge}
    for number, share in enumerate(SHARES, 1):
        value = knob.snapped(edge + sign * max(share * way, number * step))
        if value > 0 and value not in seen:
            seen.add(value)
            yield value


def safe_value(
    values: Iterator[float], judged: Callable[[float], tuple[SeedResult, ...]]
) -> SafeValue | tuple[SeedResult, ...]:
    """Return the second of two neighbouring values that hold; else what was wrong with the last.

    Of all that failed, what came nearest to holding is returned: with the fewest complaints.
    """
    before: float | None = None
    best: tuple[SeedResult, ...] = ()
    for value in values:
        results = judged(value)
        complaints = sum(each.complaint is not None for each in results)
        if complaints:
            before = None
            if not best or complaints < sum(each.complaint is not None for each in best):
                best = results
        elif before is None:
            before = value
        else:
            return SafeValue(value, before, results)
    return best


def seed_result(outcome: ScenarioOutcome, numbers: Sequence[int], cell: MissedCell) -> SeedResult:
    """Return what one run showed; `numbers` are the rules of the alert."""
    if not isinstance(outcome, CoveredScenario) or outcome.invalid:
        return SeedResult(outcome.seed, (), "; ".join(outcome.invalid) or "it was not judged")
    failing = [each for each in outcome.alerts if not each.ok]
    shown = tuple(
        each.shown
        for each in outcome.observations
        if each.number in numbers and each.cell == cell and each.binds
    )
    if failing:
        return SeedResult(outcome.seed, shown, f"{failing[0].alert}: {failing[0].reason}")
    near = "its threshold for as long as its `for`" if cell == "near_threshold" else "its `for`"
    return SeedResult(outcome.seed, shown, None if shown else f"it is silent, but not near {near}")
