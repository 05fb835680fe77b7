"""Scrapes under load: our server beside a plain prometheus_client exporter of the same series.

Run as `python -m benchmarks.scrape_load`. In one run, on both servers in turn: 50 scrapers a second
on a short page, on a long one that mostly stands still, and on a long one of simulated CPUs, which
all move. Then hostile clients beside patient ones, and 400 at once while a real Prometheus scrapes.
Prints latencies, CPU of a scrape, ratios, how far behind the world was, the load of the machine.
Exit status 1 when a limit is exceeded. Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

from benchmarks.hostile_clients import misbehave_together
from benchmarks.scrape_clients import Tally, quantile, scrape_regularly
from benchmarks.scrape_peers import (
    LoadedServer,
    PageWatch,
    Usage,
    count_series,
    fetch,
    lengthen,
    loaded,
    memory_mb,
    plain_exporter,
    take_turns,
)
from benchmarks.scraper import Scraper
from benchmarks.serve import Check, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

P99_MAX_MS: Final = 30.0
LAG_MAX_MS: Final = 20.0
DRIFT_MAX_MS: Final = 50.0
CUT_WITHIN_S: Final = 15.0
MEMORY_GROWTH_MAX_MB: Final = 64.0
CLIENTS: Final = 50
CROWD: Final = 400
CROWD_S: Final = 20.0
"""How long the crowd scrapes at most; so long `up` is looked back on, too."""
BESIDE_HOSTILE: Final = 20
CPU_MODES: Final = 8
"""Each simulated CPU has a series for every mode."""
HOSTS: Final = 8
SETTLE_S: Final = 5.0
"""Waited at first: a process that has just started compiles and reads what it needs once."""
PARTS: Final = ("short", "long", "moving", "hostile", "crowd")


def check_pages(server: LoadedServer, seconds: float) -> Iterator[Check]:
    """Compare both servers on the page as it is."""
    page = fetch(server.address)
    with plain_exporter(page) as plain:
        ours, peer, watch = uvloop.run(take_turns(server, plain, CLIENTS, seconds))
    yield from check_latencies(ours.tally)
    lag_ms, drift_ms = quantile(watch.lags_ms, 0.99), max(watch.drifts_ms)
    yield Check("loop lag p99", f"{lag_ms:.1f} ms", f"{LAG_MAX_MS:g} ms", lag_ms <= LAG_MAX_MS)
    yield Check("world behind, worst", f"{drift_ms:.1f} ms", f"{DRIFT_MAX_MS:g} ms",
                drift_ms <= DRIFT_MAX_MS)  # fmt: skip
    yield from compare(ours, peer)
    yield remark("series", f"{count_series(page):,}")


def check_latencies(tally: Tally) -> Iterator[Check]:
    """Compare what patient clients met with the limits."""
    p99_ms, late_ms = tally.quantile_ms(0.99), 1000 * quantile(tally.lateness_s, 0.99)
    scrapes = len(tally.latencies_s) + tally.errors
    yield Check("errors", f"{tally.errors} of {scrapes}", "0", tally.errors == 0)
    yield remark("median", f"{tally.quantile_ms(0.5):.1f} ms")
    yield Check("p99", f"{p99_ms:.1f} ms", f"{P99_MAX_MS:g} ms", p99_ms <= P99_MAX_MS)
    yield remark("clients late by themselves, p99", f"{late_ms:.1f} ms")


def compare(ours: Usage, peer: Usage) -> Iterator[Check]:
    """Set the plain exporter beside ours."""
    mine, its = ours.tally, peer.tally
    yield remark("CPU of a scrape", f"{ours.cpu_ms:.2f} ms")
    yield remark("plain: errors", f"{its.errors} of {len(its.latencies_s) + its.errors}")
    yield remark("plain: median", f"{its.quantile_ms(0.5):.1f} ms")
    yield remark("plain: p99", f"{its.quantile_ms(0.99):.1f} ms")
    yield remark("plain: CPU of a scrape", f"{peer.cpu_ms:.2f} ms")
    ratios = (its.quantile_ms(share) / mine.quantile_ms(share) for share in (0.5, 0.99))
    yield remark("plain / ours: median, p99", "{:.1f}, {:.1f}".format(*ratios))
    yield remark("plain / ours: CPU", f"{peer.cpu_ms / ours.cpu_ms:.1f}")


def check_hostile(server: LoadedServer, each: int) -> Iterator[Check]:
    """Let hostile clients come while others scrape."""
    before_mb, watch, seconds = memory_mb(server.pid), PageWatch(), CUT_WITHIN_S + 5

    async def run() -> tuple[dict[str, list[float | None]], Tally]:
        async with watch.during(server):
            return await asyncio.gather(
                misbehave_together(server.address, each, seconds),
                scrape_regularly(server.address, BESIDE_HOSTILE, seconds),
            )

    cut, tally = uvloop.run(run())
    for name, ends in cut.items():
        kept = sum(end is None or end > CUT_WITHIN_S for end in ends)
        latest = f"{max(end or seconds for end in ends):.1f} s"
        yield Check(f"{name}: {each} cut, latest after", latest, f"{CUT_WITHIN_S:g} s", kept == 0)
    yield from check_latencies(tally)
    growth_mb = watch.peak_mb - before_mb
    yield Check("memory growth", f"{growth_mb:.0f} MB", f"{MEMORY_GROWTH_MAX_MB:g} MB",
                growth_mb <= MEMORY_GROWTH_MAX_MB)  # fmt: skip


def check_crowd(server: LoadedServer, clients: int, seconds: float) -> Iterator[Check]:
    """Let many scrape at the same instant while a real Prometheus does, too."""
    before_mb, target = memory_mb(server.pid), "{}:{}".format(*server.address)
    with Scraper({"agentaskit": target}) as prometheus:
        prometheus.wait_for("up == 1")
        tally = uvloop.run(scrape_regularly(server.address, clients, seconds, together=True))
        time.sleep(1)
        (up,) = prometheus.query(f"up[{int(seconds)}s]")
        (slowest,) = prometheus.query(f"max_over_time(scrape_duration_seconds[{int(seconds)}s])")
    down = sum(value != 1 for _, value in up.points)
    scrapes = len(tally.latencies_s) + tally.errors
    yield Check("Prometheus: scrapes with up 0", f"{down} of {len(up.points)}", "0", down == 0)
    yield remark("Prometheus: slowest scrape", f"{1000 * slowest.points[0][1]:.0f} ms")
    yield Check("errors", f"{tally.errors} of {scrapes}", "0", tally.errors == 0)
    yield remark("median", f"{tally.quantile_ms(0.5):.0f} ms")
    yield remark("p99", f"{tally.quantile_ms(0.99):.0f} ms")
    yield remark("memory growth", f"{memory_mb(server.pid) - before_mb:.0f} MB")


def remark(name: str, measured: str) -> Check:
    """Return a line without a limit."""
    return Check(name, measured, "", ok=True)


def moving_options(directory: Path, series: int) -> tuple[str, str]:
    """Return options of `serve` for a world with so many series of CPUs, which all move."""
    file = directory / "topology.yaml"
    cpus = max(1, round(series / CPU_MODES / HOSTS))
    file.write_text(f"hosts: {HOSTS}\ncpus_per_host: {cpus}\n", encoding="utf-8")
    return "--topology", str(file)


def measure(options: argparse.Namespace, directory: Path) -> Iterator[tuple[str, Iterator[Check]]]:
    """Yield the parts that were chosen, each of which is measured as its lines are read."""
    chosen = set(options.parts)
    if chosen & {"short", "long"}:
        with Serve() as serve:
            server = loaded(serve)
            time.sleep(SETTLE_S)
            if "short" in chosen:
                yield "short page", check_pages(server, options.seconds)
            if "long" in chosen:
                lengthen(server.address, options.series)
                yield "long page that stands still", check_pages(server, options.seconds)
    if chosen & {"moving", "hostile", "crowd"}:
        with Serve(*moving_options(directory, options.series)) as serve:
            server = loaded(serve)
            time.sleep(SETTLE_S)
            if "moving" in chosen:
                yield "long page that moves", check_pages(server, options.seconds)
            for _ in range(options.times if "hostile" in chosen else 0):
                yield "hostile clients, others meanwhile", check_hostile(server, options.each)
            if "crowd" in chosen:
                seconds = min(options.seconds, CROWD_S)
                yield f"{CROWD} at the same instant", check_crowd(server, CROWD, seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to scrape each page")
    parser.add_argument("--series", type=int, default=10_000, help="series of the long pages")
    parser.add_argument("--each", type=int, default=20, help="hostile clients of each kind")
    parser.add_argument("--times", type=int, default=1, help="how often the hostile ones come")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for title, checks in measure(options, Path(directory)):
            print(f"{title}, load average {os.getloadavg()[0]:.1f} before")
            for check in checks:
                failed |= not check.ok
                verdict = "ok" if check.ok else "FAILED"
                print(f"  {check.name:<44}{check.measured:>16}{check.limit:>10}  {verdict}")
            print(f"  load average {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
