"""What a kind of fault is: the parts that each must have, and the bounds of its numbers.

Every kind is one class in a module of `kinds`: a frozen dataclass of its numbers that subclasses
`Parameters`. A kind that lacks a part cannot be instantiated, and mypy refuses it. Nothing else in
this room, nor in `exporter`, `scenarios` or `verifier`, may ask which kind a fault is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass
from functools import cache
from math import isfinite
from typing import (
    TYPE_CHECKING,
    Annotated,
    ClassVar,
    Literal,
    Self,
    get_args,
    get_origin,
    get_type_hints,
)

from simulator.bounds import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Measure
    from simulator.faults.targets import FaultTargets, Onset
    from simulator.topology import Topology

TargetKind = Literal["agents", "hosts", "sandboxes", "nothing", "cells", "router"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The bounds of one number: above `above` or at least `least`, and at most `most` `unit`."""

    above: float | None = None
    least: float | None = None
    most: float | None = None
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Say whether a number lies within; a number that is not finite never does."""
        return (
            isfinite(value)
            and (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )

    @property
    def rule(self) -> str:
        """What a number must be: "1 to 100", "above 0 and at most 60 s", "at least 1"."""
        unit = f" {self.unit}" if self.unit else ""
        return self.worded(str) + (unit if self.most is not None else "")

    def worded(self, show: Callable[[float], str]) -> str:
        """The rule with its numbers as `show` writes them, without the unit."""
        if self.least is not None and self.most is not None:
            return f"{show(self.least)} to {show(self.most)}"
        limits = (("above", self.above), ("at least", self.least), ("at most", self.most))
        return " and ".join(f"{word} {show(at)}" for word, at in limits if at is not None)


Share = Annotated[float, Bound(above=0, most=1)]


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """One number of a kind: its field, its bound, and what it counts, for the documentation.

    `default` is None where the number must be given.
    """

    field: str
    bound: Bound
    meaning: str
    default: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFacts:
    """How the catalogue describes a kind.

    `measured` and `expected` are for people: what its effect is read from, and what that must come
    to; the arithmetic is in `Parameters.measures`. `fails_scrapes`: one in the world that takes its
    exporter along, so that failed scrapes are its doing. `takes_series`: some series of a target
    that others keep.
    """

    name: str
    aims_at: TargetKind
    effect_unit: str
    measured: str
    expected: str
    fails_scrapes: bool = False
    takes_series: bool = False


@dataclass(frozen=True, slots=True)
class TimeScale:
    """A run in compressed time: `factor` scenario seconds pass in one real second.

    `scrape_timeout_share` is its scrape timeout as a share of the scenario's: shorter intervals
    leave Prometheus less time to wait for a page.
    """

    factor: float
    scrape_timeout_share: float


class Parameters(ABC):
    """The numbers of one kind of fault, and everything that the kind decides.

    A field is `name: Annotated[type, Bound(...), "what it counts"]`; its bound is checked here,
    and tables and errors are made of it.
    """

    __slots__ = ()
    facts: ClassVar[KindFacts]

    def __post_init__(self) -> None:
        """Raise `BoundError` for a number outside its bounds."""
        for parameter in parameter_facts(type(self)):
            value = getattr(self, parameter.field)
            holds = parameter.bound.holds(value)
            require(holds, parameter.field, parameter.bound.rule, value, owner=self.facts.name)

    @property
    @abstractmethod
    def magnitude(self) -> float:
        """The declared full strength, in the kind's own unit."""

    @abstractmethod
    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        """Change the effective parameters as this fault does at `strength` (0..1)."""

    @abstractmethod
    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Add what this fault promises at `strength`, for measures to compare with.

        Must not be derived from `compose`, nor read what that wrote: the comparison of the two is
        what reveals an injector that does nothing.
        """

    @abstractmethod
    def measures(self) -> tuple[Measure, ...]:
        """How the effect is measured; people are shown the first."""

    @abstractmethod
    def compressed(self, scale: TimeScale) -> Self:
        """The numbers in a run in compressed time, where rates and latencies stay as they are."""

    def traffic_factor(self, strength: float) -> float:  # noqa: ARG002 - most kinds leave it
        """By how much this fault multiplies the arrivals at `strength` (0..1)."""
        return 1.0

    def at_onset(self, onset: Onset) -> None:  # noqa: B027 - most kinds have no onset of their own
        """What happens once, when the fault begins; nothing, unless a kind overrides it."""

    def felt_after_end_s(self, topology: Topology) -> float:  # noqa: ARG002 - for kinds that linger
        """How long after its end the fault is still felt, real seconds."""
        return 0.0

    def require_fit(self, topology: Topology) -> None:  # noqa: B027 - most numbers fit any topology
        """Raise `BoundError` for a number that this topology has no room for."""

    @property
    def interrupts_series(self) -> bool:
        """Whether a series may have a gap, end or begin anew because of it."""
        return self.facts.fails_scrapes or self.facts.takes_series

    def further_series(self) -> int:
        """How many series the fault adds to every page, at its full strength."""
        return 0


class Uncompressed(Parameters):
    """A kind whose numbers are rates, shares and factors, which compressed time leaves alone."""

    __slots__ = ()

    def compressed(self, scale: TimeScale) -> Self:  # noqa: ARG002 - they stay at any scale
        """The same numbers."""
        return self


@cache
def parameter_facts(kind: type[Parameters]) -> tuple[ParameterFacts, ...]:
    """Return the numbers of a kind in the order of its fields; raises `TypeError` if undocumented.

    A kind without numbers has none.
    """
    facts = []
    hints = get_type_hints(kind, include_extras=True)
    members: dict[str, Field[float]] = getattr(kind, "__dataclass_fields__", {})
    for name, member in members.items():
        if get_origin(hints[name]) is ClassVar:
            continue
        default = None if member.default is MISSING else member.default
        match get_args(hints[name]):
            case (_, Bound() as bound, str() as meaning):
                facts.append(ParameterFacts(name, bound, meaning, default))
            case _:
                raise TypeError(f"{kind.__name__}.{name} must have a Bound and a meaning")
    return tuple(facts)
