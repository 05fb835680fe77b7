"""`serve` at the design load under a real Prometheus: its rates must be the world's own.

Run as `python -m benchmarks.serve --minutes 10`. It starts `serve`, scrapes it every second, and
afterwards simulates the same world in virtual time: every scraped count must be the world's at that
very instant, and the rate of every 10-second window within 1 % of the world's. Exit status 1 when a
limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from agentaskit_sim.scenario_choice import baseline
from benchmarks.scraper import Scraper
from simulator.topology import Topology
from verifier.real_time.world import build_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.snapshot import Snapshot

    Reals = NDArray[np.float64]

SETTLE_S: Final = 12.0
"""Waited before the measured span, so that its first rate window is full of scrapes."""
WINDOW_S: Final = 10.0
RATE_ERROR_MAX: Final = 0.01
CPU_SHARE_MAX: Final = 0.25
GAP_MAX_S: Final = 1.1
"""A scrape a second, and a tenth for a machine that does something else as well."""
START_TIMEOUT_S: Final = 120.0
ENDS_WITHIN_S: Final = 60.0
VIRTUAL_TIME: Final = "agentaskit_sim_time_seconds"
COUNTS: Final = {
    "tasks": "agentaskit_tasks_processed_total",
    "messages": "agentaskit_inter_agent_messages_total",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the result."""

    name: str
    measured: str
    limit: str
    ok: bool


def report_checks(checks: Sequence[Check]) -> int:
    """Print a line for each check; return the exit status, 1 when a limit is exceeded."""
    for check in checks:
        verdict = "ok" if check.ok else "FAILED"
        print(f"{check.name:<58}{check.measured:>24}{check.limit:>14}  {verdict}")
    return 0 if all(check.ok for check in checks) else 1


class Serve:
    """`agentaskit-sim serve` as a process, which ends with the `with` block."""

    def __init__(self, *options: str) -> None:
        """Start it on a free port, with further `options`; wait until it prints its address."""
        command = [sys.executable, "-m", "agentaskit_sim", "serve", "--port", "0", *options]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None  # noqa: S101 - for the type checker: stdout is a pipe
        self.target = ""
        for line in self.process.stdout:
            address = re.match(r"Metrics:\s+http://([^/]+)/", line)
            if address:
                self.target = address.group(1)
                break

    def __enter__(self) -> Self:
        """Raise RuntimeError when it has not started."""
        if not self.target:
            raise RuntimeError(f"serve ended with status {self.process.wait()}")
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop it as Ctrl-C would; one that does not end on a busy machine is killed."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise

    def cpu_s(self) -> float:
        """Return the CPU time it has used so far, user and system (Linux)."""
        return process_cpu_s(self.process.pid)


