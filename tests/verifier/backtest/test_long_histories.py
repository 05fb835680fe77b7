"""What takes minutes: the timelines of `verify`, and memory over a month of a thousand series."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S, Block, History
from tests.verifier.backtest.test_replay import history_server, in_one_piece, timelines
from tests.verifier.histories import labels
from tests.verifier.simulations import HEALTHY, NINETEEN, bundled, pack_rules
from verifier.backtest.replay import Replay, ReplayRequest
from verifier.pack.history_depth import depths
from verifier.pack.spread import spread
from verifier.servers.prometheus import Prometheus
from verifier.virtual_time.run import epoch_s_of, simulate

DAYS, SERIES, SCRAPE_S = 30, 1000, 60
PEAK_MB_MAX = 500
MEASURED = """
import re, sys
from pathlib import Path
from agentaskit_sim.__main__ import main
try:
    main(sys.argv[2:])
finally:
    status = Path("/proc/self/status").read_text()
    Path(sys.argv[1]).write_text(re.search(r"VmHWM:\\s+(\\d+)", status)[1])
"""
"""The command, which then says the most memory that it ever had. What the kernel counts for a
child is no less than its parent's own, and this one has made a month of samples."""


@pytest.mark.long
@pytest.mark.parametrize("name", ["healthy-day", "fast-burn", "sandbox-leak"])
def test_a_replay_gives_the_timelines_of_verify(name):
    """On a server that `verify` filled, evaluated when `verify` evaluates: every episode alike."""
    scenario, rules = bundled(name), pack_rules(*NINETEEN)
    offsets = spread(scenario.seed, rules)
    simulated = simulate(scenario, depths(rules), HEALTHY, scrape_offset_s=offsets.scrape_s)
    start_s = epoch_s_of(scenario)
    request = ReplayRequest(
        rules=rules, against=None, from_s=start_s, to_s=start_s + scenario.duration_s,
        spread=offsets,
    )  # fmt: skip
    with Prometheus() as server:
        server.push(simulated.history)
        replay = Replay(history_server(server), request)
        replay.run()
        replay.finish()
        assert timelines(replay) == in_one_piece(server, request)
    assert bool(timelines(replay)) == (name != "healthy-day")


def month(day):
    """Return a day of a thousand series, each high for an hour now and then."""
    columns = 86_400 // SCRAPE_S
    stamps = (EPOCH_S + day * 86_400 + SCRAPE_S * np.arange(columns)) * 1000
    hour = (day * 24 + np.arange(columns) * SCRAPE_S // 3600)[None, :]
    number = np.arange(SERIES)[:, None]
    values = np.where((hour * 7 + number) % 97 == 0, 99.0, 10.0) + number % 7 / 10
    return History(
        [labels("load", instance=f"host-{index:04}", job="nodes") for index in range(SERIES)],
        [Block(stamps.astype(np.int64), np.arange(SERIES), values)],
    )


@pytest.mark.long
def test_a_month_of_a_thousand_series_stays_below_the_limit_of_memory(tmp_path):
    """Peak of the command, with an alert that is active on all series all the time among them."""
    busy = {"alert": "Busy", "expr": "load > 95", "for": "5m"}
    total = {"alert": "Sum", "expr": "sum(load) > 20000"}
    always = {"alert": "Always", "expr": "avg_over_time(load[5m]) > 0", "for": "10m"}
    groups = [
        {"name": "often", "interval": "1m", "rules": [busy, total]},
        {"name": "seldom", "interval": "30m", "rules": [always]},
    ]
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps({"groups": groups}))
    with Prometheus() as server:
        for day in range(DAYS):
            server.push(month(day))
        peak = tmp_path / "peak"
        command = [
            sys.executable, "-c", MEASURED, str(peak), "replay", "--rules", str(rules),
            "--prometheus", server.url, "--from", f"{EPOCH_S + 900}",
            "--to", f"{EPOCH_S + DAYS * 86_400}", "--out", str(tmp_path / "out"),
        ]  # fmt: skip
        assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    peak_mb = int(peak.read_text()) / 1024
    print(f"peak {peak_mb:.0f} MB")  # noqa: T201 - shown by -s
    assert peak_mb < PEAK_MB_MAX
    document = json.loads((tmp_path / "out" / "replay.json").read_text())
    busy, _, always = document["alerts"]
    assert always["firings"] == SERIES
    assert always["firing_share"] == 1
    assert busy["firings"] > 7 * SERIES
    assert busy["longest_firing_s"] <= 3600
