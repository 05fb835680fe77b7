"""The topology: every number of the simulated system that a user may change.

Frozen values with their units in the name, each of which refuses numbers outside its bounds with a
`BoundError`. `scenarios` reads them from a file, `kernel.state` lays out a world of them. Nothing
here simulates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum
from typing import Literal

from simulator.bounds import TIME_MAX_S, require, require_share, require_within

PRIORITIES = ("critical", "high", "normal", "low")
SANDBOXES = ("A", "B", "C")
TASK_CLASSES = ("work", "coordination")

Distribution = Literal["lognormal", "exponential", "deterministic"]
ClassName = Literal["work", "coordination"]

COUNT_MAX = 1_000_000
"""Most slots of a pool, and starts and stops a second; a mistyped digit is refused."""
FLEET_MAX = 100_000
"""Most agents of a system and tasks of a queue: some hundred bytes and nanoseconds a tick each."""
CPUS_MAX = 10_000
"""Most CPUs over all hosts: each has a series for every mode on every page."""
TIERS_MAX = 100
CELLS_MAX = 1_000
"""Most cells of a system: eight megabytes and a page of series each."""
BYTES_MAX = 1 << 40
"""A tebibyte: most memory of one agent, or of one task."""
SHORTEST_S = 1e-3
"""Least time in which an agent that always fails comes back: a round of it is then never free."""
TICK_TIMES = (SHORTEST_S, TIME_MAX_S)
TASK_TIMES = (1e-6, 86_400.0)
HOUR_S = 3_600.0
SHARE_SLACK = 1e-9
"""How far a sum of shares may be from 1: decimal fractions such as 0.1 are not exact in binary."""


def _require_count(name: str, value: int, owner: str, most: int = COUNT_MAX) -> None:
    require(1 <= value <= most, name, f"1 to {most}", value, owner=owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One tier of agents, from the most senior to the most numerous."""

    name: str
    agents: int
    takes: tuple[ClassName, ...]
    scales: bool = False
    speed: float = 1.0
    base_memory_bytes: int = 3 << 20
    task_memory_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        """Refuse an empty tier, a tier without a name and numbers out of their bounds."""
        require(bool(self.name), "name", "a non-empty word", self.name, owner="tier")
        owner = f"tier {self.name}"
        _require_count("agents", self.agents, owner, FLEET_MAX)
        require(bool(self.takes), "takes", "at least one task class", self.takes, owner=owner)
        require_within("speed", self.speed, (1e-3, 1e3), owner=owner)
        for name in ("base_memory_bytes", "task_memory_bytes"):
            require_within(name, getattr(self, name), (0, BYTES_MAX), owner=owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClass:
    """Service of one class of task: mean in seconds, spread (sigma of the logarithm)."""

    name: ClassName
    share: float
    mean_service_s: float
    sigma: float = 0.5
    distribution: Distribution = "lognormal"

    def __post_init__(self) -> None:
        """Refuse shares outside [0, 1] and times beyond a microsecond to a day."""
        owner = f"class {self.name}"
        require_share("share", self.share, owner=owner)
        require_within("mean_service_s", self.mean_service_s, TASK_TIMES, owner=owner, unit="s")
        require(0 <= self.sigma <= 3, "sigma", "between 0 and 3", self.sigma, owner=owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """One priority: its share of the arrivals, its bounded queue, how long a task may wait."""

    name: Literal["critical", "high", "normal", "low"]
    share: float
    queue_limit: int = 10_000
    wait_limit_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse unbounded queues and waits."""
        owner = f"priority {self.name}"
        require_share("share", self.share, owner=owner)
        _require_count("queue_limit", self.queue_limit, owner, FLEET_MAX)
        require_within("wait_limit_s", self.wait_limit_s, TICK_TIMES, owner=owner, unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPool:
    """One sandbox pool: its slots and the share of tasks that need this pool only."""

    name: Literal["A", "B", "C"]
    slots: int
    share: float

    def __post_init__(self) -> None:
        """Refuse empty pools."""
        owner = f"sandbox {self.name}"
        _require_count("slots", self.slots, owner)
        require_share("share", self.share, owner=owner)


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
    """The whole simulated system. Times in seconds, sizes in bytes, shares in [0, 1].

    With several `cells`, every other number is that of one cell; see `simulator.cells`.
    """

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

    cells: int = 1
    cell_weights: tuple[float, ...] = ()
    router_ramp_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse a system that cannot run: shares that do not add up, a class without a tier."""
        self._check_names()
        self._check_shares()
        self._check_times()
        self._check_counts()
        self._check_costs()

    def _check_names(self) -> None:
        """Tables are indexed by these orders; every class of task needs a tier that takes it."""
        for name, parts, expected in (
            ("priorities", self.priorities, PRIORITIES),
            ("sandboxes", self.sandboxes, SANDBOXES),
            ("classes", self.classes, TASK_CLASSES),
        ):
            names = tuple(part.name for part in parts)
            rule = f"exactly {', '.join(expected)} in this order"
            require(names == expected, name, rule, list(names))
        tiers = [tier.name for tier in self.tiers]
        distinct = bool(tiers) and len(set(tiers)) == len(tiers)
        require(distinct, "tiers", "at least one, each with a name of its own", tiers)
        require(len(tiers) <= TIERS_MAX, "tiers", f"at most {TIERS_MAX}", len(tiers))
        fits = self.fleet <= FLEET_MAX
        require(fits, "tiers", f"of at most {FLEET_MAX} agents together", self.fleet)
        for task_class in self.classes:
            takers = any(task_class.name in tier.takes for tier in self.tiers)
            rule = f"a list in which at least one tier takes {task_class.name!r} tasks"
            require(takers or task_class.share == 0, "tiers", rule, tiers)

    def _check_shares(self) -> None:
        for name in (
            "triple_share",
            "first_result_share",
            "error_share",
            "dependency_share",
            "message_upward_share",
            "cpu_background_share",
        ):
            require_share(name, getattr(self, name))
        for name, parts in (("classes", self.classes), ("priorities", self.priorities)):
            total = fsum(part.share for part in parts)
            holds = abs(total - 1) < SHARE_SLACK
            require(holds, name, "parts whose shares add up to 1", total)
        sandboxed = fsum(pool.share for pool in self.sandboxes)
        require(
            sandboxed <= 1 + SHARE_SLACK,
            "sandboxes",
            "parts whose shares add up to at most 1",
            sandboxed,
        )
        require(
            self.triple_share + sandboxed <= 1 + SHARE_SLACK,
            "triple_share",
            f"at most {max(0.0, 1 - sandboxed):.6g}, which the sandboxes' shares leave of 1",
            self.triple_share,
        )

    def _check_times(self) -> None:
        for name, limits in (
            ("inbox_service_s", (1e-9, 60.0)),
            ("startup_mean_s", TASK_TIMES),
            ("watchdog_s", TICK_TIMES),
            ("restart_backoff_s", TICK_TIMES),
            ("restart_backoff_limit_s", TICK_TIMES),
            ("scaling_memory_s", TICK_TIMES),
            ("merge_s", (0.0, HOUR_S)),
            ("gateway_overhead_s", (0.0, HOUR_S)),
            ("cpu_per_message_s", (0.0, 0.01)),
            ("router_ramp_s", (1.0, HOUR_S)),
        ):
            require_within(name, getattr(self, name), limits, unit="s")

    def _check_counts(self) -> None:
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
            ("active_floor", 1, COUNT_MAX),
            ("scale_up_per_s", 1, COUNT_MAX),
            ("scale_down_per_s", 1, COUNT_MAX),
            ("hosts", 1, 10_000),
            ("cpus_per_host", 1, 1024),
            ("cells", 1, CELLS_MAX),
        ):
            value = getattr(self, name)
            require(low <= value <= high, name, f"{low} to {high}", value)
        cpus = self.hosts * self.cpus_per_host
        rule = f"at most {CPUS_MAX // self.cpus_per_host}, for {CPUS_MAX} CPUs together"
        require(cpus <= CPUS_MAX, "hosts", rule, self.hosts)
        weights = self.cell_weights
        fits = len(weights) in (0, self.cells) and all(0.001 <= each <= 1000 for each in weights)
        rule = f"left out, or {self.cells} numbers of 0.001 to 1000, one for each cell"
        require(fits, "cell_weights", rule, list(weights))

    def _check_costs(self) -> None:
        for name, limits in (
            ("rate_limit_per_s", (1e-3, 1e9)),
            ("target_utilisation", (0.01, 100.0)),
            ("recycle_per_s", (0.0, FLEET_MAX)),
            ("cpu_per_busy_agent", (0.0, 1024.0)),
            ("startup_sigma", (0.0, 3.0)),
        ):
            require_within(name, getattr(self, name), limits)

    @property
    def fleet(self) -> int:
        """How many agents there are in all tiers."""
        return sum(tier.agents for tier in self.tiers)
