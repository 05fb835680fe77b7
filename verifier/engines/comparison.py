"""Which alerts would change when a user moves from one engine to another: sentences, a document.

Made by `verify` when every scenario was judged by both; why each differs was explained there.
Pure; times are scenario seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount
from verifier.changes.timelines import change_text, compare
from verifier.engines.causes.sentences import cause_lines, explanation_document, reason_lines
from verifier.engines.judge import UNKNOWN, ComparedScenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.changes.timelines import AlertChange, EpisodePair
    from verifier.engines.causes.explaining import AlertExplanation
    from verifier.evaluation.timeline import Episode
    from verifier.judge.verdict import Engine, ScenarioOutcome

VERSION: Final = 2
SCHEMA: Final = Path(__file__).with_name("engines.schema.json")
UNEXPLAINED: Final = "NOT EXPLAINED: nothing was recomputed"


@dataclass(frozen=True, slots=True)
class ScenarioComparison:
    """A scenario: every alert that either engine ever saw active, and what each says besides.

    `failing` and `unfollowed` are by engine: alerts that fail what is expected, and rules that the
    engine cannot evaluate.
    """

    scenario: str
    changes: tuple[AlertChange, ...]
    failing: tuple[tuple[str, ...], ...]
    unfollowed: tuple[tuple[str, ...], ...]
    explanations: tuple[AlertExplanation, ...] = ()

    def explanation(self, change: AlertChange) -> AlertExplanation | None:
        """Return why an alert differs, None of one that does not or that nobody looked at."""
        same = (
            e for e in self.explanations if (e.alert, e.labels) == (change.alert, change.labels)
        )
        return next(same, None)

    @property
    def unexplained(self) -> tuple[AlertChange, ...]:
        """The alerts that differ for a reason that is not known, or not of every evaluation."""
        return tuple(
            change
            for change in self.differing
            if (explanation := self.explanation(change)) is None or not explanation.is_explained
        )

    @property
    def differing(self) -> tuple[AlertChange, ...]:
        """The alerts that differ."""
        return tuple(change for change in self.changes if not change.is_same)


@dataclass(frozen=True, slots=True)
class EngineComparison:
    """All scenarios; `engines` are what they are called, `unjudged` says why some are missing."""

    engines: tuple[str, ...]
    scenarios: tuple[ScenarioComparison, ...]
    unjudged: tuple[tuple[str, str], ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether no alert of any scenario differs, and each engine evaluates every rule."""
        return not any(each.differing or any(each.unfollowed) for each in self.scenarios)


def compare_engines(outcomes: Sequence[ScenarioOutcome]) -> EngineComparison:
    """Put the readings of both engines side by side."""
    judged = [e for e in outcomes if isinstance(e, ComparedScenario) and not e.invalid]
    names: tuple[str, ...] = ()
    for outcome in judged:
        readings = outcome.readings
        names = names or tuple(_named(reading.engine) for reading in readings)
    return EngineComparison(
        names,
        tuple(_compared(outcome) for outcome in judged),
        tuple((each.name, "; ".join(each.invalid)) for each in outcomes if each not in judged),
    )


def _named(engine: Engine) -> str:
    """Return what an engine is called, with its version where it states one."""
    return engine.name if engine.version == UNKNOWN else f"{engine.name} {engine.version}"


def _compared(outcome: ComparedScenario) -> ScenarioComparison:
    before, after = outcome.readings
    return ScenarioComparison(
        outcome.name,
        compare(before.timelines, after.timelines),
        tuple(reading.failing for reading in outcome.readings),
        tuple(tuple(map(str, reading.not_judged)) for reading in outcome.readings),
        outcome.explanations,
    )


def comparison_lines(comparison: EngineComparison) -> Iterator[str]:
    """Yield every alert that differs, by scenario, what could not be compared, and the sum."""
    names = comparison.engines or ("the first engine", "the second")
    for scenario in comparison.scenarios:
        yield from _change_lines(scenario, names)
        for name, lines in zip(names, scenario.unfollowed, strict=True):
            yield from (f"{scenario.scenario}: {name}: {line}" for line in lines)
        first, second = map(set, scenario.failing)
        for alert in sorted(first - second):
            yield f"{scenario.scenario}: {alert} fails what is expected in {names[0]} alone"
        for alert in sorted(second - first):
            yield f"{scenario.scenario}: {alert} fails what is expected in {names[1]} alone"
    for name, reason in comparison.unjudged:
        yield f"{name}: not compared: {reason}"
    yield from _sum_lines(comparison, names)


