"""`make soak`: a served world for an hour, a fault a minute through its API, nothing may grow.

A real Prometheus scrapes it every second; every five seconds the process is looked at from outside
(memory, descriptors, threads) and its own page is read (series, lag of the event loop). Printed is
by how much memory grows in an hour, after a warm-up, and whether everything else stayed what it
was. Exit status 1 when a limit is exceeded. Linux: the figures are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np

from agentaskit_sim.fault_client import FaultClient
from benchmarks.scraper import Scraper
from benchmarks.serve import Serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SAMPLE_S: Final = 5.0
FAULT_EVERY_S: Final = 60.0
FAULT_AFTER_S: Final = 5.0
FAULT_FOR_S: Final = 20
"""Two thirds of each minute are left for what follows from a fault after it has ended."""
QUIET_AFTER_S: Final = 45.0
"""Within each minute, the samples from here on are of a world without a fault."""
WARM_UP_SHARE: Final = 0.25
"""Of the run, at its begin: allocators, caches and rings of samples are filled in it."""
GROWTH_MAX_BYTES_PER_H: Final = 2 << 20
CHANGE_MAX: Final = 0.01
LOOP_LAG: Final = "agentaskit_sim_loop_lag_seconds"
PAGE_TIMEOUT_S: Final = 10.0
FAULTS: Final[tuple[dict[str, object], ...]] = (
    {"fault": "agent_crash", "parameters": {"rate_per_s": 5.0}},
    {"fault": "task_slowdown", "parameters": {"factor": 3.0}},
    {"fault": "cardinality_burst", "parameters": {"series": 1000}},
    {"fault": "traffic_surge", "parameters": {"factor": 2.0}},
    {"fault": "bus_partition", "parameters": {"loss": 1.0}, "targets": {"fraction": 0.3}},
    {"fault": "exporter_down"},
    {"fault": "message_flood", "parameters": {"rate_per_s": 5000.0}},
    {"fault": "memory_leak", "parameters": {"bytes_per_s": 1e6}},
    {"fault": "counter_reset"},
    {"fault": "dependency_outage", "parameters": {"share": 0.5, "latency": "300ms"}},
    {"fault": "series_vanish", "parameters": {"share": 0.25}},
    {"fault": "sandbox_crash", "parameters": {"share": 0.5}},
    {"fault": "crash_loop", "parameters": {"alive": "1s"}, "targets": {"fraction": 0.2}},
    {"fault": "scrape_slow", "parameters": {"delay": "500ms"}},
)
"""One a minute, in turn: faults of every family, those of the scrape path included."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one instant; `series` and `loop_lag_s` are None where no page was had."""

    at_s: float
    rss_bytes: int
    descriptors: int
    threads: int
    series: int | None
    loop_lag_s: float | None

    @property
    def is_quiet(self) -> bool:
        """Whether no fault was in effect, nor shortly before."""
        return self.at_s % FAULT_EVERY_S >= QUIET_AFTER_S


@dataclass(frozen=True, slots=True)
class SoakFigure:
    """One figure of a soak, with the limit that it has to keep."""

    name: str
    measured: str
    limit: str
    ok: bool


def judge(samples: Sequence[Sample]) -> list[SoakFigure]:
    """Compare what a process used, after the warm-up and to the end."""
    steady = [s for s in samples if s.at_s >= samples[-1].at_s * WARM_UP_SHARE]
    slope = growth_bytes_per_h(steady)
    lags_s = sorted(s.loop_lag_s for s in steady if s.loop_lag_s is not None)
    return [
        SoakFigure(
            "memory, growth in an hour",
            f"{slope / (1 << 20):+.2f} MB",
            f"{GROWTH_MAX_BYTES_PER_H >> 20} MB",
            slope <= GROWTH_MAX_BYTES_PER_H,
        ),
        _compare("open files", [s.descriptors for s in steady if s.is_quiet]),
        _compare("threads", [s.threads for s in steady if s.is_quiet]),
        _compare("series", [s.series for s in steady if s.is_quiet and s.series is not None]),
        SoakFigure(
            "lag of the event loop, median", f"{_at(lags_s, 0.5) * 1e3:.2f} ms", "", ok=True
        ),
        SoakFigure("lag of the event loop, p99", f"{_at(lags_s, 0.99) * 1e3:.2f} ms", "", ok=True),
    ]


