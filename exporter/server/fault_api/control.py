"""The faults of a served world, changed at the instant of the call: what the fault API acts on.

A change first lets the world catch up to now, and is in effect when the call returns. The world
itself ends each fault at its time, so a caller may go away. One event loop; nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from exporter.server.exposition import ReadableWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.server.exposition import Exposition
    from simulator.faults.fault import Fault
    from simulator.plan import Plan
    from simulator.snapshot import FaultStatus

IN_EFFECT_MAX: Final = 32

ConflictReason: TypeAlias = Literal["in effect", "planned", "too many"]


class MutableWorld(ReadableWorld, Protocol):
    """The world as the fault API sees it: its faults can be changed."""

    @property
    def now_ns(self) -> int:
        """Virtual time in nanoseconds."""

    @property
    def plan_s(self) -> float:
        """Virtual seconds since the plan began."""

    @property
    def plan(self) -> Plan:
        """The load and the faults that the world runs."""

    def advance_ns(self, until_ns: int) -> None:
        """Simulate everything up to `until_ns`."""

    def fork(self) -> MutableWorld:
        """Return an independent copy."""

    def inject(self, fault: Fault) -> None:
        """Add a fault; its times count from the plan's start."""

    def change(self, fault: Fault) -> None:
        """Give the fault in effect of that name other parameters or another end."""

    def end(self, name: str) -> None:
        """End a fault now."""


class FaultConflictError(ValueError):
    """An injection that conflicts with the faults in effect or planned; it changed nothing."""

    def __init__(self, reason: ConflictReason, name: str) -> None:
        """Keep the reason and the name of the fault that was to begin."""
        super().__init__(reason, name)
        self.reason: ConflictReason = reason
        self.name = name

    def __str__(self) -> str:
        """Write one sentence without a full stop."""
        return {
            "in effect": f"a fault called {self.name!r} is in effect: change it or end it first",
            "planned": f"the scenario is going to begin a fault called {self.name!r}",
            "too many": f"at most {IN_EFFECT_MAX} faults can be in effect: end one first",
        }[self.reason]


@dataclass(frozen=True, slots=True)
class FaultInEffect:
    """A fault in effect: as declared, and its status at `now_ns`."""

    fault: Fault
    status: FaultStatus
    now_ns: int


class FaultControl:
    """The faults of one served world. Every method takes effect whole, or raises and does nothing.

    Names that are not in effect raise `KeyError`.
    """

    def __init__(self, world: MutableWorld, exposition: Exposition) -> None:
        """Change `world`, which `exposition` shows."""
        self._world, self._exposition = world, exposition

    def in_effect(self) -> tuple[FaultInEffect, ...]:
        """Return the faults in effect now, in the order of the plan."""
        self._exposition.catch_up()
        return self._read_all()

    def find(self, name: str) -> FaultInEffect:
        """Return one fault in effect."""
        return {active.fault.name: active for active in self.in_effect()}[name]

    def inject(self, make: Callable[[float], Fault]) -> FaultInEffect:
        """Begin the fault that `make` returns for the plan's time now.

        Raises `ValueError` when it does not fit the system, `FaultConflictError` when its name is
        taken or `IN_EFFECT_MAX` faults are in effect.
        """
        active = {active.fault.name for active in self.in_effect()}
        fault = make(self._world.plan_s)
        if fault.name in active:
            raise FaultConflictError("in effect", fault.name)
        planned = {other.name for other in self._world.plan.faults if other.end_s > fault.start_s}
        if fault.name in planned:
            raise FaultConflictError("planned", fault.name)
        if len(active) >= IN_EFFECT_MAX:
            raise FaultConflictError("too many", fault.name)
        # At full strength at once: a ramp must not lead where nothing can be calculated either.
        self._rehearse(lambda world: world.inject(replace(fault, ramp_s=0.0)))
        self._world.inject(fault)
        # Up to now once more: the plan's change at this instant takes effect only when it is run.
        self._world.advance_ns(self._world.now_ns)
        self._exposition.show_change()
        return self._read(fault.name)

    def change(self, name: str, make: Callable[[Fault, float], Fault]) -> FaultInEffect:
        """Change a fault to what `make` returns for it and the plan's time now."""
        fault = make(self.find(name).fault, self._world.plan_s)
        self._rehearse(lambda world: world.change(fault))
        self._world.change(fault)
        self._exposition.show_change()
        return self._read(name)

    def end(self, name: str) -> FaultInEffect:
        """End a fault; return its last status."""
        return self._end(self.find(name))

    def end_all(self) -> tuple[FaultInEffect, ...]:
        """End every fault in effect; return their last statuses."""
        return tuple(self._end(active) for active in self.in_effect())

    def _rehearse(self, act: Callable[[MutableWorld], None]) -> None:
        """Let a copy of the world do it first: what cannot be done must not be half in effect.

        Raises `ValueError`.
        """
        copy = self._world.fork()
        try:
            act(copy)
            copy.advance_ns(copy.now_ns)
            copy.snapshot()
        except ArithmeticError as error:
            raise ValueError(
                "the fault has a number with which nothing can be calculated"
            ) from error

    def _end(self, last: FaultInEffect) -> FaultInEffect:
        self._world.end(last.fault.name)
        self._exposition.show_change()
        return last

    def _read_all(self) -> tuple[FaultInEffect, ...]:
        """Return the faults in effect without a catch-up: just after a change, at its instant."""
        snapshot = self._exposition.scrape_effects.show(self._world.snapshot())
        declared = {fault.name: fault for fault in self._world.plan.faults}
        return tuple(
            FaultInEffect(declared[status.name], status, snapshot.now_ns)
            for status in snapshot.faults
        )

    def _read(self, name: str) -> FaultInEffect:
        return {active.fault.name: active for active in self._read_all()}[name]
