"""The closed verdict: expectations against the timelines of Prometheus.

Pure; called once for each scenario, with every alert of the rules; times are virtual seconds from
the scenario's start. An alert that fires must be expected or explained by name; an expected alert
must fire in time, not before its cause, and resolve in time. An expected alert that no rule defines
is a mistake in the scenario, never a pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from documents.amounts import listed
from documents.durations import format_duration
from documents.mistake_kinds import UnknownName
from documents.mistakes import gather
from verifier.judge.expectation_matching import NEVER, assign, at_least, time_text, times_text
from verifier.judge.verdict import AlertVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.scenario import Expectation, Scenario
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.expectation_matching import AssignedEpisodes, EpisodeTimes
    from verifier.labels import Labels


PENDING_ROOM_S: Final = 1.0
"""By how much a time of being pending may be another one: evaluations lie further apart."""


def check_alerts_exist(scenario: Scenario, alerts: Sequence[str]) -> None:
    """Raise `InputError` for every expectation whose alert is not among the rules' `alerts`."""
    hint = f", the rules define {len(alerts)} others"
    mistakes = [
        expectation.place.mistake(UnknownName("rule", expectation.alert, tuple(alerts), hint))
        for expectation in scenario.expectations
        if expectation.alert not in alerts
    ]
    if mistakes:
        raise gather(mistakes)


def judge(
    scenario: Scenario, alerts: Sequence[str], timelines: Sequence[Timeline]
) -> tuple[AlertVerdict, ...]:
    """Return a verdict for every expectation, and for every other alert of the rules.

    `alerts` are the names of all alerting rules. Expectations come first, in their order. Raises
    `InputError` when an expected alert is not among the rules.
    """
    check_alerts_exist(scenario, alerts)
    pending_allowed = scenario.pending_allowed
    assignment = assign(scenario.expectations, timelines)
    verdicts: list[AlertVerdict] = []
    for expectation, episodes in zip(scenario.expectations, assignment.expected, strict=True):
        verdicts += _judge_expectation(expectation, episodes, pending_allowed=pending_allowed)
    unexpected = [
        _not_expected(episodes, pending_allowed=pending_allowed)
        for episodes in assignment.unexpected
    ]
    named = {verdict.alert for verdict in (*verdicts, *unexpected)}
    quiet = (alert for alert in dict.fromkeys(alerts) if alert not in named)
    return (*verdicts, *unexpected, *(_stayed_silent(alert) for alert in quiet))


def missing_history(
    needed_s: Mapping[str, float], recorded_s: Mapping[str, float]
) -> tuple[str, ...]:
    """Return a reason for every metric whose history is shorter than a rule or panel reads back.

    Both map a metric's name to seconds before the scenario's start. A window without its history
    sees no more data than a shorter one, so its alert cannot be judged.
    """
    return tuple(
        f"{metric}: a window of {format_duration(needed)} needs as much history before the start, "
        f"there is {format_duration(recorded_s.get(metric, 0.0))}"
        for metric, needed in sorted(needed_s.items())
        if recorded_s.get(metric, 0.0) < needed
    )


def _judge_expectation(
    expectation: Expectation, assigned: list[AssignedEpisodes], *, pending_allowed: bool
) -> list[AlertVerdict]:
    fired = [episodes for episodes in assigned if episodes.fired]
    if expectation.expected == "silent":
        loud = fired if pending_allowed else assigned
        verdicts = [_broken_silence(expectation, episodes) for episodes in loud]
        return verdicts or [_kept_silence(expectation, assigned)]
    if expectation.expected == "explained":
        verdicts = [_explained(expectation, episodes) for episodes in fired]
        return verdicts or [_verdict(expectation, ok=True, reason="did not fire, and need not")]
    if not fired:
        return [_never_fired(expectation, assigned)]
    # The bound on firing is for the alert, not for each of its label sets: the first one meets it.
    fired.sort(key=lambda episodes: episodes.first_firing_s)
    return [
        _fired(expectation, episodes, first=position == 0)
        for position, episodes in enumerate(fired)
    ]


