"""A plan: the load and the faults of a world, in seconds from the plan's start.

`scenarios` builds one from a file, `World` carries it out. Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.bounds import require
from simulator.load import Load

if TYPE_CHECKING:
    from simulator.faults.fault import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is going to happen to a world, in seconds from the plan's start."""

    load: Load = field(default_factory=Load)
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two faults of one name."""
        names = [fault.name for fault in self.faults]
        require(len(set(names)) == len(names), "faults", "each with a name of its own", names)
