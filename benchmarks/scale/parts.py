"""`python -m benchmarks.scale.parts`: what a cell costs beside its events, and what threads gain.

A step and a health check of a cell in which next to nothing happens, a page of a cell under the
design load, both by processor time, and eight cells by one thread and by two, in turn, by wall
time. Medians of some rounds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.bench import SEED
from exporter.metrics.series_text import TEXT
from exporter.server.exposition import Exposition
from simulator.cells.system import build_system
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import Topology

if TYPE_CHECKING:
    from simulator.cells.system import SimulatedSystem

IDLE = Plan(load=Load(rate=1.0))
"""A task a second in each cell."""
STEP_NS = 50_000_000
"""Of the pacer in real time."""
STEPS = 2000
CELLS = 20
PAGES = 30
THREADED_CELLS = 8
THREADED_S = 4.0


@dataclass(frozen=True)
class WorldClock:
    """The time of a world, which is then never behind."""

    world: SimulatedSystem

    def monotonic(self) -> float:
        """Return the world's time."""
        return self.world.now_s

    async def sleep(self, delay_s: float) -> None:
        """Nobody waits here."""


def step_us(cells: int, step_ns: int) -> float:
    """Return the microseconds of one step of one of so many cells."""
    system = build_system(replace(Topology(), cells=cells), IDLE, SEED)
    system.advance(1.0)
    steps = STEPS // cells
    started_s = time.process_time()
    for _ in range(steps):
        system.advance_ns(system.now_ns + step_ns)
    return 1e6 * (time.process_time() - started_s) / steps / cells


def page_ms() -> float:
    """Return the milliseconds of one page, text and gzip, a second after the last."""
    world = build_system(Topology(), Plan(), SEED)
    world.advance(1.0)
    shown = Exposition(world, WorldClock(world), version="1", scenario="cost")
    taken_s = 0.0
    for _ in range(PAGES):
        world.advance(world.now_s + 1.0)
        started_s = time.process_time()
        page = shown.scrape()
        if page is not None:
            page.body(TEXT, compressed=True)
        taken_s += time.process_time() - started_s
    return 1e3 * taken_s / PAGES


def threaded_s(workers: int) -> float:
    """Return the wall time of some seconds of eight cells by so many threads."""
    system = build_system(replace(Topology(), cells=THREADED_CELLS), Plan(), SEED, workers=workers)
    system.advance(1.0)
    started_s = time.monotonic()
    system.advance(1.0 + THREADED_S)
    return time.monotonic() - started_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale.parts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each (default 3)")
    rounds = range(max(parser.parse_args().rounds, 1))
    console = Console(highlight=False)
    step = median(step_us(CELLS, STEP_NS) for _ in rounds)
    console.print(f"a step of 50 ms: {step:.0f} microseconds a cell, health checks included")
    second = median(step_us(CELLS, 20 * STEP_NS) for _ in rounds)
    console.print(f"a step of 1 s and its health check: {second:.0f} microseconds a cell")
    console.print(f"a page, text and gzip: {median(page_ms() for _ in rounds):.1f} milliseconds")
    pairs = [(threaded_s(1), threaded_s(2)) for _ in rounds]
    alone, shared = (median(times) for times in zip(*pairs, strict=True))
    console.print(f"{THREADED_CELLS} cells: {alone:.2f} s by one thread, {shared:.2f} s by two")


if __name__ == "__main__":
    main()
