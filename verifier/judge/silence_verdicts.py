"""The closed verdict, continued to silence: an alert that could not have fired proves nothing.

Called by the judges of both clocks with the verdicts on timelines and with what the silence of each
rule is worth. A vacuous alert is not ok, unless the user accepted it by name. One that is merely
too slow for this scenario is not held against a run in which another scenario is long enough. Of an
alert that was not judged no silence is reported. Pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from verifier.evidence.silence import too_slow_text
from verifier.judge.expectation_matching import time_text
from verifier.judge.verdict import AlertVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.scenario import Acceptance, Scenario
    from verifier.errors import NotJudged
    from verifier.evidence.silence import Silence
    from verifier.judge.verdict import ScenarioOutcome

ALERT: Final = "alert "
"""How the subject of an alert begins that is not judged."""


def judge_silence(
    verdicts: Sequence[AlertVerdict],
    silences: Sequence[Silence],
    scenario: Scenario,
    *,
    longest: tuple[str, float],
) -> tuple[AlertVerdict, ...]:
    """Return the verdicts, those of vacuous alerts with the reason, and not ok.

    `longest` is the name and duration of the longest scenario of the run. A rule that could not
    have fired beside others of its name that did gets a verdict of its own.
    """
    judged = list(verdicts)
    of_name: dict[str, list[int]] = {}
    for number, verdict in enumerate(judged):
        of_name.setdefault(verdict.alert, []).append(number)
    reasons = {each.subject: each.reason for each in reversed(scenario.accepted)}
    for silence in silences:
        reason = silence.vacuous
        elsewhere = None
        if reason is None and silence.too_slow_s is not None:
            reason = too_slow_text(silence.too_slow_s, scenario.duration_s)
            elsewhere = longest[0] if longest[1] > silence.too_slow_s else None
        if reason is None:
            continue
        accepted = reasons.get(silence.alert)
        named = of_name.setdefault(silence.alert, [])
        numbers = [number for number in named if _is_about(judged[number], silence)]
        spoken = any(_speaks_of(judged[number], silence) for number in named)
        if not numbers and (silence.shadowed or not spoken):
            numbers = [len(judged)]
            named.append(len(judged))
            judged.append(_stayed_silent(silence))
            if silence.shadowed:
                reason = (
                    f"{reason}; what fired is another rule of its name ({silence.place} is this)"
                )
        for number in numbers:
            judged[number] = _vacuous(
                judged[number], reason, accepted=accepted, elsewhere=elsewhere
            )
    return tuple(judged)


def unjudged_alerts(not_judged: Iterable[NotJudged]) -> tuple[str, ...]:
    """Return the names of the alerts among what is not judged, one for each rule."""
    return tuple(
        item.subject.removeprefix(ALERT) for item in not_judged if item.subject.startswith(ALERT)
    )


def settle_not_judged(
    outcome: ScenarioOutcome, alerts: Sequence[str], accepted: Iterable[Acceptance]
) -> ScenarioOutcome:
    """Return `outcome` without a word on the silence of alerts that were not judged.

    `alerts` are the names of all rules; of several rules of one name, one may be judged. What is
    `accepted` by name no longer keeps the verdict from being a pass.
    """
    of_name, unjudged = Counter(alerts), Counter(unjudged_alerts(outcome.not_judged))
    silent = {name for name, count in unjudged.items() if count >= of_name[name]}
    reasons = {acceptance.subject: acceptance.reason for acceptance in accepted}
    return replace(
        outcome,
        alerts=tuple(
            verdict
            for verdict in outcome.alerts
            if verdict.alert not in silent or verdict.pending_s is not None or not verdict.ok
        ),
        not_judged=tuple(_settled(item, reasons) for item in outcome.not_judged),
    )


def _is_about(verdict: AlertVerdict, silence: Silence) -> bool:
    """Whether a verdict is on the silence of this rule, and not yet vacuous for another's."""
    rule, named = dict(silence.labels), dict(verdict.labels)
    return (
        verdict.alert == silence.alert
        and verdict.firing_s is None
        and all(named.get(name, text) == text for name, text in rule.items())
    )


def _speaks_of(verdict: AlertVerdict, silence: Silence) -> bool:
    """Whether a verdict on this rule, pending or firing, is there already."""
    return verdict.alert == silence.alert and set(silence.labels) <= set(verdict.labels)


def _stayed_silent(silence: Silence) -> AlertVerdict:
    return AlertVerdict(
        alert=silence.alert,
        labels=silence.labels,
        expected="silent",
        ok=True,
        reason="stayed silent",
    )


def _vacuous(
    verdict: AlertVerdict, reason: str, *, accepted: str | None, elsewhere: str | None
) -> AlertVerdict:
    """Return a verdict on an alert that could not have fired."""
    if verdict.vacuous is not None and verdict.vacuous != reason:
        reason = f"{verdict.vacuous}; {reason}"
    if verdict.expected == "fires":
        # It had to fire: no acceptance mends that.
        pending = "" if verdict.pending_s is None else f" ({_pending(verdict)})"
        text = f"{verdict.reason}{pending}, and could not have: {reason}"
        return replace(verdict, ok=False, reason=text, vacuous=reason)
    forgiven = accepted is not None or elsewhere is not None
    did = "silent" if verdict.pending_s is None else _pending(verdict)
    text = f"{did}, but it could not have fired: {reason}"
    return replace(
        verdict,
        ok=verdict.ok and forgiven,
        reason=text if verdict.ok else f"{verdict.reason}; {text}",
        vacuous=reason,
        accepted=accepted,
        could_fire_in=elsewhere,
    )


def _pending(verdict: AlertVerdict) -> str:
    """Say when an alert was first pending that did not fire."""
    at_s = verdict.onset_s + (verdict.pending_s or 0.0)
    if at_s < 0:
        return f"pending, first {time_text(-at_s)} before the start"
    return f"pending, first {time_text(at_s)} after the start"


def _settled(item: NotJudged, reasons: dict[str, str]) -> NotJudged:
    reason = next((reasons[name] for name in unjudged_alerts([item]) if name in reasons), None)
    if reason is None or not item.keeps_from_passing:
        return item
    return replace(item, reason=f"{item.reason}; accepted: {reason}", keeps_from_passing=False)
