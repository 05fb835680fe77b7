"""The closed verdict: expectations against the timelines that Prometheus gave.

Pure; called once for each scenario, with every alert of the rules; times in virtual seconds from
the scenario's start. Whoever fires must be expected
or explained by name, whoever is expected must fire in time, not before its cause, and resolve in
time. An expected alert that no rule defines is a mistake in the scenario, never a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents.durations import format_duration
from documents.mistakes import did_you_mean, gather
from verifier.judge.verdict import AlertVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.scenario import Expectation, Scenario
    from verifier.evaluation.timeline import Episode, Timeline


def check_alerts_exist(scenario: Scenario, alerts: Sequence[str]) -> None:
    """Raise `InputError` for every expectation whose alert is not among the rules' `alerts`."""
    mistakes = [
        one.place.error(
            f"no rule is called {one.alert!r}"
            f"{did_you_mean(one.alert, alerts) or f', the rules define {len(alerts)} others'}"
        )
        for one in scenario.expectations
        if one.alert not in alerts
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
    claimed: dict[int, list[tuple[Timeline, list[Episode]]]] = {}
    others: list[AlertVerdict] = []
    for timeline in timelines:
        # What was over when the scenario began is history; nobody was there to judge it.
        live = [e for e in timeline.episodes if e.resolved_s is None or e.resolved_s > 0]
        owners = _owners(scenario.expectations, timeline)
        for episode in live:
            if owners:
                index = _owner(scenario.expectations, owners, episode)
                _claim(claimed.setdefault(index, []), timeline, episode)
        if live and not owners:
            others.append(_unnamed(timeline, live, pending_allowed=scenario.pending_allowed))
    verdicts: list[AlertVerdict] = []
    for index, expectation in enumerate(scenario.expectations):
        verdicts += _judge_one(expectation, claimed.get(index, []), scenario.pending_allowed)
    named = {one.alert for one in (*verdicts, *others)}
    quiet = (alert for alert in dict.fromkeys(alerts) if alert not in named)
    return (*verdicts, *others, *(_stayed_silent(alert) for alert in quiet))


def missing_history(needed_s: Mapping[str, float], given_s: Mapping[str, float]) -> tuple[str, ...]:
    """Return a reason for every metric whose past is shorter than a rule or panel looks back.

    Both map a metric's name to seconds before the scenario's start. A window without its history
    sees the same young data as a shorter one, so its alert cannot be judged.
    """
    return tuple(
        f"{metric}: a window of {format_duration(needed)} needs as much history before the start, "
        f"there is {format_duration(given_s.get(metric, 0.0))}"
        for metric, needed in sorted(needed_s.items())
        if given_s.get(metric, 0.0) < needed
    )


def _owners(expectations: Sequence[Expectation], timeline: Timeline) -> list[int]:
    """Return the indices of the expectations that speak of this alert, the most precise only."""
    carried = set(timeline.labels)
    fitting = [
        index
        for index, one in enumerate(expectations)
        if one.alert == timeline.alert and carried.issuperset(one.labels)
    ]
    if not fitting:
        return []
    precise = max((expectations[index].labels for index in fitting), key=len)
    return [index for index in fitting if expectations[index].labels == precise]


def _owner(expectations: Sequence[Expectation], owners: list[int], episode: Episode) -> int:
    """Return whose episode this is: the latest cause that had begun, else the earliest cause."""
    by_cause = sorted(owners, key=lambda index: expectations[index].not_before_s)
    begun = [i for i in by_cause if expectations[i].not_before_s <= episode.pending_s]
    return begun[-1] if begun else by_cause[0]


def _claim(
    claims: list[tuple[Timeline, list[Episode]]], timeline: Timeline, episode: Episode
) -> None:
    if not claims or claims[-1][0] is not timeline:
        claims.append((timeline, []))
    claims[-1][1].append(episode)


def _judge_one(
    expectation: Expectation,
    claims: list[tuple[Timeline, list[Episode]]],
    pending_allowed: bool,  # noqa: FBT001
) -> list[AlertVerdict]:
    fired = [claim for claim in claims if any(e.firing_s is not None for e in claim[1])]
    if expectation.expected == "silent":
        loud = claims if not pending_allowed else fired
        verdicts = [_broken_silence(expectation, *claim) for claim in loud]
        quiet = {**_told(expectation), "ok": True, "reason": "stayed silent"}
        return verdicts or [AlertVerdict(**quiet)]
    if expectation.expected == "explained":
        verdicts = [_explained(expectation, *claim) for claim in fired]
        absent = {**_told(expectation), "ok": True, "reason": "did not fire, and need not"}
        return verdicts or [AlertVerdict(**absent)]
    if not fired:
        return [_never_fired(expectation, claims)]
    # The bound on firing is for the alert, not for each of its label sets: the first one meets it.
    fired.sort(key=lambda claim: min(e.firing_s for e in claim[1] if e.firing_s is not None))
    return [
        _fired(expectation, timeline, episodes, first=position == 0)
        for position, (timeline, episodes) in enumerate(fired)
    ]


def _told(expectation: Expectation) -> dict[str, Any]:
    """Return what a verdict repeats of its expectation."""
    return {
        "alert": expectation.alert,
        "labels": expectation.labels,
        "expected": expectation.expected,
        "cause": expectation.cause,
        "onset_s": expectation.onset_s,
        "cause_end_s": expectation.end_s - expectation.onset_s if expectation.cause else None,
        "fires_within_s": expectation.fires_within_s,
        "resolves_within_s": expectation.resolves_within_s,
        "receivers": expectation.receivers,
        "notifies_resolved": (
            expectation.resolves_within_s is not None
            if expectation.notifies_resolved is None
            else expectation.notifies_resolved
        ),
    }


def _times(episodes: Sequence[Episode], onset_s: float) -> dict[str, Any]:
    """Return when the first that fired (else the first) began and fired, and when all was over."""
    firing = [episode for episode in episodes if episode.firing_s is not None]
    first = (firing or list(episodes))[0]
    ends = [episode.resolved_s for episode in firing or episodes]
    last = None if None in ends else max(end for end in ends if end is not None)
    return {
        "pending_s": first.pending_s - onset_s,
        "firing_s": None if first.firing_s is None else first.firing_s - onset_s,
        "resolved_s": None if last is None else last - onset_s,
    }


def _fired(
    expectation: Expectation, timeline: Timeline, episodes: list[Episode], *, first: bool
) -> AlertVerdict:
    times = _times(episodes, expectation.onset_s)
    wrong = _too_early(expectation, episodes)
    late_s = (times["firing_s"] or 0.0) - (expectation.fires_within_s or 0.0)
    within = format_duration(expectation.fires_within_s or 0.0)
    fired = f"fired {_after(times['firing_s'])} the onset"
    if late_s > 0 and first:
        wrong.append(f"{fired}, {_text(late_s)} later than its {within}")
    resolved_s = times["resolved_s"]
    cause_s = expectation.end_s - expectation.onset_s
    resolved = "" if resolved_s is None else f", resolved {_after(resolved_s - cause_s)} the end"
    if expectation.resolves_within_s is not None:
        limit = format_duration(expectation.resolves_within_s)
        if resolved_s is None:
            wrong.append(f"still firing when the scenario ended, due {limit} after its cause")
        elif resolved_s - cause_s > expectation.resolves_within_s:
            over = _text(resolved_s - cause_s - expectation.resolves_within_s)
            took = _after(resolved_s - cause_s)
            wrong.append(f"resolved {took} the end of its cause, {over} later than its {limit}")
    told = {**_told(expectation), "labels": timeline.labels, **times}
    reason = "; ".join(wrong) or f"{fired}{resolved} of its cause"
    return AlertVerdict(**told, ok=not wrong, reason=reason)


def _too_early(expectation: Expectation, episodes: Sequence[Episode]) -> list[str]:
    began_s = min(e.pending_s for e in episodes if e.firing_s is not None)
    if began_s >= expectation.not_before_s:
        return []
    early = _text(expectation.not_before_s - began_s)
    return [f"its condition held {early} before its cause began"]


def _never_fired(
    expectation: Expectation, claims: list[tuple[Timeline, list[Episode]]]
) -> AlertVerdict:
    if not claims:
        return AlertVerdict(**_told(expectation), ok=False, reason="never fired")
    timeline, episodes = claims[0]
    times = _times(episodes, expectation.onset_s)
    longest = max((e.resolved_s or e.pending_s) - e.pending_s for e in episodes)
    held = f", at the longest for {_text(longest)}" if longest else ""
    reason = f"never fired, it was only pending{held}"
    told = {**_told(expectation), "labels": timeline.labels, **times}
    return AlertVerdict(**told, ok=False, reason=reason)


def _explained(
    expectation: Expectation, timeline: Timeline, episodes: list[Episode]
) -> AlertVerdict:
    wrong = _too_early(expectation, episodes)
    times = _times(episodes, expectation.onset_s)
    told = {**_told(expectation), "labels": timeline.labels, **times}
    return AlertVerdict(**told, ok=not wrong, reason="; ".join(wrong) or expectation.why)


def _broken_silence(
    expectation: Expectation, timeline: Timeline, episodes: list[Episode]
) -> AlertVerdict:
    told = {**_told(expectation), "labels": timeline.labels, **_times(episodes, 0.0)}
    reason = f"{_what_it_did(episodes)}, it has to stay silent"
    return AlertVerdict(**told, ok=False, reason=reason)


def _unnamed(timeline: Timeline, episodes: list[Episode], *, pending_allowed: bool) -> AlertVerdict:
    fired = any(episode.firing_s is not None for episode in episodes)
    ok = pending_allowed and not fired
    reason = f"{_what_it_did(episodes)}, and nobody expects or explains it"
    return AlertVerdict(
        alert=timeline.alert,
        labels=timeline.labels,
        expected="silent" if ok else "unexpected",
        ok=ok,
        reason=f"stayed silent, {_what_it_did(episodes)}" if ok else reason,
        **_times(episodes, 0.0),
    )


def _stayed_silent(alert: str) -> AlertVerdict:
    return AlertVerdict(alert=alert, labels=(), expected="silent", ok=True, reason="stayed silent")


def _what_it_did(episodes: Sequence[Episode]) -> str:
    fired_s = [episode.firing_s for episode in episodes if episode.firing_s is not None]
    if fired_s:
        return f"it fired at {_text(fired_s[0])}"
    return f"it was only pending, from {_text(episodes[0].pending_s)}"


def _after(seconds: float | None) -> str:
    seconds = seconds or 0.0
    return f"{_text(abs(seconds))} {'after' if seconds >= 0 else 'before'}"


def _text(seconds: float) -> str:
    """Write a time to a tenth of a second; what is shorter than a second in full."""
    return format_duration(seconds if abs(seconds) < 1 else round(seconds, 1))
