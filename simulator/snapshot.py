"""One consistent, frozen reading of the world at one instant: what every reader gets of it.

`World.snapshot` and `World.effects` return these values. Counts are exact integers, times are
integer nanoseconds. Reading changes nothing in the world, and two snapshots taken at the same
instant are equal to the byte. Axis names stand beside the arrays, so a reader needs no topology.
Arrays are read-only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

STATUSES = ("200", "429", "500", "503", "504")
AGENT_STATES = ("stopped", "starting", "idle", "busy", "hung", "crashed")
OUTCOMES = ("completed", "failed")
CPU_MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
TRAFFIC = ("message", "request")
# Dense where the alerts' thresholds and the usual durations are: there a quantile interpolated
# between two bounds is within a tenth of the true one.
DURATION_BOUNDS_S = (
    0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.075,
    0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DurationHistogram:
    """Durations counted by `DURATION_BOUNDS_S`, plus one last cell for everything longer.

    `counts` is not cumulative: cell i holds bound[i-1] < duration <= bound[i]. Shape (31,).
    """

    counts: Counts
    sum_ns: int


@dataclass(frozen=True, slots=True)
class FaultStatus:
    """A fault in effect: its magnitude now and as declared, and its effect so far.

    `effect` is measured and `expected` follows from the declaration, both in `effect_unit`. The
    fault began and ends at `began_ns` and `ends_ns` of the world's clock. `targets` are those that
    a person named, empty where it means the whole system.
    """

    name: str
    fault: str
    magnitude: float
    effect: float
    effect_unit: str
    declared: float
    began_ns: int
    ends_ns: int
    expected: float = 0.0
    targets: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEffect:
    """The effect of a fault by one of its measures, from its onset to its end or to now.

    `measured` is read from counters that no fault sets. Without faults of this kind it would be
    about `base` (standard deviation `noise`), with the declared effect about `expected` (standard
    deviation `spread`). The fault has had an effect when `measured` has covered at least the share
    `least` of the way from `base` to `expected`. Where these two are equal nothing can be measured,
    and `idle` says why. `ended_ns` is None while the fault is in effect, `cell` where there is one.
    """

    name: str
    fault: str
    unit: str
    measured: float
    base: float
    expected: float
    least: float
    spread: float
    noise: float
    idle: str
    began_ns: int
    ended_ns: int | None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class CellReading:
    """What a router sees of a cell: whether it answers at all, its answers so far, its errors.

    An error is whatever is no 200: shed, failed, or too late.
    """

    up: bool
    answered: int
    errors: int


@dataclass(frozen=True, slots=True)
class ScrapePath:
    """What faults do to scrapes of the world; the defaults are a healthy path."""

    delay_s: float = 0.0
    cut_share: float = 0.0
    vanished_share: float = 0.0
    extra_series: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world at `now_ns`. Axes are in the order of this module's tuples and the names here."""

    now_ns: int
    seed: int
    tiers: tuple[str, ...]
    priorities: tuple[str, ...]
    sandboxes: tuple[str, ...]

    # gateway and tasks
    http_requests: Counts  # (status,)
    http_request_duration: DurationHistogram
    response_duration: DurationHistogram
    task_duration: DurationHistogram
    tasks_arrived: Counts  # (priority,)
    tasks_rejected: Counts  # (priority,)
    tasks_timed_out: Counts  # (priority,)
    tasks_processed: Counts  # (priority, outcome)
    tasks_in_flight: Counts  # (priority,)
    tasks_retried: Counts  # (priority,)
    queue_depth: Counts  # (priority,)
    dispatched: Counts  # (tier,)
    undispatched: Counts  # (tier,) attempts that came back from an agent and are retried
    finished: Counts  # (tier, outcome)
    in_flight_by_tier: Counts  # (tier,)
    backpressure_level: int
    saturation: float
    arrival_rate: float  # tasks per second that the load asks for now; of a trace, around now

    # agents
    agents: Counts  # (tier, agent state)
    agents_started: int
    agents_crashed: int
    startup_duration: DurationHistogram
    memory_bytes: Counts  # (tier,)
    cpu_ns: Counts  # (cpu, mode)

    # bus
    messages_sent: int
    messages_delivered: Counts  # (tier of the receiver,)
    messages_dropped: int
    messages_waiting: int
    network_sent_bytes: Counts  # (traffic,)
    network_received_bytes: Counts  # (traffic,)

    # sandboxes
    sandbox_total: Counts  # (sandbox,)
    sandbox_in_use: Counts
    sandbox_leaked: Counts
    sandbox_down: Counts
    sandbox_available: Counts
    sandbox_executions: Counts

    # faults, and the state of the observability path itself
    faults: tuple[FaultStatus, ...]
    exporter_up: bool
    exporter_restarts: int
    scrape_path: ScrapePath

    cells: tuple[Snapshot, ...] = ()
    """Of a system of several cells, the reading of each, at this same instant."""

    @property
    def targets(self) -> tuple[Snapshot, ...]:
        """What is scraped: each cell, or the world itself."""
        return self.cells or (self,)

    @property
    def time_s(self) -> float:
        """Virtual seconds since the world began."""
        return self.now_ns / 1e9

    @property
    def active_agents(self) -> Counts:
        """Running agents by tier: idle, busy or hung. Shape (tier,)."""
        idle, hung = AGENT_STATES.index("idle"), AGENT_STATES.index("hung")
        running: Counts = self.agents[:, idle : hung + 1].sum(axis=1)
        return running
