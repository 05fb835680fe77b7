"""Which verdict a notification belongs to: by its labels, and by when the alert began to fire.

Used by `deliveries`. Prometheus sends an alert with the time at which it fired as its start, and
Alertmanager passes both on; so every notification names one episode of one alert. Pure; times are
scenario seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from verifier.judge.verdict import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.judge.verdict import AlertVerdict
    from verifier.labels import Labels
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.ledger import Notification

_TOLERANCE_S: Final = 1e-6
"""An episode's start is computed in two ways, which differ by the rounding of floats."""


@dataclass(frozen=True, slots=True)
class MatchedNotification:
    """A delivery, and the episode of the alert that it is about."""

    delivery: Delivery
    episode: Episode


@dataclass(frozen=True, slots=True)
class AlertCase:
    """A verdict, the episodes in which its alert fired, and their notifications, as they came."""

    verdict: AlertVerdict
    episodes: list[Episode] = field(default_factory=list)
    notifications: list[MatchedNotification] = field(default_factory=list)

    @property
    def labels(self) -> Labels:
        """The alert's labels, its name among them."""
        return with_name(self.verdict.alert, self.verdict.labels)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What the receivers got, in order."""
        return tuple(notification.delivery for notification in self.notifications)

    @property
    def receivers(self) -> list[str]:
        """The receivers that were notified at all, in order."""
        return receivers_of(self.deliveries)

    @property
    def notified_firing(self) -> list[str]:
        """The receivers that were notified that it fires, in order."""
        firing = (delivery for delivery in self.deliveries if delivery.status == "firing")
        return receivers_of(firing)

    def longest_firing_s(self, ended_s: float) -> float:
        """For how long at the most it fired in an episode, up to the end of the run."""
        return max(min(resolved_s(e), ended_s) - fired_s(e) for e in self.episodes)

    def is_sibling(self, other: AlertCase) -> bool:
        """Whether `other` is another label set of the same alert, of the same cause."""
        mine, its = self.verdict, other.verdict
        return (mine.alert, mine.cause) == (its.alert, its.cause) and mine.labels != its.labels


def match(
    verdicts: Sequence[AlertVerdict],
    timelines: Sequence[Timeline],
    notifications: Iterable[Notification],
    *,
    clock: ScenarioClock,
    early_s: float,
) -> tuple[list[AlertCase], dict[Labels, list[Delivery]]]:
    """Return a case for each verdict, in order, and the deliveries of what never fired.

    Times of notifications and timelines may differ by `early_s`. What had resolved before the
    scenario began belongs to no case.
    """
    cases = [AlertCase(verdict) for verdict in verdicts]
    for timeline in timelines:
        for episode in firing_episodes(timeline):
            case = _case_of(cases, timeline, episode)
            if case is not None:
                case.episodes.append(episode)
    by_labels = {with_name(line.alert, line.labels): line for line in timelines}
    unmatched: dict[Labels, list[Delivery]] = {}
    for notification in sorted(notifications, key=lambda each: each.received_s):
        delivery = Delivery(
            receiver=notification.receiver,
            status=notification.status,
            at_s=clock.scenario_s(notification.received_s),
            deliveries=notification.deliveries,
        )
        starts_s = clock.scenario_s(notification.starts_at_s)
        alert = by_labels.get(notification.labels)
        started = None if alert is None else _episode_of(alert, starts_s, early_s)
        if alert is not None and started is not None:
            case = _case_of(cases, alert, started)
            if case is not None:
                case.notifications.append(MatchedNotification(delivery, started))
        elif starts_s >= 0:
            unmatched.setdefault(notification.labels, []).append(delivery)
    return cases, unmatched


def with_name(alert: str, labels: Labels) -> Labels:
    """Return an alert's labels, its name among them, sorted."""
    return tuple(sorted((*labels, ("alertname", alert))))


def receivers_of(deliveries: Iterable[Delivery]) -> list[str]:
    """Return the receivers of deliveries, each once, in the order of their first."""
    return list(dict.fromkeys(delivery.receiver for delivery in deliveries))


def firing_episodes(timeline: Timeline) -> list[Episode]:
    """Return the episodes in which the alert fired."""
    return [episode for episode in timeline.episodes if episode.firing_s is not None]


def fired_s(episode: Episode) -> float:
    """Return when it fired, inf when it never did."""
    return inf if episode.firing_s is None else episode.firing_s


def resolved_s(episode: Episode) -> float:
    """Return when it resolved, inf when it did not."""
    return inf if episode.resolved_s is None else episode.resolved_s


def _case_of(cases: Iterable[AlertCase], timeline: Timeline, episode: Episode) -> AlertCase | None:
    """Return the case that an episode was judged in: the last that had begun to fire by then."""
    if resolved_s(episode) <= 0:
        return None
    latest: AlertCase | None = None
    latest_s = -inf
    for case in cases:
        verdict = case.verdict
        same = (verdict.alert, verdict.labels) == (timeline.alert, timeline.labels)
        if same and verdict.firing_s is not None:
            first_s = verdict.onset_s + verdict.firing_s
            if latest_s <= first_s <= fired_s(episode) + _TOLERANCE_S:
                latest, latest_s = case, first_s
    return latest


def _episode_of(timeline: Timeline, starts_s: float, early_s: float) -> Episode | None:
    """Return the episode that a notification with this start is about.

    It starts when the alert fired. A timeline that does not reach back so far shows it firing from
    its own beginning, at the scenario's start.
    """
    candidates = firing_episodes(timeline)
    for episode in sorted(candidates, key=lambda each: abs(fired_s(each) - starts_s)):
        near = abs(fired_s(episode) - starts_s) <= early_s
        if near or fired_s(episode) <= starts_s < resolved_s(episode):
            return episode
    if candidates and starts_s < 0 and fired_s(candidates[0]) <= early_s:
        return candidates[0]
    return None
