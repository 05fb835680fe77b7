"""The message bus of the SimPy model, in two ways: with an event for each message, or with none.

Used by `simpy_world`; a benchmark names the one it wants. Both give the same system.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import simpy

    from simulator.topology import Topology


class Bus(Protocol):
    """Bounded inboxes, numbered as the agents are, each served at a finite rate."""

    sent: int
    dropped: int

    def __init__(self, env: simpy.Environment, agents: int, topology: Topology) -> None:
        """Start with `agents` empty inboxes."""

    def send(self, receiver: int) -> None:
        """Put one message into an inbox, or drop it when the inbox is full."""

    def hand_over(self, receiver: int) -> simpy.Event:
        """Put one message that is never dropped; the event is that the receiver has handled it."""


class EventBus:
    """One event for each message, when it has been handled: the least that SimPy can do with it.

    (A process and a Store for each inbox, as in SimPy's manual, takes three events each and is
    several times slower.)
    """

    def __init__(self, env: simpy.Environment, agents: int, topology: Topology) -> None:
        """Start with `agents` empty inboxes."""
        self._env = env
        self._limit = topology.inbox_limit
        self._service_s = topology.inbox_service_s
        self._inboxes: list[deque[simpy.Event | None]] = [deque() for _ in range(agents)]
        self.sent = 0
        self.dropped = 0
        self.handled = 0

    def _begin(self, inbox: deque[simpy.Event | None]) -> None:
        self._env.timeout(self._service_s, inbox).callbacks.append(self._end)

    def _end(self, timeout: simpy.Event) -> None:
        inbox: Any = timeout.value  # the deque that `_begin` gave it
        self.handled += 1
        message = inbox.popleft()
        if message is not None:
            message.succeed()
        if inbox:
            self._begin(inbox)

    def send(self, receiver: int) -> None:
        """Put one message into an inbox, or drop it when the inbox is full."""
        self.sent += 1
        inbox = self._inboxes[receiver]
        if len(inbox) >= self._limit:
            self.dropped += 1
            return
        inbox.append(None)
        if len(inbox) == 1:
            self._begin(inbox)

    def hand_over(self, receiver: int) -> simpy.Event:
        """Put one message that is never dropped; the event is that the receiver has handled it."""
        self.sent += 1
        handled = self._env.event()
        inbox = self._inboxes[receiver]
        inbox.append(handled)
        if len(inbox) == 1:
            self._begin(inbox)
        return handled


class ArithmeticBus:
    """An inbox is only the time at which it will be empty (Lindley's recursion, 1952)."""

    def __init__(self, env: simpy.Environment, agents: int, topology: Topology) -> None:
        """Start with `agents` empty inboxes."""
        self._env = env
        self._service_s = topology.inbox_service_s
        self._full_s = topology.inbox_limit * topology.inbox_service_s
        self._empty_at_s = [0.0] * agents
        self.sent = 0
        self.dropped = 0

    def send(self, receiver: int) -> None:
        """Put one message into an inbox, or drop it when the inbox is full."""
        self.sent += 1
        now_s = self._env.now
        empty_at_s = max(self._empty_at_s[receiver], now_s)
        if empty_at_s - now_s < self._full_s:
            self._empty_at_s[receiver] = empty_at_s + self._service_s
        else:
            self.dropped += 1

    def hand_over(self, receiver: int) -> simpy.Event:
        """Put one message that is never dropped; the event is that the receiver has handled it."""
        self.sent += 1
        now_s = self._env.now
        handled_at_s = max(self._empty_at_s[receiver], now_s) + self._service_s
        self._empty_at_s[receiver] = handled_at_s
        return self._env.timeout(handled_at_s - now_s)
