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
    from verifier.scenario_clock import ScenarioClock

HOPS: Final[tuple[Hop, ...]] = ("world", "scrape", "rule", "alertmanager", "receiver")
"""The way of an alert, in order: the first of them that broke is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopEvidence:
    """What was observed of a run beside timelines and ledger; it shows which hop broke.

    `clock` turns the ledger's Unix seconds into the scenario's, `ended_s` is when the run ended.
    `seen_by_alertmanager` holds the labels, alertname among them, of every alert that
    Alertmanager's API showed. `failed_notifications` counts the attempts that it reports as failed,
    `failed_scrapes_s` are the times of failed scrapes, and `without_effect` names the causes whose
    effect in the world was too small.
    """

    clock: ScenarioClock
    ended_s: float
    seen_by_alertmanager: frozenset[Labels] = frozenset()
    failed_notifications: int = 0
    failed_scrapes_s: tuple[float, ...] = ()
    without_effect: frozenset[str] = frozenset()

    @property
    def delivery_hop(self) -> Hop:
        """The hop that is to blame for a notification that is late or missing."""
        return "receiver" if self.failed_notifications else "alertmanager"


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
