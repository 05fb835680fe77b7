"""Test doubles: a small world whose snapshots are random but lawful, and a clock that jumps.

The fake world knows no tasks and no agents: it moves counts between the places of a conservation
law. It is quick, needs no compilation and every number of it differs from the others.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np

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


def _observe(old: DurationHistogram, chance: np.random.Generator, count: int) -> DurationHistogram:
    cells = chance.multinomial(count, np.full(len(old.counts), 1 / len(old.counts)))
    return DurationHistogram(_frozen(old.counts + cells), old.sum_ns + count * 7_654_321)


class FakeWorld:
    """A world of lawful random snapshots; `rate` tasks a second, ten messages for each."""

    def __init__(self, seed: int = 42, rate: float = 10_300.0) -> None:
        """Begin at virtual time 0 with every counter at 0."""
        self.rate = rate
        self._chance = np.random.default_rng(seed)
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
        """Put a fault in effect."""
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
        old, chance = self._snapshot, self._chance
        arrived = chance.poisson(self.rate * step_ns / 1e9 / 4, 4)
        held = old.queue_depth + old.tasks_in_flight + arrived
        rejected, timed_out, completed, failed, waiting, in_flight = (
            chance.multinomial(held, (0.01, 0.01, 0.7, 0.08, 0.1, 0.1)).T
        )  # fmt: skip
        ended, by_tier = int(completed.sum()), np.full(6, 1 / 6)
        tier_flight = chance.multinomial(in_flight.sum(), by_tier)
        tier_done = chance.multinomial(ended, by_tier)
        tier_failed = chance.multinomial(failed.sum(), by_tier)
        returned = chance.poisson(1, 6)
        sent = old.messages_waiting + ended * 10
        handled, dropped, waiting_messages = chance.multinomial(sent, (0.9, 0.01, 0.09))
        use, leaked, down, free = chance.multinomial(old.sandbox_total, (0.4, 0.1, 0.1, 0.4)).T
        cells = step_ns * chance.dirichlet(np.ones(len(CPU_MODES)), len(old.cpu_ns))
        done = old.finished + np.stack((tier_done, tier_failed), axis=1)
        traffic = np.array((ended * 700, ended * 10_240))
        self._snapshot = replace(
            old,
            now_ns=old.now_ns + step_ns,
            http_requests=_frozen(old.http_requests + chance.poisson((95, 1, 1, 2, 1))),
            http_request_duration=_observe(old.http_request_duration, chance, ended),
            response_duration=_observe(old.response_duration, chance, ended),
            task_duration=_observe(old.task_duration, chance, ended),
            startup_duration=_observe(old.startup_duration, chance, 1),
            tasks_arrived=_frozen(old.tasks_arrived + arrived),
            tasks_rejected=_frozen(old.tasks_rejected + rejected),
            tasks_timed_out=_frozen(old.tasks_timed_out + timed_out),
            tasks_processed=_frozen(
                old.tasks_processed + np.stack((completed, failed), axis=1)),
            tasks_in_flight=_frozen(in_flight), queue_depth=_frozen(waiting),
            tasks_retried=_frozen(old.tasks_retried + chance.poisson(1, 4)),
            dispatched=_frozen(
                done.sum(axis=1) + old.undispatched + returned + tier_flight),
            undispatched=_frozen(old.undispatched + returned), finished=_frozen(done),
            in_flight_by_tier=_frozen(tier_flight),
            backpressure_level=int(chance.integers(5)), saturation=float(chance.random()),
            agents=_frozen(chance.multinomial(FLEET, (0.1, 0.1, 0.3, 0.3, 0.1, 0.1))),
            agents_started=old.agents_started + 1,
            agents_crashed=old.agents_crashed + int(chance.integers(2)),
            memory_bytes=_frozen(chance.integers(1 << 20, 1 << 24, 6)),
            cpu_ns=_frozen(old.cpu_ns + cells.astype(np.int64)),
            messages_sent=old.messages_sent + ended * 10,
            messages_delivered=_frozen(
                old.messages_delivered + chance.multinomial(handled, by_tier)),
            messages_dropped=old.messages_dropped + int(dropped),
            messages_waiting=int(waiting_messages),
            network_sent_bytes=_frozen(old.network_sent_bytes + traffic),
            network_received_bytes=_frozen(old.network_received_bytes + traffic * 2),
            sandbox_in_use=_frozen(use), sandbox_leaked=_frozen(leaked),
            sandbox_down=_frozen(down), sandbox_available=_frozen(free),
            sandbox_executions=_frozen(old.sandbox_executions + chance.poisson(10, 3)),
        )  # fmt: skip


class MockClock:
    """A clock that stands still but when someone sleeps: then it jumps to the time asked for.

    `oversleeps_s` is how late every sleeper is woken; `spend` lets computing take its time.
    """

    def __init__(self, start_s: float = 1000.0, oversleeps_s: float = 0.0) -> None:
        """Begin at `start_s`."""
        self.now_s = start_s
        self.oversleeps_s = oversleeps_s
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time that has been jumped to."""
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        """Jump by `delay_s`, and let the other tasks of the loop run once."""
        self.slept.append(delay_s)
        self.now_s += delay_s + self.oversleeps_s
        await asyncio.sleep(0)

    def spend(self, duration_s: float) -> None:
        """Let `duration_s` pass as if someone had computed."""
        self.now_s += duration_s
