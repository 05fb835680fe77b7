"""The kernel's effective parameters: the base configuration with the faults in effect on top.

`world` makes one whenever load or faults change, lets every fault in effect change it
(`Parameters.compose`), bounds it and writes it. It always starts from the base, so faults that end
in any order leave exactly the base. What comes of it is measured by other means: see `measure`.
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel.state import draw_threshold, ns
from simulator.snapshot import ScrapePath

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.faults.targets import Command
    from simulator.kernel.state import State
    from simulator.topology import Topology

    Agents = NDArray[np.int64]

FACTOR_MAX: Final = 1_000_000
LEAK_MAX_BYTES_PER_S: Final = 1 << 30
TRAFFIC_FACTOR_MAX: Final = 100
FLOOD_MIN_PER_S: Final = 0.001
FLOOD_MAX_PER_S: Final = 10_000_000
HANDLING_MAX_S: Final = 3_600
LATENCY_MAX_S: Final = 3_600
SCRAPE_DELAY_MAX_S: Final = 60
EXTRA_SERIES_MAX: Final = 10_000
"""What the kernel's integers and a page have room for, and more than any plan needs."""


class EffectiveParameters:
    """Base parameters, which faults change one after the other. Arrays by agent, host or pool."""

    def __init__(self, topology: Topology, state: State) -> None:
        """Take the base configuration of `topology` for the arrays of `state`."""
        self.topology = topology
        agents = len(state.agent)
        speeds = np.array([tier.speed for tier in topology.tiers])
        self.slowness = 1.0 / speeds[state.agent[:, k.TIER]]
        self.start_slowness = np.ones(agents)
        self.inbox_slowness = np.ones(agents)
        self.failing_share = np.full(agents, float(topology.error_share))
        self.crashes_per_s = np.zeros(agents)
        self.leak_bytes_per_s = np.zeros(agents)
        self.partition_sides = np.zeros(agents, np.int64)
        self.hangs = np.zeros(agents, np.int64)
        self.loops = np.zeros(agents, np.int64)
        self.alive_ns = np.zeros(agents, np.int64)
        self.stolen_share = np.zeros(topology.hosts)
        self.leaked_share = np.zeros(3)
        self.down_share = np.zeros(3)
        self.traffic_factor = 1.0
        self.reserved_agents = 0
        self.partition_losses: list[float] = []
        self.dependency_failing_share = 0.0
        self.dependency_latency_s = 0.0
        self.floods_per_s: list[tuple[float, Agents]] = []
        self.exporter_up = self.cell_up = True
        self.scrape_delay_s = 0.0
        self.page_kept_share = self.series_kept_share = 1.0
        self.extra_series = 0

    def add_partition(self, agents: Agents, loss: float) -> None:
        """Lose `loss` of the messages between `agents` and everyone else."""
        # Each partition has a bit of its own: two agents whose bits differ are on its two sides.
        self.partition_sides[agents] |= 1 << len(self.partition_losses)
        self.partition_losses.append(loss)

    def bound(self) -> None:
        """Keep what faults of one kind make together within what one of them may ask for."""
        for factors in (self.slowness, self.start_slowness, self.inbox_slowness):
            np.minimum(factors, FACTOR_MAX, out=factors)
        np.minimum(self.leak_bytes_per_s, LEAK_MAX_BYTES_PER_S, out=self.leak_bytes_per_s)
        self.traffic_factor = min(self.traffic_factor, TRAFFIC_FACTOR_MAX)
        self.dependency_latency_s = min(self.dependency_latency_s, LATENCY_MAX_S)
        flood_per_s = fsum(rate for rate, _ in self.floods_per_s)
        if flood_per_s > FLOOD_MAX_PER_S:
            part = FLOOD_MAX_PER_S / flood_per_s
            self.floods_per_s = [(rate * part, agents) for rate, agents in self.floods_per_s]

    def scrape_path(self) -> ScrapePath:
        """What stands between the world and its scrapes."""
        return ScrapePath(
            delay_s=min(self.scrape_delay_s, SCRAPE_DELAY_MAX_S),
            cut_share=1 - self.page_kept_share,
            vanished_share=1 - self.series_kept_share,
            extra_series=min(self.extra_series, EXTRA_SERIES_MAX),
        )

    def write(self, s: State, now_ns: int) -> None:
        """Make these the kernel's parameters from `now_ns` on; traffic is for `arrivals`.

        Speeds are in effect once the kernel has retimed what is in progress (`RETIME`).
        """
        self._write_agents(s)
        self._write_hosts_and_pools(s)
        head = s.head
        head[k.RESERVED] = self.reserved_agents
        head[k.PARTITION] = len(self.partition_losses)
        s.partition_loss[:] = 0
        losses = np.rint(np.array(self.partition_losses) * k.SHARE_PARTS)
        s.partition_loss[: len(losses)] = losses
        head[k.DEPENDENCY_FAILS_BELOW] = draw_threshold(self.dependency_failing_share)
        head[k.DEPENDENCY_NEXT_NS] = ns(self.dependency_latency_s)
        self._write_floods(s, now_ns)

    def _write_agents(self, s: State) -> None:
        agent, inbox_ns = s.agent, self.topology.inbox_service_s * 1e9
        agent[:, k.SIDE] = self.partition_sides
        agent[:, k.HANGS] = self.hangs
        agent[:, k.LOOPS] = self.loops
        agent[:, k.ALIVE_NS] = self.alive_ns
        handling_ns = np.rint(inbox_ns * self.inbox_slowness)
        agent[:, k.INBOX_NEXT_NS] = np.clip(handling_ns, 1, HANDLING_MAX_S * 1e9)
        agent[:, k.FAILS_BELOW] = np.rint(self.failing_share * (1 << k.DRAW_BITS))
        # Crashes and leaks happen by the kernel's tick, so rates are per tick there.
        crash_share = np.minimum(self.crashes_per_s * k.TICK_NS / 1e9, 1.0)
        agent[:, k.CRASHES_BELOW] = np.rint(crash_share * (1 << k.DRAW_BITS))
        agent[:, k.LEAK_PER_TICK] = np.rint(self.leak_bytes_per_s * k.TICK_NS / 1e9)
        agent[:, k.SLOWNESS_ON] = self.slowness != 1.0
        s.agent_real[:, k.SLOWNESS_NEXT] = self.slowness
        s.agent_real[:, k.START_SLOWNESS_NEXT] = self.start_slowness
        crashing = np.flatnonzero(self.crashes_per_s)
        s.head[k.CRASH_TARGETS] = len(crashing)
        s.crash_targets[: len(crashing)] = crashing

    def _write_hosts_and_pools(self, s: State) -> None:
        millicores = 1000 * self.topology.cpus_per_host
        s.host[:, k.STOLEN_CORES] = np.rint(np.minimum(self.stolen_share, 1.0) * millicores)
        total = s.pool[:, k.TOTAL]
        s.pool[:, k.LEAK_TARGET] = np.rint(np.minimum(self.leaked_share, 1.0) * total)
        s.pool[:, k.DOWN_TARGET] = np.rint(np.minimum(self.down_share, 1.0) * total)

    def _write_floods(self, s: State, now_ns: int) -> None:
        """Write one Poisson stream for all floods; each flood has its part of the target table."""
        rate_per_ns = fsum(rate for rate, _ in self.floods_per_s) / 1e9
        old_per_ns = float(s.real_head[k.FLOOD_RATE])
        s.real_head[k.FLOOD_RATE] = rate_per_ns
        if rate_per_ns <= 0:
            s.head[k.NEXT_FLOOD] = k.NEVER
            return
        table = self._flood_table(len(s.flood_targets), rate_per_ns)
        s.flood_targets[: len(table)] = table
        s.head[k.FLOOD_TARGETS] = len(table)
        if rate_per_ns == old_per_ns and s.head[k.NEXT_FLOOD] != k.NEVER:
            return
        # The part of the pending gap that is left is stretched to the new rate: exact for a
        # Poisson process whose rate changes (time rescaling).
        if s.head[k.NEXT_FLOOD] == k.NEVER:
            wait_ns = 1.0 / rate_per_ns
        else:
            wait_ns = float(s.head[k.NEXT_FLOOD] - now_ns) * old_per_ns / rate_per_ns
        s.head[k.NEXT_FLOOD] = now_ns + int(min(wait_ns, k.WAIT_MAX_NS))

    def _flood_table(self, room: int, rate_per_ns: float) -> Agents:
        """The receivers from which each flood message draws one: rows in proportion to rates."""
        if len(self.floods_per_s) == 1:
            return self.floods_per_s[0][1]
        parts = []
        for rate_per_s, agents in self.floods_per_s:
            rows = max(1, int(room * rate_per_s / 1e9 / rate_per_ns))
            parts.append(agents[np.arange(rows) * len(agents) // rows])
        return np.concatenate(parts)[:room]


def move_slots(s: State, new_stream: Callable[[], np.random.Generator], command: Command) -> None:
    """Bring the slots that are down or leaked to their targets.

    A crash takes slots at random, so executions die in proportion (hypergeometric). Slots that a
    pool gets back go to the tasks that wait for one. `new_stream` makes the random numbers, once
    they are needed: most instants crash no slot.
    """
    stream = None
    for pool in range(3):
        p = s.pool[pool]
        p[k.LEAKED] = min(p[k.LEAKED], p[k.LEAK_TARGET])
        p[k.DOWN] = min(p[k.DOWN], p[k.DOWN_TARGET])
        missing = int(p[k.DOWN_TARGET] - p[k.DOWN])
        if missing > 0:
            free = int(p[k.TOTAL] - p[k.IN_USE] - p[k.LEAKED] - p[k.DOWN])
            in_use = int(p[k.IN_USE])
            crashed = min(missing, free + in_use)
            stream = stream or new_stream()
            killed = int(stream.hypergeometric(in_use, free, crashed)) if in_use else 0
            p[k.DOWN] += crashed - killed
            holders = np.flatnonzero(s.agent[:, k.HELD] & (1 << pool))
            for agent in np.sort(stream.permutation(holders)[:killed]):
                command(k.LOSE_EXECUTION, agent)
        command(k.GRANT_POOL, pool)
