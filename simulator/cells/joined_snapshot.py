"""One reading of a whole system: the readings of its cells put together.

What counts is added up, CPUs stand side by side, the worst cell gives what has no sum. For people
who look at the whole and for what is compared with sums over all targets; each cell is scraped by
its own reading.
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import fsum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.kernel.snapshot_reader import frozen
from simulator.snapshot import DurationHistogram, ScrapePath

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulator.snapshot import FaultEffect, FaultStatus, Snapshot

ALIKE: Final = frozenset({"now_ns", "tiers", "priorities"}) | {"sandboxes"}
"""The same in every cell."""
WORST: Final = frozenset({"backpressure_level", "saturation"})
"""Of which the highest counts; everything else that is a number, or many, is added up."""


def join(cells: Sequence[Snapshot], seed: int, router: Iterable[FaultStatus]) -> Snapshot:
    """Return the reading of a system of these cells, all read at the same instant.

    A fault that is in effect in several cells is listed once, with what it did in the first.
    """
    faults: dict[str, FaultStatus] = {}
    for cell in cells:
        for status in cell.faults:
            faults.setdefault(status.name, status)
    values: dict[str, Any] = {
        "cpu_ns": frozen(np.concatenate([cell.cpu_ns for cell in cells])),
        "faults": (*faults.values(), *router),
        "exporter_up": any(cell.exporter_up for cell in cells),
        "scrape_path": ScrapePath(),
        "seed": seed,
        "cells": tuple(cells),
    }
    for field in fields(cells[0]):
        if field.name not in values and field.name not in ALIKE:
            parts = [getattr(cell, field.name) for cell in cells]
            values[field.name] = max(parts) if field.name in WORST else _sum(parts)
    return replace(cells[0], **values)


def join_effects(in_cells: Iterable[Iterable[FaultEffect]]) -> tuple[FaultEffect, ...]:
    """Return what faults did in each of several cells, with the number of the cell."""
    return tuple(
        replace(effect, cell=cell) for cell, effects in enumerate(in_cells) for effect in effects
    )


def _sum(parts: Sequence[Any]) -> object:
    """Return the sum of counts, tables of counts, or histograms."""
    if isinstance(parts[0], DurationHistogram):
        counts = frozen(sum(part.counts for part in parts))
        return DurationHistogram(counts, sum(part.sum_ns for part in parts))
    if isinstance(parts[0], float):
        return fsum(parts)
    return frozen(sum(parts)) if isinstance(parts[0], np.ndarray) else sum(parts)
