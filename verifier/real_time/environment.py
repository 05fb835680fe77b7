"""The servers around a world in real time, and what they show: those of ours or the user's own.

`start` makes one for every run; `up` observes it once a second, in a thread. Our servers are
supervised. The user's are asked within a bound of time; a server that does not answer is reported
and asked again. What a person reads of it is written in `agentaskit_sim.terminal`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from verifier.real_time.stack import revive
from verifier.servers.foreign_server import ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verifier.servers.foreign_server import ActiveAlert, ForeignServer
    from verifier.servers.ledger import Notification
    from verifier.servers.receiver import Receiver


@dataclass(frozen=True, slots=True)
class StackStatus:
    """What the servers around a world showed at one instant.

    `alerts` are the last that are known, also while `unreachable` says why there are no newer
    ones. `rule_labels` are the labels that each rule gives to its alerts, by alert.
    """

    alerts: tuple[ActiveAlert, ...] = ()
    notifications: tuple[Notification, ...] = ()
    unreachable: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    rule_labels: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def with_alerts(self, alerts: tuple[ActiveAlert, ...]) -> StackStatus:
        """Return the status with newer alerts, and with what these show of their rules."""
        shown = {alert.alert: frozenset(key for key, _ in alert.rule) for alert in alerts}
        return replace(self, alerts=alerts, rule_labels={**self.rule_labels, **shown})


class SupervisedServers(Protocol):
    """Servers of ours; `restarts` names each that had to be started again."""

    @property
    def restarts(self) -> Sequence[str]:
        """A sentence for each."""

    def check(self) -> None:
        """Start again what has ended; raises JudgeError when the run cannot go on."""

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver."""


class ReceiverOnly:
    """The receiver, where all other servers are the user's."""

    def __init__(self, receiver: Receiver) -> None:
        """Supervise a receiver that runs."""
        self._receiver = receiver
        self.restarts: list[str] = []

    def check(self) -> None:
        """Start it again if it has ended; raises JudgeError when that cannot be done."""
        self.restarts += revive("the receiver", self._receiver)

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at it."""
        return self._receiver.notifications()


class ServersOfAJudge:
    """Servers of ours that the judge of a run supervises: nobody else may start one again."""

    def __init__(self, servers: SupervisedServers) -> None:
        """Read these, and leave them alone."""
        self._servers = servers

    @property
    def restarts(self) -> Sequence[str]:
        """A sentence for each."""
        return self._servers.restarts

    def check(self) -> None:
        """Do nothing."""

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver."""
        return self._servers.notifications()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """All servers around a world: `servers` are ours, and `prometheus` shows the alerts.

    `alertmanager` is the user's own; None when it is ours, or nobody named it. `join` lets our
    servers scrape the world. An alert that became pending before `settled_s` (Unix seconds) is left
    out until it fires.
    """

    prometheus: ForeignServer
    alertmanager: ForeignServer | None
    servers: SupervisedServers
    join: Callable[[], None] = lambda: None
    settled_s: float = 0.0

    def watched(self) -> Environment:
        """Return the same servers for one who watches a run that a judge starts and supervises."""
        return replace(self, servers=ServersOfAJudge(self.servers), join=lambda: None)

    def start(self) -> None:
        """Let our servers scrape the world, which is served by now."""
        self.join()

    def observe(self, last: StackStatus) -> StackStatus:
        """Return the status of now, with the alerts of `last` if there are no newer ones.

        Raises JudgeError when the run cannot go on.
        """
        self.servers.check()
        status, unreachable = last, []
        try:
            alerts = self.prometheus.active_alerts()
            status = last.with_alerts(tuple(alert for alert in alerts if self._is_shown(alert)))
        except ServerUnreachable as error:
            unreachable.append(str(error))
        if self.alertmanager is not None:
            try:
                self.alertmanager.check()
            except ServerUnreachable as error:
                unreachable.append(str(error))
        return replace(
            status,
            notifications=self.servers.notifications(),
            unreachable=tuple(unreachable),
            restarts=tuple(self.servers.restarts),
        )

    def _is_shown(self, alert: ActiveAlert) -> bool:
        return alert.state == "firing" or alert.active_s >= self.settled_s
