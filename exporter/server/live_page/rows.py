"""The rows of the live page: which numbers of the world are drawn, each from two readings of it.

`readings` asks for them once a second. Pure functions of two snapshots: `before` is about a second
older than `now`. A rate is per second of virtual time; where nothing can be said (no request was
answered, so there is no quantile) a value is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from simulator.snapshot import AGENT_STATES, CPU_MODES, DURATION_BOUNDS_S, OUTCOMES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from charts.chart import RowGroup, RowKind
    from exporter.server.exposition import LoadReading
    from simulator.snapshot import Counts, DurationHistogram, Snapshot

LOADS: Final = ("load profile", "after faults", "arrived")
"""What the profile asks for, what faults make of that, and the tasks that came, by chance."""
QUANTILES: Final = (0.5, 0.9, 0.99)
Value: TypeAlias = "float | None"


@dataclass(frozen=True, slots=True)
class RowOfWorld:
    """One row: what it is called, its unit, how it is drawn, and how it is read.

    `series` names its lines for the axes of a world, `read` returns a value for each of them; of
    the load for the last alone.
    """

    id: str
    title: str
    unit: str
    kind: RowKind
    series: Callable[[Snapshot], tuple[str, ...]]
    read: Callable[[Snapshot, Snapshot], tuple[Value, ...]]

    @property
    def group(self) -> RowGroup:
        """Whether it shows the load or what the world makes of it."""
        return "load" if self.id == "load" else "world"


def passed_s(before: Snapshot, now: Snapshot) -> float:
    """Return the virtual seconds between two readings; 1 where none have passed."""
    return (now.now_ns - before.now_ns) / 1e9 or 1.0


def quantile(share: float, before: DurationHistogram, now: DurationHistogram) -> float | None:
    """Return the duration (s) that `share` of those counted between two readings stay within.

    Linear between two bounds, as Prometheus's histogram_quantile; the last bound for all beyond.
    None when nothing was counted.
    """
    counts = now.counts - before.counts
    total = int(counts.sum())
    if total <= 0:
        return None
    rank, below = share * total, 0
    for cell, bound_s in enumerate(DURATION_BOUNDS_S):
        count = int(counts[cell])
        if below + count >= rank:
            start_s = DURATION_BOUNDS_S[cell - 1] if cell else 0.0
            return start_s + (bound_s - start_s) * (rank - below) / max(1, count)
        below += count
    return DURATION_BOUNDS_S[-1]


def _rates(before: Counts, now: Counts, seconds: float) -> tuple[float, ...]:
    return tuple(float(moved) / seconds for moved in (now - before).tolist())


def _load(before: Snapshot, now: Snapshot) -> tuple[Value, ...]:
    arrived = int((now.tasks_arrived - before.tasks_arrived).sum())
    return (arrived / passed_s(before, now),)


def _tasks(before: Snapshot, now: Snapshot) -> tuple[Value, ...]:
    moved = (now.tasks_processed - before.tasks_processed).sum(axis=0).tolist()
    for name in ("tasks_rejected", "tasks_timed_out", "tasks_retried"):
        moved.append(int((getattr(now, name) - getattr(before, name)).sum()))
    return tuple(count / passed_s(before, now) for count in moved)


def _latency(before: Snapshot, now: Snapshot) -> tuple[Value, ...]:
    durations = before.http_request_duration, now.http_request_duration
    return tuple(quantile(share, *durations) for share in QUANTILES)


def _cpu(before: Snapshot, now: Snapshot) -> tuple[Value, ...]:
    spent = (now.cpu_ns - before.cpu_ns).sum(axis=0)
    total = float(spent.sum())
    return tuple(
        float(part) / total if total > 0 else None
        for mode, part in zip(CPU_MODES, spent.tolist(), strict=True)
        if mode != "idle"
    )


def _bus(before: Snapshot, now: Snapshot) -> tuple[Value, ...]:
    seconds = passed_s(before, now)
    delivered = int((now.messages_delivered - before.messages_delivered).sum())
    return (
        (now.messages_sent - before.messages_sent) / seconds,
        delivered / seconds,
        (now.messages_dropped - before.messages_dropped) / seconds,
    )


def _sandboxes(_: Snapshot, now: Snapshot) -> tuple[Value, ...]:
    pools = zip(now.sandbox_available.tolist(), now.sandbox_total.tolist(), strict=True)
    return tuple(1 - free / total if total else None for free, total in pools)


def _floats(counts: Iterable[float]) -> tuple[float, ...]:
    return tuple(map(float, counts))


def _named(*names: str) -> Callable[[Snapshot], tuple[str, ...]]:
    return lambda _: names


ROWS: Final = (
    RowOfWorld("load", "Load", "tasks/s", "line", _named(*LOADS), _load),
    RowOfWorld("tasks", "Tasks", "tasks/s", "line",
               _named(*OUTCOMES, "rejected", "timed out", "retried"), _tasks),
    RowOfWorld("answers", "HTTP answers", "requests/s", "stack", _named(*STATUSES),
               lambda a, b: _rates(a.http_requests, b.http_requests, passed_s(a, b))),
    RowOfWorld("latency", "HTTP latency", "s", "line",
               _named(*(f"p{share * 100:g}" for share in QUANTILES)), _latency),
    RowOfWorld("queues", "Queues", "tasks", "stack", lambda s: s.priorities,
               lambda _, s: _floats(s.queue_depth.tolist())),
    RowOfWorld("saturation", "Saturation", "ratio", "line", _named("fullest queue"),
               lambda _, s: (float(s.saturation),)),
    RowOfWorld("agents", "Agents by state", "agents", "stack", _named(*AGENT_STATES),
               lambda _, s: _floats(s.agents.sum(axis=0).tolist())),
    RowOfWorld("tiers", "Active agents by tier", "agents", "line", lambda s: s.tiers,
               lambda _, s: _floats(s.active_agents.tolist())),
    RowOfWorld("sandboxes", "Sandboxes taken", "ratio", "line", lambda s: s.sandboxes,
               _sandboxes),
    RowOfWorld("cpu", "CPU", "ratio", "stack",
               _named(*(mode for mode in CPU_MODES if mode != "idle")), _cpu),
    RowOfWorld("memory", "Memory by tier", "bytes", "stack", lambda s: s.tiers,
               lambda _, s: _floats(s.memory_bytes.tolist())),
    RowOfWorld("bus", "Message bus", "messages/s", "line",
               _named("sent", "delivered", "dropped"), _bus),
    RowOfWorld("inboxes", "Messages waiting", "messages", "line", _named("in inboxes"),
               lambda _, s: (float(s.messages_waiting),)),
)  # fmt: skip
"""From what comes in, through what it does inside, to what is left of the machines."""


def read_rows(before: Snapshot, now: Snapshot, load: LoadReading) -> tuple[tuple[Value, ...], ...]:
    """Return the values of every row of `ROWS`, in its order, rounded for the eye.

    The first is of the load, whose profile is in no snapshot.
    """
    first, *others = (row.read(before, now) for row in ROWS)
    first = (load.profile_per_s, load.after_faults_per_s, *first)
    return tuple(tuple(map(rounded, values)) for values in (first, *others))


def rounded(value: Value) -> Value:
    """Return `value` with five digits: a page shows no more, and each is sent to every viewer."""
    return None if value is None else float(f"{value:.5g}")
