"""When each alert was pending and firing, from what a Prometheus that evaluated it stored itself.

Prometheus writes a sample of `ALERTS` at every evaluation at which an alert is active, so its own
record shows the very evaluations. Called for runs in real time; pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.evaluation.timeline import Episode, Timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.labels import Labels
    from verifier.pack.rules import RuleFiles
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.prometheus import Series

ALERT_STATES: Final = "ALERTS"
SAME_EPISODE: Final = 1.5
"""Samples at most this many evaluations apart are of one episode: evaluations jitter."""


def observed_timelines(
    stored: Sequence[Series], rules: RuleFiles, clock: ScenarioClock, end_s: float
) -> tuple[Timeline, ...]:
    """Return the timelines in scenario seconds, of the samples of `ALERTS` stored up to `end_s`.

    `rules` are those that were evaluated, `end_s` is Unix time. An alert whose last sample is not
    older than an evaluation and a half was still active.
    """
    intervals = {rule.alert: group.interval_s for group, rule in rules.alerts}
    times: dict[tuple[str, Labels], dict[str, list[float]]] = {}
    for series in stored:
        labels = dict(series.labels)
        labels.pop("__name__", None)
        state, alert = labels.pop("alertstate"), labels.pop("alertname")
        by_state = times.setdefault((alert, tuple(sorted(labels.items()))), {})
        by_state.setdefault(state, []).extend(series.times_s.tolist())
    return tuple(
        Timeline(alert, labels, tuple(_episodes(states, intervals[alert], clock, end_s)))
        for (alert, labels), states in sorted(times.items())
    )


def _episodes(
    states: Mapping[str, Sequence[float]], interval_s: float, clock: ScenarioClock, end_s: float
) -> list[Episode]:
    samples = sorted((time, state) for state, times in states.items() for time in times)
    episodes: list[Episode] = []
    first = 0
    for index, (time_s, _) in enumerate(samples):
        following_s = samples[index + 1][0] if index + 1 < len(samples) else None
        if following_s is not None and following_s - time_s <= SAME_EPISODE * interval_s:
            continue
        firing = [at for at, state in samples[first : index + 1] if state == "firing"]
        active = following_s is None and end_s - time_s <= SAME_EPISODE * interval_s
        episodes.append(
            Episode(
                clock.scenario_s(samples[first][0]),
                clock.scenario_s(firing[0]) if firing else None,
                None if active else clock.scenario_s(time_s + interval_s),
            )
        )
        first = index + 1
    return episodes
