"""The two servers of the benchmark of scrapes, how they are loaded, and what is seen of them.

`take_turns` loads our server and a plain prometheus_client exporter of the same series one after
the other, several times; `PageWatch` meanwhile reads what the world's page says of its pace.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import Request, urlopen

from benchmarks.scrape_clients import (
    PLAIN_REQUEST,
    ScrapeClient,
    Tally,
    scrape_regularly,
)
from benchmarks.serve import Serve, process_cpu_s
from exporter.metrics.page import OPENMETRICS_RANGE
from exporter.server.fault_api.guard import JSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LOOP_LAG: Final = "agentaskit_sim_loop_lag_seconds"
DRIFT: Final = "agentaskit_sim_clock_drift_seconds"
WATCH_S: Final = 0.25
TURNS: Final = 3
"""The two servers are measured in turns, so that what else the machine does meets both."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LoadedServer:
    """A server under load."""

    address: Address
    pid: int


@dataclass(slots=True)
class Usage:
    """What the clients of a server met, and what their scrapes took of a processor."""

    tally: Tally = field(default_factory=Tally)
    cpu_s: float = 0.0
    scrapes: int = 0
    """Those of a watch included."""

    @property
    def cpu_ms(self) -> float:
        """Processor time of one scrape, in milliseconds."""
        return 1000 * self.cpu_s / self.scrapes if self.scrapes else float("nan")


@dataclass(slots=True)
class PageWatch:
    """What the world's own page says of its pace, and the most memory that its process had."""

    lags_ms: list[float] = field(default_factory=list)
    drifts_ms: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    async def run(self, server: LoadedServer) -> None:
        """Ask four times a second until cancelled."""
        client = ScrapeClient(*server.address)
        while True:
            with suppress(OSError, ValueError):
                page = await client.fetch(PLAIN_REQUEST)
                self.lags_ms.append(1000 * value_of(page, LOOP_LAG))
                self.drifts_ms.append(1000 * value_of(page, DRIFT))
            self.peak_mb = max(self.peak_mb, memory_mb(server.pid))
            await asyncio.sleep(WATCH_S)

    @asynccontextmanager
    async def during(self, server: LoadedServer) -> AsyncIterator[None]:
        """Watch inside the block."""
        watching = asyncio.create_task(self.run(server))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def take_turns(
    ours: LoadedServer, peer: LoadedServer, clients: int, seconds: float
) -> tuple[Usage, Usage, PageWatch]:
    """Scrape both servers in turns for `seconds` each; watch the world while ours is scraped.

    What our process takes while the other is scraped is the world's, and no part of a scrape.
    """
    mine, its, watch = Usage(), Usage(), PageWatch()
    world_s = elapsed_s = 0.0
    for _ in range(TURNS):
        watched, began_s, cpu_s = len(watch.lags_ms), time.monotonic(), process_cpu_s(ours.pid)
        async with watch.during(ours):
            tally = await scrape_regularly(ours.address, clients, seconds / TURNS)
        lasted_s = time.monotonic() - began_s
        mine.tally.add(tally)
        mine.scrapes += len(tally.latencies_s) + len(watch.lags_ms) - watched
        spent_s = process_cpu_s(ours.pid) - cpu_s
        cpu_s, peer_cpu_s, began_s = cpu_s + spent_s, process_cpu_s(peer.pid), time.monotonic()
        tally = await scrape_regularly(peer.address, clients, seconds / TURNS)
        world_s += process_cpu_s(ours.pid) - cpu_s
        elapsed_s += time.monotonic() - began_s
        mine.cpu_s += spent_s - lasted_s * world_s / elapsed_s
        its.tally.add(tally)
        its.scrapes += len(tally.latencies_s)
        its.cpu_s += process_cpu_s(peer.pid) - peer_cpu_s
    return mine, its, watch


@contextmanager
def plain_exporter(page: str) -> Iterator[LoadedServer]:
    """Serve the series on `page` by a plain exporter inside the block."""
    with tempfile.NamedTemporaryFile("w", suffix=".om", encoding="utf-8") as file:
        file.write(page)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.plain_exporter", file.name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            yield LoadedServer(("127.0.0.1", int(process.stdout.readline())), process.pid)
        finally:
            process.kill()
            process.communicate()


def loaded(serve: Serve) -> LoadedServer:
    """Return our server as one to be loaded."""
    host, _, port = serve.target.rpartition(":")
    return LoadedServer((host, int(port)), serve.process.pid)


def value_of(page: str, series: str) -> float:
    """Return the value of a series on a page."""
    return float(page.partition(f"\n{series} ")[2].partition("\n")[0])


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


def lengthen(address: Address, series: int) -> None:
    """Let a cardinality burst fill the page up to `series`."""
    further = series - count_series(fetch(address))
    fault = {"fault": "cardinality_burst", "parameters": {"series": further}, "duration": "1h"}
    url, headers = "http://{}:{}/api/v1/faults".format(*address), {"Content-Type": JSON}
    request = Request(url, json.dumps(fault).encode(), headers)  # noqa: S310 - a loopback address
    urlopen(request).close()  # noqa: S310 - a loopback address
