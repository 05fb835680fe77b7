"""Reads a frozen `Snapshot` out of the kernel's arrays. Changes no event and no number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.kernel import loop as k
from simulator.snapshot import CPU_MODES, DurationHistogram, FaultStatus, ScrapePath, Snapshot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.kernel.state import State
    from simulator.topology import Topology

MESSAGE_BYTES_MEAN = 1023
"""Mean of the random part of a message's size (2047 / 2), for the memory that inboxes hold."""


def _frozen(values: object) -> NDArray[np.int64]:
    array = np.array(values, dtype=np.int64)
    array.flags.writeable = False
    return array


def _histogram(s: State, row: int) -> DurationHistogram:
    return DurationHistogram(_frozen(s.histogram[row]), int(s.histogram_sum[row]))


def read(  # noqa: PLR0913 - each argument is one of the world's own facts
    s: State,
    topology: Topology,
    seed: int,
    *,
    faults: tuple[FaultStatus, ...],
    exporter_up: bool,
    exporter_restarts: int,
    scrape_path: ScrapePath,
) -> Snapshot:
    """The world as it stands; `kernel.settle_all` must have been called at this instant."""
    state, tier = s.agent[:, k.STATE], s.agent[:, k.TIER]
    tiers = len(topology.tiers)
    working = (state == k.WORKING) | (state == k.HANGING)
    agents = np.zeros((tiers, 6), np.int64)
    np.add.at(agents, (tier, state), 1)
    delivered = np.bincount(tier, weights=s.agent[:, k.DELIVERED], minlength=tiers)
    in_flight = np.bincount(s.agent[working, k.META] & 3, minlength=4)
    pool = s.pool
    free = pool[:, k.TOTAL] - pool[:, k.IN_USE] - pool[:, k.LEAKED] - pool[:, k.DOWN]
    depth = s.priority[:, k.DEPTH]
    return Snapshot(
        now_ns=int(s.head[k.NOW]),
        seed=seed,
        tiers=tuple(one.name for one in topology.tiers),
        priorities=tuple(one.name for one in topology.priorities),
        sandboxes=tuple(one.name for one in topology.sandboxes),
        http_requests=_frozen(s.http),
        http_request_duration=_histogram(s, k.HTTP_DURATION),
        response_duration=_histogram(s, k.RESPONSE_DURATION),
        task_duration=_histogram(s, k.TASK_DURATION),
        tasks_arrived=_frozen(s.priority[:, k.ARRIVED]),
        tasks_rejected=_frozen(s.priority[:, k.REJECTED]),
        tasks_timed_out=_frozen(s.priority[:, k.TIMED_OUT]),
        tasks_processed=_frozen(s.priority[:, [k.COMPLETED, k.FAILED]]),
        tasks_in_flight=_frozen(in_flight),
        tasks_retried=_frozen(s.priority[:, k.RETRIED]),
        queue_depth=_frozen(depth),
        dispatched=_frozen(s.tier[:, k.DISPATCHED]),
        undispatched=_frozen(s.tier[:, k.UNDISPATCHED]),
        finished=_frozen(s.tier[:, [k.TIER_COMPLETED, k.TIER_FAILED]]),
        in_flight_by_tier=_frozen(np.bincount(tier[working], minlength=tiers)),
        backpressure_level=int(s.head[k.LEVEL]),
        saturation=float((depth / s.priority[:, k.DEPTH_LIMIT]).max()),
        arrival_rate=float(s.real_head[k.RATE]) * 1e9,
        agents=_frozen(agents),
        agents_started=int(s.head[k.STARTED]),
        agents_crashed=int(s.head[k.CRASHED]),
        startup_duration=_histogram(s, k.STARTUP_DURATION),
        memory_bytes=_frozen(_memory(s, topology, agents)),
        cpu_ns=_frozen(_cpu(s, topology)),
        messages_sent=int(s.head[k.SENT]),
        messages_delivered=_frozen(delivered),
        messages_dropped=int(s.head[k.DROPPED]),
        messages_waiting=int(s.agent[:, k.WAITING].sum()),
        network_sent_bytes=_frozen(s.head[[k.SENT_MESSAGE_BYTES, k.SENT_REQUEST_BYTES]]),
        network_received_bytes=_frozen(
            s.head[[k.RECEIVED_MESSAGE_BYTES, k.RECEIVED_REQUEST_BYTES]]
        ),
        sandbox_total=_frozen(pool[:, k.TOTAL]),
        sandbox_in_use=_frozen(pool[:, k.IN_USE]),
        sandbox_leaked=_frozen(pool[:, k.LEAKED]),
        sandbox_down=_frozen(pool[:, k.DOWN]),
        sandbox_available=_frozen(free),
        sandbox_executions=_frozen(pool[:, k.EXECUTIONS]),
        faults=faults,
        exporter_up=exporter_up,
        exporter_restarts=exporter_restarts,
        scrape_path=scrape_path,
    )


def _memory(s: State, topology: Topology, agents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes by tier: agents that exist, their tasks, inboxes and leaks; queues weigh on the top."""
    tier = s.agent[:, k.TIER]
    tiers = len(topology.tiers)
    alive = agents[:, 1:5].sum(axis=1)
    at_work = agents[:, 3:5].sum(axis=1)
    base = np.array([one.base_memory_bytes for one in topology.tiers], np.int64)
    task = np.array([one.task_memory_bytes for one in topology.tiers], np.int64)
    size = topology.message_bytes_min + MESSAGE_BYTES_MEAN
    waiting = np.zeros(tiers, np.int64)
    leaked = np.zeros(tiers, np.int64)
    np.add.at(waiting, tier, s.agent[:, k.WAITING])
    np.add.at(leaked, tier, s.agent[:, k.LEAKED_BYTES])
    memory: NDArray[np.int64] = alive * base + at_work * task + waiting * size + leaked
    memory[0] += s.head[k.QUEUED] * topology.queued_task_bytes
    return memory


def _cpu(s: State, topology: Topology) -> NDArray[np.int64]:
    """CPU nanoseconds by (cpu, mode): a host's use spread evenly over its CPUs.

    Tasks run as user, messages as system, a noisy neighbour shows as steal; the background is
    split 60 user, 25 system, 10 iowait and 5 softirq.
    """
    host = s.host
    background = host[:, k.BACKGROUND_NS]
    modes = np.zeros((len(host), len(CPU_MODES)), np.int64)
    used = {
        "idle": host[:, k.IDLE_NS],
        "user": host[:, k.TASK_NS] + background * 60 // 100,
        "system": host[:, k.MESSAGE_NS] + background * 25 // 100,
        "iowait": background * 10 // 100,
        "softirq": background * 5 // 100,
        "steal": host[:, k.STOLEN_NS],
    }
    for mode, spent in used.items():
        modes[:, CPU_MODES.index(mode)] = spent
    return np.repeat(modes // topology.cpus_per_host, topology.cpus_per_host, axis=0)
