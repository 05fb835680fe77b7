"""The fault catalogue: what each fault is called, what it may aim at and which numbers it takes.

Values only. `world` turns the faults in effect into effective parameters of the kernel, always from
the base configuration anew: ending faults in any order leaves exactly the base. Each fault has an
effect of its own, measured by other means than the parameter it set: see `measures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar, Literal

from simulator.topology import require, require_positive, require_share

TargetKind = Literal["agents", "hosts", "sandboxes", "nothing"]
FACTOR_MAX = 1_000_000
LEAK_MAX_BYTES_PER_S = 1 << 40
TRAFFIC_FACTOR_MAX = 100
FLOOD_MAX_PER_S = 10_000_000
LATENCY_MAX_S, ALIVE_MAX_S = 3_600, 86_400
SCRAPE_DELAY_MAX_S, EXTRA_SERIES_MAX = 60, 10_000
"""What the kernel's integers have room for, and more than anything that could be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Which part of the system a fault strikes: an intersection; empty tuples mean all."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    tiers: tuple[str, ...] = ()
    hosts: tuple[int, ...] = ()
    sandboxes: tuple[Literal["A", "B", "C"], ...] = ()
    fraction: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a fraction outside (0, 1]."""
        require(
            isfinite(self.fraction) and 0 < self.fraction <= 1,
            "targets: fraction",
            "above 0 and at most 1",
            self.fraction,
        )


class Parameters:
    """What every fault's numbers share: the kind of target and which number a ramp scales."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}
    aims_at: ClassVar[TargetKind] = "nothing"
    effect_unit: ClassVar[str] = ""

    @property
    def magnitude(self) -> float:
        """The declared full strength, in the fault's own unit."""
        raise NotImplementedError


def _share(what: str, value: float) -> None:
    require_share(what, value)
    require(value > 0, what, "above 0", value)


