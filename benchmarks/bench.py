"""`make bench`: the speed of the world beside a SimPy model of the same system, on one core.

Rounds alternate between the models, so that a machine that slows down slows all of them; medians
are compared. The world's rounds record every metric every 15 virtual seconds, as a judged run does.
Compilation is timed in processes of their own, with a cache that starts empty.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.simpy_bus import ArithmeticBus, EventBus
from benchmarks.simpy_world import SimpyWorld
from exporter.metrics.catalogue import catalogue_world
from simulator.load import BASE_RATE_PER_S
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST = Path(__file__).parent / "latest.json"
SCRAPE_S = 15
"""Virtual seconds between two recordings: the scrape interval of a judged scenario."""
SEED = 42
QUIET_SHARE = 0.95
"""With less of its core than this a model was disturbed, and the figures say little."""
LIMITS = {"world": 150.0, "ratio": 100.0, "cold_s": 20.0, "from_cache_s": 1.0}
MODELS = ("world", "simpy", "simpy_arithmetic")
FIRST_STEP = """
import time
start = time.perf_counter()
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
imported = time.perf_counter()
world = World(Topology(), Plan(), seed=42)
world.advance(0.2)
world.snapshot()
print(imported - start, time.perf_counter() - imported)
"""


@dataclass(slots=True)
class Contender:
    """A model under test: `advance` takes it to a virtual time; a round is `round_s` of it."""

    title: str
    advance: Callable[[float], None]
    counts: Callable[[], tuple[int, int]]
    round_s: float
    now_s: float = 0.0
    times_real_time: list[float] = field(default_factory=list)
    core_shares: list[float] = field(default_factory=list)

    def run_round(self) -> float:
        """Simulate `round_s` more seconds; keep and return how many times real time that was."""
        start, start_cpu = time.perf_counter(), time.process_time()
        self.now_s += self.round_s
        self.advance(self.now_s)
        took_s = time.perf_counter() - start
        self.times_real_time.append(self.round_s / took_s)
        self.core_shares.append((time.process_time() - start_cpu) / took_s)
        return self.times_real_time[-1]

    def report(self) -> dict[str, Any]:
        """Return median and rounds, its share of a core, and the load that it really carried."""
        tasks, messages = self.counts()
        return {
            "times_real_time": median(self.times_real_time),
            "rounds": self.times_real_time,
            "core_share": median(self.core_shares),
            "round_virtual_s": self.round_s,
            "tasks_per_s": tasks / self.now_s,
            "messages_per_s": messages / self.now_s,
        }


def world_contender() -> Contender:
    """Build the simulator's own world at the design load, every metric recorded at every scrape."""
    world = World(Topology(), Plan(), seed=SEED)
    catalogue = catalogue_world(world.snapshot())

    def advance(until_s: float) -> None:
        while world.now_s < until_s:
            world.advance(min(world.now_s + SCRAPE_S, until_s))
            catalogue.flatten(world.snapshot())

    def counts() -> tuple[int, int]:
        snapshot = world.snapshot()
        return int(snapshot.tasks_processed.sum()), int(snapshot.messages_delivered.sum())

    title = f"world, {len(catalogue.series)} series recorded"
    return Contender(title, advance, counts, round_s=8.0 * SCRAPE_S)


def simpy_contender(title: str, bus: type[EventBus | ArithmeticBus]) -> Contender:
    """Build the peer at the same load."""
    model = SimpyWorld(Topology(), rate_per_s=BASE_RATE_PER_S, seed=SEED, bus=bus)
    return Contender(title, model.advance, lambda: (model.completed, model.bus.sent), round_s=2.0)


def time_compilation() -> dict[str, float]:
    """Return the seconds until a first step is done: with an empty cache, then with a full one."""
    with tempfile.TemporaryDirectory(prefix="agentaskit-sim-bench-") as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        timed = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", FIRST_STEP],
                env=environment, cwd=Path(__file__).parents[1],
                check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            timed.append([float(part) for part in done.stdout.split()])
    return {"cold_s": timed[0][1], "from_cache_s": timed[1][1], "import_s": timed[1][0]}


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line for line in lines if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_before": os.getloadavg()[0],
    }


