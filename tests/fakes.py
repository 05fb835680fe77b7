"""Test doubles: a small world whose snapshots are random but obey the laws, and a clock that jumps.

The fake world has no tasks and no agents: it moves counts between the terms of the conservation
laws. It is quick, needs no compilation, and each of its numbers differs from the others.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np

from simulator.plan import Plan
from simulator.snapshot import (
    AGENT_STATES,
    CPU_MODES,
    DURATION_BOUNDS_S,
    OUTCOMES,
    STATUSES,
    TRAFFIC,
    DurationHistogram,
    FaultStatus,
    ScrapePath,
    Snapshot,
)
from simulator.topology import PRIORITIES, SANDBOXES

TIERS = ("cecca", "board", "executive", "stack_chief", "specialist", "micro")
FLEET = (3, 15, 25, 50, 200, 635)
STEP_NS = 10_000_000


def _frozen(values: object) -> np.ndarray:
    array = np.array(values, dtype=np.int64)
    array.flags.writeable = False
    return array


def make_snapshot(seed: int = 0, now_ns: int = 0) -> Snapshot:
    """Return the snapshot of a world that has just begun: every counter is 0."""
    none = DurationHistogram(_frozen(np.zeros(len(DURATION_BOUNDS_S) + 1)), 0)
    agents = np.zeros((len(TIERS), len(AGENT_STATES)))
    agents[:, 2] = FLEET
    by_priority, by_tier, by_pool = (_frozen(np.zeros(n)) for n in (4, len(TIERS), 3))
    pools = _frozen([200, 150, 100])
    return Snapshot(
        now_ns=now_ns, seed=seed, tiers=TIERS, priorities=PRIORITIES, sandboxes=SANDBOXES,
        http_requests=_frozen(np.zeros(len(STATUSES))),
        http_request_duration=none, response_duration=none, task_duration=none,
        tasks_arrived=by_priority, tasks_rejected=by_priority, tasks_timed_out=by_priority,
        tasks_processed=_frozen(np.zeros((4, len(OUTCOMES)))), tasks_in_flight=by_priority,
        tasks_retried=by_priority, queue_depth=by_priority,
        dispatched=by_tier, undispatched=by_tier, finished=_frozen(np.zeros((6, 2))),
        in_flight_by_tier=by_tier, backpressure_level=0, saturation=0.0, arrival_rate=10_300.0,
        agents=_frozen(agents), agents_started=0, agents_crashed=0, startup_duration=none,
        memory_bytes=_frozen(np.array(FLEET) * (3 << 20)),
        cpu_ns=_frozen(np.zeros((16, len(CPU_MODES)))),
        messages_sent=0, messages_delivered=by_tier, messages_dropped=0, messages_waiting=0,
        network_sent_bytes=_frozen(np.zeros(len(TRAFFIC))),
        network_received_bytes=_frozen(np.zeros(len(TRAFFIC))),
        sandbox_total=pools, sandbox_in_use=by_pool, sandbox_leaked=by_pool, sandbox_down=by_pool,
        sandbox_available=pools, sandbox_executions=by_pool,
        faults=(), exporter_up=True, exporter_restarts=0, scrape_path=ScrapePath(),
    )  # fmt: skip


def _observe(old: DurationHistogram, rng: np.random.Generator, count: int) -> DurationHistogram:
    cells = rng.multinomial(count, np.full(len(old.counts), 1 / len(old.counts)))
    return DurationHistogram(_frozen(old.counts + cells), old.sum_ns + count * 7_654_321)


class FakeWorld:
    """A world of random snapshots that obey the laws: `rate` tasks a second, ten messages each."""

    def __init__(self, seed: int = 42, rate: float = 10_300.0) -> None:
        """Begin at virtual time 0 with every counter at 0."""
        self.rate = self.requested_per_s = rate
        self.plan, self.origin_s, self.load_change = Plan(), 0.0, None
        self.cells = (self,)
        self._rng = np.random.default_rng(seed)
        self._changes = 0
        self._snapshot = make_snapshot(seed)

    @property
    def now_s(self) -> float:
        """Virtual seconds since the world began."""
        return self._snapshot.time_s

    def snapshot(self) -> Snapshot:
        """Return the reading at this instant."""
        return self._snapshot

    def change(self, **fields: object) -> None:
        """Set fields of the snapshot, as a fault would."""
        self._changes += 1
        self._snapshot = replace(self._snapshot, **fields)

    def next_change_ns(self) -> int:
        """Return a number that differs after every change made from outside."""
        return self._changes

    def begin_fault(self, fault: str, magnitude: float = 1.0, effect: float = 0.0) -> None:
        """Begin a fault that is in effect for a minute."""
        now_ns = self._snapshot.now_ns
        status = FaultStatus(
            f"{fault}-here", fault, magnitude, effect, "things",
            declared=magnitude, began_ns=now_ns, ends_ns=now_ns + 60 * 10**9, expected=2 * effect,
        )  # fmt: skip
        self.change(faults=(*self._snapshot.faults, status))

    def advance(self, until_s: float) -> None:
        """Move every count on to `until_s`, in steps of one fixed length."""
        until_ns = round(until_s * 1e9)
        while self._snapshot.now_ns < until_ns:
            self._step(min(STEP_NS, until_ns - self._snapshot.now_ns))

    def _step(self, step_ns: int) -> None:
        moved, ended = self._move_tasks(self._snapshot, step_ns)
        moved = self._move_messages(moved, ended)
        moved = self._move_durations(moved, ended)
        self._snapshot = self._move_capacity(moved, step_ns)

    def _move_tasks(self, old: Snapshot, step_ns: int) -> tuple[Snapshot, int]:
        """Return `old` with the tasks of a step in it, and how many of them were completed."""
        rng, by_tier = self._rng, np.full(6, 1 / 6)
        arrived = rng.poisson(self.rate * step_ns / 1e9 / 4, 4)
        held = old.queue_depth + old.tasks_in_flight + arrived
        rejected, timed_out, completed, failed, waiting, in_flight = (
            rng.multinomial(held, (0.01, 0.01, 0.7, 0.08, 0.1, 0.1)).T
        )  # fmt: skip
        ended = int(completed.sum())
        tier_flight = rng.multinomial(in_flight.sum(), by_tier)
        tier_done = rng.multinomial(ended, by_tier)
        tier_failed = rng.multinomial(failed.sum(), by_tier)
        undispatched = old.undispatched + rng.poisson(1, 6)
        finished = old.finished + np.stack((tier_done, tier_failed), axis=1)
        moved = replace(
            old,
            now_ns=old.now_ns + step_ns,
            http_requests=_frozen(old.http_requests + rng.poisson((95, 1, 1, 2, 1))),
            tasks_arrived=_frozen(old.tasks_arrived + arrived),
            tasks_rejected=_frozen(old.tasks_rejected + rejected),
            tasks_timed_out=_frozen(old.tasks_timed_out + timed_out),
            tasks_processed=_frozen(
                old.tasks_processed + np.stack((completed, failed), axis=1)),
            tasks_in_flight=_frozen(in_flight), queue_depth=_frozen(waiting),
            tasks_retried=_frozen(old.tasks_retried + rng.poisson(1, 4)),
            dispatched=_frozen(finished.sum(axis=1) + undispatched + tier_flight),
            undispatched=_frozen(undispatched), finished=_frozen(finished),
            in_flight_by_tier=_frozen(tier_flight),
            backpressure_level=int(rng.integers(5)), saturation=float(rng.random()),
        )  # fmt: skip
        return moved, ended

    def _move_messages(self, old: Snapshot, ended: int) -> Snapshot:
        """Ten messages for each completed task: delivered, dropped or waiting."""
        rng = self._rng
        sent = old.messages_waiting + ended * 10
        delivered, dropped, waiting = rng.multinomial(sent, (0.9, 0.01, 0.09))
        bytes_sent = np.array((ended * 700, ended * 10_240))
        by_tier = rng.multinomial(delivered, np.full(6, 1 / 6))
        return replace(
            old,
            messages_sent=old.messages_sent + ended * 10,
            messages_delivered=_frozen(old.messages_delivered + by_tier),
            messages_dropped=old.messages_dropped + int(dropped),
            messages_waiting=int(waiting),
            network_sent_bytes=_frozen(old.network_sent_bytes + bytes_sent),
            network_received_bytes=_frozen(old.network_received_bytes + bytes_sent * 2),
        )

    def _move_durations(self, old: Snapshot, ended: int) -> Snapshot:
        """One observation of each kind for each completed task, and one start of an agent."""
        rng = self._rng
        return replace(
            old,
            http_request_duration=_observe(old.http_request_duration, rng, ended),
            response_duration=_observe(old.response_duration, rng, ended),
            task_duration=_observe(old.task_duration, rng, ended),
            startup_duration=_observe(old.startup_duration, rng, 1),
            agents_started=old.agents_started + 1,
        )

    def _move_capacity(self, old: Snapshot, step_ns: int) -> Snapshot:
        """Agents among their states, CPU time among its modes, slots among their uses."""
        rng = self._rng
        use, leaked, down, free = rng.multinomial(old.sandbox_total, (0.4, 0.1, 0.1, 0.4)).T
        cpu = step_ns * rng.dirichlet(np.ones(len(CPU_MODES)), len(old.cpu_ns))
        return replace(
            old,
            agents=_frozen(rng.multinomial(FLEET, (0.1, 0.1, 0.3, 0.3, 0.1, 0.1))),
            agents_crashed=old.agents_crashed + int(rng.integers(2)),
            memory_bytes=_frozen(rng.integers(1 << 20, 1 << 24, 6)),
            cpu_ns=_frozen(old.cpu_ns + cpu.astype(np.int64)),
            sandbox_in_use=_frozen(use), sandbox_leaked=_frozen(leaked),
            sandbox_down=_frozen(down), sandbox_available=_frozen(free),
            sandbox_executions=_frozen(old.sandbox_executions + rng.poisson(10, 3)),
        )  # fmt: skip


class MockClock:
    """A clock that stands still until a task sleeps: then it jumps to the end of the sleep.

    Every sleep ends `oversleeps_s` late; `spend` lets computing take its time.
    """

    def __init__(self, start_s: float = 1000.0, oversleeps_s: float = 0.0) -> None:
        """Begin at `start_s`."""
        self.now_s = start_s
        self.oversleeps_s = oversleeps_s
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time to which it has jumped."""
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        """Jump by `delay_s`, and let the other tasks of the loop run once."""
        self.slept.append(delay_s)
        self.now_s += delay_s + self.oversleeps_s
        await asyncio.sleep(0)

    def spend(self, duration_s: float) -> None:
        """Let `duration_s` pass, as computing would."""
        self.now_s += duration_s
