"""The closed verdict: expectations against the timelines of Prometheus.

Pure; called once for each scenario, with every alert of the rules; times are virtual seconds from
the scenario's start. An alert that fires must be expected or explained by name; an expected alert
must fire in time, not before its cause, and resolve in time. An expected alert that no rule defines
is a mistake in the scenario, never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from documents.durations import format_duration
from documents.mistakes import gather
from documents.problems import UnknownName
from verifier.judge.verdict import AlertVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.scenario import Expectation, Scenario
    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.labels import Labels


@dataclass(frozen=True, slots=True)
class EpisodeTimes:
    """When an alert was pending, fired and resolved, in seconds from an onset; None: it did not."""

    pending_s: float | None = None
    firing_s: float | None = None
    resolved_s: float | None = None


@dataclass(frozen=True, slots=True)
class AssignedEpisodes:
    """Episodes of one label set of an alert, all judged by the same expectation (or by none)."""

    timeline: Timeline
    episodes: list[Episode] = field(default_factory=list)

    @property
    def fired(self) -> bool:
        """Whether the alert fired in any of them."""
        return any(episode.firing_s is not None for episode in self.episodes)

    @property
    def first_firing_s(self) -> float:
        """When it first fired; there must be an episode in which it did."""
        return min(e.firing_s for e in self.episodes if e.firing_s is not None)

    def times(self, onset_s: float) -> EpisodeTimes:
        """Return when the first that fired (else the first) began and fired, and when all ended."""
        firing = [episode for episode in self.episodes if episode.firing_s is not None]
        first = (firing or self.episodes)[0]
        ends = [episode.resolved_s for episode in firing or self.episodes]
        last = None if None in ends else max(end for end in ends if end is not None)
        return EpisodeTimes(
            pending_s=first.pending_s - onset_s,
            firing_s=None if first.firing_s is None else first.firing_s - onset_s,
            resolved_s=None if last is None else last - onset_s,
        )

    def summary(self) -> str:
        """Say when it fired, or that it was only pending."""
        fired_s = [e.firing_s for e in self.episodes if e.firing_s is not None]
        if fired_s:
            return f"it fired at {_time_text(fired_s[0])}"
        return f"it was only pending, from {_time_text(self.episodes[0].pending_s)}"


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
    assigned: dict[int, list[AssignedEpisodes]] = {}
    unexpected: list[AlertVerdict] = []
    for timeline in timelines:
        # What had resolved before the scenario began is history, which no expectation is about.
        judged = [e for e in timeline.episodes if e.resolved_s is None or e.resolved_s > 0]
        candidates = _matching_expectations(scenario.expectations, timeline)
        for episode in judged:
            if candidates:
                index = _expectation_of(scenario.expectations, candidates, episode)
                _assign(assigned.setdefault(index, []), timeline, episode)
        if judged and not candidates:
            rest = AssignedEpisodes(timeline, judged)
            unexpected.append(_not_expected(rest, pending_allowed=scenario.pending_allowed))
    verdicts: list[AlertVerdict] = []
    for index, expectation in enumerate(scenario.expectations):
        verdicts += _judge_expectation(
            expectation, assigned.get(index, []), pending_allowed=scenario.pending_allowed
        )
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


def _matching_expectations(expectations: Sequence[Expectation], timeline: Timeline) -> list[int]:
    """Return the indices of the expectations of this alert, only those with the most labels."""
    carried = set(timeline.labels)
    matching = [
        index
        for index, expectation in enumerate(expectations)
        if expectation.alert == timeline.alert and carried.issuperset(expectation.labels)
    ]
    if not matching:
        return []
    precise = max((expectations[index].labels for index in matching), key=len)
    return [index for index in matching if expectations[index].labels == precise]


def _expectation_of(
    expectations: Sequence[Expectation], candidates: list[int], episode: Episode
) -> int:
    """Return the index of the latest cause that had begun by then, else of the earliest cause."""
    by_cause = sorted(candidates, key=lambda index: expectations[index].not_before_s)
    begun = [i for i in by_cause if expectations[i].not_before_s <= episode.pending_s]
    return begun[-1] if begun else by_cause[0]


def _assign(assigned: list[AssignedEpisodes], timeline: Timeline, episode: Episode) -> None:
    if not assigned or assigned[-1].timeline is not timeline:
        assigned.append(AssignedEpisodes(timeline))
    assigned[-1].episodes.append(episode)


def _judge_expectation(
    expectation: Expectation, assigned: list[AssignedEpisodes], *, pending_allowed: bool
) -> list[AlertVerdict]:
    fired = [episodes for episodes in assigned if episodes.fired]
    if expectation.expected == "silent":
        loud = fired if pending_allowed else assigned
        verdicts = [_broken_silence(expectation, episodes) for episodes in loud]
        return verdicts or [_verdict(expectation, ok=True, reason="stayed silent")]
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
    times: EpisodeTimes = EpisodeTimes(),
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
        fires_within_s=expectation.fires_within_s,
        resolves_within_s=expectation.resolves_within_s,
        receivers=expectation.receivers,
        notifies_resolved=notifies_resolved,
    )


def _fired(expectation: Expectation, assigned: AssignedEpisodes, *, first: bool) -> AlertVerdict:
    """Return the verdict on an alert that fired; only the `first` label set must fire in time."""
    times = assigned.times(expectation.onset_s)
    failures = _too_early(expectation, assigned)
    late_s = (times.firing_s or 0.0) - (expectation.fires_within_s or 0.0)
    fired = f"fired {_relative_text(times.firing_s or 0.0)} the onset"
    if late_s > 0 and first:
        limit = format_duration(expectation.fires_within_s or 0.0)
        failures.append(f"{fired}, {_time_text(late_s)} later than its {limit}")
    failures += _too_long(expectation, times.resolved_s)
    cause_s = expectation.end_s - expectation.onset_s
    resolved = ""
    if times.resolved_s is not None:
        resolved = f", resolved {_relative_text(times.resolved_s - cause_s)} the end"
    return _verdict(
        expectation,
        ok=not failures,
        reason="; ".join(failures) or f"{fired}{resolved} of its cause",
        labels=assigned.timeline.labels,
        times=times,
    )


def _too_long(expectation: Expectation, resolved_s: float | None) -> list[str]:
    """Return what is wrong with when it resolved, in seconds from the onset."""
    if expectation.resolves_within_s is None:
        return []
    limit = format_duration(expectation.resolves_within_s)
    if resolved_s is None:
        return [f"still firing when the scenario ended, due {limit} after its cause"]
    after_s = resolved_s - (expectation.end_s - expectation.onset_s)
    late_s = after_s - expectation.resolves_within_s
    if late_s <= 0:
        return []
    resolved = f"resolved {_relative_text(after_s)} the end of its cause"
    return [f"{resolved}, {_time_text(late_s)} later than its {limit}"]


def _too_early(expectation: Expectation, assigned: AssignedEpisodes) -> list[str]:
    pending_s = min(e.pending_s for e in assigned.episodes if e.firing_s is not None)
    if pending_s >= expectation.not_before_s:
        return []
    early = _time_text(expectation.not_before_s - pending_s)
    return [f"its condition held {early} before its cause began"]


def _never_fired(expectation: Expectation, assigned: list[AssignedEpisodes]) -> AlertVerdict:
    if not assigned:
        return _verdict(expectation, ok=False, reason="never fired")
    episodes = assigned[0].episodes
    longest_s = max((e.resolved_s or e.pending_s) - e.pending_s for e in episodes)
    longest = f", at the longest for {_time_text(longest_s)}" if longest_s else ""
    return _verdict(
        expectation,
        ok=False,
        reason=f"never fired, it was only pending{longest}",
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
        reason=f"stayed silent, {summary}"
        if ok
        else f"{summary}, but the scenario neither expects nor explains it",
        pending_s=times.pending_s,
        firing_s=times.firing_s,
        resolved_s=times.resolved_s,
    )


def _stayed_silent(alert: str) -> AlertVerdict:
    return AlertVerdict(alert=alert, labels=(), expected="silent", ok=True, reason="stayed silent")


def _relative_text(seconds: float) -> str:
    return f"{_time_text(abs(seconds))} {'after' if seconds >= 0 else 'before'}"


def _time_text(seconds: float) -> str:
    """Write a time to a tenth of a second; what is shorter than a second in full."""
    return format_duration(seconds if abs(seconds) < 1 else round(seconds, 1))
