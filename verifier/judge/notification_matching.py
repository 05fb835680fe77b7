"""Which verdict a notification belongs to: by its labels, and by when the alert began to fire.

Used by `deliveries`. Prometheus sends an alert with the moment it fired as its start, and
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
    from verifier.judge.verdict import AlertVerdict, Hop
    from verifier.labels import Labels
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.ledger import Notification

_TOLERANCE_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class MatchedNotification:
    """What a receiver was told, and the episode of the alert that it tells of."""

    delivery: Delivery
    episode: Episode


@dataclass(slots=True)
class AlertCase:
    """A verdict, the episodes in which its alert fired, and what was told of them, as it came.

    `wrong` gathers what does not hold, with the hop that broke; `remarks` what should be known.
    """

    verdict: AlertVerdict
    episodes: list[Episode] = field(default_factory=list)
    told: list[MatchedNotification] = field(default_factory=list)
    wrong: list[tuple[Hop, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def labels(self) -> Labels:
        """The alert's labels, its name among them."""
        return with_name(self.verdict.alert, self.verdict.labels)

    @property
    def receivers(self) -> list[str]:
        """Whoever was told anything, in order."""
        return list(dict.fromkeys(one.delivery.receiver for one in self.told))

    @property
    def alarmed(self) -> list[str]:
        """Whoever was told that it fires, in order."""
        heard = [one.delivery for one in self.told if one.delivery.status == "firing"]
        return list(dict.fromkeys(one.receiver for one in heard))

    def longest_s(self, ended_s: float) -> float:
        """For how long it was seen firing at a time."""
        return max(min(over_s(one), ended_s) - fired_s(one) for one in self.episodes)

    def is_twin(self, other: AlertCase) -> bool:
        """Whether `other` is another label set of the same alert, of the same cause."""
        mine, its = self.verdict, other.verdict
        return (mine.alert, mine.cause) == (its.alert, its.cause) and mine.labels != its.labels


def match(
    verdicts: Sequence[AlertVerdict],
    timelines: Sequence[Timeline],
    notifications: Iterable[Notification],
    clock: ScenarioClock,
    early_s: float,
) -> tuple[list[AlertCase], dict[Labels, list[Delivery]]]:
    """Return a case for each verdict, in order, and what was told of nothing that fired.

    Times of notifications and timelines may differ by `early_s`. What was over when the scenario
    began belongs to nobody.
    """
    cases = [AlertCase(verdict) for verdict in verdicts]
    for timeline in timelines:
        for episode in firing(timeline):
            case = _owner(cases, timeline, episode)
            if case is not None:
                case.episodes.append(episode)
    by_labels = {with_name(one.alert, one.labels): one for one in timelines}
    strangers: dict[Labels, list[Delivery]] = {}
    for one in sorted(notifications, key=lambda one: one.received_s):
        delivery = Delivery(
            receiver=one.receiver,
            status=one.status,
            at_s=clock.scenario_s(one.received_s),
            deliveries=one.deliveries,
        )
        starts_s = clock.scenario_s(one.starts_at_s)
        known = by_labels.get(one.labels)
        told_of = None if known is None else _episode(known, starts_s, early_s)
        if known is not None and told_of is not None:
            case = _owner(cases, known, told_of)
            if case is not None:
                case.told.append(MatchedNotification(delivery, told_of))
        elif starts_s >= 0:
            strangers.setdefault(one.labels, []).append(delivery)
    return cases, strangers


def with_name(alert: str, labels: Labels) -> Labels:
    """Return an alert's labels, its name among them, sorted."""
    return tuple(sorted((*labels, ("alertname", alert))))


def firing(timeline: Timeline) -> list[Episode]:
    """Return the episodes in which the alert fired."""
    return [one for one in timeline.episodes if one.firing_s is not None]


def fired_s(episode: Episode) -> float:
    """Return when it fired, inf when it never did."""
    return inf if episode.firing_s is None else episode.firing_s


def over_s(episode: Episode) -> float:
    """Return when it was over, inf when it was not."""
    return inf if episode.resolved_s is None else episode.resolved_s


def _owner(cases: Iterable[AlertCase], timeline: Timeline, episode: Episode) -> AlertCase | None:
    """Return the case that an episode was judged in: the last that had begun to fire by then."""
    if over_s(episode) <= 0:
        return None
    found: AlertCase | None = None
    latest_s = -inf
    for case in cases:
        one = case.verdict
        same = (one.alert, one.labels) == (timeline.alert, timeline.labels)
        if same and one.firing_s is not None:
            began_s = one.onset_s + one.firing_s
            if latest_s <= began_s <= fired_s(episode) + _TOLERANCE_S:
                found, latest_s = case, began_s
    return found


def _episode(timeline: Timeline, starts_s: float, early_s: float) -> Episode | None:
    """Return the episode that a notification with this start tells of.

    It starts when the alert fired. A timeline that does not reach back so far shows it firing from
    its own beginning, at the scenario's start.
    """
    candidates = firing(timeline)
    for episode in sorted(candidates, key=lambda one: abs(fired_s(one) - starts_s)):
        near = abs(fired_s(episode) - starts_s) <= early_s
        if near or fired_s(episode) <= starts_s < over_s(episode):
            return episode
    if candidates and starts_s < 0 and fired_s(candidates[0]) <= early_s:
        return candidates[0]
    return None
