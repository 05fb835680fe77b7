"""What the servers around a world show: a port that a run with a stack fills, and the page reads.

`serve` has no stack and no board; `up` puts what its watcher saw on one, once a second. It keeps
the last episodes of each alert and the last notifications, within bounds. All times are Unix
seconds. This room defines it and knows neither Prometheus nor Alertmanager.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Labels: TypeAlias = tuple[tuple[str, str], ...]

LANES_MAX: Final = 200
"""Beyond the rules themselves: a label with a thousand values makes no thousand lanes."""
EPISODES_MAX: Final = 20
NOTIFICATIONS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertShown:
    """An alert that is pending or, with `firing_s`, firing; `labels` tell it from its siblings."""

    alert: str
    labels: Labels
    severity: str
    pending_s: float
    firing_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationShown:
    """What was sent to whom: `status` is firing or resolved, at `at_s`."""

    receiver: str
    alert: str
    labels: Labels
    status: Literal["firing", "resolved"]
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEpisode:
    """One time that an alert was active; `resolved_s` is None while it is."""

    pending_s: float
    firing_s: float | None
    resolved_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLane:
    """An alert with its episodes, the latest last."""

    alert: str
    labels: Labels = ()
    severity: str = ""
    episodes: tuple[AlertEpisode, ...] = ()

    @property
    def latest(self) -> AlertEpisode | None:
        """The episode in progress, or the last one."""
        return self.episodes[-1] if self.episodes else None


class StackBoard:
    """The latest of a stack; written by who watches it, read by the page, in one event loop."""

    def __init__(
        self, rules: Mapping[str, str], links: Sequence[tuple[str, str]] = (), factor: float = 1.0
    ) -> None:
        """Show a lane for each of `rules` from the start, and `links` as (what, URL).

        `rules` are names of alerts with their conditions, as a person reads them. `factor` is by
        how much time is compressed.
        """
        self.links, self.factor, self.conditions = tuple(links), factor, dict(rules)
        self._lanes: dict[tuple[str, Labels], AlertLane] = {
            (rule, ()): AlertLane(alert=rule) for rule in rules
        }
        self._plain = len(self._lanes)
        self.notifications: tuple[NotificationShown, ...] = ()
        self.unreachable: tuple[str, ...] = ()

    @property
    def lanes(self) -> tuple[AlertLane, ...]:
        """Every rule's lane, and one for each set of labels that was active."""
        active = {alert for alert, labels in self._lanes if labels}
        return tuple(
            lane
            for (alert, labels), lane in self._lanes.items()
            if labels or lane.episodes or alert not in active
        )

    def show(
        self,
        alerts: Sequence[AlertShown],
        notifications: Sequence[NotificationShown],
        unreachable: Sequence[str],
        now_s: float,
    ) -> None:
        """Take the alerts that are active at `now_s`, and everything that was notified so far.

        An alert that is not among them any more has resolved.
        """
        self.unreachable = tuple(unreachable)
        self.notifications = tuple(notifications[-NOTIFICATIONS_MAX:])
        active = {(alert.alert, alert.labels): alert for alert in alerts}
        for key, alert in active.items():
            if key in self._lanes or len(self._lanes) < self._plain + LANES_MAX:
                self._lanes[key] = _with_alert(self._lanes.get(key), alert, now_s)
        for key, lane in self._lanes.items():
            if key not in active and (last := lane.latest) and last.resolved_s is None:
                ended = replace(last, resolved_s=now_s)
                self._lanes[key] = replace(lane, episodes=(*lane.episodes[:-1], ended))


def _with_alert(lane: AlertLane | None, alert: AlertShown, now_s: float) -> AlertLane:
    """Return a lane in which `alert` is active."""
    episode = AlertEpisode(pending_s=alert.pending_s, firing_s=alert.firing_s)
    kept = lane.episodes if lane is not None else ()
    if kept and kept[-1].resolved_s is None:
        if kept[-1].pending_s == alert.pending_s:
            kept = kept[:-1]
        else:
            # Active since another instant: in between it was not.
            over = replace(kept[-1], resolved_s=min(now_s, alert.pending_s))
            kept = (*kept[:-1], over)
    return AlertLane(
        alert=alert.alert,
        labels=alert.labels,
        severity=alert.severity,
        episodes=(*kept, episode)[-EPISODES_MAX:],
    )
