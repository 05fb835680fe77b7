"""The load of a served world, changed at the instant of the call: what the load API acts on.

A change first lets the world catch up to now, and is in effect when the call returns. The world
itself ends it at its time, so a caller may go away. One event loop; nothing here waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from exporter.server.exposition import ReadableWorld

if TYPE_CHECKING:
    from exporter.server.exposition import Exposition, LoadReading
    from simulator.load import LoadChange, Stage


class LoadedWorld(ReadableWorld, Protocol):
    """The world as the load API sees it."""

    @property
    def plan_s(self) -> float:
        """Virtual seconds since the plan began."""

    def change_load(self, stages: tuple[Stage, ...]) -> LoadChange:
        """Let `stages` be the load from now on, until the last is over."""

    def end_load_change(self) -> None:
        """Let the plan's load be back."""


class RecordedLoadError(ValueError):
    """The load cannot be changed: it is a recorded trace."""

    def __str__(self) -> str:
        """Write one sentence without a full stop."""
        return "the load is a recorded trace, which has its own times"


class LoadControl:
    """The load of one served world. Every method takes effect whole, or raises and does nothing."""

    def __init__(self, world: LoadedWorld, exposition: Exposition) -> None:
        """Change `world`, which `exposition` shows."""
        self._world, self._exposition = world, exposition

    def status(self) -> LoadReading:
        """Return the load of now."""
        return self._exposition.load()

    def change(self, stages: tuple[Stage, ...]) -> LoadReading:
        """Let `stages` be the load from now on. Raises `RecordedLoadError`, `ValueError`."""
        self._exposition.catch_up()
        if self._world.plan.load.trace_s is not None:
            raise RecordedLoadError
        self._world.change_load(stages)
        self._exposition.show_change()
        return self._exposition.load()

    def end(self) -> LoadReading:
        """Let the plan's load be back. Raises `KeyError` when no change is in effect."""
        self._exposition.catch_up()
        self._world.end_load_change()
        self._exposition.show_change()
        return self._exposition.load()
