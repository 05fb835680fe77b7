"""The load of a served world, changed at the instant of the call: what the load API acts on.

A change first lets the world catch up to now, and is in effect when the call returns. The world
itself ends it at its time, so a caller may go away. One event loop; nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from exporter.server.exposition import ReadableWorld

if TYPE_CHECKING:
    from exporter.server.exposition import Exposition
    from simulator.load import LoadChange, Stage
    from simulator.plan import Plan


class LoadedWorld(ReadableWorld, Protocol):
    """The world as the load API sees it."""

    @property
    def plan_s(self) -> float:
        """Virtual seconds since the plan began."""

    @property
    def origin_s(self) -> float:
        """When, on the world's clock, the plan began."""

    @property
    def plan(self) -> Plan:
        """The load and the faults that the world runs."""

    @property
    def load_change(self) -> LoadChange | None:
        """The change of the load that is in effect."""

    @property
    def requested_per_s(self) -> float:
        """Tasks a second that the load asks for now."""

    def change_load(self, stages: tuple[Stage, ...]) -> LoadChange:
        """Let `stages` be the load from now on, until the last is over."""

    def end_load_change(self) -> None:
        """Let the plan's load be back."""


class RecordedLoadError(ValueError):
    """The load cannot be changed: it is a recorded trace."""

    def __str__(self) -> str:
        """Write one sentence without a full stop."""
        return "the load is a recorded trace, which has its own times"


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """The load now: tasks a second, whatever faults make of it; and the change in effect.

    `began_s` and `ends_s` are the change's times on the world's clock, `now_s` is now.
    """

    requested_per_s: float
    change: LoadChange | None
    began_s: float
    ends_s: float
    now_s: float


class LoadControl:
    """The load of one served world. Every method takes effect whole, or raises and does nothing."""

    def __init__(self, world: LoadedWorld, exposition: Exposition) -> None:
        """Change `world`, which `exposition` shows."""
        self._world, self._exposition = world, exposition

    def status(self) -> LoadStatus:
        """Return the load of now."""
        self._exposition.catch_up()
        return self._read()

    def change(self, stages: tuple[Stage, ...]) -> LoadStatus:
        """Let `stages` be the load from now on. Raises `RecordedLoadError`, `ValueError`."""
        self._exposition.catch_up()
        if self._world.plan.load.trace_s is not None:
            raise RecordedLoadError
        self._world.change_load(stages)
        self._exposition.show_change()
        return self._read()

    def end(self) -> LoadStatus:
        """Let the plan's load be back. Raises `KeyError` when no change is in effect."""
        self._exposition.catch_up()
        self._world.end_load_change()
        self._exposition.show_change()
        return self._read()

    def _read(self) -> LoadStatus:
        change, origin_s = self._world.load_change, self._world.origin_s
        began_s = origin_s + change.start_s if change else 0.0
        ends_s = origin_s + change.end_s if change else 0.0
        return LoadStatus(self._world.requested_per_s, change, began_s, ends_s, self._world.now_s)
