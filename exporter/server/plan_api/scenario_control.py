"""Whole scenarios begun in a served world: their faults, planned from now on.

What the scenario API acts on. A `ScenarioLibrary`, which the front door passes in, knows the
scenarios; this room knows faults alone. A scenario's first fault begins at once, the others as long
after it as the scenario has it. One event loop; nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from exporter.server.fault_api.control import IN_EFFECT_MAX, FaultConflictError, MutableWorld

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.server.exposition import Exposition
    from simulator.faults.fault import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedScenario:
    """A scenario that can be begun: what a person reads of it, and its faults in real seconds."""

    name: str
    story: str
    faults: tuple[Fault, ...]

    @property
    def duration_s(self) -> float:
        """From its first fault's start to its last one's end."""
        starts_s = min(fault.start_s for fault in self.faults)
        return max(fault.end_s for fault in self.faults) - starts_s


class ScenarioLibrary(Protocol):
    """The scenarios that fit a served world."""

    def scenarios(self) -> Sequence[OfferedScenario]:
        """Return them, in the order in which they are shown."""


class PlannedWorld(MutableWorld, Protocol):
    """The world as the scenario API sees it: what is planned can be withdrawn."""

    def withdraw(self, name: str) -> None:
        """Forget a fault that has not begun."""


class ScenarioControl:
    """The scenarios of one served world. Every method takes effect whole, or raises."""

    def __init__(
        self, world: PlannedWorld, exposition: Exposition, library: ScenarioLibrary | None
    ) -> None:
        """Begin scenarios of `library` in `world`, which `exposition` shows."""
        self._world, self._exposition, self._library = world, exposition, library
        self._begun: dict[str, frozenset[str]] = {}

    @cached_property
    def offered(self) -> Mapping[str, OfferedScenario]:
        """The scenarios by name, read when somebody first asks for them: it takes half a second."""
        return {each.name: each for each in (self._library.scenarios() if self._library else ())}

    def running(self) -> tuple[str, ...]:
        """Return the names of the scenarios of which a fault is in effect or still to come."""
        alive = {fault.name for fault in self._alive()}
        self._begun = {name: faults for name, faults in self._begun.items() if faults & alive}
        return tuple(self._begun)

    def planned(self) -> tuple[tuple[Fault, float], ...]:
        """Return the faults still to come, the next first, each with the seconds until then."""
        now_s = self._world.plan_s
        coming = [(fault, fault.start_s - now_s) for fault in self._alive()]
        return tuple(sorted((each for each in coming if each[1] > 0), key=lambda each: each[1]))

    def begin(self, name: str) -> OfferedScenario:
        """Begin a scenario now.

        Raises `KeyError` for a name that is not offered, `FaultConflictError` when the name of
        one of its faults is taken, `ValueError` when it does not fit the system.
        """
        scenario = self.offered[name]
        self._exposition.catch_up()
        alive = {fault.name: fault for fault in self._alive()}
        now_s = self._world.plan_s
        for fault in scenario.faults:
            other = alive.get(fault.name)
            if other is not None:
                planned = other.start_s > now_s
                raise FaultConflictError("planned" if planned else "in effect", fault.name)
        if len(alive) + len(scenario.faults) > IN_EFFECT_MAX:
            raise FaultConflictError("too many", name)
        by_s = now_s - min(fault.start_s for fault in scenario.faults)
        faults = [replace(fault, start_s=fault.start_s + by_s) for fault in scenario.faults]
        # On a copy first: of a scenario that does not fit nothing must be in effect.
        _begin_all(self._world.fork(), faults)
        _begin_all(self._world, faults)
        self._begun[name] = frozenset(fault.name for fault in faults)
        self._exposition.show_change()
        return scenario

    def end_all(self) -> tuple[str, ...]:
        """End the faults of every scenario that was begun here; return their names."""
        self._exposition.catch_up()
        ended = self.running()
        names = {fault for faults in self._begun.values() for fault in faults}
        now_s = self._world.plan_s
        for fault in self._alive():
            if fault.name in names:
                if fault.start_s > now_s:
                    self._world.withdraw(fault.name)
                else:
                    self._world.end(fault.name)
        self._begun = {}
        self._exposition.show_change()
        return ended

    def _alive(self) -> tuple[Fault, ...]:
        """Return the faults of the plan that are not over."""
        now_s = self._world.plan_s
        return tuple(fault for fault in self._world.plan.faults if fault.end_s > now_s)


def _begin_all(world: MutableWorld, faults: Sequence[Fault]) -> None:
    for fault in faults:
        world.inject(fault)
    world.advance_ns(world.now_ns)
