"""The peer of the benchmark: the simulated system once more, written for SimPy 4.1.

Used by `bench` and by the test that compares its physics with `simulator.world`. It shares nothing
with the simulator but the topology. It has what a healthy minute exercises (arrivals, four queues,
agents in tiers, sandbox slots, service, bus, histograms) and leaves out what would only slow SimPy
down further: CPU accounting, scaling, recycling, faults, retries.

It is meant to be as fast as a SimPy model gets: random numbers are drawn in blocks by numpy, an
agent is one process for the whole run, a free slot costs no event. There are two buses, see
`simpy_bus`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import simpy

from benchmarks.simpy_bus import EventBus
from simulator.snapshot import DURATION_BOUNDS_S

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from numpy.typing import NDArray

    from benchmarks.simpy_bus import Bus
    from simulator.topology import TaskClass, Topology

    Reals = NDArray[np.float64]

BLOCK = 1 << 14
"""Random numbers drawn at a time; numpy's cost for a call is then spread over many."""
SANDBOX_SIGMA = 0.25
"""Spread of the three runs of a triple-verified task, as in the simulator."""
WORK = 0
"""Place of the class `work` in the topology's classes."""


class Task(NamedTuple):
    """One arrival; `sandboxes` are the indices of the pools it needs: none, one or all three."""

    arrived_at_s: float
    priority: int
    task_class: int
    sandboxes: tuple[int, ...]
    work_s: float


