"""Targets of a fault: as a person writes them, and as the agents, hosts and pools that they mean.

`fault.resolve_targets` turns the one into the other. Values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final, Literal

from simulator.bounds import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from simulator.kernel.state import State

    Command = Callable[[int, int], None]


SINGULAR: Final = {"cells": "cell", "tiers": "tier", "hosts": "host", "sandboxes": "sandbox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Which part of the system a fault targets: an intersection; empty tuples mean all.

    A `fraction` is drawn in each of the `cells` anew.
    """

    tiers: tuple[str, ...] = ()
    hosts: tuple[int, ...] = ()
    sandboxes: tuple[Literal["A", "B", "C"], ...] = ()
    fraction: float = 1.0
    cells: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a fraction outside (0, 1]."""
        holds = isfinite(self.fraction) and 0 < self.fraction <= 1
        require(holds, "fraction", "above 0 and at most 1", self.fraction, owner="targets")

    def in_words(self) -> tuple[tuple[str, str], ...]:
        """Return what a person named, by its key; nothing where the whole system is meant."""
        lists = (
            *(("cells", self.cells), ("tiers", self.tiers), ("hosts", self.hosts)),
            ("sandboxes", self.sandboxes),
        )
        named = [(key, ", ".join(map(str, chosen))) for key, chosen in lists if chosen]
        if self.fraction != 1:
            named.append(("fraction", f"{self.fraction:g}"))
        return tuple(named)


def name_targets(named: Iterable[tuple[str, str]]) -> str:
    """Return what is named, as `Targets.in_words` has it, in one phrase: `cell 1, hosts 0, 2`."""
    return ", ".join(
        f"{key if ', ' in text else SINGULAR.get(key, key)} {text}" for key, text in named
    )


@dataclass(frozen=True, slots=True)
class FaultTargets:
    """The agents, hosts and pools that a fault targets, by index and sorted."""

    agents: NDArray[np.int64]
    hosts: tuple[int, ...]
    pools: tuple[int, ...]


@dataclass(slots=True)
class Onset:
    """The instant at which a fault begins: what it may do once. `command` runs a kernel command."""

    targets: FaultTargets
    state: State
    command: Command
    exporter_restarts: int = 0
