"""Every verdict that is not ok, with its numbers: what was measured, and what would have held.

Called by the judges of both clocks while the server that evaluated still runs. It adds to reasons
and never changes whether a verdict is ok.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from verifier.evidence.measurement import ConditionNumbers, measure
from verifier.evidence.silence import rule_findings, silences, static_labels
from verifier.judge.failures.overlay import stanza
from verifier.judge.failures.sentences import bounds_that_would_hold, failure_sentences
from verifier.judge.notification_checks import BROKE_AT_RULE
from verifier.judge.silence_verdicts import judge_silence
from verifier.judge.verdict import AlertVerdict, FailureEvidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.scenario import Scenario
    from verifier.evaluation.timeline import Timeline
    from verifier.evidence.silence import WatchedRun
    from verifier.pack.rules import AlertRule, RuleGroup

BROKE_IN_WORLD: Final = (
    "no scrape failed meanwhile, and the rule did what it says: the cause did not meet it in time"
)


@dataclass(frozen=True, slots=True)
class FailureExplainer:
    """What explains failures: the run as it was watched, and what its faults did, by name.

    `longest` is the name and duration of the longest scenario of all that run together.
    """

    run: WatchedRun
    scenario: Scenario
    fault_effects: Mapping[str, str]
    longest: tuple[str, float]

    def complete(
        self, verdicts: Sequence[AlertVerdict], timelines: Sequence[Timeline]
    ) -> tuple[tuple[AlertVerdict, ...], tuple[str, ...]]:
        """Return verdicts on timelines with what silence and failure are worth, and findings."""
        silent = silences(self.run, timelines)
        judged = judge_silence(verdicts, silent, self.scenario, longest=self.longest)
        findings = (
            *(finding for silence in silent for finding in silence.findings),
            *rule_findings(self.run),
        )
        return self.explain(judged), findings

    def explain(self, verdicts: Sequence[AlertVerdict]) -> tuple[AlertVerdict, ...]:
        """Return the verdicts, those that are not ok with numbers."""
        of_name: dict[str, list[tuple[RuleGroup, AlertRule]]] = {}
        for group, rule in self.run.rules.alerts:
            of_name.setdefault(rule.alert, []).append((group, rule))
        return tuple(
            verdict
            if verdict.ok or verdict.is_vacuous
            else self._explained(verdict, of_name.get(verdict.alert, ()))
            for verdict in verdicts
        )

    def _explained(
        self, verdict: AlertVerdict, named: Sequence[tuple[RuleGroup, AlertRule]]
    ) -> AlertVerdict:
        """Return a verdict with the numbers of its rule, one of those `named` as it is."""
        pair = _rule_of(verdict, named)
        numbers = None if pair is None else measure(self.run, *pair, verdict.labels)
        bounds = bounds_that_would_hold(verdict)
        effect = self.fault_effects.get(verdict.cause or "")
        sentences: list[str] = []
        if numbers is not None and verdict.vacuous is None:
            sentences += failure_sentences(verdict, numbers)
        sentences += [f"`{bound}` would have held" for bound in bounds]
        sentences += [effect] if effect else []
        expects = verdict.expected == "unexpected"
        if numbers is not None and verdict.broke_at == "rule" and _came_short(verdict, numbers):
            # The rule did what it says: its condition was not met, or not for long enough.
            reason = verdict.reason.replace(BROKE_AT_RULE, BROKE_IN_WORLD)
            verdict = replace(verdict, broke_at="world", reason=reason)
        return replace(
            verdict,
            reason="; ".join((verdict.reason, *sentences)),
            evidence=FailureEvidence(
                condition=numbers,
                fault_effect=effect,
                would_hold=bounds,
                overlay=stanza(verdict, self.scenario) if expects else None,
            ),
        )


def _came_short(verdict: AlertVerdict, numbers: ConditionNumbers) -> bool:
    """Whether the cause did not bring the condition about, not in time, or not for long enough."""
    if verdict.vacuous is not None:
        return False
    held_s, from_s = numbers.held_s, numbers.held_from_s
    if held_s is None or from_s is None or held_s < numbers.for_s:
        return True
    limit_s = verdict.onset_s + (verdict.fires_within_s or 0.0)
    return verdict.fires_within_s is not None and from_s + numbers.for_s > limit_s


def _rule_of(
    verdict: AlertVerdict, named: Sequence[tuple[RuleGroup, AlertRule]]
) -> tuple[RuleGroup, AlertRule] | None:
    """Return the rule that a verdict is about: of those of its name, by the labels they set."""
    labels = dict(verdict.labels)
    fitting = [
        pair
        for pair in named
        if all(labels.get(name, text) == text for name, text in static_labels(pair[1]))
    ]
    return next(iter((*fitting, *named)), None)