def why_lines(scenario: ScenarioComparison, change: AlertChange, names: Sequence[str]) -> list[str]:
    """Return why an alert differs; that nothing is known of it is said as well."""
    explanation = scenario.explanation(change)
    return list(reason_lines(explanation, _bare(names)) if explanation else ()) or [UNEXPLAINED]


def all_cause_lines(comparison: EngineComparison, names: Sequence[str]) -> list[str]:
    """Return what all the differences come from."""
    known = [each for scenario in comparison.scenarios for each in scenario.explanations]
    return list(cause_lines(known, _bare(names)))


def _change_lines(scenario: ScenarioComparison, names: Sequence[str]) -> Iterator[str]:
    """Yield every alert that differs, each with why; series that differ alike stand together."""
    alike: dict[tuple[str, str, tuple[object, ...]], list[AlertChange]] = {}
    for change in scenario.differing:
        said = change_text(change, before=f"in {names[0]}", after=f"in {names[1]}")
        explanation = scenario.explanation(change)
        why = tuple(each.outline for each in explanation.reasons) if explanation else ()
        alike.setdefault((change.alert, said, why), []).append(change)
    for (alert, said, _), changes in alike.items():
        labels = ", ".join(f'{name}="{text}"' for name, text in changes[0].labels)
        others = f" and {len(changes) - 1:,} more like it" if len(changes) > 1 else ""
        yield f"{scenario.scenario}: {alert}{{{labels}}}{others}: {said}"
        yield from (f"    {reason}" for reason in why_lines(scenario, changes[0], names))


def _sum_lines(comparison: EngineComparison, names: Sequence[str]) -> Iterator[str]:
    """Yield what the differences come from, how many there are, and how many are explained."""
    scenarios = comparison.scenarios
    differ = sum(len(each.differing) for each in scenarios)
    yield from (f"BECAUSE {line}" for line in all_cause_lines(comparison, names))
    unexplained = sum(len(each.unexplained) for each in scenarios)
    alerts = sum(len(each.changes) for each in scenarios)
    yield (
        f"ENGINES: {names[0]} and {names[1]}: {amount(differ, 'alerts')} of {alerts:,} that were"
        f" ever active differ, in {amount(len(scenarios), 'scenarios')}"
        + (_explained_text(unexplained) if differ else "")
    )


def _explained_text(unexplained: int) -> str:
    if not unexplained:
        return "; why is said of each"
    return f"; {unexplained:,} NOT EXPLAINED"


def _bare(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without versions, where they differ without."""
    bare = tuple(name.partition(" ")[0] for name in names)
    return bare if len(set(bare)) == len(bare) else tuple(names)


def comparison_document(comparison: EngineComparison) -> dict[str, Any]:
    """Return the comparison as `engines.schema.json` describes it."""
    return {
        "version": VERSION,
        "same": comparison.is_same,
        "unexplained": sum(len(each.unexplained) for each in comparison.scenarios),
        "engines": list(comparison.engines),
        "scenarios": [
            {
                "scenario": each.scenario,
                "failing": [list(names) for names in each.failing],
                "not_evaluated": [list(lines) for lines in each.unfollowed],
                "alerts": [_change_document(change, each) for change in each.changes],
            }
            for each in comparison.scenarios
        ],
        "not_judged": [{"scenario": name, "reason": why} for name, why in comparison.unjudged],
    }


def _change_document(change: AlertChange, scenario: ScenarioComparison) -> dict[str, Any]:
    explanation = scenario.explanation(change)
    return {
        "alert": change.alert,
        "labels": dict(change.labels),
        "same": change.is_same,
        "explained": None if change.is_same else change not in scenario.unexplained,
        "reasons": explanation_document(explanation) if explanation else [],
        "only_first": change.disappears,
        "only_second": change.appears,
        "fires_later_s": [round(each, 3) for each in change.fires_later_s],
        "resolves_later_s": [
            round(each, 3) if math.isfinite(each) else None for each in change.resolves_later_s
        ],
        "episodes": [_pair_document(pair) for pair in change.pairs],
    }


def _pair_document(pair: EpisodePair) -> list[dict[str, float | None] | None]:
    return [_episode_document(pair.before), _episode_document(pair.after)]


def _episode_document(episode: Episode | None) -> dict[str, float | None] | None:
    if episode is None:
        return None
    return {
        "pending": episode.pending_s,
        "firing": episode.firing_s,
        "resolved": episode.resolved_s,
    }
