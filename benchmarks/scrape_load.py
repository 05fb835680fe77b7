"""Scrapes under load: our server beside a plain prometheus_client exporter of the same series.

Run as `python -m benchmarks.scrape_load`. In one run: 50 scrapers a second on a short and on a long
page, on both servers in turn; then 400 at once, while a real Prometheus scrapes too; then hostile
clients beside patient ones. Prints latencies, their ratios, and how far behind the world was. Exit
status 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import Request, urlopen

import uvloop

from benchmarks.scrape_clients import (
    PLAIN_REQUEST,
    ScrapeClient,
    Tally,
    misbehave_together,
    scrape_regularly,
)
from benchmarks.scraper import Scraper
from benchmarks.serve import Check, Serve
from exporter.metrics.page import OPENMETRICS_RANGE
from exporter.server.fault_api.guard import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

P99_MAX_MS: Final = 30.0
LAG_MAX_MS: Final = 20.0
DRIFT_MAX_MS: Final = 50.0
CUT_WITHIN_S: Final = 15.0
MEMORY_GROWTH_MAX_MB: Final = 64.0
LOOP_LAG: Final = "agentaskit_sim_loop_lag_seconds"
DRIFT: Final = "agentaskit_sim_clock_drift_seconds"
SETTLE_S: Final = 5.0
"""Waited at first: a process that has just started compiles and reads what it needs once."""
TURNS: Final = 3
"""The two servers are measured in turns, so that what else the machine does meets both."""

Address = tuple[str, int]


@dataclass(slots=True)
class WorldWatch:
    """What the world's own page says of its pace, asked four times a second."""

    lags_ms: list[float] = field(default_factory=list)
    drifts_ms: list[float] = field(default_factory=list)

    async def run(self, address: Address) -> None:
        """Ask until cancelled."""
        client = ScrapeClient(*address)
        while True:
            page = (await client.scrape(PLAIN_REQUEST)).decode()
            self.lags_ms.append(1000 * value_of(page, LOOP_LAG))
            self.drifts_ms.append(1000 * value_of(page, DRIFT))
            await asyncio.sleep(0.25)


def value_of(page: str, series: str) -> float:
    """Return the value of a series on a page."""
    return float(page.partition(f"\n{series} ")[2].partition("\n")[0])


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile of `values`."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def fetch(address: Address) -> str:
    """Return the page as OpenMetrics."""
    url, headers = "http://{}:{}/metrics".format(*address), {"Accept": OPENMETRICS_RANGE}
    request = Request(url, headers=headers)  # noqa: S310 - a loopback address
    with urlopen(request) as answer:  # noqa: S310 - a loopback address
        return str(answer.read().decode())


def count_series(page: str) -> int:
    """Return the number of series on a page."""
    return sum(not line.startswith("#") for line in page.splitlines())


def lengthen(address: Address, series: int) -> list[Check]:
    """Let a cardinality burst fill the page up to `series`; nothing is checked."""
    further = series - count_series(fetch(address))
    fault = {"fault": "cardinality_burst", "parameters": {"series": further}, "duration": "1h"}
    url, headers = "http://{}:{}/api/v1/faults".format(*address), {"Content-Type": JSON}
    request = Request(url, json.dumps(fault).encode(), headers)  # noqa: S310 - a loopback address
    urlopen(request).close()  # noqa: S310 - a loopback address
    return []


@contextmanager
def plain_exporter(page: str) -> Iterator[Address]:
    """Give the address of a plain exporter of the series on `page`."""
    with tempfile.NamedTemporaryFile("w", suffix=".om", encoding="utf-8") as file:
        file.write(page)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.plain_exporter", file.name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.kill()
            process.communicate()


async def take_turns(
    ours: Address, peer: Address, clients: int, seconds: float
) -> tuple[Tally, Tally, WorldWatch]:
    """Scrape both servers in turns for `seconds` each; watch the world while ours is scraped."""
    tallies, watch = (Tally(), Tally()), WorldWatch()
    for _ in range(TURNS):
        for address, tally in zip((ours, peer), tallies, strict=True):
            watching = asyncio.create_task(watch.run(ours)) if address is ours else None
            met = await scrape_regularly(address, clients, seconds / TURNS)
            if watching:
                watching.cancel()
            tally.latencies_s += met.latencies_s
            tally.errors += met.errors
            tally.bytes_read += met.bytes_read
    return *tallies, watch