def _factor(what: str, value: float) -> None:
    require(1 <= value <= FACTOR_MAX, what, f"1 to {FACTOR_MAX}", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCrash(Parameters):
    """Running agents die at random, `rate_per_s` of them a second over all targets."""

    rate_per_s: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "crashes"

    def __post_init__(self) -> None:
        """Refuse rates that are not positive."""
        require_positive("agent_crash: rate_per_s", self.rate_per_s)

    @property
    def magnitude(self) -> float:
        """Crashes a second."""
        return self.rate_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashLoop(Parameters):
    """Targets die `alive_s` after every start and start again after their backoff."""

    alive_s: float = 0.2
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "crashes"

    def __post_init__(self) -> None:
        """Refuse lives outside (0, 1 d]."""
        require_positive("crash_loop: alive_s", self.alive_s)
        require(
            self.alive_s <= ALIVE_MAX_S,
            "crash_loop: alive_s",
            f"at most {ALIVE_MAX_S} s",
            self.alive_s,
        )

    @property
    def magnitude(self) -> float:
        """1 while in effect."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHang(Parameters):
    """Targets take one more task and never finish it; the watchdog restarts them."""

    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "hangs"

    @property
    def magnitude(self) -> float:
        """1 while in effect."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStart(Parameters):
    """Starting an agent takes `factor` times as long."""

    factor: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "seconds, mean start-up"

    def __post_init__(self) -> None:
        """Refuse factors outside [1, 1e6]."""
        _factor("slow_start: factor", self.factor)

    @property
    def magnitude(self) -> float:
        """The factor."""
        return self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSlowdown(Parameters):
    """Work on the targets takes `factor` times as long."""

    factor: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "seconds, mean task"

    def __post_init__(self) -> None:
        """Refuse factors outside [1, 1e6]."""
        _factor("task_slowdown: factor", self.factor)

    @property
    def magnitude(self) -> float:
        """The factor."""
        return self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure(Parameters):
    """A `share` of the tasks on the targets ends in an error (500) before its first result."""

    share: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "failed tasks"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("task_failure: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyOutage(Parameters):
    """Tasks that call the dependency wait `latency_s` longer, and `share` of them fail."""

    share: float
    latency_s: float = 0.2
    effect_unit: ClassVar[str] = "failed tasks"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1] and latencies outside [0, 1 h]."""
        _share("dependency_outage: share", self.share)
        require(
            0 <= self.latency_s <= LATENCY_MAX_S,
            "dependency_outage: latency_s",
            f"0 to {LATENCY_MAX_S} s",
            self.latency_s,
        )

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSurge(Parameters):
    """Arrivals come `factor` times as fast."""

    factor: float
    effect_unit: ClassVar[str] = "arrivals per second"

    def __post_init__(self) -> None:
        """Refuse factors outside [1, 100]."""
        rule = f"1 to {TRAFFIC_FACTOR_MAX}"
        require(1 <= self.factor <= TRAFFIC_FACTOR_MAX, "traffic_surge: factor", rule, self.factor)

    @property
    def magnitude(self) -> float:
        """The factor."""
        return self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficDrop(Parameters):
    """A `share` of the arrivals never comes."""

    share: float
    effect_unit: ClassVar[str] = "arrivals per second"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("traffic_drop: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityDemand(Parameters):
    """Someone reserves capacity: the orchestrator keeps at least `agents` agents active."""

    agents: int
    effect_unit: ClassVar[str] = "active agents"

    def __post_init__(self) -> None:
        """Refuse reservations that are not positive."""
        require(self.agents >= 1, "capacity_demand: agents", "at least 1", self.agents)

    @property
    def magnitude(self) -> float:
        """Agents kept active."""
        return float(self.agents)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusPartition(Parameters):
    """Messages between the targets and everyone else are lost, `loss` of them."""

    loss: float = 1.0
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "lost messages"

    def __post_init__(self) -> None:
        """Refuse losses outside (0, 1]."""
        _share("bus_partition: loss", self.loss)

    @property
    def magnitude(self) -> float:
        """The loss."""
        return self.loss


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFlood(Parameters):
    """Someone sends `rate_per_s` messages a second more, to the inboxes of the targets."""

    rate_per_s: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "flood messages"

    def __post_init__(self) -> None:
        """Refuse rates outside (0, 1e7]."""
        require_positive("message_flood: rate_per_s", self.rate_per_s)
        rule = f"at most {FLOOD_MAX_PER_S}"
        require(
            self.rate_per_s <= FLOOD_MAX_PER_S, "message_flood: rate_per_s", rule, self.rate_per_s
        )

    @property
    def magnitude(self) -> float:
        """Messages a second."""
        return self.rate_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowConsumer(Parameters):
    """The targets take `factor` times as long to handle a message."""

    factor: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "messages waiting, mean of a target"

    def __post_init__(self) -> None:
        """Refuse factors outside [1, 1e6]."""
        _factor("slow_consumer: factor", self.factor)

    @property
    def magnitude(self) -> float:
        """The factor."""
        return self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLeak(Parameters):
    """Executions end without giving their slot back, until `share` of each pool is lost."""

    share: float
    aims_at: ClassVar[TargetKind] = "sandboxes"
    effect_unit: ClassVar[str] = "leaked slots"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("sandbox_leak: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCrash(Parameters):
    """`share` of the slots of each pool goes down; executions in them die with their task."""

    share: float
    aims_at: ClassVar[TargetKind] = "sandboxes"
    effect_unit: ClassVar[str] = "slots down"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("sandbox_crash: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLeak(Parameters):
    """Each running target leaks `bytes_per_s` until it is restarted."""

    bytes_per_s: float
    aims_at: ClassVar[TargetKind] = "agents"
    effect_unit: ClassVar[str] = "leaked bytes"

    def __post_init__(self) -> None:
        """Refuse leaks outside (0, 1 TiB/s]."""
        require_positive("memory_leak: bytes_per_s", self.bytes_per_s)
        require(
            self.bytes_per_s <= LEAK_MAX_BYTES_PER_S,
            "memory_leak: bytes_per_s",
            f"at most {LEAK_MAX_BYTES_PER_S}",
            self.bytes_per_s,
        )

    @property
    def magnitude(self) -> float:
        """Bytes a second and agent."""
        return self.bytes_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuContention(Parameters):
    """A noisy neighbour takes `share` of the CPU of the target hosts."""

    share: float
    aims_at: ClassVar[TargetKind] = "hosts"
    effect_unit: ClassVar[str] = "stolen CPU seconds"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("cpu_contention: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterDown(Parameters):
    """Scrapes fail: the world goes on, nobody sees it."""

    effect_unit: ClassVar[str] = "failed scrapes"

    @property
    def magnitude(self) -> float:
        """1 while in effect."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReset(Parameters):
    """The exporter restarts at the onset: every counter and bucket begins at 0 again."""

    effect_unit: ClassVar[str] = "restarts seen"

    @property
    def magnitude(self) -> float:
        """1 while in effect."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeSlow(Parameters):
    """Every scrape is answered `delay_s` late; whoever waits no longer than that gets nothing."""

    delay_s: float
    effect_unit: ClassVar[str] = "seconds, mean delay of a scrape"

    def __post_init__(self) -> None:
        """Refuse delays outside (0, 60 s]."""
        require_positive("scrape_slow: delay_s", self.delay_s)
        rule = f"at most {SCRAPE_DELAY_MAX_S} s"
        require(self.delay_s <= SCRAPE_DELAY_MAX_S, "scrape_slow: delay_s", rule, self.delay_s)

    @property
    def magnitude(self) -> float:
        """Seconds."""
        return self.delay_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeTruncated(Parameters):
    """A `share` of every page is lost: the connection closes before the promised length."""

    share: float
    effect_unit: ClassVar[str] = "share lost of a scrape, mean"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("scrape_truncated: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesVanish(Parameters):
    """A `share` of the series is missing from every page, histograms as a whole."""

    share: float
    effect_unit: ClassVar[str] = "series missing from a scrape, mean"

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1]."""
        _share("series_vanish: share", self.share)

    @property
    def magnitude(self) -> float:
        """The share."""
        return self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class CardinalityBurst(Parameters):
    """Every page has so many `series` more: a label takes values that nobody bounded."""

    series: int
    effect_unit: ClassVar[str] = "further series in a scrape, mean"

    def __post_init__(self) -> None:
        """Refuse numbers outside [1, 10000]."""
        rule = f"1 to {EXTRA_SERIES_MAX}"
        require(
            1 <= self.series <= EXTRA_SERIES_MAX, "cardinality_burst: series", rule, self.series
        )

    @property
    def magnitude(self) -> float:
        """Series."""
        return float(self.series)


FAULTS: dict[str, type[Parameters]] = {
    "agent_crash": AgentCrash,
    "crash_loop": CrashLoop,
    "agent_hang": AgentHang,
    "slow_start": SlowStart,
    "task_slowdown": TaskSlowdown,
    "task_failure": TaskFailure,
    "dependency_outage": DependencyOutage,
    "traffic_surge": TrafficSurge,
    "traffic_drop": TrafficDrop,
    "capacity_demand": CapacityDemand,
    "bus_partition": BusPartition,
    "message_flood": MessageFlood,
    "slow_consumer": SlowConsumer,
    "sandbox_leak": SandboxLeak,
    "sandbox_crash": SandboxCrash,
    "memory_leak": MemoryLeak,
    "cpu_contention": CpuContention,
    "exporter_down": ExporterDown,
    "counter_reset": CounterReset,
    "scrape_slow": ScrapeSlow,
    "scrape_truncated": ScrapeTruncated,
    "series_vanish": SeriesVanish,
    "cardinality_burst": CardinalityBurst,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in a plan: from `start_s` for `duration_s`, reaching full strength in `ramp_s`."""

    name: str
    parameters: Parameters
    start_s: float
    duration_s: float
    ramp_s: float = 0.0
    targets: Targets = Targets()

    def __post_init__(self) -> None:
        """Refuse times that cannot be."""
        require(bool(self.name), "fault name", "a non-empty word", self.name)
        require(
            isfinite(self.start_s) and self.start_s >= 0,
            f"fault {self.name}: start",
            "at least 0",
            self.start_s,
        )
        require_positive(f"fault {self.name}: duration", self.duration_s)
        require(
            0 <= self.ramp_s <= self.duration_s,
            f"fault {self.name}: ramp",
            "between 0 and its duration",
            self.ramp_s,
        )

    @property
    def kind(self) -> str:
        """The fault's name in the catalogue."""
        return next(kind for kind, cls in FAULTS.items() if cls is type(self.parameters))

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.start_s + self.duration_s
