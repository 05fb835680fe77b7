"""Every verdict that is not ok, with its numbers: what was measured, and what would have held.

Called by the judges of both clocks while the server that evaluated still runs. It adds to reasons
and never changes whether a verdict is ok.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from verifier.evidence.firing_bounds import FiringWindow, HeldTime
from verifier.evidence.measurement import (
    AlertView,
    ConditionNumbers,
    DecisiveInstant,
    measure,
)
from verifier.evidence.silence import rule_findings, silences, static_labels
from verifier.judge.failures.bundled_rules import BundledRules, longest_for_s, read_bundled
from verifier.judge.failures.culprit import FailedCase, likely_culprit
from verifier.judge.failures.margin import margin
from verifier.judge.failures.overlay import (
    active_fault,
    differing_labels,
    is_over,
    since_onset,
    stanza,
)
from verifier.judge.failures.sentences import (
    FIRED,
    bounds_that_would_hold,
    changes_that_would_fire,
    culprit_sentence,
    failure_sentences,
)
from verifier.judge.notification_checks import BROKE_AT_RULE
from verifier.judge.silence_verdicts import ALERT, judge_silence
from verifier.judge.verdict import AlertVerdict, FailureEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from scenarios.scenario import Scenario
    from verifier.errors import NotJudged
    from verifier.evaluation.timeline import Timeline
    from verifier.evidence.silence import WatchedRun
    from verifier.judge.verdict import Culprit
    from verifier.pack.rules import AlertRule, RuleGroup

MARGINS_MAX: Final = 200
"""Alerts of a scenario that did as expected and are told with their numbers."""
DID_ITS_PART: Final = "no scrape failed meanwhile, and the rule did what it says"


@dataclass(frozen=True, slots=True)
class FailureExplainer:
    """What explains failures: the run as it was watched, and what its faults did, by name.

    `longest` is the name and duration of the longest scenario of all that run together,
    `bundled` are the rule files of the pack, which a rule that failed is compared with, `refused`
    the rules that the engine could not evaluate.
    """

    run: WatchedRun
    scenario: Scenario
    fault_effects: Mapping[str, str]
    longest: tuple[str, float]
    bundled: tuple[Path, ...] = ()
    refused: tuple[NotJudged, ...] = ()

    def complete(
        self, verdicts: Sequence[AlertVerdict], timelines: Sequence[Timeline]
    ) -> tuple[tuple[AlertVerdict, ...], tuple[str, ...]]:
        """Return verdicts on timelines with what silence and failure are worth, and findings."""
        silent = silences(self.run, timelines)
        judged = judge_silence(verdicts, silent, self.scenario, longest=self.longest)
        findings = (
            *(finding for silence in silent for finding in silence.findings),
            *rule_findings(self.run, silent),
        )
        return self.explain(judged), findings

    def explain(self, verdicts: Sequence[AlertVerdict]) -> tuple[AlertVerdict, ...]:
        """Return the verdicts: those that are not ok with numbers, the others with their margin."""
        failed = [verdict for verdict in verdicts if not (verdict.ok or verdict.is_vacuous)]
        good = [verdict for verdict in verdicts if verdict.ok and not verdict.is_vacuous]
        spared = {id(verdict) for verdict in good[:MARGINS_MAX]}
        bundled = read_bundled(self.bundled) if failed else BundledRules()
        return tuple(
            self._explained(verdict, verdicts, bundled)
            if verdict in failed
            else self._with_margin(verdict)
            if id(verdict) in spared
            else verdict
            for verdict in verdicts
        )

    def _with_margin(self, verdict: AlertVerdict) -> AlertVerdict:
        """Return a verdict that is ok with what is known of its condition."""
        pair = self._rule_of(verdict)
        if pair is None:
            return verdict
        view = AlertView(verdict.labels, decisive_instants(verdict))
        return replace(verdict, margin=margin(self.run, *pair, view))

    def _explained(
        self, verdict: AlertVerdict, verdicts: Sequence[AlertVerdict], bundled: BundledRules
    ) -> AlertVerdict:
        """Return one of `verdicts` with the numbers of its rule."""
        pair = self._rule_of(verdict)
        numbers = None if pair is None else self._measured(verdict, *pair)
        bounds = bounds_that_would_hold(verdict, self.scenario.duration_s)
        effect = self.fault_effects.get(verdict.cause or "")
        since = since_onset(verdict, self.scenario) if verdict.expected != "fires" else None
        sentences = [] if since is None else [since]
        if numbers is not None and verdict.vacuous is None:
            sentences += failure_sentences(verdict, numbers)
        sentences += [f"`{bound}` would have held" for bound in bounds]
        sentences += [effect] if effect else []
        rule = None if pair is None else pair[1]
        culprit = likely_culprit(self._case(verdict, numbers, verdicts, (rule, bundled)))
        verdict = with_hop_of(culprit, verdict)
        sentences += [] if culprit is None else [culprit_sentence(culprit)]
        return replace(
            verdict,
            reason="; ".join((verdict.reason, *sentences)),
            evidence=FailureEvidence(
                condition=numbers,
                fault_effect=effect,
                would_hold=bounds,
                would_fire=() if numbers is None else changes_that_would_fire(verdict, numbers),
                overlay=self._overlay(verdict, verdicts),
                culprit=culprit,
            ),
        )

    def _overlay(self, verdict: AlertVerdict, verdicts: Sequence[AlertVerdict]) -> str | None:
        """Return the expectation that an unexpected alert would need, told from its siblings."""
        if verdict.expected != "unexpected":
            return None
        siblings = [
            each
            for each in verdicts
            if each.expected == "unexpected" and each.alert == verdict.alert
        ]
        named = [rule for _, rule in self.run.rules.alerts if rule.alert == verdict.alert]
        return stanza(verdict, self.scenario, siblings, differing_labels(map(static_labels, named)))

    def _case(
        self,
        verdict: AlertVerdict,
        numbers: ConditionNumbers | None,
        verdicts: Sequence[AlertVerdict],
        rule_and_bundled: tuple[AlertRule | None, BundledRules],
    ) -> FailedCase:
        """Return what the culprit is judged by."""
        rule, bundled = rule_and_bundled
        fault = active_fault(verdict, self.scenario)
        rules = [each for _, each in self.run.rules.alerts]
        factor = self.run.factor
        return FailedCase(
            verdict=verdict,
            numbers=numbers,
            siblings=[
                other
                for other in verdicts
                if other.expected == "fires"
                and other.cause == verdict.cause
                and other.alert != verdict.alert
            ],
            active_fault=fault,
            is_over=is_over(verdict, self.scenario),
            not_before_s=self._not_before_s(verdict),
            difference=None if rule is None else bundled.difference(rule, factor),
            fault=next(
                (each for each in self.scenario.plan.faults if each.name == verdict.cause), None
            ),
            refusal=None if rule is None else self._refusal(rule),
            longest_for_s=0.0 if rule is None else longest_for_s(rules, rule, factor),
        )

    def _ends_s(self, verdict: AlertVerdict) -> float:
        """Return when the cause of a verdict ended in the run; -inf where there is none."""
        if verdict.cause is None or verdict.cause_end_s is None:
            return -math.inf
        return min(verdict.onset_s + verdict.cause_end_s, self.run.end_s * self.run.factor)

    def _measured(
        self, verdict: AlertVerdict, group: RuleGroup, rule: AlertRule
    ) -> ConditionNumbers | None:
        """Return the numbers of a rule; of one that the engine refuses there are none."""
        if self._refusal(rule) is not None:
            return None
        window = FiringWindow(self._not_before_s(verdict), _due_s(verdict), self._ends_s(verdict))
        instants = decisive_instants(verdict)
        depth_s = self.scenario.past.depth_s
        history_s = math.inf if depth_s is None else depth_s
        reached = _reached(verdict)
        view = AlertView(verdict.labels, instants, verdict.onset_s, window, reached, history_s)
        return measure(self.run, group, rule, view)

    def _refusal(self, rule: AlertRule) -> str | None:
        """Return why the engine could not evaluate a rule at all, None where it could."""
        reasons = (
            each.reason
            for each in self.refused
            if each.place == rule.position and each.subject == f"{ALERT}{rule.alert}"
        )
        return next(reasons, None)

    def _not_before_s(self, verdict: AlertVerdict) -> float:
        """Return when the cause of a verdict truly began; -inf where there is none."""
        before = [
            expectation.not_before_s
            for expectation in self.scenario.expectations
            if expectation.alert == verdict.alert and expectation.cause == verdict.cause
        ]
        return min(before, default=-math.inf)

    def _rule_of(self, verdict: AlertVerdict) -> tuple[RuleGroup, AlertRule] | None:
        """Return the rule that a verdict is about: of those of its name, by the labels they set."""
        labels = dict(verdict.labels)
        named = [pair for pair in self.run.rules.alerts if pair[1].alert == verdict.alert]
        fitting = [
            pair
            for pair in named
            if all(labels.get(name, text) == text for name, text in static_labels(pair[1]))
        ]
        return next(iter((*fitting, *named)), None)


def _due_s(verdict: AlertVerdict) -> float:
    """Return until when an alert had to fire."""
    within_s = verdict.fires_within_s
    return math.inf if within_s is None else verdict.onset_s + within_s


def _reached(verdict: AlertVerdict) -> HeldTime | None:
    """Return from when on a cause had let an alert be pending that then was not, to its end."""
    if not verdict.lost_pending or verdict.cause_end_s is None:
        return None
    from_s = verdict.lost_pending[0][0]
    if not 0 <= from_s < verdict.cause_end_s:
        return None
    return HeldTime(verdict.onset_s + from_s, verdict.onset_s + verdict.cause_end_s)


def _lost(verdict: AlertVerdict) -> Iterator[tuple[str, float]]:
    """Yield when an alert was first pending that then did not fire, and when that ended."""
    for from_s, until_s in verdict.lost_pending[:1]:
        yield "when it was first pending", from_s
        yield "when it was pending no more", until_s


def decisive_instants(verdict: AlertVerdict) -> tuple[DecisiveInstant, ...]:
    """Return when something of a verdict was decided, in their order, scenario seconds."""
    onset_s, end_s = verdict.onset_s, verdict.cause_end_s
    due_s = verdict.fires_within_s
    resolves_s = None if verdict.firing_s is None else verdict.resolved_limit_s
    fired = verdict.firing_s is not None
    ended_s = verdict.resolved_s
    if not fired and verdict.lost_pending:
        ended_s = verdict.lost_pending[-1][1]
    moments = (
        ("before its cause" if verdict.cause else "at the start", 0.0),
        *(_lost(verdict) if fired else ()),
        ("when it became pending", verdict.pending_s),
        (FIRED, verdict.firing_s),
        ("when it was due to fire", due_s),
        ("when its cause ended", end_s if verdict.cause else None),
        (f"when it {'had resolved' if fired else 'was pending no more'}", ended_s),
        ("when it was due to have resolved", resolves_s),
    )
    instants = [
        DecisiveInstant(moment, onset_s + at_s) for moment, at_s in moments if at_s is not None
    ]
    return tuple(sorted(instants, key=lambda instant: instant.at_s))


def with_hop_of(culprit: Culprit | None, verdict: AlertVerdict) -> AlertVerdict:
    """Return a verdict whose hop is the one that its culprit means: a rule that did not break.

    Whoever judged the notifications knew that no scrape failed, and not what the values were.
    """
    if verdict.broke_at != "rule" or culprit is None or culprit.suspect == "rule":
        return verdict
    within_s, firing_s = verdict.fires_within_s, verdict.firing_s
    why = ""
    if firing_s is None or (within_s is not None and firing_s > within_s):
        why = ": the cause did not meet it in time"
    elif verdict.resolved_s is None or verdict.resolved_s > (verdict.resolved_limit_s or math.inf):
        why = ": its condition held on after its cause"
    reason = verdict.reason.replace(BROKE_AT_RULE, DID_ITS_PART + why)
    return replace(verdict, broke_at="world", reason=reason)
