"""What the world counts, in words of the world: read from a snapshot, never through a metric.

The ground truth of panels. The only thing that it shares with the exporter is the snapshot: not the
catalogue, not a page, not the recorder. Counts are exact integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from simulator.snapshot import CPU_MODES, OUTCOMES, STATUSES, TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from simulator.snapshot import Counts, DurationHistogram, Snapshot

Kind = Literal["counter", "gauge", "durations"]
Axis = tuple[str, "Callable[[Snapshot], tuple[str, ...]]"]


@dataclass(frozen=True, slots=True)
class CountedQuantity:
    """Something that the world counts (`counter`, `durations`) or holds (`gauge`).

    `unit` is what one of it times `scale` is: `s`, `bytes`, or a plain number where empty.
    """

    kind: Kind
    read: Callable[[Snapshot], Counts | int]
    axes: tuple[Axis, ...] = ()
    unit: str = ""
    scale: float = 1.0


def _fixed(name: str, values: tuple[str, ...]) -> Axis:
    return name, lambda _: values


def _counter(
    read: Callable[[Snapshot], Counts | int], *axes: Axis, unit: str = "", scale: float = 1.0
) -> CountedQuantity:
    return CountedQuantity("counter", read, axes, unit, scale)


def _gauge(
    read: Callable[[Snapshot], Counts | int], *axes: Axis, unit: str = ""
) -> CountedQuantity:
    return CountedQuantity("gauge", read, axes, unit)


def _durations(read: Callable[[Snapshot], DurationHistogram]) -> CountedQuantity:
    return CountedQuantity("durations", lambda s: read(s).counts, unit="s")


_TIER: Final[Axis] = ("tier", lambda s: s.tiers)
_PRIORITY: Final[Axis] = ("priority", lambda s: s.priorities)
_SANDBOX: Final[Axis] = ("sandbox_type", lambda s: s.sandboxes)
_CPU: Final[Axis] = ("cpu", lambda s: tuple(str(number) for number in range(len(s.cpu_ns))))
_STATUS, _OUTCOME = _fixed("status", STATUSES), _fixed("outcome", OUTCOMES)
_MODE, _TRAFFIC = _fixed("mode", CPU_MODES), _fixed("traffic", TRAFFIC)

QUANTITIES: Final[Mapping[str, CountedQuantity]] = {
    "requests": _counter(lambda s: s.http_requests, _STATUS),
    "tasks arrived": _counter(lambda s: s.tasks_arrived, _PRIORITY),
    "tasks rejected": _counter(lambda s: s.tasks_rejected, _PRIORITY),
    "tasks timed out": _counter(lambda s: s.tasks_timed_out, _PRIORITY),
    "tasks retried": _counter(lambda s: s.tasks_retried, _PRIORITY),
    "tasks processed": _counter(lambda s: s.tasks_processed, _PRIORITY, _OUTCOME),
    "tasks in flight": _gauge(lambda s: s.tasks_in_flight, _PRIORITY),
    "tasks waiting": _gauge(lambda s: s.queue_depth, _PRIORITY),
    "active agents": _gauge(lambda s: s.active_agents, _TIER),
    "agents": _gauge(lambda s: s.agents.sum(axis=1), _TIER),
    "agents started": _counter(lambda s: s.agents_started),
    "agents crashed": _counter(lambda s: s.agents_crashed),
    "messages delivered": _counter(lambda s: s.messages_delivered, _TIER),
    "messages sent": _counter(lambda s: s.messages_sent),
    "messages dropped": _counter(lambda s: s.messages_dropped),
    "messages waiting": _gauge(lambda s: s.messages_waiting),
    "bytes sent": _counter(lambda s: s.network_sent_bytes, _TRAFFIC, unit="bytes"),
    "bytes received": _counter(lambda s: s.network_received_bytes, _TRAFFIC, unit="bytes"),
    "memory": _gauge(lambda s: s.memory_bytes, _TIER, unit="bytes"),
    "CPU time": _counter(lambda s: s.cpu_ns, _CPU, _MODE, unit="s", scale=1e-9),
    "sandbox slots": _gauge(lambda s: s.sandbox_total, _SANDBOX),
    "free sandbox slots": _gauge(lambda s: s.sandbox_available, _SANDBOX),
    "sandbox executions": _counter(lambda s: s.sandbox_executions, _SANDBOX),
    "request durations": _durations(lambda s: s.http_request_duration),
    "response durations": _durations(lambda s: s.response_duration),
    "task durations": _durations(lambda s: s.task_duration),
    "start-up durations": _durations(lambda s: s.startup_duration),
}
"""By the names that a file of panel truths uses."""
_READERS: Final = tuple(quantity.read for quantity in QUANTITIES.values())


@dataclass(frozen=True, slots=True)
class CountLayout:
    """Where each quantity stands in the counts of a world, and the label values of its axes."""

    slices: Mapping[str, slice]
    labels: Mapping[str, Mapping[str, tuple[str, ...]]]
    growing: NDArray[np.bool_]

    def part(self, counts: NDArray[np.int64], name: str) -> NDArray[np.int64]:
        """Return a quantity in its own shape."""
        shape = tuple(len(values) for values in self.labels[name].values())
        flat = counts[self.slices[name]]
        return flat.reshape(shape) if shape else flat


def read_counts(snapshot: Snapshot) -> Counts:
    """Return everything that the world counts at a snapshot, in the order of `QUANTITIES`."""
    return np.concatenate([np.ravel(read(snapshot)) for read in _READERS])


def layout_of(snapshot: Snapshot) -> CountLayout:
    """Return where each quantity stands in what `read_counts` returns."""
    slices: dict[str, slice] = {}
    labels: dict[str, dict[str, tuple[str, ...]]] = {}
    growing: list[bool] = []
    for name, quantity in QUANTITIES.items():
        size = np.size(quantity.read(snapshot))
        slices[name] = slice(len(growing), len(growing) + size)
        labels[name] = {axis: values(snapshot) for axis, values in quantity.axes}
        growing += [quantity.kind != "gauge"] * size
    return CountLayout(slices, labels, np.array(growing))