def process_cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used so far, user and system (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def count(snapshot: Snapshot) -> tuple[int, int]:
    """Return tasks processed and messages delivered so far."""
    return int(snapshot.tasks_processed.sum()), int(snapshot.messages_delivered.sum())


def replay_counts(virtual_s: Reals) -> NDArray[np.int64]:
    """Return the counts of the same world at the given instants. Shape (instants, 2)."""
    world = build_world(baseline(Topology()))
    counts = np.empty((len(virtual_s), 2), dtype=np.int64)
    for place in np.argsort(virtual_s):
        world.advance_ns(round(float(virtual_s[place]) * 1e9))
        counts[place] = count(world.snapshot())
    return counts


def sum_scraped(prometheus: Scraper, name: str, at_s: float, span_s: int) -> Reals:
    """Return the sum over all series of `name` at each scrape of the span."""
    series = prometheus.query(f"{name}[{span_s}s]", at_s)
    values: Reals = np.array([[value for _, value in samples.points] for samples in series])
    return np.asarray(values.sum(axis=0))


def measure_rates(prometheus: Scraper, edges_s: Reals) -> Reals:
    """Return Prometheus's rates over the window that ends at each edge. Shape (windows, 2)."""
    rates = []
    for name in COUNTS.values():
        expr = f"sum(rate({name}[{WINDOW_S:g}s]))"
        (series,) = prometheus.query_range(expr, edges_s[1], edges_s[-1], WINDOW_S)
        rates.append([value for _, value in series.points])
    return np.array(rates).T


def check_scrapes(prometheus: Scraper, end_s: float, span_s: int) -> list[Check]:
    """Whether every second was scraped, and every page had the same series."""
    (up,) = prometheus.query(f"up[{span_s}s]", end_s)
    (samples,) = prometheus.query(f"scrape_samples_scraped[{span_s}s]", end_s)
    up_s = np.array([at for at, _ in up.points])
    missed = round(up_s[-1] - up_s[0]) + 1 - len(up_s) + sum(v != 1 for _, v in up.points)
    gap_s = float(np.diff(up_s).max())
    numbers = {value for _, value in samples.points}
    return [
        Check("scrapes", f"{len(up_s)} in {up_s[-1] - up_s[0]:.0f} s", "", ok=True),
        Check("scrapes missed or failed", f"{missed}", "0", missed == 0),
        Check("longest gap between scrapes", f"{gap_s:.3f} s", f"{GAP_MAX_S} s",
              gap_s <= GAP_MAX_S),
        Check("series per scrape", f"{numbers}", "one number", len(numbers) == 1),
    ]  # fmt: skip


def check_against_replay(prometheus: Scraper, end_s: float, span_s: int) -> list[Check]:
    """Compare counts and rates of the last `span_s` with those of the same world, simulated."""
    (clock,) = prometheus.query(f"{VIRTUAL_TIME}[{span_s}s]", end_s)
    at_s, virtual_s = np.array(clock.points).T
    # Prometheus's windows end at Unix times; the world's clock stands this far behind them.
    offset_s = float(np.median(at_s - virtual_s))
    edges_s = np.arange(end_s - span_s + 1, end_s, WINDOW_S)
    counts = replay_counts(np.concatenate([virtual_s, edges_s - offset_s]))
    scraped = [sum_scraped(prometheus, name, end_s, span_s) for name in COUNTS.values()]
    unequal = int((counts[: len(virtual_s)] != np.array(scraped).T).sum())
    own_rates = np.diff(counts[len(virtual_s) :], axis=0) / WINDOW_S
    return [
        Check("scraped counts that differ", f"{unequal} of {2 * len(virtual_s)}", "0",
              unequal == 0),
        *check_rates(measure_rates(prometheus, edges_s), own_rates),
    ]  # fmt: skip


def check_rates(rates: Reals, own_rates: Reals) -> list[Check]:
    """Compare Prometheus's rates with the world's own, window by window. Shapes (windows, 2)."""
    errors = np.abs(rates / own_rates - 1)
    checks = []
    for column, what in enumerate(COUNTS):
        worst, median = float(errors[:, column].max()), float(np.median(errors[:, column]))
        low, high = rates[:, column].min(), rates[:, column].max()
        checks += [
            Check(f"{what}/s over {WINDOW_S:g} s", f"{low:,.0f} to {high:,.0f}", "", ok=True),
            Check(f"{what}/s against the world's own, worst of {len(rates)} windows",
                  f"{worst:.2%}, median {median:.2%}", f"{RATE_ERROR_MAX:.0%}",
                  worst <= RATE_ERROR_MAX),
        ]  # fmt: skip
    return checks


def check_load(prometheus: Scraper, end_s: float, span_s: int, cpu_share: float) -> list[Check]:
    """What it cost to keep up: CPU, and how late the world and the event loop were."""
    lag_s = worst(prometheus, "agentaskit_sim_loop_lag_max_seconds", end_s, span_s)
    drift_s = worst(prometheus, "agentaskit_sim_clock_drift_seconds", end_s, span_s)
    return [
        Check("CPU of serve, share of one core", f"{cpu_share:.1%}", f"{CPU_SHARE_MAX:.0%}",
              cpu_share < CPU_SHARE_MAX),
        Check("worst clock drift at a scrape", f"{drift_s * 1000:.1f} ms", "", ok=True),
        Check("worst lag of the event loop", f"{lag_s * 1000:.1f} ms", "", ok=True),
    ]  # fmt: skip


def worst(prometheus: Scraper, name: str, at_s: float, span_s: int) -> float:
    """Return the highest value that was scraped in the `span_s` seconds before."""
    series = prometheus.query(f"{name}[{span_s}s]", at_s)
    return max(value for samples in series for _, value in samples.points)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to scrape")
    minutes = parser.parse_args(arguments).minutes
    span_s = max(int(minutes * 60), 2 * int(WINDOW_S) + 2)
    with Serve() as serve, Scraper({"agentaskit": serve.target}) as prometheus:
        prometheus.wait_for("up == 1")
        time.sleep(SETTLE_S)
        cpu_before_s, started_s = serve.cpu_s(), time.monotonic()
        time.sleep(span_s)
        cpu_share = (serve.cpu_s() - cpu_before_s) / (time.monotonic() - started_s)
        # Half a second ago: the scrape of this second may not have been stored yet.
        end_s = time.time() - 0.5
        checks = [
            *check_scrapes(prometheus, end_s, span_s),
            *check_against_replay(prometheus, end_s, span_s),
            *check_load(prometheus, end_s, span_s, cpu_share),
        ]
    return report_checks(checks)


if __name__ == "__main__":
    sys.exit(main())