def check_pages(ours: Address, clients: int, seconds: float) -> list[Check]:
    """Compare both servers on the page as it is."""
    page = fetch(ours)
    with plain_exporter(page) as peer:
        mine, its, watch = uvloop.run(take_turns(ours, peer, clients, seconds))
    of = f"{count_series(page):,} series, {clients} x 1 Hz"
    p99_ms, lag_ms = mine.quantile_ms(0.99), quantile(watch.lags_ms, 0.99)
    drift_ms = max(watch.drifts_ms)
    ratio = its.quantile_ms(0.5) / mine.quantile_ms(0.5)
    ratio_99 = its.quantile_ms(0.99) / p99_ms
    return [
        Check(f"{of}: errors", f"{mine.errors} of {len(mine.latencies_s)}", "0", mine.errors == 0),
        Check(f"{of}: median", f"{mine.quantile_ms(0.5):.1f} ms", "", ok=True),
        Check(f"{of}: p99", f"{p99_ms:.1f} ms", f"{P99_MAX_MS:g} ms", p99_ms <= P99_MAX_MS),
        Check(f"{of}: loop lag p99", f"{lag_ms:.1f} ms", f"{LAG_MAX_MS:g} ms",
              lag_ms <= LAG_MAX_MS),
        Check(f"{of}: world behind, worst", f"{drift_ms:.1f} ms", f"{DRIFT_MAX_MS:g} ms",
              drift_ms <= DRIFT_MAX_MS),
        Check(f"{of}: plain exporter, errors", f"{its.errors}", "", ok=True),
        Check(f"{of}: plain exporter, median", f"{its.quantile_ms(0.5):.1f} ms", "", ok=True),
        Check(f"{of}: plain exporter, p99", f"{its.quantile_ms(0.99):.1f} ms", "", ok=True),
        Check(f"{of}: plain / ours, median and p99", f"{ratio:.1f} and {ratio_99:.1f}", "",
              ok=True),
    ]  # fmt: skip


def check_crowd(serve: Serve, ours: Address, clients: int, seconds: float) -> list[Check]:
    """Let many scrape at the same instant while a real Prometheus does, too."""
    with Scraper({"agentaskit": serve.target}) as prometheus:
        prometheus.wait_for("up == 1")
        tally = uvloop.run(scrape_regularly(ours, clients, seconds, together=True))
        time.sleep(1)
        (up,) = prometheus.query(f"up[{int(seconds)}s]")
    down = sum(value != 1 for _, value in up.points)
    of = f"{clients} at the same instant"
    return [
        Check(f"{of}: errors", f"{tally.errors} of {len(tally.latencies_s)}", "0",
              tally.errors == 0),
        Check(f"{of}: median and p99", f"{tally.quantile_ms(0.5):.0f} and "
              f"{tally.quantile_ms(0.99):.0f} ms", "", ok=True),
        Check(f"{of}: scrapes of Prometheus with up 0", f"{down} of {len(up.points)}", "0",
              down == 0),
    ]  # fmt: skip


def check_hostile(serve: Serve, ours: Address, each: int) -> list[Check]:
    """Let hostile clients come while others scrape."""
    seconds = CUT_WITHIN_S + 5

    async def run() -> tuple[dict[str, list[float | None]], Tally, float]:
        peak_mb = 0.0

        async def watch() -> None:
            nonlocal peak_mb
            while True:
                peak_mb = max(peak_mb, memory_mb(serve.process.pid))
                await asyncio.sleep(0.2)

        watching = asyncio.create_task(watch())
        cut, tally = await asyncio.gather(
            misbehave_together(ours, each, seconds), scrape_regularly(ours, 20, seconds)
        )
        watching.cancel()
        return cut, tally, peak_mb

    before_mb = memory_mb(serve.process.pid)
    cut, tally, peak_mb = uvloop.run(run())
    checks = []
    for name, ends in cut.items():
        kept = sum(end is None or end > CUT_WITHIN_S for end in ends)
        latest_s = max(end or seconds for end in ends)
        checks.append(Check(f"hostile, {name}: {each} cut, latest after", f"{latest_s:.1f} s",
                            f"{CUT_WITHIN_S:g} s", kept == 0))  # fmt: skip
    p99_ms, growth_mb = tally.quantile_ms(0.99), peak_mb - before_mb
    return [
        *checks,
        Check("beside hostile ones: errors", f"{tally.errors} of {len(tally.latencies_s)}", "0",
              tally.errors == 0),
        Check("beside hostile ones: p99", f"{p99_ms:.1f} ms", f"{P99_MAX_MS:g} ms",
              p99_ms <= P99_MAX_MS),
        Check("beside hostile ones: memory growth", f"{growth_mb:.0f} MB",
              f"{MEMORY_GROWTH_MAX_MB:g} MB", growth_mb <= MEMORY_GROWTH_MAX_MB),
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to scrape each page")
    parser.add_argument("--series", type=int, default=10_000, help="series of the long page")
    options = parser.parse_args(arguments)
    failed = False
    with Serve() as serve:
        host, _, port = serve.target.rpartition(":")
        ours = host, int(port)
        steps: tuple[Callable[[], list[Check]], ...] = (
            lambda: check_pages(ours, 50, options.seconds),
            lambda: lengthen(ours, options.series),
            lambda: check_pages(ours, 50, options.seconds),
            lambda: check_crowd(serve, ours, 400, min(options.seconds, 20)),
            lambda: check_hostile(serve, ours, 20),
        )
        time.sleep(SETTLE_S)
        for step in steps:
            for check in step():
                verdict = "ok" if check.ok else "FAILED"
                failed |= not check.ok
                print(f"{check.name:<58}{check.measured:>20}{check.limit:>10}  {verdict}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
