"""`python -m benchmarks.scale.cluster`: suites by `--jobs 2`, and by a cluster of 2 workers.

The bundled library, and a small scenario on many seeds; a scheduler and its workers are real
processes on loopback. What is first is second in the next round. Says wall time
and processor time (of all processes, the cluster's included) of each, their ratios, and whether
the verdicts are the same; `--kill` kills a worker in the middle of every run on the cluster. Needs
the program prometheus and the extra `cluster`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WORKERS = 2
WALL_RATIO_MAX = 1.1
TIMES = ("wall_s", "times_real_time")
HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """What one run took, and its verdict but for what no two runs have in common."""

    wall_s: float
    processor_s: float
    verdict: dict[str, Any]


def measure(words: Sequence[str], of_cluster_s: Callable[[], float]) -> Measured:
    """Run `verify` with these words; raise for one that judged nothing."""
    with tempfile.TemporaryDirectory(prefix="agentaskit-sim-cluster-") as folder:
        command = [sys.executable, "-m", "agentaskit_sim", "verify", *words, "--out", folder]
        before, started_s = _children_s() + of_cluster_s(), time.monotonic()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall_s = time.monotonic() - started_s
        processor_s = _children_s() + of_cluster_s() - before
        verdict = json.loads((Path(folder) / "verdict.json").read_text(encoding="utf-8"))
    del verdict["run"]
    for scenario in verdict["scenarios"]:
        for name in TIMES:
            del scenario[name]
    return Measured(wall_s, processor_s, verdict)


def _children_s() -> float:
    """Return the processor seconds of all processes that this one began and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of_process_s(pid: int) -> float:
    """Return the processor seconds of a process and of those that it began and that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


class Cluster:
    """A scheduler in this process, and workers in processes of their own."""

    def __init__(self, workers: int) -> None:
        """Start it on loopback."""
        from distributed import LocalCluster  # noqa: PLC0415 - an extra that may be missing

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # workers are ended, or killed
        make: Any = LocalCluster
        self.running = make(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        )
        self.address: str = self.running.scheduler_address

    def pids(self) -> list[int]:
        """Return the workers' processes."""
        nannies = self.running.workers.values()
        return [nanny.pid for nanny in nannies if nanny.pid is not None]

    def processor_s(self) -> float:
        """Return what scheduler and workers have taken so far."""
        return time.process_time() + sum(map(_of_process_s, self.pids()))

    def kill_one_after(self, seconds: float) -> None:
        """Kill a worker, with all that it holds, so many seconds from now."""
        threading.Timer(seconds, lambda: os.kill(self.pids()[0], signal.SIGKILL)).start()


def compare(
    suites: dict[str, list[str]], rounds: int, kill_s: float | None, console: Console
) -> dict[str, dict[str, list[Measured]]]:
    """Return what each suite took by `--jobs` and on the cluster, in every round."""
    taken: dict[str, dict[str, list[Measured]]] = {
        name: {"jobs": [], "cluster": []} for name in suites
    }
    cluster = Cluster(WORKERS)
    with cluster.running:
        for number in range(rounds):
            for name, words in suites.items():
                ways = {
                    "jobs": [*words, "--jobs", str(WORKERS)],
                    "cluster": [*words, "--cluster", cluster.address],
                }
                for way in sorted(ways, reverse=number % 2 == 0):
                    if way == "cluster" and kill_s is not None:
                        cluster.kill_one_after(kill_s)
                    measured = measure(ways[way], cluster.processor_s)
                    taken[name][way].append(measured)
                    console.print(
                        f"round {number + 1} of {rounds}: {name} by {way}: {measured.wall_s:.1f} s,"
                        f" processor time {measured.processor_s:.1f} s"
                    )
    return taken


def print_table(taken: dict[str, dict[str, list[Measured]]], console: Console) -> bool:
    """Print medians and ratios; return whether verdicts are the same and the wall time is kept."""
    table = Table(
        "suite", "runs", "wall s, jobs", "cluster", "ratio", "processor s, jobs", "cluster",
        "ratio", "verdicts", box=SIMPLE_HEAD,
    )  # fmt: skip
    good = True
    for name, ways in taken.items():
        wall = [median(each.wall_s for each in ways[way]) for way in ("jobs", "cluster")]
        cpu = [median(each.processor_s for each in ways[way]) for way in ("jobs", "cluster")]
        verdicts = [each.verdict for way in ways.values() for each in way]
        same = all(each == verdicts[0] for each in verdicts)
        good = good and same and wall[1] <= WALL_RATIO_MAX * wall[0]
        table.add_row(
            name, str(len(verdicts[0]["scenarios"])),
            f"{wall[0]:.1f}", f"{wall[1]:.1f}", f"{wall[1] / wall[0]:.3f}",
            f"{cpu[0]:.1f}", f"{cpu[1]:.1f}", f"{cpu[1] / cpu[0]:.3f}",
            "the same" if same else "DIFFER",
        )  # fmt: skip
    console.print(table)
    return good


def main() -> None:
    """Measure, print; status 1 when a verdict differs or the cluster takes more than 1.1 times."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale.cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="rounds for each (default 1)")
    parser.add_argument("--seeds", default="1..200", help="of the small scenario (1..200)")
    parser.add_argument("--only", choices=["library", "seeds"], help="one of the two suites")
    parser.add_argument("--scenarios", nargs="*", default=[], help="instead of the whole library")
    parser.add_argument("--kill", type=float, metavar="S", help="kill a worker after so long")
    options = parser.parse_args()
    small = str(HERE / "near-boundary")
    suites = {
        "library": options.scenarios,
        "seeds": [
            f"{small}.yaml", "--rules", f"{small}.rules.yaml",
            "--dashboards", f"{small}.board.json", "--seeds", options.seeds,
        ],
    }  # fmt: skip
    if options.only:
        suites = {options.only: suites[options.only]}
    console = Console(width=120)
    taken = compare(suites, max(options.rounds, 1), options.kill, console)
    sys.exit(not print_table(taken, console))


if __name__ == "__main__":
    main()
