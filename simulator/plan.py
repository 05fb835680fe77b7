"""A plan: the load and the faults of a world, in seconds from the plan's start.

`scenarios` builds one from a file, `World` carries it out. Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.bounds import require
from simulator.kernel.state import PARTITIONS
from simulator.load import Load

if TYPE_CHECKING:
    from simulator.faults.fault import Fault


FAULTS_MAX = 10_000
AT_ONCE_MAX = PARTITIONS
"""Each partition in effect has a bit of its own of a signed integer: no kind may have more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is going to happen to a world, in seconds from the plan's start."""

    load: Load = field(default_factory=Load)
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two faults of one name."""
        names = [fault.name for fault in self.faults]
        require(len(set(names)) == len(names), "faults", "each with a name of its own", names)
        rule = f"at most {FAULTS_MAX}"
        require(len(names) <= FAULTS_MAX, "faults", rule, len(names))
        most = _most_at_once(self.faults)
        rule = f"at most {AT_ONCE_MAX} in effect at once"
        require(most <= AT_ONCE_MAX, "faults", rule, most)


def _most_at_once(faults: tuple[Fault, ...]) -> int:
    """How many faults of a plan are in effect at once, where they are most."""
    # An end comes before a start of the same instant: -1 sorts before 1.
    changes = [(fault.start_s, 1) for fault in faults] + [(fault.end_s, -1) for fault in faults]
    in_effect = most = 0
    for _, by in sorted(changes):
        in_effect += by
        most = max(most, in_effect)
    return most