def growth_bytes_per_h(samples: Sequence[Sample]) -> float:
    """Return the slope of the line nearest to the memory of each minute, by least squares.

    A minute counts with its median: a fault that holds memory for seconds is no growth.
    """
    minutes: dict[int, list[int]] = {}
    for sample in samples:
        minutes.setdefault(int(sample.at_s // FAULT_EVERY_S), []).append(sample.rss_bytes)
    if len(minutes) < 2:
        # Too short for a line through minutes: from the first sample to the last.
        hours = max(samples[-1].at_s - samples[0].at_s, SAMPLE_S) / 3600
        return (samples[-1].rss_bytes - samples[0].rss_bytes) / hours
    at_h = np.array(list(minutes)) * FAULT_EVERY_S / 3600
    return float(np.polyfit(at_h, [median(values) for values in minutes.values()], 1)[0])


def _compare(name: str, values: Sequence[int]) -> SoakFigure:
    """Compare the median of the first half with that of the second half."""
    if len(values) < 2:
        return SoakFigure(name, "not measured", f"{CHANGE_MAX:.0%}", ok=False)
    half = len(values) // 2
    before, after = median(values[:half]), median(values[half:])
    ok = abs(after - before) <= CHANGE_MAX * before
    return SoakFigure(name, f"{before:,g} then {after:,g}", f"{CHANGE_MAX:.0%}", ok)


def _at(values: Sequence[float], share: float) -> float:
    return values[min(int(share * len(values)), len(values) - 1)] if values else float("nan")


def take_sample(pid: int, target: str, at_s: float) -> Sample:
    """Look at the process and at its page."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    )
    descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    series, loop_lag_s = _read_page(target)
    return Sample(
        at_s,
        int(status["VmRSS"].split()[0]) << 10,
        descriptors,
        int(status["Threads"]),
        series,
        loop_lag_s,
    )


def _read_page(target: str) -> tuple[int | None, float | None]:
    try:
        with urlopen(f"http://{target}/metrics", timeout=PAGE_TIMEOUT_S) as answer:
            lines = answer.read().decode().splitlines()
    except HTTPError:  # what the fault `exporter_down` does
        return None, None
    values = [line for line in lines if not line.startswith("#")]
    lags = [float(line.split()[-1]) for line in values if line.startswith(f"{LOOP_LAG} ")]
    return len(values), lags[0] if lags else None


def soak(serve: Serve, minutes: float) -> tuple[list[Sample], Counter[str]]:
    """Sample for so many minutes, and break the world once in each."""
    client, began_s = FaultClient(f"http://{serve.target}"), time.monotonic()
    samples: list[Sample] = []
    injected: Counter[str] = Counter()
    while (at_s := time.monotonic() - began_s) < minutes * 60:
        due = int((at_s - FAULT_AFTER_S) // FAULT_EVERY_S) + 1
        if injected.total() < due:
            fault = FAULTS[injected.total() % len(FAULTS)]
            client.inject({**fault, "duration": f"{FAULT_FOR_S}s"})
            injected[str(fault["fault"])] += 1
        samples.append(take_sample(serve.process.pid, serve.target, at_s))
        if serve.process.poll() is not None:
            break
        time.sleep(max((len(samples)) * SAMPLE_S - (time.monotonic() - began_s), 0.0))
    return samples, injected


def write_json(
    path: Path, samples: Iterable[Sample], findings: Iterable[SoakFigure], injected: Counter[str]
) -> None:
    """Write every sample and the findings."""
    document = {
        "findings": [asdict(finding) for finding in findings],
        "faults": dict(injected),
        "samples": [asdict(sample) for sample in samples],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print a table, return the exit status."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long, at most a day")
    parser.add_argument("--json", type=Path, help="file for every sample and the findings")
    options = parser.parse_args(arguments)
    if not 0.5 <= options.minutes <= 1440:
        parser.error("--minutes must be from 0.5 to 1440")
    with Serve() as serve, Scraper({"agentaskit": serve.target}) as prometheus:
        # What it prints of a fault must not fill the pipe.
        reader = threading.Thread(target=lambda: [*(serve.process.stdout or ())], daemon=True)
        reader.start()
        prometheus.wait_for("up == 1")
        samples, injected = soak(serve, options.minutes)
        ended = serve.process.poll()
    findings = [
        *judge(samples),
        SoakFigure("faults injected", f"{injected.total()}", "", ok=True),
        SoakFigure("exit status before the end", f"{ended}", "None", ended is None),
    ]
    for finding in findings:
        verdict = "ok" if finding.ok else "FAILED"
        print(f"{finding.name:<32}{finding.measured:>24}{finding.limit:>8}  {verdict}")
    if options.json:
        write_json(options.json, samples, findings, injected)
    return 0 if all(finding.ok for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