def _verdict(
    expectation: Expectation,
    *,
    ok: bool,
    reason: str,
    labels: Labels | None = None,
    times: EpisodeTimes = NEVER,
) -> AlertVerdict:
    """Return a verdict that repeats its expectation; `labels` are those of the alert's series."""
    notifies_resolved = expectation.notifies_resolved
    if notifies_resolved is None:
        notifies_resolved = expectation.resolves_within_s is not None
    return AlertVerdict(
        alert=expectation.alert,
        labels=expectation.labels if labels is None else labels,
        expected=expectation.expected,
        ok=ok,
        reason=reason,
        cause=expectation.cause,
        onset_s=expectation.onset_s,
        cause_end_s=expectation.end_s - expectation.onset_s if expectation.cause else None,
        pending_s=times.pending_s,
        firing_s=times.firing_s,
        resolved_s=times.resolved_s,
        lost_pending=times.lost,
        firings=times.firings,
        fires_within_s=expectation.fires_within_s,
        pends_for_s=expectation.pends_for_s,
        fires_after_s=expectation.fires_after_s,
        resolves_after_s=expectation.resolves_after_s,
        resolves_within_s=expectation.resolves_within_s,
        receivers=expectation.receivers,
        notifies_resolved=notifies_resolved,
    )


def _fired(expectation: Expectation, assigned: AssignedEpisodes, *, first: bool) -> AlertVerdict:
    """Return the verdict on an alert that fired; only the `first` label set must fire in time."""
    times = assigned.times(expectation.onset_s)
    failures = _too_early(expectation, assigned)
    late_s = (times.firing_s or 0.0) - (expectation.fires_within_s or 0.0)
    cause = expectation.cause
    fired = f"fired {_relative_text(times.firing_s or 0.0)} {'the onset' if cause else 'the start'}"
    again = ""
    if len(times.firings) > 1:
        again = f", {at_least(times.firings)}{times_text(len(times.firings))} in all"
    if late_s > 0 and first:
        limit = format_duration(expectation.fires_within_s or 0.0)
        failures.append(f"{fired}, {time_text(late_s)} past its limit of {limit}")
    failures += _before_it_could(expectation, times)
    failures += _pended_otherwise(expectation, times)
    failures += _too_long(expectation, times.resolved_s)
    other_labels = _other_labels(expectation, assigned.timeline.labels)
    if other_labels:
        failures.append(f"carries {listed(other_labels)} as well, it must have no other labels")
    cause_s = expectation.end_s - expectation.onset_s
    course = f"{fired}{' of its cause' if cause else ''}{again}"
    if times.resolved_s is not None:
        resolved = f"resolved {_relative_text(times.resolved_s - cause_s)} {_end(expectation)}"
        course = f"{fired}{again}, {resolved}"
    course += "" if cause else "; it has no cause in this scenario"
    verdict = _verdict(
        expectation,
        ok=not failures,
        reason="; ".join(failures) or course,
        labels=assigned.timeline.labels,
        times=times,
    )
    return replace(verdict, other_labels=other_labels)


def _other_labels(expectation: Expectation, carried: Labels) -> tuple[str, ...]:
    """Return the labels that an alert carries and must not, by name."""
    if not expectation.no_other_labels:
        return ()
    expected = dict(expectation.labels)
    return tuple(name for name, _ in carried if name not in expected)


def _before_it_could(expectation: Expectation, times: EpisodeTimes) -> list[str]:
    """Return what is wrong with an alert that fired or resolved before its cause lets it."""
    first_s, earliest_s = times.firing_s or 0.0, expectation.fires_after_s
    failures = []
    if earliest_s is not None and first_s < earliest_s:
        from_what = "the onset" if expectation.cause else "the start"
        early = f"fired {_relative_text(first_s)} {from_what}"
        failures.append(f"{early}, it cannot before {format_duration(earliest_s)}")
    earliest_s, resolved_s = expectation.resolves_after_s, times.resolved_s
    if earliest_s is not None and resolved_s is not None:
        after_s = resolved_s - (expectation.end_s - expectation.onset_s)
        if after_s < earliest_s:
            early = f"resolved {_relative_text(after_s)} {_end(expectation)}"
            failures.append(f"{early}, it cannot before {format_duration(earliest_s)}")
    return failures


