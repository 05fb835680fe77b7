"""The lane of each alert: when it was pending and firing, what it had to do, where it failed.

Made from verdicts and timelines; every time becomes seconds of the scenario. It asks nothing and
decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from charts.chart import Lane, LaneEpisode, LaneFailure, LaneNotification

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.evaluation.timeline import Timeline
    from verifier.judge.verdict import AlertVerdict
    from verifier.labels import Labels

ORDER = ("fires", "unexpected", "explained", "silent")
LANES_MAX = 500
"""Lanes of a scenario: of more alerts those that have nothing to show are left out."""


def lanes(
    verdicts: Sequence[AlertVerdict], timelines: Iterable[Timeline], end_s: float
) -> tuple[Lane, ...]:
    """Return a lane for each verdict, and for each timeline that no verdict is about.

    What failed comes first, then what had to fire, what fired, and what stayed silent.
    """
    unseen = {(timeline.alert, timeline.labels): timeline for timeline in timelines}
    made: list[Lane] = []
    for verdict in verdicts:
        timeline = unseen.pop(_key_of(verdict, unseen), None)
        made.append(_lane(verdict, timeline, end_s))
    made += [
        Lane(alert=t.alert, labels=t.labels, expected="silent", episodes=_episodes(t))
        for t in unseen.values()
    ]
    made.sort(key=_rank)
    return tuple(made[:LANES_MAX])


def _key_of(verdict: AlertVerdict, timelines: Iterable[tuple[str, Labels]]) -> tuple[str, Labels]:
    """Return the name and labels of the timeline that a verdict is about.

    A verdict on what never fired names the labels that were expected, of which an alert may have
    more.
    """
    exact = verdict.alert, verdict.labels
    labels = set(verdict.labels)
    known = list(timelines)
    fitting = (key for key in known if key[0] == verdict.alert and labels <= set(key[1]))
    return exact if exact in known else next(fitting, exact)


def decisive_s(verdict: AlertVerdict, end_s: float) -> float:
    """Return when a verdict that is not ok was decided, in seconds of the scenario.

    At the limit of what did not come in time; at its beginning, of what must not have come.
    """
    onset_s = verdict.onset_s
    if verdict.expected == "fires" and verdict.fires_within_s is not None:
        due_s = verdict.fires_within_s
        if verdict.firing_s is None or verdict.firing_s > due_s:
            return min(onset_s + due_s, end_s)
        limit_s = verdict.resolved_limit_s
        if limit_s is not None and (verdict.resolved_s is None or verdict.resolved_s > limit_s):
            return min(onset_s + limit_s, end_s)
    began_s = verdict.firing_s if verdict.firing_s is not None else verdict.pending_s
    return end_s if began_s is None else min(max(onset_s + began_s, 0.0), end_s)


def _rank(lane: Lane) -> tuple[bool, bool, int]:
    expected = lane.expected or "silent"
    return lane.failure is None, not lane.episodes and expected != "fires", ORDER.index(expected)


def _lane(verdict: AlertVerdict, timeline: Timeline | None, end_s: float) -> Lane:
    must_fire = must_resolve = None
    onset_s = verdict.onset_s
    if verdict.expected == "fires" and verdict.fires_within_s is not None:
        must_fire = (onset_s, onset_s + verdict.fires_within_s)
        if verdict.resolved_limit_s is not None:
            must_resolve = (
                onset_s + (verdict.cause_end_s or 0.0),
                onset_s + verdict.resolved_limit_s,
            )
    failure = None
    if not verdict.ok:
        failure = LaneFailure(decisive_s(verdict, end_s), verdict.reason)
    return Lane(
        alert=verdict.alert,
        labels=verdict.labels if timeline is None else timeline.labels,
        expected=verdict.expected,
        episodes=() if timeline is None else _episodes(timeline),
        must_fire=must_fire,
        must_resolve=must_resolve,
        notifications=tuple(
            LaneNotification(each.receiver, each.status, each.at_s) for each in verdict.deliveries
        ),
        failure=failure,
    )


def _episodes(timeline: Timeline) -> tuple[LaneEpisode, ...]:
    return tuple(
        LaneEpisode(episode.pending_s, episode.firing_s, episode.resolved_s)
        for episode in timeline.episodes
    )
