"""What a mapping can be made of: every metric of the world, by the name that it has with us.

Beside the metrics themselves stand `_count` and `_sum` of each histogram, which are counters too.
Called by the reader of mapping files and by `mapping quantities`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from exporter.metrics.catalogue import WORLD

if TYPE_CHECKING:
    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot
    from simulator.topology import Topology

PARTS: Final = ("_count", "_sum")
KINDS: Final = {
    "counter": ("counter",),
    "unknown": ("counter",),
    "gauge": ("gauge",),
    "histogram": ("histogram",),
}
"""Of which types a metric can be that is made of a quantity of ours."""

Values: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Axes:
    """The names that label values are made of, as a snapshot has them."""

    tiers: Values
    priorities: Values
    sandboxes: Values
    cpu_ns: Values


def axes_of(topology: Topology) -> Snapshot:
    """Return the names in a world of `topology`, for what reads nothing else of a snapshot."""
    axes = _Axes(
        tuple(tier.name for tier in topology.tiers),
        tuple(priority.name for priority in topology.priorities),
        tuple(pool.name for pool in topology.sandboxes),
        ("",) * (topology.hosts * topology.cpus_per_host),
    )
    return cast("Snapshot", axes)


@dataclass(frozen=True, slots=True)
class WorldQuantity:
    """A quantity of the world: the metric that it is with us, and which part of a histogram."""

    metric: Metric[Snapshot]
    part: str = ""

    @property
    def name(self) -> str:
        """The name under which a mapping calls it."""
        return self.metric.name + self.part

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types that a metric made of it can have."""
        return ("counter",) if self.part else KINDS[self.metric.kind]

    def label_values(self, topology: Topology) -> dict[str, Values]:
        """Return its labels, each with its values in `topology`."""
        axes = axes_of(topology)
        return {label.name: label.values(axes) for label in self.metric.labels}


def quantities() -> dict[str, WorldQuantity]:
    """Return all quantities by their names, in the catalogue's order."""
    every = [
        quantity
        for metric in WORLD
        if not metric.clock
        for quantity in (
            WorldQuantity(metric),
            *(WorldQuantity(metric, part) for part in PARTS if metric.kind == "histogram"),
        )
    ]
    return {quantity.name: quantity for quantity in every}
