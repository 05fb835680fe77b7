"""Turns the load and the faults in effect into the kernel's effective parameters.

`apply` always starts from the base configuration and composes every fault on top, so ending faults
in any order leaves exactly the base. `begin` does what happens only once, at an onset. What comes
of it is measured elsewhere, by other means: see `measures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING

import numpy as np

from simulator.faults import catalogue as f
from simulator.kernel import loop as k
from simulator.kernel.state import luck_below, ns
from simulator.kernel.streams import generator
from simulator.snapshot import ScrapePath
from simulator.topology import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.kernel.state import State
    from simulator.load import Load
    from simulator.topology import Topology

    Command = Callable[[int, int], None]

DAY_S = 86_400.0
RAMP_STEP_NS = 10**9
DAILY_STEP_NS = 60 * 10**9


@dataclass(frozen=True, slots=True)
class FaultTargets:
    """Whom a fault strikes: sorted agents, hosts and pools."""

    agents: NDArray[np.int64]
    hosts: tuple[int, ...]
    pools: tuple[int, ...]


def resolve_targets(fault: f.Fault, topology: Topology, state: State, seed: int) -> FaultTargets:
    """Resolve a fault's targets; a fraction is drawn from the fault's own stream.

    Raises `ValueError` for a tier, host or pool that is not there, or when no agent is left.
    """
    tiers = [tier.name for tier in topology.tiers]
    names = [pool.name for pool in topology.sandboxes]
    every_host = range(topology.hosts)
    for what, found, known in (
        ("tiers", fault.targets.tiers, tiers),
        ("hosts", fault.targets.hosts, every_host),
        ("sandboxes", fault.targets.sandboxes, names),
    ):
        require(set(found) <= set(known), f"fault {fault.name}: {what}", f"among {known}", found)
    of_tier = state.agent[:, k.TIER]
    of_host = state.agent[:, k.HOST]
    wanted = np.ones(len(state.agent), bool)
    if fault.targets.tiers:
        wanted &= np.isin(of_tier, [tiers.index(name) for name in fault.targets.tiers])
    hosts = fault.targets.hosts or tuple(every_host)
    wanted &= np.isin(of_host, hosts)
    candidates = np.flatnonzero(wanted)
    require(len(candidates) > 0, f"fault {fault.name}: targets", "at least one agent", 0)
    count = max(1, round(fault.targets.fraction * len(candidates)))
    chance = generator(seed, f"fault:{fault.name}:targets")
    agents = np.sort(chance.permutation(candidates)[:count]).astype(np.int64)
    pools = tuple(names.index(name) for name in fault.targets.sandboxes) or (0, 1, 2)
    return FaultTargets(agents, hosts, pools)


def climbed(passed_ns: int, length_ns: int) -> float:
    """How far (0..1) a ramp of `length_ns` has come: held over steps of 1 s at their middle.

    Over whole steps that is the ramp's exact mean; whoever asks within a step hears the same.
    """
    if passed_ns >= length_ns:
        return 1.0
    begins = passed_ns // RAMP_STEP_NS * RAMP_STEP_NS
    return (begins + min(begins + RAMP_STEP_NS, length_ns)) / (2 * length_ns)


def load_rate(load: Load, passed_ns: int, burst: float) -> float:
    """Tasks per second that the load asks for after `passed_ns`; the day in steps of 60 s."""
    rate = load.rate
    begins = 0
    ends_s = 0.0
    for stage in load.stages:
        ends_s += stage.duration_s
        ends = ns(ends_s)
        if passed_ns < ends:
            rate += (stage.target - rate) * climbed(passed_ns - begins, ends - begins)
            break
        rate = stage.target
        begins = ends
    if load.daily is not None:
        middle_s = (passed_ns // DAILY_STEP_NS + 0.5) * DAILY_STEP_NS / 1e9
        rate *= 1 + load.daily.amplitude * cos(2 * pi * (middle_s - load.daily.peak_s) / DAY_S)
    return rate * burst


class Composition:
    """Base parameters, onto which faults are composed one after the other."""

    def __init__(self, topology: Topology, state: State) -> None:
        """Take the base configuration of `topology` for the arrays of `state`."""
        self.topology = topology
        agents = len(state.agent)
        speeds = np.array([tier.speed for tier in topology.tiers])
        self.slowness = 1.0 / speeds[state.agent[:, k.TIER]]
        self.start_slowness = np.ones(agents)
        self.inbox_factor = np.ones(agents)
        self.failing = np.full(agents, topology.error_share)
        self.crash_rate = np.zeros(agents)
        self.leak = np.zeros(agents)
        self.side = np.zeros(agents, np.int64)
        self.hangs = np.zeros(agents, np.int64)
        self.loops = np.zeros(agents, np.int64)
        self.alive_ns = np.zeros(agents, np.int64)
        self.stolen = np.zeros(topology.hosts)
        self.leaked = np.zeros(3)
        self.down = np.zeros(3)
        self.traffic = 1.0
        self.reserved = 0
        self.losses: list[float] = []
        self.dependency_share = 0.0
        self.dependency_s = 0.0
        self.floods: list[tuple[float, NDArray[np.int64]]] = []
        self.exporter_up = True
        self.scrape_delay_s = 0.0
        self.page_kept = self.series_kept = 1.0
        self.extra_series = 0

    def bound(self) -> None:
        """Keep what faults of one kind make together within what one of them may ask for."""
        for factors in (self.slowness, self.start_slowness, self.inbox_factor):
            np.minimum(factors, f.FACTOR_MAX, out=factors)
        np.minimum(self.leak, f.LEAK_MAX_BYTES_PER_S, out=self.leak)
        self.traffic = min(self.traffic, f.TRAFFIC_FACTOR_MAX)
        self.dependency_s = min(self.dependency_s, f.LATENCY_MAX_S)
        flood = sum(rate for rate, _ in self.floods)
        if flood > f.FLOOD_MAX_PER_S:
            part = f.FLOOD_MAX_PER_S / flood
            self.floods = [(rate * part, agents) for rate, agents in self.floods]

    def add(self, fault: f.Fault, aim: FaultTargets, strength: float) -> None:
        """Compose one fault at `strength` (0..1 of its declared magnitude)."""
        agents = aim.agents
        match fault.parameters:
            case f.AgentCrash(rate_per_s=rate):
                self.crash_rate[agents] += rate * strength / len(agents)
            case f.CrashLoop(alive_s=alive):
                self.loops[agents] = 1
                self.alive_ns[agents] = ns(alive)
            case f.AgentHang():
                self.hangs[agents] = 1
            case f.SlowStart(factor=factor):
                self.start_slowness[agents] *= 1 + (factor - 1) * strength
            case f.TaskSlowdown(factor=factor):
                self.slowness[agents] *= 1 + (factor - 1) * strength
            case f.TaskFailure(share=share):
                self.failing[agents] = 1 - (1 - self.failing[agents]) * (1 - share * strength)
            case f.MemoryLeak(bytes_per_s=leak):
                self.leak[agents] += leak * strength
            case _:
                self._add_to_bus(fault.parameters, aim, strength)

    def _add_to_bus(self, parameters: f.Parameters, aim: FaultTargets, strength: float) -> None:
        """The faults of the message bus."""
        match parameters:
            case f.SlowConsumer(factor=factor):
                self.inbox_factor[aim.agents] *= 1 + (factor - 1) * strength
            case f.BusPartition(loss=loss):
                self.side[aim.agents] |= 1 << len(self.losses)
                self.losses.append(loss * strength)
            case f.MessageFlood(rate_per_s=rate):
                self.floods.append((rate * strength, aim.agents))
            case _:
                self._add_shared(parameters, aim, strength)

    def _add_shared(self, parameters: f.Parameters, aim: FaultTargets, strength: float) -> None:
        """The faults that strike no single agents."""
        match parameters:
            case f.TrafficSurge(factor=factor):
                self.traffic *= 1 + (factor - 1) * strength
            case f.TrafficDrop(share=share):
                self.traffic *= 1 - share * strength
            case f.CapacityDemand(agents=agents):
                self.reserved = max(self.reserved, round(agents * strength))
            case f.DependencyOutage(share=share, latency_s=latency):
                kept = (1 - self.dependency_share) * (1 - share * strength)
                self.dependency_share = 1 - kept
                self.dependency_s += latency * strength
            case f.CpuContention(share=share):
                self.stolen[list(aim.hosts)] += share * strength
            case f.SandboxLeak(share=share):
                self.leaked[list(aim.pools)] += share * strength
            case f.SandboxCrash(share=share):
                self.down[list(aim.pools)] += share * strength
            case _:
                self._add_to_path(parameters, strength)

    def _add_to_path(self, parameters: f.Parameters, strength: float) -> None:
        """The faults of the observability path."""
        match parameters:
            case f.ExporterDown():
                self.exporter_up = False
            case f.ScrapeSlow(delay_s=delay):
                self.scrape_delay_s += delay * strength
            case f.ScrapeTruncated(share=share):
                self.page_kept *= 1 - share * strength
            case f.SeriesVanish(share=share):
                self.series_kept *= 1 - share * strength
            case f.CardinalityBurst(series=series):
                self.extra_series += round(series * strength)
            case _:
                pass

    def scrape_path(self) -> ScrapePath:
        """What stands between the world and whoever scrapes it."""
        return ScrapePath(
            delay_s=min(self.scrape_delay_s, f.SCRAPE_DELAY_MAX_S),
            cut_share=1 - self.page_kept,
            vanished_share=1 - self.series_kept,
            extra_series=min(self.extra_series, f.EXTRA_SERIES_MAX),
        )

    def write(self, s: State, now: int) -> None:
        """Make these the kernel's parameters from `now` on."""
        t = self.topology
        agent = s.agent
        agent[:, k.SIDE] = self.side
        agent[:, k.HANGS] = self.hangs
        agent[:, k.LOOPS] = self.loops
        agent[:, k.ALIVE_NS] = self.alive_ns
        agent[:, k.INBOX_NS] = np.maximum(np.rint(t.inbox_service_s * 1e9 * self.inbox_factor), 1)
        agent[:, k.FAIL_LUCK] = np.rint(self.failing * (1 << k.LUCK_BITS))
        crash_share = np.minimum(self.crash_rate * k.TICK_NS / 1e9, 1.0)
        agent[:, k.CRASH_LUCK] = np.rint(crash_share * (1 << k.LUCK_BITS))
        agent[:, k.LEAK_PER_TICK] = np.rint(self.leak * k.TICK_NS / 1e9)
        agent[:, k.SLOWNESS_ON] = self.slowness != 1.0
        s.agent_real[:, k.SLOWNESS] = self.slowness
        s.agent_real[:, k.START_SLOWNESS] = self.start_slowness
        cores = 1000 * t.cpus_per_host
        s.host[:, k.STOLEN_CORES] = np.rint(np.minimum(self.stolen, 1.0) * cores)
        total = s.pool[:, k.TOTAL]
        s.pool[:, k.LEAK_TARGET] = np.rint(np.minimum(self.leaked, 1.0) * total)
        s.pool[:, k.DOWN_TARGET] = np.rint(np.minimum(self.down, 1.0) * total)
        head = s.head
        head[k.RESERVED] = self.reserved
        head[k.PARTITION] = len(self.losses)
        s.partition_loss[:] = 0
        s.partition_loss[: len(self.losses)] = np.rint(np.array(self.losses) * 1024)
        head[k.DEPENDENCY_LUCK] = luck_below(self.dependency_share)
        head[k.DEPENDENCY_NS] = ns(self.dependency_s)
        targets = np.flatnonzero(self.crash_rate)
        head[k.CRASH_TARGETS] = len(targets)
        s.crash_targets[: len(targets)] = targets
        self._write_flood(s, now)

    def _write_flood(self, s: State, now: int) -> None:
        """Aim the floods: each gets its part of the table by its rate, spread over its targets."""
        rate = sum(one for one, _ in self.floods) / 1e9
        old = float(s.real_head[k.FLOOD_RATE])
        s.real_head[k.FLOOD_RATE] = rate
        if rate <= 0:
            s.head[k.NEXT_FLOOD] = k.NEVER
            return
        if len(self.floods) == 1:
            table = self.floods[0][1]
        else:
            room = len(s.flood_targets)
            parts = []
            for one, agents in self.floods:
                part = max(1, int(room * one / 1e9 / rate))
                parts.append(agents[np.arange(part) * len(agents) // part])
            table = np.concatenate(parts)[:room]
        s.flood_targets[: len(table)] = table
        s.head[k.FLOOD_TARGETS] = len(table)
        if rate == old and s.head[k.NEXT_FLOOD] != k.NEVER:
            return
        if s.head[k.NEXT_FLOOD] == k.NEVER:
            left = 1.0 / rate
        else:
            left = float(s.head[k.NEXT_FLOOD] - now) * old / rate
        s.head[k.NEXT_FLOOD] = now + int(left)


def set_rate(s: State, rate_per_s: float, now: int) -> None:
    """Change the arrival rate; the unit of chance left in the pending gap is kept.

    Exact for a Poisson process with piecewise constant rate (time rescaling). Where the rate stays,
    the pending arrival stays to the nanosecond.
    """
    old = float(s.real_head[k.RATE])
    new = rate_per_s / 1e9
    if new == old:
        return
    if s.head[k.NEXT_ARRIVAL] != k.NEVER:
        left = float(s.head[k.NEXT_ARRIVAL] - now) * old
    else:
        left = float(s.real_head[k.GAP_LEFT])
    s.real_head[k.RATE] = new
    wait = left / new if new > 0 else np.inf
    if wait < 4e18:
        s.head[k.NEXT_ARRIVAL] = now + int(wait)
    else:
        s.real_head[k.GAP_LEFT] = left
        s.head[k.NEXT_ARRIVAL] = k.NEVER


def begin(fault: f.Fault, aim: FaultTargets, s: State, do: Command) -> None:
    """What a fault does once, at its onset."""
    if isinstance(fault.parameters, f.CrashLoop):
        for agent in aim.agents[s.agent[aim.agents, k.PLACE] >= 0]:
            do(k.CRASH_AGENT, agent)


def move_slots(s: State, chance: np.random.Generator, do: Command) -> None:
    """Bring the slots that are down or leaked to their targets.

    A crash takes slots at random, so executions die in proportion (hypergeometric). Slots that a
    pool gets back go to those who wait.
    """
    for pool in range(3):
        p = s.pool[pool]
        p[k.LEAKED] = min(p[k.LEAKED], p[k.LEAK_TARGET])
        p[k.DOWN] = min(p[k.DOWN], p[k.DOWN_TARGET])
        missing = int(p[k.DOWN_TARGET] - p[k.DOWN])
        if missing > 0:
            free = int(p[k.TOTAL] - p[k.IN_USE] - p[k.LEAKED] - p[k.DOWN])
            in_use = int(p[k.IN_USE])
            struck = min(missing, free + in_use)
            killed = int(chance.hypergeometric(in_use, free, struck)) if in_use else 0
            p[k.DOWN] += struck - killed
            holders = np.flatnonzero(s.agent[:, k.HELD] & (1 << pool))
            for agent in np.sort(chance.permutation(holders)[:killed]):
                do(k.LOSE_EXECUTION, agent)
        do(k.GRANT_POOL, pool)