def stay_on_one_core() -> bool:
    """Pin this process to one core where the system can; True when it is pinned."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return True


def measure(rounds: int, console: Console) -> dict[str, Any]:
    """Run the benchmark and return the document that is saved."""
    surroundings = machine()
    console.print("compiling with an empty cache, then from the cache ...")
    compilation = time_compilation()
    surroundings["pinned_to_one_core"] = stay_on_one_core()
    contenders = {
        "world": world_contender(),
        "simpy": simpy_contender("SimPy", EventBus),
        "simpy_arithmetic": simpy_contender("SimPy, no event for messages", ArithmeticBus),
    }
    # A first second outside the rounds compiles and fills what is filled once.
    for contender in contenders.values():
        contender.now_s = 1.0
        contender.advance(1.0)
    for number in range(rounds):
        speeds = [f"{contender.run_round():.4g}x" for contender in contenders.values()]
        console.print(f"round {number + 1} of {rounds}: {', '.join(speeds)} real time")
    reports = {name: contender.report() for name, contender in contenders.items()}
    for name, contender in contenders.items():
        reports[name]["title"] = contender.title
    speed = {name: report["times_real_time"] for name, report in reports.items()}
    return {
        **reports,
        "ratio": speed["world"] / speed["simpy"],
        "ratio_arithmetic": speed["world"] / speed["simpy_arithmetic"],
        "compilation": compilation,
        "machine": surroundings,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numba", "numpy", "simpy", "agentaskit-sim")},
        },
    }


def print_tables(document: dict[str, Any], console: Console) -> None:
    """Print what was measured, and beside it the limits."""
    speeds = Table("model", "times real time", "rounds", "tasks/s", "messages/s", box=SIMPLE_HEAD)
    for name in MODELS:
        model = document[name]
        speeds.add_row(
            model["title"], f"{model['times_real_time']:.4g}",
            f"{min(model['rounds']):.4g} to {max(model['rounds']):.4g}",
            f"{model['tasks_per_s']:,.0f}", f"{model['messages_per_s']:,.0f}",
        )  # fmt: skip
    console.print(speeds)
    share = min(document[name]["core_share"] for name in MODELS)
    if share < QUIET_SHARE:
        console.print(f"the machine was busy: the benchmark got only {share:.0%} of a core\n")
    measured = {
        "world": document["world"]["times_real_time"],
        **{name: document[name] for name in ("ratio", "ratio_arithmetic")},
        **{name: document["compilation"][name] for name in ("cold_s", "from_cache_s")},
    }
    texts = {
        "world": ("world, times real time", "at least"),
        "ratio": ("world over SimPy", "at least"),
        "ratio_arithmetic": ("world over SimPy, no event for messages", ""),
        "cold_s": ("first compilation, seconds", "at most"),
        "from_cache_s": ("the same from cache, seconds", "at most"),
    }
    summary = Table("", "measured", "limit", "holds", box=SIMPLE_HEAD)
    for name, (text, bound) in texts.items():
        limit = f"{bound} {LIMITS[name]:g}" if bound else ""
        holds = bound and (measured[name] >= LIMITS[name]) == (bound == "at least")
        word = ("yes" if holds else "no") if bound else ""
        summary.add_row(text, f"{measured[name]:.4g}", limit, word)
    console.print(summary)


def save(document: dict[str, Any], path: Path) -> None:
    """Write the document whole or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, suffix=".tmp") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    Path(file.name).replace(path)


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each model (default 7)")
    rounds = max(parser.parse_args().rounds, 1)
    console = Console()
    document = measure(rounds, console)
    print_tables(document, console)
    save(document, LATEST)
    console.print(f"saved to {LATEST}", soft_wrap=True)


if __name__ == "__main__":
    main()
