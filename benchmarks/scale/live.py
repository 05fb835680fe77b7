"""`python -m benchmarks.scale.live`: a system of cells in real time, scraped by a real Prometheus.

`serve` in a process of its own, every cell a target of a Prometheus of 5 s. Says whether a scrape
was missed and how far the system was behind. Needs the program prometheus.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from exporter.server.discovery import TARGETS
from verifier.servers.prometheus import Prometheus

SCRAPE_S = 5
SETTLE_S = 15.0
"""Until discovery has listed the targets and each has been scraped once."""
DRIFT = "agentaskit_sim_clock_drift_seconds"


def watch(url: str, minutes: float) -> dict[str, Any]:
    """Scrape what `url` serves for so long; return what was scraped, missed and behind."""
    config = {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s"},
        "scrape_configs": [
            {
                "job_name": "agentaskit",
                "http_sd_configs": [{"url": f"{url}{TARGETS}", "refresh_interval": "5s"}],
            }
        ],
    }
    with Prometheus() as server:
        server.configure(json.dumps(config))
        time.sleep(SETTLE_S)
        started_s = time.time()
        time.sleep(minutes * 60)
        ended_s = time.time()
        up = server.stored("up", started_s, ended_s)
        drifts = server.stored(DRIFT, started_s, ended_s)
    scraped = sum(int((series.values == 1).sum()) for series in up)
    return {
        "targets": len(up),
        "due": len(up) * int((ended_s - started_s) / SCRAPE_S),
        "scraped": scraped,
        "failed": sum(int((series.values == 0).sum()) for series in up),
        "behind_s": max(float(series.values.max()) for series in drifts),
        "behind_at_end_s": max(float(series.values[-1]) for series in drifts),
    }


def main() -> None:
    """Serve, watch, print; status 1 when a scrape failed or the system fell behind."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale.live", description=__doc__)
    parser.add_argument("--cells", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--minutes", type=float, default=2.0, help="for how long (default 2)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agentaskit-sim-scale-") as folder:
        topology = Path(folder) / "cells.yaml"
        topology.write_text(f"cells: {options.cells}\n", encoding="utf-8")
        words = [sys.executable, "-m", "agentaskit_sim", "serve", "--port", "0"]
        with subprocess.Popen(
            [*words, "--topology", topology], stdout=subprocess.PIPE, text=True
        ) as served:
            try:
                assert served.stdout is not None  # noqa: S101 - it is a pipe
                lines = (re.match(r"Metrics: +(http://[^/]+)/", line) for line in served.stdout)
                url = next(match[1] for match in lines if match)
                measured = watch(url, options.minutes)
            finally:
                served.send_signal(signal.SIGINT)
                served.communicate(timeout=60)
    Console().print_json(json.dumps(measured))
    missed = measured["failed"] or measured["scraped"] < measured["due"] - measured["targets"]
    sys.exit(bool(missed or measured["behind_at_end_s"] > SCRAPE_S))


if __name__ == "__main__":
    main()
