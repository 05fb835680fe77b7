"""Reads a frozen `Snapshot` out of the kernel's arrays.

Called by `World.snapshot` after the command `SETTLE` at the same instant. It changes no event and
no number of the world, and hands out copies only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel.state import durations_ns, messages_waiting
from simulator.snapshot import (
    AGENT_STATES,
    CPU_MODES,
    DurationHistogram,
    FaultStatus,
    ScrapePath,
    Snapshot,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.kernel.state import State
    from simulator.topology import Topology

    Counts = NDArray[np.int64]

MESSAGE_BYTES_MEAN = k.EXTRA_BYTES_MASK // 2
"""Mean of the random part of a message's size, for the memory that inboxes hold."""


def frozen(values: object) -> Counts:
    """A read-only copy of `values`."""
    array = np.array(values, dtype=np.int64)
    array.flags.writeable = False
    return array


def _histogram(s: State, row: int) -> DurationHistogram:
    return DurationHistogram(frozen(s.histogram[row]), durations_ns(s, row))


def read(  # noqa: PLR0913 - each argument is one of the world's own facts
    s: State,
    topology: Topology,
    seed: int,
    *,
    arrival_rate: float,
    faults: tuple[FaultStatus, ...],
    exporter_up: bool,
    exporter_restarts: int,
    scrape_path: ScrapePath,
) -> Snapshot:
    """The world as it stands at the instant of the last `SETTLE`."""
    head, by_priority, pools = s.head, s.priority, s.pool
    agents, working, delivered = _count_agents(s, len(topology.tiers))
    in_flight = np.bincount(s.agent[working, k.META] & k.PRIORITY_MASK, minlength=k.PRIORITIES)
    in_flight_by_tier = np.bincount(s.agent[working, k.TIER], minlength=len(topology.tiers))
    free = pools[:, k.TOTAL] - pools[:, k.IN_USE] - pools[:, k.LEAKED] - pools[:, k.DOWN]
    depth = by_priority[:, k.DEPTH]
    return Snapshot(
        now_ns=int(head[k.NOW]), seed=seed, arrival_rate=arrival_rate,
        tiers=tuple(tier.name for tier in topology.tiers),
        priorities=tuple(priority.name for priority in topology.priorities),
        sandboxes=tuple(pool.name for pool in topology.sandboxes),
        http_requests=frozen(s.http), task_duration=_histogram(s, k.TASK_DURATION),
        http_request_duration=_histogram(s, k.HTTP_DURATION),
        response_duration=_histogram(s, k.RESPONSE_DURATION),
        tasks_arrived=frozen(by_priority[:, k.ARRIVED]),
        tasks_rejected=frozen(by_priority[:, k.REJECTED]),
        tasks_timed_out=frozen(by_priority[:, k.TIMED_OUT]),
        tasks_processed=frozen(by_priority[:, [k.COMPLETED, k.FAILED]]),
        tasks_in_flight=frozen(in_flight), queue_depth=frozen(depth),
        tasks_retried=frozen(by_priority[:, k.RETRIED]),
        dispatched=frozen(s.tier[:, k.DISPATCHED]),
        undispatched=frozen(s.tier[:, k.UNDISPATCHED]),
        finished=frozen(s.tier[:, [k.TIER_COMPLETED, k.TIER_FAILED]]),
        in_flight_by_tier=frozen(in_flight_by_tier), backpressure_level=int(head[k.LEVEL]),
        saturation=float((depth / by_priority[:, k.DEPTH_LIMIT]).max()),
        agents=frozen(agents), startup_duration=_histogram(s, k.STARTUP_DURATION),
        agents_started=int(head[k.STARTED]), agents_crashed=int(head[k.CRASHED]),
        memory_bytes=frozen(_memory(s, topology, agents)), cpu_ns=frozen(_cpu(s, topology)),
        messages_sent=int(head[k.SENT]), messages_delivered=frozen(delivered),
        messages_dropped=int(head[k.DROPPED]), messages_waiting=int(messages_waiting(s).sum()),
        network_sent_bytes=frozen(head[[k.SENT_MESSAGE_BYTES, k.SENT_REQUEST_BYTES]]),
        network_received_bytes=frozen(head[[k.RECEIVED_MESSAGE_BYTES, k.RECEIVED_REQUEST_BYTES]]),
        sandbox_total=frozen(pools[:, k.TOTAL]), sandbox_in_use=frozen(pools[:, k.IN_USE]),
        sandbox_leaked=frozen(pools[:, k.LEAKED]), sandbox_down=frozen(pools[:, k.DOWN]),
        sandbox_available=frozen(free), sandbox_executions=frozen(pools[:, k.EXECUTIONS]),
        faults=faults, scrape_path=scrape_path,
        exporter_up=exporter_up, exporter_restarts=exporter_restarts,
    )  # fmt: skip


