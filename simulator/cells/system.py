"""A system of cells: a world for each, with streams of its own, behind one router.

To everyone else it is what a `World` is, and `build_system` returns a plain world where there is
one cell. Between two health checks of the router the cells know nothing of one another: each is
advanced to the next check alone, by as many threads as there are `workers`, for the kernel lets
go of the interpreter. Which thread, and how many, changes no byte.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from simulator.bounds import require
from simulator.cells.joined_snapshot import join, join_effects
from simulator.cells.router import Router
from simulator.cells.router_faults import RouterFaults
from simulator.faults.fault import RAMP_STEP_NS, require_change, require_to_come
from simulator.kernel.state import ns
from simulator.kernel.streams import generator
from simulator.plan import Plan
from simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulator.cells.router_faults import FaultTimes
    from simulator.faults.fault import Fault
    from simulator.load import LoadChange, Stage
    from simulator.snapshot import FaultEffect, Snapshot
    from simulator.topology import Topology

HEALTH_CHECK_NS: Final = RAMP_STEP_NS
"""The router checks health once a second, and the load of a cell changes no more often."""


BuildCell: TypeAlias = "Callable[[int, Topology, Plan, int], World]"
"""Begins a cell of a system: its number, and topology, plan and seed of the whole."""


def build_system(topology: Topology, plan: Plan, seed: int, *, workers: int = 1) -> SimulatedSystem:
    """Return a world, or as many as `topology` has cells behind a router, at time 0.

    Raises `BoundError` as `World` does, and for a recorded trace in front of several cells.
    """
    if topology.cells == 1:
        return World(topology, plan, seed)
    return CellSystem(topology, plan, seed, workers=workers)


def seed_of_cell(seed: int, cell: int) -> int:
    """Return the seed of a cell: derived by its name, so that more cells leave it as it is."""
    return int(generator(seed, f"cell:{cell}").integers(1 << 62))


def cell_of_system(cell: int, topology: Topology, plan: Plan, seed: int) -> World:
    """Begin one cell of a system at time 0: what of the plan is for it, under a seed of its own."""
    return World(topology, plan_of_cell(plan, cell), seed_of_cell(seed, cell), load_seed=seed)


class CellSystem:
    """The cells of one system, each a `World`, in step by the seconds of the router."""

    def __init__(
        self,
        topology: Topology,
        plan: Plan,
        seed: int,
        *,
        workers: int = 1,
        build_cell: BuildCell = cell_of_system,
    ) -> None:
        """Begin at time 0 with idle cells, all of them healthy; each begun by `build_cell`."""
        _require_fit(plan, topology)
        self.topology, self.seed, self.workers = topology, seed, workers
        self.plan = plan
        self.cells = tuple(build_cell(i, topology, plan, seed) for i in range(topology.cells))
        self.router = Router(topology)
        self.router_changes = 0
        self._next_check_ns = HEALTH_CHECK_NS
        self._router_faults = RouterFaults()
        self._origin_ns = 0
        self._take_shares()

    # --- time

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the system began, exactly."""
        return self.cells[0].now_ns

    @property
    def now_s(self) -> float:
        """Virtual seconds since the system began."""
        return self.now_ns / 1e9

    @property
    def plan_s(self) -> float:
        """Seconds since the plan began."""
        return (self.now_ns - self._origin_ns) / 1e9

    @property
    def origin_s(self) -> float:
        """When, on the system's clock, the plan began."""
        return self._origin_ns / 1e9

    def advance(self, until_s: float) -> None:
        """Simulate every event up to and including `until_s` of the system's clock."""
        self.advance_ns(ns(until_s))

    def advance_ns(self, until_ns: int) -> None:
        """`advance` in exact nanoseconds. Raises `BoundError` as `World.advance_ns` does."""
        while self._next_check_ns <= until_ns:
            self._each_to(self._next_check_ns)
            self._check_health()
            self._next_check_ns += HEALTH_CHECK_NS
        self._each_to(until_ns)

    def next_change_ns(self) -> int:
        """The next instant at which load or faults change, but for what the router will do."""
        return min(
            *(cell.next_change_ns() for cell in self.cells),
            self._router_faults.next_edge_ns(self.plan, self._origin_ns, self.now_ns),
        )

    def skip_ns(self, passed_ns: int) -> None:
        """Pass over `passed_ns` without simulating, as `World.skip_ns` does; health checks move."""
        blind = self._router_faults.active(self.plan, self._origin_ns, self.now_ns)
        for cell in self.cells:
            cell.skip_ns(passed_ns)
        self._router_faults.skip_ns(blind, passed_ns)
        self._next_check_ns += passed_ns

    # --- reading

    def snapshot(self) -> Snapshot:
        """One frozen reading of the whole system, see `joined_snapshot`."""
        statuses = self._router_faults.statuses(self.plan, self._origin_ns, self.now_ns)
        return join([cell.snapshot() for cell in self.cells], self.seed, statuses)

    def router_effects(self) -> tuple[FaultEffect, ...]:
        """What faults did to the router, as `World.effects`; what they did to a cell is the cell's.

        The ended ones as they ended, also when the plan has forgotten them.
        """
        return self._router_faults.effects(self.plan, self._origin_ns, self.now_ns)

    def effects(self) -> tuple[FaultEffect, ...]:
        """What faults of the plan did, to the router and in each cell."""
        return (*self.router_effects(), *join_effects(cell.effects() for cell in self.cells))

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of the load that each cell gets now; their mean is 1."""
        return self.router.shares()

    @property
    def exporter_restarts(self) -> int:
        """How often faults of the plan have restarted an exporter."""
        return sum(cell.exporter_restarts for cell in self.cells)

    @property
    def leaked_bytes(self) -> int:
        """Memory that leaks hold at this instant, over all agents of all cells."""
        return sum(cell.leaked_bytes for cell in self.cells)

    @property
    def requested_per_s(self) -> float:
        """Tasks a second that the load asks for now, of all cells together."""
        return self.topology.cells * self.cells[0].requested_per_s

    @property
    def load_change(self) -> LoadChange | None:
        """The change of the load that is in effect: the same in every cell."""
        return self.cells[0].load_change

    def fingerprint(self) -> bytes:
        """Every byte of every cell's state, for comparing two systems."""
        return b"".join(cell.fingerprint() for cell in self.cells)

    # --- branching and changing

    def fork(self, plan: Plan | None = None) -> CellSystem:
        """An independent copy; with a `plan`, one that begins that plan at this instant."""
        other = object.__new__(CellSystem)
        other.topology, other.seed, other.workers = self.topology, self.seed, self.workers
        other.router, other.router_changes = deepcopy(self.router), self.router_changes
        other._next_check_ns = self._next_check_ns
        if plan is None:
            other.plan, other._origin_ns = self.plan, self._origin_ns
            other._router_faults = deepcopy(self._router_faults)
            other.cells = tuple(cell.fork() for cell in self.cells)
            return other
        _require_fit(plan, self.topology)
        other.plan, other._origin_ns = plan, self.now_ns
        other._router_faults = RouterFaults()
        other.cells = tuple(cell.fork(plan_of_cell(plan, i)) for i, cell in enumerate(self.cells))
        other._take_shares()
        return other

    def inject(self, fault: Fault) -> None:
        """Add a fault to the cells that it targets, or the router; as `World.inject` does."""
        _require_cells(fault, self.topology)
        kept = [other for other in self.plan.faults if self._end_ns(other) > self.now_ns]
        names = [other.name for other in kept]
        require(fault.name not in names, "faults", "each with a name of its own", fault.name)
        require_to_come(fault, self.now_ns - self._origin_ns)
        plan = replace(self.plan, faults=(*kept, fault))
        for cell in self._cells_of(fault):
            cell.inject(fault)
        self._router_faults.add(fault, self.plan, self._origin_ns, self.now_ns)
        self.plan = plan

    def change(self, fault: Fault) -> None:
        """Give the fault in effect of that name other numbers or another end, as `World.change`."""
        old = self._planned(fault.name)
        if old.is_of_router:
            times = self._router_fault_in_effect(fault.name)
            require_change(fault, times.fault, self.now_ns - self._origin_ns)
        for cell in self._cells_of(old):
            cell.change(fault)
        faults = (fault if planned is old else planned for planned in self.plan.faults)
        self.plan = replace(self.plan, faults=tuple(faults))

    def end(self, name: str) -> None:
        """End a fault now and forget it. Raises `KeyError` when none of that name is in effect."""
        old = self._planned(name)
        if old.is_of_router:
            self._router_faults.close(self._router_fault_in_effect(name), self.now_ns)
        self._forget(old, lambda cell: cell.end(name))

    def withdraw(self, name: str) -> None:
        """Forget a fault of the plan that has not begun. Raises `KeyError` when there is none."""
        old = self._planned(name)
        if old.is_of_router:
            self._router_faults.withdraw(name, self.plan, self._origin_ns, self.now_ns)
        self._forget(old, lambda cell: cell.withdraw(name))

    def change_load(self, stages: tuple[Stage, ...]) -> LoadChange:
        """Let `stages` be the load of each cell from now on, as `World.change_load` does."""
        changes = [cell.change_load(stages) for cell in self.cells]
        return changes[0]

    def end_load_change(self) -> None:
        """Let the plan's load be back now. Raises `KeyError` when no change is in effect."""
        for cell in self.cells:
            cell.end_load_change()

    def _forget(self, old: Fault, act: Callable[[World], None]) -> None:
        for cell in self._cells_of(old):
            act(cell)
        faults = (fault for fault in self.plan.faults if fault is not old)
        self.plan = replace(self.plan, faults=tuple(faults))

    def _planned(self, name: str) -> Fault:
        return {fault.name: fault for fault in self.plan.faults}[name]

    def _router_fault_in_effect(self, name: str) -> FaultTimes:
        active = self._router_faults.active(self.plan, self._origin_ns, self.now_ns)
        return {times.fault.name: times for times in active}[name]

    def _cells_of(self, fault: Fault) -> tuple[World, ...]:
        """Return the cells that a fault is for: none where it is for the router."""
        if fault.is_of_router:
            return ()
        return tuple(self.cells[i] for i in fault.targets.cells) or self.cells

    def _end_ns(self, fault: Fault) -> int:
        return self._origin_ns + ns(fault.end_s)

    # --- the cells and the router

    def end_threads(self) -> None:
        """End the workers; others begin when it is advanced again."""
        pool: ThreadPoolExecutor | None = self.__dict__.pop("_pool", None)
        if pool is not None:
            pool.shutdown()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.workers, thread_name_prefix="cells")

    def _each_to(self, until_ns: int) -> None:
        """Advance every cell, in no order that could matter."""
        workers = min(self.workers, len(self.cells))
        if workers == 1:
            _advance(self.cells, until_ns)
            return
        parts = [self.cells[i::workers] for i in range(workers)]
        others = [self._pool.submit(_advance, part, until_ns) for part in parts[1:]]
        try:
            _advance(parts[0], until_ns)
        finally:
            for other in others:
                other.result()

    def _check_health(self) -> None:
        """Let the router check health, unless a fault keeps it from it; the shares follow."""
        blind = self._router_faults.active(self.plan, self._origin_ns, self.now_ns)
        if not blind:
            self.router.check_health([cell.cell_reading for cell in self.cells])
            self._take_shares()
        self._router_faults.note(blind, checked=not blind)

    def _take_shares(self) -> None:
        shares = self.router.shares()
        changed = [cell.take_share(share) for cell, share in zip(self.cells, shares, strict=True)]
        self.router_changes += any(changed)


def _advance(cells: Sequence[World], until_ns: int) -> None:
    for cell in cells:
        cell.read_through()
        cell.advance_ns(until_ns)


def _require_fit(plan: Plan, topology: Topology) -> None:
    """Raise `BoundError` for a recorded load, and for targets that are not there."""
    trace_s = plan.load.trace_s
    require(trace_s is None, "load", "without a recorded trace before several cells", "a trace")
    for fault in plan.faults:
        _require_cells(fault, topology)


def _require_cells(fault: Fault, topology: Topology) -> None:
    known, cells = range(topology.cells), fault.targets.cells
    owner = f"fault {fault.name}"
    require(set(cells) <= set(known), "cells", f"among {known}", cells, owner=owner)


def plan_of_cell(plan: Plan, cell: int) -> Plan:
    """Return what of a system's plan is to happen to one cell."""
    faults = tuple(
        fault
        for fault in plan.faults
        if not fault.is_of_router and (not fault.targets.cells or cell in fault.targets.cells)
    )
    return Plan(load=plan.load, faults=faults)


SimulatedSystem: TypeAlias = World | CellSystem
"""What is simulated: one world, or several behind a router. Both are used in the same way."""
