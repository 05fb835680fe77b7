"""`python -m benchmarks.scale.cost`: what one task or message costs in 1, 10, 100 and 1,000 cells.

Each system in a process of its own, on one core, by processor time; rounds alternate, so that a
machine that slows down slows all of them, and medians are compared. A cell draws its numbers for
many tasks at once, and is measured for whole draws: eleven million events over all cells, eighteen
times as many in a thousand. Written to `latest.json` under `scale`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.bench import LATEST, SEED, save, stay_on_one_core
from simulator.cells.system import build_system
from simulator.kernel.state import BLOCK
from simulator.load import BASE_RATE_PER_S
from simulator.plan import Plan
from simulator.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.cells.system import SimulatedSystem

CELLS = (1, 10, 100, 1000)
DRAW_S = BLOCK / BASE_RATE_PER_S
"""Virtual seconds for which a cell draws at once: less would measure none, or one too many."""
CELL_DRAWS = 61
"""Over all cells, but one for each: at least eleven million tasks and messages in each round."""
WARM_UP_S = 1.0


def measure_here(cells: int) -> dict[str, float]:
    """Simulate a system of so many cells in this process; return its figures."""
    stay_on_one_core()
    memory_before = _resident_bytes()
    system = build_system(replace(Topology(), cells=cells), Plan(), SEED)
    system.advance(WARM_UP_S)
    memory = (_resident_bytes() - memory_before) / cells
    length_s = max(CELL_DRAWS // cells, 1) * DRAW_S
    before, started_s = _events(system), time.process_time()
    system.advance(WARM_UP_S + length_s)
    took_s = time.process_time() - started_s
    return {
        "cells": cells,
        "ns_per_event": 1e9 * took_s / (_events(system) - before),
        "times_real_time": length_s / took_s,
        "bytes_per_cell": memory,
    }


def _events(system: SimulatedSystem) -> int:
    """Return how many tasks have arrived and messages have been sent."""
    readings = [cell.snapshot() for cell in system.cells]
    return sum(int(each.tasks_arrived.sum()) + each.messages_sent for each in readings)


def _resident_bytes() -> int:
    """Return the memory of this process that is there, from Linux."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def measure(cells: Sequence[int], rounds: int, console: Console) -> list[dict[str, Any]]:
    """Return the medians of each system, smallest first."""
    measured: dict[int, list[dict[str, float]]] = {count: [] for count in cells}
    for number in range(rounds):
        for count in cells:
            command = [sys.executable, "-m", "benchmarks.scale.cost", "--here", str(count)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            measured[count].append(json.loads(done.stdout))
            cost = measured[count][-1]["ns_per_event"]
            console.print(f"round {number + 1} of {rounds}: {count} cells, {cost:.1f} ns an event")
    return [
        {
            "cells": count,
            **{
                name: median(each[name] for each in measured[count])
                for name in ("ns_per_event", "times_real_time", "bytes_per_cell")
            },
        }
        for count in sorted(measured)
    ]


def print_table(figures: Sequence[dict[str, Any]], console: Console) -> None:
    """Print the figures, each beside that of the smallest system."""
    table = Table(
        "cells", "agents", "ns per event", "of one cell's", "times real time", "MB per cell",
        box=SIMPLE_HEAD,
    )  # fmt: skip
    for each in figures:
        table.add_row(
            f"{each['cells']:,}", f"{each['cells'] * Topology().fleet:,}",
            f"{each['ns_per_event']:.1f}",
            f"{each['ns_per_event'] / figures[0]['ns_per_event']:.2f}",
            f"{each['times_real_time']:.4g}", f"{each['bytes_per_cell'] / 1e6:.1f}",
        )  # fmt: skip
    console.print(table)


def main() -> None:
    """Measure, print, save beside what `make bench` has measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale.cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each (default 3)")
    parser.add_argument("--cells", type=int, nargs="+", default=list(CELLS), help="how many")
    parser.add_argument("--here", type=int, help="measure so many cells in this process alone")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure_here(options.here)))
        return
    console = Console()
    figures = measure(options.cells, max(options.rounds, 1), console)
    print_table(figures, console)
    latest = json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.exists() else {}
    save({**latest, "scale": figures}, LATEST)
    console.print(f"saved to {LATEST}", soft_wrap=True)


if __name__ == "__main__":
    main()
