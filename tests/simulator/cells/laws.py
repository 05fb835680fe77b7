"""What must hold between cells and their router at every instant, and in sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.cells.system import CellSystem


def broken_laws_of_router(system: CellSystem) -> list[str]:
    """Return what does not hold between router and cells at this instant."""
    shares = system.shares
    count = len(system.cells)
    cells = [cell.snapshot() for cell in system.cells]
    whole = system.snapshot()
    up = [cell.cell_reading.up for cell in system.cells]
    laws = {
        "the shares' mean is 1": abs(sum(shares) - count) < 1e-9 * count,
        "no share is negative": min(shares) >= 0,
        "the system's arrivals are its cells'": whole.tasks_arrived.sum()
        == sum(cell.tasks_arrived.sum() for cell in cells),
        "the system's answers are its cells'": whole.http_requests.sum()
        == sum(cell.http_requests.sum() for cell in cells),
        "the system's agents are its cells'": whole.agents.sum() == count * system.topology.fleet,
        "cells stand at one instant": {cell.now_ns for cell in cells} == {system.now_ns},
        "a cell that has no health gets nothing": all(
            share == 0
            for share, health in zip(shares, system.router.health, strict=True)
            if health == 0 and max(system.router.health) > 0
        ),
        "no exporter of a cell that is down is up": not any(
            cell.exporter_up for cell, is_up in zip(cells, up, strict=True) if not is_up
        ),
    }
    return [law for law, holds in laws.items() if not holds]
