"""The topology: every number of the simulated system that a user may change.

Plain frozen values with their units in the name. `scenarios` reads them from a file and reports a
mistake with its place; the checks here guard every other caller. Nothing here simulates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar, Literal

PRIORITIES = ("critical", "high", "normal", "low")
SANDBOXES = ("A", "B", "C")
TASK_CLASSES = ("work", "coordination")

Distribution = Literal["lognormal", "exponential", "deterministic"]
ClassName = Literal["work", "coordination"]


def require(holds: bool, what: str, rule: str, got: object) -> None:  # noqa: FBT001
    """Raise `ValueError("<what> must be <rule>, got <got>")` unless `holds`."""
    if not holds:
        raise ValueError(f"{what} must be {rule}, got {got!r}")


def require_share(what: str, value: float) -> None:
    """Raise `ValueError` unless `value` lies in [0, 1]."""
    require(isfinite(value) and 0 <= value <= 1, what, "between 0 and 1", value)


def require_positive(what: str, value: float) -> None:
    """Raise `ValueError` unless `value` is finite and above 0."""
    require(isfinite(value) and value > 0, what, "above 0", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One tier of agents, from the most senior to the most numerous."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    name: str
    agents: int
    takes: tuple[ClassName, ...]
    scales: bool = False
    speed: float = 1.0
    base_memory_bytes: int = 3 << 20
    task_memory_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        """Refuse an empty tier, a tier without a name and a speed that is not positive."""
        require(bool(self.name), "tier name", "a non-empty word", self.name)
        require(
            1 <= self.agents <= 1_000_000, f"tier {self.name}: agents", "1 to 1000000", self.agents
        )
        require(bool(self.takes), f"tier {self.name}: takes", "at least one task class", self.takes)
        require_positive(f"tier {self.name}: speed", self.speed)
        require(
            self.base_memory_bytes >= 0 and self.task_memory_bytes >= 0,
            f"tier {self.name}: memory",
            "at least 0",
            self.base_memory_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClass:
    """Service of one class of task: mean in seconds, coefficient of spread (sigma of the log)."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    name: ClassName
    share: float
    mean_service_s: float
    sigma: float = 0.5
    distribution: Distribution = "lognormal"

    def __post_init__(self) -> None:
        """Refuse shares outside [0, 1] and times that are not positive."""
        require_share(f"class {self.name}: share", self.share)
        require_positive(f"class {self.name}: mean_service_s", self.mean_service_s)
        require(0 <= self.sigma <= 3, f"class {self.name}: sigma", "between 0 and 3", self.sigma)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """One priority: its share of the arrivals, its bounded queue, how long a task may wait."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    name: Literal["critical", "high", "normal", "low"]
    share: float
    queue_limit: int = 10_000
    wait_limit_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse unbounded queues and waits."""
        require_share(f"priority {self.name}: share", self.share)
        require(
            1 <= self.queue_limit <= 1_000_000,
            f"priority {self.name}: queue_limit",
            "1 to 1000000",
            self.queue_limit,
        )
        require_positive(f"priority {self.name}: wait_limit_s", self.wait_limit_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPool:
    """One sandbox pool: its slots and the share of tasks that need it alone."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    name: Literal["A", "B", "C"]
    slots: int
    share: float

    def __post_init__(self) -> None:
        """Refuse empty pools."""
        require(
            1 <= self.slots <= 1_000_000, f"sandbox {self.name}: slots", "1 to 1000000", self.slots
        )
        require_share(f"sandbox {self.name}: share", self.share)


def _default_tiers() -> tuple[Tier, ...]:
    mib = 1 << 20
    lead: tuple[ClassName, ...] = ("coordination",)
    work: tuple[ClassName, ...] = ("work",)
    return (
        Tier(name="cecca", agents=3, takes=lead, base_memory_bytes=24 * mib),
        Tier(name="board", agents=15, takes=lead, base_memory_bytes=16 * mib),
        Tier(name="executive", agents=25, takes=lead, base_memory_bytes=12 * mib),
        Tier(name="stack_chief", agents=50, takes=lead, base_memory_bytes=8 * mib),
        Tier(name="specialist", agents=200, takes=work, scales=True, base_memory_bytes=4 * mib),
        Tier(name="micro", agents=635, takes=work, scales=True, base_memory_bytes=2 * mib),
    )


def _default_priorities() -> tuple[Priority, ...]:
    return (
        Priority(name="critical", share=0.05),
        Priority(name="high", share=0.20),
        Priority(name="normal", share=0.50),
        Priority(name="low", share=0.25),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The whole simulated system. Times in seconds, sizes in bytes, shares in [0, 1]."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    tiers: tuple[Tier, ...] = field(default_factory=_default_tiers)
    classes: tuple[TaskClass, ...] = (
        TaskClass(name="work", share=0.95, mean_service_s=0.045),
        TaskClass(name="coordination", share=0.05, mean_service_s=0.045),
    )
    priorities: tuple[Priority, ...] = field(default_factory=_default_priorities)
    sandboxes: tuple[SandboxPool, ...] = (
        SandboxPool(name="A", slots=400, share=0.10),
        SandboxPool(name="B", slots=400, share=0.10),
        SandboxPool(name="C", slots=400, share=0.10),
    )
    triple_share: float = 0.02
    merge_s: float = 0.002
    first_result_share: float = 0.2
    gateway_overhead_s: float = 0.0005

    rate_limit_per_s: float = 30_000.0
    rate_limit_burst: int = 5_000
    max_retries: int = 2
    error_share: float = 5e-5
    dependency_share: float = 0.08

    messages_at_first_result: int = 3
    messages_at_completion: int = 6
    message_upward_share: float = 0.3
    inbox_limit: int = 256
    inbox_service_s: float = 0.001
    message_bytes_min: int = 256
    request_bytes: int = 2_048
    response_bytes: int = 8_192
    queued_task_bytes: int = 4_096

    startup_mean_s: float = 0.045
    startup_sigma: float = 0.3
    recycle_per_s: float = 5.0
    active_floor: int = 700
    target_utilisation: float = 0.80
    scaling_memory_s: float = 20.0
    scale_up_per_s: int = 100
    scale_down_per_s: int = 10
    watchdog_s: float = 20.0
    restart_backoff_s: float = 0.5
    restart_backoff_limit_s: float = 1.0

    hosts: int = 8
    cpus_per_host: int = 2
    cpu_per_busy_agent: float = 0.010
    cpu_per_message_s: float = 20e-6
    cpu_background_share: float = 0.08

    def __post_init__(self) -> None:
        """Refuse a system that cannot run: shares that do not add up, nobody to take a class."""
        for what, names, expected in (
            ("priorities", [p.name for p in self.priorities], list(PRIORITIES)),
            ("sandboxes", [p.name for p in self.sandboxes], list(SANDBOXES)),
            ("classes", [c.name for c in self.classes], list(TASK_CLASSES)),
        ):
            require(names == expected, what, f"exactly {', '.join(expected)} in this order", names)
        tier_names = [t.name for t in self.tiers]
        require(
            bool(tier_names) and len(set(tier_names)) == len(tier_names),
            "tiers",
            "at least one, each with a name of its own",
            tier_names,
        )
        for what, total in (
            ("class shares", sum(c.share for c in self.classes)),
            ("priority shares", sum(p.share for p in self.priorities)),
        ):
            require(abs(total - 1) < 1e-9, what, "shares that add up to 1", total)
        sandboxed = self.triple_share + sum(p.share for p in self.sandboxes)
        require(
            sandboxed <= 1 + 1e-9,
            "sandbox shares and triple_share together",
            "at most 1",
            sandboxed,
        )
        for one in self.classes:
            taken = one.share == 0 or any(one.name in t.takes for t in self.tiers)
            require(taken, f"class {one.name}", "taken by at least one tier", tier_names)
        for name in (
            "triple_share",
            "first_result_share",
            "error_share",
            "dependency_share",
            "message_upward_share",
            "cpu_background_share",
        ):
            require_share(name, getattr(self, name))
        for name in (
            "rate_limit_per_s",
            "inbox_service_s",
            "startup_mean_s",
            "watchdog_s",
            "restart_backoff_s",
            "restart_backoff_limit_s",
            "target_utilisation",
            "scaling_memory_s",
        ):
            require_positive(name, getattr(self, name))
        for name, low, high in (
            ("rate_limit_burst", 1, 10_000_000),
            ("max_retries", 0, 10),
            ("messages_at_first_result", 0, 100),
            ("messages_at_completion", 0, 100),
            ("inbox_limit", 1, 100_000),
            ("message_bytes_min", 0, 1 << 20),
            ("request_bytes", 0, 1 << 30),
            ("response_bytes", 0, 1 << 30),
            ("queued_task_bytes", 0, 1 << 30),
            ("active_floor", 1, 1_000_000),
            ("scale_up_per_s", 1, 1_000_000),
            ("scale_down_per_s", 1, 1_000_000),
            ("hosts", 1, 10_000),
            ("cpus_per_host", 1, 1024),
        ):
            value = getattr(self, name)
            require(low <= value <= high, name, f"{low} to {high}", value)
        for name in (
            "merge_s",
            "gateway_overhead_s",
            "recycle_per_s",
            "cpu_per_busy_agent",
            "cpu_per_message_s",
            "startup_sigma",
        ):
            value = getattr(self, name)
            require(isfinite(value) and value >= 0, name, "at least 0", value)

    @property
    def fleet(self) -> int:
        """How many agents there are in all tiers."""
        return sum(tier.agents for tier in self.tiers)
