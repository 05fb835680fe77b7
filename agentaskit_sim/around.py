"""What stands around the world of `up`: servers of ours that are kept alive, or the user's own.

Read once a second, in a thread. Ours are looked after; those of the user are asked within a bound
of time, and a server that does not answer is told of and asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from agentaskit_sim.watch import learn
from verifier.active import Unreachable
from verifier.stack import revive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentaskit_sim.watch import Heard
    from verifier.active import Elsewhere
    from verifier.ledger import Notification
    from verifier.receiver import Receiver


class Kept(Protocol):
    """The servers of ours; `restarts` tells of each that had to be started again."""

    @property
    def restarts(self) -> Sequence[str]:
        """A sentence for each."""

    def check(self) -> None:
        """Look after them; raises JudgeError when the run cannot go on."""

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver."""


class Alone:
    """The receiver, where all the rest is the user's."""

    def __init__(self, receiver: Receiver) -> None:
        """Look after a receiver that runs."""
        self._receiver = receiver
        self.restarts: list[str] = []

    def check(self) -> None:
        """Start it again if it has ended; raises JudgeError when that cannot be done."""
        self.restarts += revive("the receiver", self._receiver)

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at it."""
        return self._receiver.notifications()


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """All servers around a world: where alerts are read, what is `kept` alive, how it `begins`.

    `alertmanager` is the user's own; None when it is ours, or not spoken of.
    """

    prometheus: Elsewhere
    alertmanager: Elsewhere | None
    kept: Kept
    begins: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Let the servers of ours scrape the world, which is served by now."""
        self.begins()

    def hear(self, last: Heard) -> Heard:
        """Return what there is to say now, with the alerts of `last` if there are no newer ones."""
        self.kept.check()
        heard, unreachable = last, []
        try:
            heard = learn(last, self.prometheus.active_alerts())
        except Unreachable as error:
            unreachable.append(str(error))
        if self.alertmanager is not None:
            try:
                self.alertmanager.check()
            except Unreachable as error:
                unreachable.append(str(error))
        return replace(
            heard,
            told=self.kept.notifications(),
            unreachable=tuple(unreachable),
            restarts=tuple(self.kept.restarts),
        )