def _count_agents(s: State, tiers: int) -> tuple[Counts, NDArray[np.bool_], Counts]:
    """Agents by (tier, state), which agents have a task, and messages delivered by tier."""
    state, tier = s.agent[:, k.STATE], s.agent[:, k.TIER]
    agents = np.zeros((tiers, len(AGENT_STATES)), np.int64)
    np.add.at(agents, (tier, state), 1)
    delivered = np.zeros(tiers, np.int64)
    np.add.at(delivered, tier, s.inbox[:, k.TAKEN] - messages_waiting(s))
    return agents, (state == k.WORKING) | (state == k.HANGING), delivered


def _memory(s: State, topology: Topology, agents: Counts) -> Counts:
    """Bytes by tier: agents that exist, their tasks, inboxes and leaks; queues are the first's."""
    tier = s.agent[:, k.TIER]
    tiers = len(topology.tiers)
    exist = agents[:, k.STARTING : k.CRASH].sum(axis=1)
    at_work = agents[:, k.WORKING : k.CRASH].sum(axis=1)
    base = np.array([tier.base_memory_bytes for tier in topology.tiers], np.int64)
    task = np.array([tier.task_memory_bytes for tier in topology.tiers], np.int64)
    size = topology.message_bytes_min + MESSAGE_BYTES_MEAN
    waiting = np.zeros(tiers, np.int64)
    leaked = np.zeros(tiers, np.int64)
    np.add.at(waiting, tier, messages_waiting(s))
    np.add.at(leaked, tier, s.agent[:, k.LEAKED_BYTES])
    memory: Counts = exist * base + at_work * task + waiting * size + leaked
    memory[0] += s.head[k.QUEUED] * topology.queued_task_bytes
    return memory


def _cpu(s: State, topology: Topology) -> Counts:
    """CPU nanoseconds by (cpu, mode): a host's use spread evenly over its CPUs.

    Tasks run as user, messages as system, a noisy neighbour shows as steal. The background is
    taken to be 60 % user, 25 % system, 10 % iowait and 5 % softirq.
    """
    host = s.host
    # Hundredths first: 60 times the nanoseconds of a large host would not fit for years.
    hundredths, rest = np.divmod(host[:, k.BACKGROUND_NS], 100)
    modes = np.zeros((len(host), len(CPU_MODES)), np.int64)
    used = {
        "idle": host[:, k.IDLE_NS],
        "user": host[:, k.TASK_NS] + hundredths * 60 + rest * 60 // 100,
        "system": host[:, k.MESSAGE_NS] + hundredths * 25 + rest * 25 // 100,
        "iowait": hundredths * 10 + rest * 10 // 100,
        "softirq": hundredths * 5 + rest * 5 // 100,
        "steal": host[:, k.STOLEN_NS],
    }
    for mode, spent in used.items():
        modes[:, CPU_MODES.index(mode)] = spent
    return np.repeat(modes // topology.cpus_per_host, topology.cpus_per_host, axis=0)