class Durations:
    """A histogram over the simulator's bounds; the last cell holds everything longer."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        """Start empty."""
        self.counts = [0] * (len(DURATION_BOUNDS_S) + 1)
        self.sum_s = 0.0

    def observe(self, duration_s: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(DURATION_BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s

    @property
    def mean_s(self) -> float:
        """The mean of all durations observed, of which there must be at least one."""
        return self.sum_s / sum(self.counts)


class SlotPool:
    """Sandbox slots, first come first served; taking a free one costs no event."""

    __slots__ = ("_env", "_free", "_waiting", "executions")

    def __init__(self, env: simpy.Environment, slots: int) -> None:
        """Start with every slot free."""
        self._env = env
        self._free = slots
        self._waiting: deque[simpy.Event] = deque()
        self.executions = 0

    def take(self) -> simpy.Event | None:
        """Take a slot: None when one was free, else the event to wait for."""
        self.executions += 1
        if self._free:
            self._free -= 1
            return None
        turn = self._env.event()
        self._waiting.append(turn)
        return turn

    def give_back(self) -> None:
        """Pass a slot on to the task that waits longest."""
        if self._waiting:
            self._waiting.popleft().succeed()
        else:
            self._free += 1


class Agent:
    """One agent: its number, its parent, the class it takes, and the event that wakes it."""

    __slots__ = ("number", "parent", "task_class", "wake")

    def __init__(self, number: int, parent: int, task_class: int) -> None:
        """Begin without a task."""
        self.number = number
        self.parent = parent
        self.task_class = task_class
        self.wake: simpy.Event | None = None


class SimpyWorld:
    """The healthy system at `rate_per_s` tasks a second: `advance` it, then read its counts."""

    def __init__(
        self, topology: Topology, *, rate_per_s: float, seed: int, bus: type[Bus] = EventBus
    ) -> None:
        """Build the system, empty at virtual time 0, with the fleet that this load calls for."""
        self._env = simpy.Environment()
        self._topology = topology
        self._rate_per_s = rate_per_s
        self._random = np.random.default_rng(seed)
        self.agents = _fleet(topology, rate_per_s)
        self.bus = bus(self._env, len(self.agents), topology)
        self.pools = [SlotPool(self._env, pool.slots) for pool in topology.sandboxes]
        self._idle: tuple[deque[Agent], ...] = (deque(), deque())
        self._queues = [(deque[Task](), deque[Task]()) for _ in topology.priorities]
        self.http_durations = Durations()
        self.response_durations = Durations()
        self.task_durations = Durations()
        self.arrived = 0
        self.completed = 0
        self._peers = self._blocks(lambda: self._random.integers(len(self.agents), size=BLOCK))
        self._upward = self._blocks(
            lambda: self._random.random(BLOCK) < topology.message_upward_share
        )
        self._factors = self._blocks(
            lambda: _lognormal(self._random.standard_normal(BLOCK), SANDBOX_SIGMA)
        )
        for agent in self.agents:
            self._env.process(self._work(agent))
        self._env.process(self._arrive())

    def advance(self, until_s: float) -> None:
        """Simulate up to `until_s` of virtual time, which must not lie in the past."""
        self._env.run(until=until_s)

    @staticmethod
    def _blocks(draw: Callable[[], Any]) -> Iterator[Any]:
        while True:
            yield from draw().tolist()

    def _tasks(self) -> Iterator[tuple[float, int, int, tuple[int, ...], float]]:
        topology = self._topology
        needs: list[tuple[int, ...]] = [(), (0, 1, 2), (0,), (1,), (2,)]
        alone = [pool.share for pool in topology.sandboxes]
        need_shares = [1 - topology.triple_share - sum(alone), topology.triple_share, *alone]
        shares = [priority.share for priority in topology.priorities]
        while True:
            gaps = self._random.standard_exponential(BLOCK) / self._rate_per_s
            priorities = self._random.choice(len(shares), BLOCK, p=shares)
            classes = (self._random.random(BLOCK) >= topology.classes[WORK].share).astype(int)
            need = self._random.choice(len(needs), BLOCK, p=need_shares)
            normal = self._random.standard_normal(BLOCK)
            work = np.where(
                classes == WORK,
                *(_service(normal, task_class) for task_class in topology.classes),
            )
            yield from zip(
                gaps.tolist(), priorities.tolist(), classes.tolist(),
                [needs[i] for i in need.tolist()], work.tolist(), strict=True,
            )  # fmt: skip

    def _arrive(self) -> Generator[simpy.Event, Any, None]:
        env = self._env
        limits = [priority.queue_limit for priority in self._topology.priorities]
        for gap_s, priority, task_class, sandboxes, work_s in self._tasks():
            yield env.timeout(gap_s)
            self.arrived += 1
            task = Task(env.now, priority, task_class, sandboxes, work_s)
            idle = self._idle[task_class]
            if idle:
                wake = idle.popleft().wake
                assert wake is not None  # noqa: S101 - an idle agent has one
                wake.succeed(task)
                continue
            lanes = self._queues[priority]
            if len(lanes[0]) + len(lanes[1]) < limits[priority]:
                lanes[task_class].append(task)

    def _waiting(self, task_class: int) -> Task | None:
        for lanes in self._queues:
            if lanes[task_class]:
                return lanes[task_class].popleft()
        return None

    def _work(self, me: Agent) -> Generator[simpy.Event, Any, None]:
        env = self._env
        while True:
            task = self._waiting(me.task_class)
            if task is None:
                me.wake = env.event()
                self._idle[me.task_class].append(me)
                task = yield me.wake
            dispatched_at_s = env.now
            handed_over = self.bus.hand_over(me.number)
            for pool in task.sandboxes:
                turn = self.pools[pool].take()
                if turn is not None:
                    yield turn
            yield handed_over
            yield from self._serve(me, task)
            self.completed += 1
            self.task_durations.observe(env.now - dispatched_at_s)

    def _serve(self, me: Agent, task: Task) -> Generator[simpy.Event, Any, None]:
        env = self._env
        topology = self._topology
        first_s = task.work_s * topology.first_result_share
        began_at_s = env.now
        yield env.timeout(first_s)
        response_s = env.now - task.arrived_at_s
        self.response_durations.observe(response_s)
        self.http_durations.observe(response_s + topology.gateway_overhead_s)
        self._send(me, topology.messages_at_first_result)
        if len(task.sandboxes) == 3:
            runs_s = sorted(
                (max(task.work_s * next(self._factors), first_s), pool) for pool in task.sandboxes
            )
            for run_s, pool in runs_s:
                yield env.timeout(max(began_at_s + run_s - env.now, 0.0))
                self.pools[pool].give_back()
            yield env.timeout(topology.merge_s)
            self._send(me, topology.messages_at_completion)
            return
        yield env.timeout(task.work_s - first_s)
        self._send(me, topology.messages_at_completion)
        for pool in task.sandboxes:
            self.pools[pool].give_back()

    def _send(self, me: Agent, messages: int) -> None:
        send = self.bus.send
        for _ in range(messages):
            if next(self._upward):
                send(me.parent)
            else:
                peer = next(self._peers)
                send(peer if peer != me.number else me.parent)


def _lognormal(normal: Reals, sigma: float) -> Reals:
    """Lognormal numbers of mean 1: exp(sigma z - sigma^2 / 2)."""
    return np.exp(sigma * normal) * exp(-(sigma**2) / 2)


def _service(normal: Reals, task_class: TaskClass) -> Reals:
    return task_class.mean_service_s * _lognormal(normal, task_class.sigma)


def _fleet(topology: Topology, rate_per_s: float) -> list[Agent]:
    """Return the agents that run under this load: all fixed ones, and enough scaled ones."""
    fixed = sum(tier.agents for tier in topology.tiers if not tier.scales)
    scaled = topology.fleet - fixed
    work = topology.classes[WORK]
    # Little's law: agents at work are arrivals times the time that each takes, hand-over included.
    busy = rate_per_s * work.share * (work.mean_service_s + topology.inbox_service_s)
    running = max(topology.active_floor - fixed, round(busy / topology.target_utilisation))
    share = min(running / scaled, 1.0)
    agents: list[Agent] = []
    above = range(1)
    for tier in topology.tiers:
        size = max(round(tier.agents * share), 1) if tier.scales else tier.agents
        first = len(agents)
        task_class = topology.classes.index(
            next(entry for entry in topology.classes if entry.name in tier.takes)
        )
        agents.extend(
            Agent(first + i, above[i * len(above) // size], task_class) for i in range(size)
        )
        above = range(first, first + size)
    return agents
