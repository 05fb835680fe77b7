"""What all seeds of a scenario show together: in how many of them each alert did as expected.

Called by reports and by the verdict's document. It judges nothing anew: an alert did as expected in
a seed when every verdict on it there is ok, and a seed that could not be judged counts for none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from verifier.seeds.naming import Named, base_name, is_of_seeds, seeds_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


SHOWN_MAX: Final = 10
"""Seeds that do not pass, of each scenario, of which a report says everything."""


class JudgedAlert(Protocol):
    """What is read of a verdict on an alert (`verifier.judge.verdict.AlertVerdict`)."""

    @property
    def alert(self) -> str:
        """Its name."""

    @property
    def expected(self) -> str:
        """What it had to do; `fires` is the one that is asked for here."""

    @property
    def ok(self) -> bool:
        """Whether it did."""

    @property
    def firing_s(self) -> float | None:
        """When it first fired, from the onset of its cause."""


class JudgedRun(Named, Protocol):
    """What is read of a run (`verifier.judge.verdict.ScenarioOutcome`)."""

    @property
    def verdict(self) -> str:
        """`pass`, `fail` or `invalid`."""

    @property
    def invalid(self) -> Sequence[str]:
        """Why it could not be judged."""

    @property
    def alerts(self) -> Sequence[JudgedAlert]:
        """The verdicts on its alerts."""

    @property
    def replay(self) -> str:
        """The command that judges it again."""


Run = TypeVar("Run", bound=JudgedRun)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcrossSeeds:
    """One alert in all seeds that were judged; `not_in` are those where it did otherwise.

    `must_fire` says whether it was expected to, and `fired_in` in how many seeds it fired at all.
    `firing_s` is the earliest, the median and the latest of when it first fired, from the onset of
    its cause, where it had to and did; None where it never did.
    """

    alert: str
    must_fire: bool
    judged: int
    fired_in: int
    not_in: tuple[int, ...]
    firing_s: tuple[float, float, float] | None

    @property
    def as_expected(self) -> int:
        """In how many seeds it did what was expected of it."""
        return self.judged - len(self.not_in)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioAcrossSeeds:
    """One scenario on all its seeds: by verdict the seeds that had it, and its alerts.

    `replay` is the command that judges the first seed again that does not pass; empty where all do.
    """

    scenario: str
    passing: tuple[int, ...]
    failing: tuple[int, ...]
    invalid: tuple[int, ...]
    alerts: tuple[AlertAcrossSeeds, ...]
    replay: str

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds."""
        return tuple(sorted((*self.passing, *self.failing, *self.invalid)))

    @property
    def unsteady(self) -> tuple[AlertAcrossSeeds, ...]:
        """The alerts that had to fire, and those that did not as expected in every seed."""
        return tuple(each for each in self.alerts if each.must_fire or each.not_in)


def across_seeds(outcomes: Sequence[JudgedRun]) -> list[ScenarioAcrossSeeds]:
    """Return each scenario that was judged on many seeds; none of those that were not."""
    by_name: dict[str, list[JudgedRun]] = {}
    for outcome in outcomes:
        if is_of_seeds(outcome):
            by_name.setdefault(base_name(outcome), []).append(outcome)
    return [_scenario(name, runs) for name, runs in by_name.items()]


def representatives(outcomes: Sequence[Run]) -> list[Run]:
    """Return the runs that a report shows one by one; of many seeds of a scenario they are few.

    The first that passes and the first `SHOWN_MAX` that do not: the others are counted, and stand
    in the document.
    """
    shown, counts = [], Counter[tuple[str, bool]]()
    for outcome in outcomes:
        if is_of_seeds(outcome):
            passes = outcome.verdict == "pass"
            counts[base_name(outcome), passes] += 1
            if counts[base_name(outcome), passes] > (1 if passes else SHOWN_MAX):
                continue
        shown.append(outcome)
    return shown


def across_document(outcomes: Sequence[JudgedRun]) -> list[dict[str, Any]]:
    """Return what all seeds show together as JSON values."""
    return [
        {
            "scenario": each.scenario,
            "seeds": seeds_text(each.seeds),
            "passing": len(each.passing),
            "failing": list(each.failing),
            "invalid": list(each.invalid),
            "replay": each.replay or None,
            "alerts": [
                {
                    "alert": alert.alert,
                    "must_fire": alert.must_fire,
                    "judged": alert.judged,
                    "fired_in": alert.fired_in,
                    "as_expected": alert.as_expected,
                    "not_in": list(alert.not_in),
                    "firing_s": _spread(alert.firing_s),
                }
                for alert in each.alerts
            ],
        }
        for each in across_seeds(outcomes)
    ]


def _spread(firing_s: tuple[float, float, float] | None) -> dict[str, float] | None:
    if firing_s is None:
        return None
    names = ("earliest", "median", "latest")
    return {name: round(value, 3) for name, value in zip(names, firing_s, strict=True)}


def _scenario(name: str, runs: Sequence[JudgedRun]) -> ScenarioAcrossSeeds:
    by_verdict: dict[str, list[int]] = {"pass": [], "fail": [], "invalid": []}
    for run in runs:
        by_verdict[run.verdict].append(run.seed)
    return ScenarioAcrossSeeds(
        scenario=name,
        passing=tuple(by_verdict["pass"]),
        failing=tuple(by_verdict["fail"]),
        invalid=tuple(by_verdict["invalid"]),
        alerts=tuple(_alerts(runs)),
        replay=next((run.replay for run in runs if run.verdict != "pass"), ""),
    )


def _alerts(runs: Sequence[JudgedRun]) -> Iterator[AlertAcrossSeeds]:
    """Yield every alert, in the order of the verdicts."""
    by_alert: dict[str, dict[int, list[JudgedAlert]]] = {}
    # A run that is invalid for more than one of its alerts may have verdicts all the same.
    for run in (run for run in runs if not run.invalid):
        for verdict in run.alerts:
            by_alert.setdefault(verdict.alert, {}).setdefault(run.seed, []).append(verdict)
    for alert, by_seed in by_alert.items():
        verdicts = [verdict for each in by_seed.values() for verdict in each]
        due = [each for each in verdicts if each.expected == "fires"]
        fired_s = sorted(each.firing_s for each in due if each.firing_s is not None)
        yield AlertAcrossSeeds(
            alert=alert,
            must_fire=bool(due),
            judged=len(by_seed),
            fired_in=sum(
                any(each.firing_s is not None for each in some) for some in by_seed.values()
            ),
            not_in=tuple(s for s, some in by_seed.items() if not all(each.ok for each in some)),
            firing_s=(fired_s[0], median(fired_s), fired_s[-1]) if fired_s else None,
        )
