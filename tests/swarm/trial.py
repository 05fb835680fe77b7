"""A trial of the swarm: a small system, its load, its faults, and what is done to it by hand.

`drawing` draws one from a seed, `run` carries it out, `shrinking` makes it smaller. Values only.
All times are whole milliseconds of the plan, so that a scenario file can say them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from simulator.load import Load, Stage

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from simulator.topology import Topology

REST_MS = 1000
"""How long the load goes on after the heal."""
TRAFFIC = ("traffic_surge", "traffic_drop")
"""Faults of the load itself: the control run has them too, or its arrivals would be others."""

ActionKind = Literal["inject", "change", "end", "end all", "skip", "fork"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is done to a running world at `at_ms`.

    `fault` is what is injected, or what the fault called `name` is changed to; a skip passes over
    at most `skip_ms`.
    """

    at_ms: int
    what: ActionKind
    name: str = ""
    fault: Fault | None = None
    skip_ms: int = 0

    def __str__(self) -> str:
        """Write one line of a log."""
        parts = [self.what, self.name]
        if self.fault is not None:
            parts += [self.fault.kind, str(self.fault.parameters), f"for {self.fault.duration_s}s"]
        if self.skip_ms:
            parts.append(f"{self.skip_ms} ms")
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Everything that happens in one run: until `heal_ms` whatever was drawn, then nothing more.

    With a `warm_s` the world is healthy for so long before its plan begins. `shape` is the load
    while faults happen; it ends `REST_MS` after the heal, and the world drains.
    """

    seed: int
    topology: Topology
    shape: Load
    faults: tuple[Fault, ...]
    actions: tuple[Action, ...]
    readings_ms: tuple[int, ...]
    heal_ms: int
    warm_s: float = 0.0
    probe_per_s: float = 0.0

    @property
    def quiet_ms(self) -> int:
        """When the load ends."""
        return self.heal_ms + REST_MS

    @property
    def load(self) -> Load:
        """The shape of the load, and its end."""
        if self.shape.trace_s is not None:
            ends_s = self.quiet_ms / 1000
            return Load(trace_s=tuple(at_s for at_s in self.shape.trace_s if at_s < ends_s))
        stages, left_ms = [], self.quiet_ms
        target = self.shape.rate
        for stage in self.shape.stages:
            length_ms = min(round(stage.duration_s * 1000), left_ms)
            stages.append(replace(stage, duration_s=length_ms / 1000))
            left_ms -= length_ms
            target = stage.target
        stages += [Stage(duration_s=left_ms / 1000, target=target), Stage(duration_s=0, target=0)]
        return replace(self.shape, stages=tuple(stages))

    @property
    def calm(self) -> Trial:
        """The control run: the same system and load, without any fault but those of the load."""
        return replace(
            self,
            faults=tuple(fault for fault in self.faults if fault.kind in TRAFFIC),
            actions=tuple(action for action in self.actions if _concerns_load(action)),
        )


def _concerns_load(action: Action) -> bool:
    return action.fault is None or action.fault.kind in TRAFFIC
