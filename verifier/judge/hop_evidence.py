"""The hops of an alert from its cause to its receiver, and what shows which of them broke.

Values only: filled in after a run in real time was observed, read by `delivery_checks`. Times are
scenario seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from verifier.judge.verdict import Hop
    from verifier.labels import Labels
    from verifier.pack.routes.routing import Routing
    from verifier.scenario_clock import ScenarioClock

HOPS: Final[tuple[Hop, ...]] = ("world", "scrape", "rule", "alertmanager", "receiver")
"""The way of an alert, in order: the first of them that broke is named."""

MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HopEvidence:
    """What was observed of a run beside timelines and ledger; it shows which hop broke.

    `clock` turns the ledger's Unix seconds into the scenario's, `ended_s` is when the run ended.
    `seen_by_alertmanager` holds the labels, alertname among them, of every alert that
    Alertmanager's API showed. `failed_notifications` counts the attempts that it reports as failed,
    `failed_scrapes_s` are the times of failed scrapes, and `without_effect` names the causes whose
    effect in the world was too small. `routing` says who is muted when, and who is not told of
    the end of an alert, where that is known; `date_s` is the scenario's date, Unix seconds.
    """

    clock: ScenarioClock
    ended_s: float
    seen_by_alertmanager: frozenset[Labels] = frozenset()
    failed_notifications: int = 0
    failed_scrapes_s: tuple[float, ...] = ()
    without_effect: frozenset[str] = frozenset()
    routing: Routing | None = None
    date_s: float = 0.0

    @property
    def delivery_hop(self) -> Hop:
        """The hop that is to blame for a notification that is late or missing."""
        return "receiver" if self.failed_notifications else "alertmanager"

    def unmuted_s(self, labels: Labels, receiver: str, from_s: float, until_s: float) -> float:
        """Return from when on a receiver was not muted, `until_s` when it was all the time.

        Time intervals begin and end with a minute.
        """
        at_s = from_s
        while at_s < until_s and self._muting(labels, receiver, at_s) is not None:
            date_s = self.date_s + at_s
            at_s = (date_s // MINUTE_S + 1) * MINUTE_S - self.date_s
        return min(at_s, until_s)

    def why_muted(self, labels: Labels, receiver: str, from_s: float, until_s: float) -> str | None:
        """Return by what a receiver was muted all through a time, None when it was not."""
        if self.unmuted_s(labels, receiver, from_s, until_s) < until_s:
            return None
        return self._muting(labels, receiver, from_s)

    def why_end_unsent(self, receiver: str) -> str | None:
        """Return why a receiver is told of the end of no alert, None when it is."""
        return self.routing.unsent_ends.get(receiver) if self.routing else None

    def routed(self, labels: Labels) -> tuple[str, ...]:
        """Return the receivers that the routes lead to, muted or not."""
        return self.routing.receivers_of(dict(labels)) if self.routing else ()

    def _muting(self, labels: Labels, receiver: str, at_s: float) -> str | None:
        if self.routing is None:
            return None
        return self.routing.muting(dict(labels), receiver, self.date_s + at_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDeadlines:
    """How long a notification may take.

    `due_s` is how long after an alert fired, or resolved, its notification may arrive: group_wait
    or group_interval, whichever is longer (an alert that joins a group waits for the group's next
    turn), and what the machine itself takes. `early_s` is by how much a notification may seem to
    precede what it is about: a timeline is known to one evaluation.
    """

    due_s: float
    early_s: float


@dataclass(frozen=True, slots=True)
class HopFailure:
    """What is wrong with the notifications of an alert, and the hop that broke."""

    hop: Hop
    sentence: str
