"""What those who look on cost: `serve` with ten viewers of its page, beside the same without.

Run as `python -m benchmarks.viewers --minutes 5`. Two Prometheus scrape each second all the while.
Stretches of half a minute with viewers and without alternate, so that a machine that gets slower
meanwhile slows both. The viewers read event streams as a browser does, over sockets of their own.
Exit status 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import select
import socket
import statistics
import sys
import time
from typing import TYPE_CHECKING, Final

from benchmarks.scrape_peers import memory_mb
from benchmarks.scraper import Scraper
from benchmarks.serve import Check, Serve, check_scrapes, report_checks, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

VIEWERS: Final = 10
STRETCH_S: Final = 30.0
SETTLE_S: Final = 12.0
MORE_MAX: Final = 0.15
"""Of a core, with viewers more than without."""
DRIFT_MAX_S: Final = 0.05
GROWTH_MAX_MB: Final = 2.0
"""From the first stretch with viewers to the last; the history of the page is filled before."""
REQUEST: Final = b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"


class StreamReaders:
    """Viewers that read whatever comes, inside a `with` block."""

    def __init__(self, target: str, count: int) -> None:
        """Open `count` streams of the server at `target` (host:port)."""
        host, _, port = target.rpartition(":")
        self._sockets = [socket.create_connection((host, int(port))) for _ in range(count)]
        for reader in self._sockets:
            reader.sendall(REQUEST)
        self.read_bytes = 0

    def read_for(self, seconds: float) -> None:
        """Read until `seconds` have passed; raises ConnectionError when a stream ends."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            for ready in select.select(self._sockets, [], [], left_s)[0]:
                part = ready.recv(1 << 16)
                if not part:
                    raise ConnectionError("a stream has ended")
                self.read_bytes += len(part)

    def close(self) -> None:
        """Go away."""
        for reader in self._sockets:
            reader.close()


def measure(serve: Serve, viewers: int) -> tuple[float, float, float]:
    """Return CPU time by time, kB read by a viewer in a second, and memory after one stretch."""
    readers = StreamReaders(serve.target, viewers)
    try:
        readers.read_for(1.0)
        readers.read_bytes = 0
        cpu_before_s, began_s = serve.cpu_s(), time.monotonic()
        readers.read_for(STRETCH_S)
        passed_s = time.monotonic() - began_s
        share = (serve.cpu_s() - cpu_before_s) / passed_s
    finally:
        readers.close()
    kilobytes = readers.read_bytes / 1000 / passed_s / max(1, viewers)
    return share, kilobytes, memory_mb(serve.process.pid)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long in all")
    parser.add_argument("--viewers", type=int, default=VIEWERS, help="how many look on")
    options = parser.parse_args(arguments)
    pairs = max(1, round(options.minutes * 60 / (2 * STRETCH_S)))
    with Serve() as serve:
        jobs = {"agentaskit": serve.target}
        with Scraper(jobs) as prometheus, Scraper(jobs) as second:
            prometheus.wait_for("up == 1")
            second.wait_for("up == 1")
            time.sleep(SETTLE_S)
            began_s = time.time()
            runs = [(measure(serve, 0), measure(serve, options.viewers)) for _ in range(pairs)]
            end_s = time.time() - 0.5
            span_s = int(end_s - began_s)
            drift_s = worst(prometheus, "agentaskit_sim_clock_drift_seconds", end_s, span_s)
            lag_s = worst(prometheus, "agentaskit_sim_loop_lag_max_seconds", end_s, span_s)
            scrapes = [
                *check_scrapes(prometheus, end_s, span_s), *check_scrapes(second, end_s, span_s)
            ]  # fmt: skip
    without = statistics.median(run[0][0] for run in runs)
    more = statistics.median(run[1][0] - run[0][0] for run in runs)
    kilobytes = statistics.median(run[1][1] for run in runs)
    growth_mb = runs[-1][1][2] - runs[0][1][2]
    checks = [
        *scrapes,
        Check("CPU without viewers, share of one core", f"{without:.2%}", "", ok=True),
        Check(f"CPU more with {options.viewers} viewers", f"{more:.2%}", f"{MORE_MAX:.0%}",
              more <= MORE_MAX),
        Check("sent to each viewer", f"{kilobytes:.1f} kB/s", "", ok=True),
        Check("memory more after the last than after the first", f"{growth_mb:.2f} MB",
              f"{GROWTH_MAX_MB} MB", growth_mb <= GROWTH_MAX_MB),
        Check("worst clock drift at a scrape", f"{drift_s * 1000:.1f} ms",
              f"{DRIFT_MAX_S * 1000:.0f} ms", drift_s <= DRIFT_MAX_S),
        Check("worst lag of the event loop", f"{lag_s * 1000:.1f} ms", "", ok=True),
    ]  # fmt: skip
    return report_checks(checks)


if __name__ == "__main__":
    sys.exit(main())
