"""A cell whose world is simulated by a worker; the caller's system takes it for a `World`.

What a cell is to do waits until something is asked. Then all workers get their commands at once,
and answer for all cells of the same system: a second of the router is one exchange with each.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from simulator.cells.system import CellSystem
from simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.plan import Plan
    from simulator.snapshot import CellReading, FaultEffect, Snapshot
    from simulator.topology import Topology
    from verifier.cluster.cells.worker_side import (
        CellStatus,
        Command,
        Key,
        Lineage,
        Question,
    )


class Exchange(Protocol):
    """Hands each worker its commands, all at the same time, and returns what each answers."""

    def __call__(
        self, commands: Sequence[list[Command]], question: Question, lineage: Lineage, /
    ) -> list[dict[int, tuple[CellStatus, Any]]]:
        """Raise `CellsLostError` when a worker is gone."""


class DistantCells:
    """The cells of one run on its workers: what waits to be done there, and what is known here."""

    def __init__(self, workers: int, exchange: Exchange) -> None:
        """Spread cells over so many workers; `exchange` talks with all of them."""
        self.workers, self._exchange = workers, exchange
        self._systems = 0
        self._waiting: list[list[Command]] = [[] for _ in range(workers)]
        self._statuses: dict[Key, CellStatus] = {}
        self._answers: dict[tuple[Question, Lineage], dict[int, Any]] = {}

    def build(self, topology: Topology, plan: Plan, seed: int) -> CellSystem:
        """Begin a system whose cells are simulated by the workers."""
        self._systems += 1
        lineage = (self._systems,)

        def build_cell(cell: int, topology: Topology, plan: Plan, seed: int) -> World:
            return DistantCell(self, (cell, lineage), topology).begun(plan, seed)

        return CellSystem(topology, plan, seed, build_cell=build_cell)

    def command(self, key: Key, name: str, *arguments: object) -> None:
        """Let a cell do something before anything else is asked of it."""
        self._waiting[key[0] % self.workers].append((key, name, arguments))
        self._answers.clear()
        if name != "take_share":  # what a share changes is asked for with `settled`
            self._statuses.pop(key, None)

    def forget(self, key: Key) -> None:
        """Let a cell go. May be called at any time: by whoever collects garbage."""
        self._waiting[key[0] % self.workers].append((key, "forget", ()))
        self._statuses.pop(key, None)

    def status(self, key: Key, *, settled: bool = False) -> CellStatus:
        """Return the status of a cell; `settled`: with what its share has changed."""
        if key not in self._statuses or (settled and any(self._waiting)):
            self._ask("status", key[1])
        return self._statuses[key]

    def answer(self, key: Key, question: Question) -> Any:
        """Return what a cell answers, asked once of all cells of its system."""
        if (question, key[1]) not in self._answers:
            self._ask(question, key[1])
        return self._answers[question, key[1]][key[0]]

    def _ask(self, question: Question, lineage: Lineage) -> None:
        waiting, self._waiting = self._waiting, [[] for _ in range(self.workers)]
        answers = self._answers[question, lineage] = {}
        for part in self._exchange(waiting, question, lineage):
            for cell, (status, answer) in part.items():
                self._statuses[cell, lineage] = status
                answers[cell] = answer


class DistantCell(World):
    """A cell on a worker. It is judged and forked; nothing can be injected, as into a live one."""

    def __init__(self, cells: DistantCells, key: Key, topology: Topology) -> None:
        """Know a cell that is there already, or is about to be."""
        self.topology = topology
        self._cells, self._key = cells, key
        self._now_ns, self._share = 0, 1.0
        self._forks = 0
        self._is_settled = False
        weakref.finalize(self, cells.forget, key).atexit = False

    def begun(self, plan: Plan, seed: int) -> DistantCell:
        """Begin it at time 0, with a plan of the whole system and its seed."""
        self._cells.command(self._key, "build", self.topology, plan, seed)
        return self

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the world began, exactly."""
        return self._now_ns

    def read_through(self) -> None:
        """Nothing: the tables are the worker's."""

    def advance_ns(self, until_ns: int) -> None:
        """Simulate up to an instant, once something is asked."""
        if until_ns != self._now_ns or not self._is_settled:
            self._cells.command(self._key, "advance_ns", until_ns)
        self._now_ns, self._is_settled = until_ns, True

    def next_change_ns(self) -> int:
        """The next instant at which load or faults change."""
        return self._cells.status(self._key).next_change_ns

    def skip_ns(self, passed_ns: int) -> None:
        """Pass over a steady interval, once something is asked."""
        self._cells.command(self._key, "skip_ns", passed_ns)
        self._now_ns += passed_ns

    def snapshot(self) -> Snapshot:
        """One frozen reading of this instant."""
        reading: Snapshot = self._cells.answer(self._key, "snapshot")
        return reading

    def effects(self) -> tuple[FaultEffect, ...]:
        """What every fault of the plan that has begun did."""
        effects: tuple[FaultEffect, ...] = self._cells.answer(self._key, "effects")
        return effects

    @property
    def exporter_restarts(self) -> int:
        """How often faults of the plan have restarted the exporter."""
        return self._cells.status(self._key).exporter_restarts

    @property
    def leaked_bytes(self) -> int:
        """Memory that leaks hold at this instant, over all agents."""
        return self._cells.status(self._key).leaked_bytes

    @property
    def cell_reading(self) -> CellReading:
        """What a router sees of it."""
        return self._cells.status(self._key).reading

    @property
    def requested_per_s(self) -> float:
        """Tasks a second that the load asks for now."""
        return self._cells.status(self._key, settled=True).requested_per_s

    def take_share(self, share: float) -> bool:
        """Get `share` times the load from now on; return whether that is another share."""
        if share == self._share:
            return False
        self._share = share
        self._cells.command(self._key, "take_share", share)
        return True

    def fingerprint(self) -> bytes:
        """Every byte of the world's state."""
        fingerprint: bytes = self._cells.answer(self._key, "fingerprint")
        return fingerprint

    def fork(self, plan: Plan | None = None) -> DistantCell:
        """An independent copy on the same worker."""
        cell, lineage = self._key
        self._forks += 1
        other = DistantCell(self._cells, (cell, (*lineage, self._forks)), self.topology)
        other._now_ns = self._now_ns
        if plan is None:
            other._share = self._share
            other._is_settled = self._is_settled
        self._cells.command(self._key, "fork", (*lineage, self._forks), plan)
        return other