def _pended_otherwise(expectation: Expectation, times: EpisodeTimes) -> list[str]:
    """Return what is wrong with how long an alert that fired was pending before."""
    expected_s = expectation.pends_for_s
    pended_s = (times.firing_s or 0.0) - (times.pending_s or 0.0)
    if expected_s is None or abs(pended_s - expected_s) <= PENDING_ROOM_S:
        return []
    pended = f"was pending for {time_text(pended_s)} before it fired"
    return [f"{pended}, it must be {format_duration(expected_s)}"]


def _too_long(expectation: Expectation, resolved_s: float | None) -> list[str]:
    """Return what is wrong with when it resolved, in seconds from the onset."""
    if expectation.resolves_within_s is None:
        return []
    limit = format_duration(expectation.resolves_within_s)
    if resolved_s is None:
        due = f"due {limit} after {'its cause' if expectation.cause else 'the start'}"
        return [f"still firing when the scenario ended, {due}"]
    after_s = resolved_s - (expectation.end_s - expectation.onset_s)
    late_s = after_s - expectation.resolves_within_s
    if late_s <= 0:
        return []
    resolved = f"resolved {_relative_text(after_s)} {_end(expectation)}"
    return [f"{resolved}, {time_text(late_s)} past its limit of {limit}"]


def _too_early(expectation: Expectation, assigned: AssignedEpisodes) -> list[str]:
    pending_s = min(e.pending_s for e in assigned.episodes if e.firing_s is not None)
    if pending_s >= expectation.not_before_s:
        return []
    early = time_text(expectation.not_before_s - pending_s)
    return [f"its condition held {early} before its cause began"]


def _never_fired(expectation: Expectation, assigned: list[AssignedEpisodes]) -> AlertVerdict:
    if not assigned:
        return _verdict(expectation, ok=False, reason="never fired")
    return _verdict(
        expectation,
        ok=False,
        reason="never fired, it was only pending",
        labels=assigned[0].timeline.labels,
        times=assigned[0].times(expectation.onset_s),
    )


def _explained(expectation: Expectation, assigned: AssignedEpisodes) -> AlertVerdict:
    failures = _too_early(expectation, assigned)
    return _verdict(
        expectation,
        ok=not failures,
        reason="; ".join(failures) or expectation.why,
        labels=assigned.timeline.labels,
        times=assigned.times(expectation.onset_s),
    )


def _kept_silence(expectation: Expectation, assigned: list[AssignedEpisodes]) -> AlertVerdict:
    """Return the verdict on an alert that did not fire; that it was pending is said."""
    if not assigned:
        return _verdict(expectation, ok=True, reason="stayed silent")
    return _verdict(
        expectation,
        ok=True,
        reason=f"stayed silent, {assigned[0].summary()}",
        labels=assigned[0].timeline.labels,
        times=assigned[0].times(0.0),
    )


def _broken_silence(expectation: Expectation, assigned: AssignedEpisodes) -> AlertVerdict:
    return _verdict(
        expectation,
        ok=False,
        reason=f"{assigned.summary()}, it must stay silent",
        labels=assigned.timeline.labels,
        times=assigned.times(0.0),
    )


def _not_expected(assigned: AssignedEpisodes, *, pending_allowed: bool) -> AlertVerdict:
    """Return the verdict on an alert that no expectation names: it may be pending at the most."""
    ok = pending_allowed and not assigned.fired
    summary = assigned.summary()
    times = assigned.times(0.0)
    return AlertVerdict(
        alert=assigned.timeline.alert,
        labels=assigned.timeline.labels,
        expected="silent" if ok else "unexpected",
        ok=ok,
        reason=f"stayed silent, {summary}" if ok else f"unexpected: {summary}",
        pending_s=times.pending_s,
        firing_s=times.firing_s,
        resolved_s=times.resolved_s,
        lost_pending=times.lost,
        firings=times.firings,
    )


def _stayed_silent(alert: str) -> AlertVerdict:
    return AlertVerdict(alert=alert, labels=(), expected="silent", ok=True, reason="stayed silent")


def _end(expectation: Expectation) -> str:
    """Return what the time to resolve counts from."""
    return "the end of its cause" if expectation.cause else "the start"


def _relative_text(seconds: float) -> str:
    return f"{time_text(abs(seconds))} {'after' if seconds >= 0 else 'before'}"
