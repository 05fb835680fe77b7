"""What lives on a Dask worker as an actor: some cells of one system, and the forks of them.

A cell is known by its number and its lineage: of which forks it is one. What is asked for is told
for all cells of a lineage at once, after the commands that have gathered since the last question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from simulator.cells.system import cell_of_system

if TYPE_CHECKING:
    from simulator.plan import Plan
    from simulator.snapshot import CellReading
    from simulator.topology import Topology
    from simulator.world import World

Lineage = tuple[int, ...]
"""Of each generation the number of the fork, from the system on, by number."""
Key = tuple[int, Lineage]
Command = tuple[Key, str, tuple[Any, ...]]
"""A cell, what it is to do, with what."""
Question = Literal["status", "snapshot", "effects", "fingerprint"]
PASSED_ON: Final = frozenset({"advance_ns", "skip_ns", "take_share"})
"""Commands that are a world's own."""


class CellStatus(NamedTuple):
    """What is asked of a cell at every health check of the router."""

    reading: CellReading
    next_change_ns: int
    exporter_restarts: int
    leaked_bytes: int
    requested_per_s: float


class CellsOfWorker:
    """Some cells of one system. Methods run one at a time: an actor has one thread."""

    def __init__(self) -> None:
        """Hold none yet."""
        self.worlds: dict[Key, World] = {}

    def ask(
        self, commands: list[Command], question: Question, lineage: Lineage
    ) -> dict[int, tuple[CellStatus, Any]]:
        """Carry out the commands in order; answer for each cell here of that lineage.

        Raises `KeyError` for a cell that is not here: this actor is not the first in its place.
        """
        for key, name, arguments in commands:
            if name in PASSED_ON:
                getattr(self.worlds[key], name)(*arguments)
            else:
                getattr(self, name)(key, *arguments)
        return {
            cell: (_status(world), _answer(world, question))
            for (cell, of), world in self.worlds.items()
            if of == lineage
        }

    def build(self, key: Key, topology: Topology, plan: Plan, seed: int) -> None:
        """Begin a cell at time 0."""
        self.worlds[key] = cell_of_system(key[0], topology, plan, seed)

    def fork(self, key: Key, lineage: Lineage, plan: Plan | None) -> None:
        """Copy a cell as it is now."""
        self.worlds[key[0], lineage] = self.worlds[key].fork(plan)

    def forget(self, key: Key) -> None:
        """Let a cell go: nobody holds it any more."""
        del self.worlds[key]


def _status(world: World) -> CellStatus:
    return CellStatus(
        world.cell_reading,
        world.next_change_ns(),
        world.exporter_restarts,
        world.leaked_bytes,
        world.requested_per_s,
    )


def _answer(world: World, question: Question) -> object:
    return None if question == "status" else getattr(world, question)()
