"""Faults of a live world, changed at the instant of the call: what the fault API is a form of.

A change first lets the world catch up to now, and is in effect when the call returns. The world
itself ends each fault at its time, so a caller may go away. One event loop; nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from exporter.server.exposition import ReadableWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.server.exposition import Exposition
    from simulator.faults.catalogue import Fault
    from simulator.plan import Plan
    from simulator.snapshot import FaultStatus

IN_EFFECT_MAX = 32


class MutableWorld(ReadableWorld, Protocol):
    """The world as a change of its faults sees it."""

    @property
    def now_ns(self) -> int:
        """Virtual time in nanoseconds."""

    @property
    def plan_s(self) -> float:
        """Virtual seconds since the plan began."""

    @property
    def plan(self) -> Plan:
        """What the world is living through."""

    def advance_ns(self, until_ns: int) -> None:
        """Simulate everything up to `until_ns`."""

    def inject(self, fault: Fault) -> None:
        """Add a fault; its times count from the plan's start."""

    def change(self, fault: Fault) -> None:
        """Give the fault in effect of that name other numbers or another end."""

    def end(self, name: str) -> None:
        """End a fault now."""


class Conflict(ValueError):  # noqa: N818 - what it is, in the words of this house
    """A change that does not go with the faults there are."""


@dataclass(frozen=True, slots=True)
class FaultInEffect:
    """A fault in effect: as declared, and how it stands at `now_ns`."""

    fault: Fault
    status: FaultStatus
    now_ns: int


class Control:
    """The faults of one live world. Every method is at once and whole, or raises and does nothing.

    Names that are not in effect raise `KeyError`.
    """

    def __init__(self, world: MutableWorld, live: Exposition) -> None:
        """Change `world`, which `live` shows."""
        self._world, self._live = world, live

    def in_effect(self) -> tuple[FaultInEffect, ...]:
        """Return the faults in effect now, in the order of the plan."""
        self._live.catch_up()
        return self._read()

    def find(self, name: str) -> FaultInEffect:
        """Return one fault in effect."""
        return {one.fault.name: one for one in self.in_effect()}[name]

    def inject(self, make: Callable[[float], Fault]) -> FaultInEffect:
        """Begin the fault that `make` returns for the plan's time now.

        Raises `ValueError` when it does not fit the system, `Conflict` when its name is taken or
        `IN_EFFECT_MAX` faults are in effect.
        """
        active = {one.fault.name for one in self.in_effect()}
        fault = make(self._world.plan_s)
        if fault.name in active:
            raise Conflict(f"a fault called {fault.name!r} is in effect: change it or end it first")
        planned = (one for one in self._world.plan.faults if one.end_s > fault.start_s)
        if fault.name in {one.name for one in planned}:
            raise Conflict(f"the scenario is going to begin a fault called {fault.name!r}")
        if len(active) >= IN_EFFECT_MAX:
            raise Conflict(f"at most {IN_EFFECT_MAX} faults can be in effect: end one first")
        self._world.inject(fault)
        self._world.advance_ns(self._world.now_ns)
        self._live.show_change()
        return self._read_one(fault.name)

    def change(self, name: str, make: Callable[[Fault, float], Fault]) -> FaultInEffect:
        """Change a fault to what `make` returns for it and the plan's time now."""
        fault = make(self.find(name).fault, self._world.plan_s)
        self._world.change(fault)
        self._live.show_change()
        return self._read_one(name)

    def end(self, name: str) -> FaultInEffect:
        """End a fault; returns how it stood."""
        return self._end(self.find(name))

    def end_all(self) -> tuple[FaultInEffect, ...]:
        """End every fault in effect; returns how they stood."""
        return tuple(self._end(one) for one in self.in_effect())

    def _end(self, last: FaultInEffect) -> FaultInEffect:
        self._world.end(last.fault.name)
        self._live.show_change()
        return last

    def _read(self) -> tuple[FaultInEffect, ...]:
        """Return what is in effect, without letting the world catch up: what began is there."""
        snapshot = self._live.path.show(self._world.snapshot())
        declared = {fault.name: fault for fault in self._world.plan.faults}
        return tuple(FaultInEffect(declared[s.name], s, snapshot.now_ns) for s in snapshot.faults)

    def _read_one(self, name: str) -> FaultInEffect:
        return {one.fault.name: one for one in self._read()}[name]
