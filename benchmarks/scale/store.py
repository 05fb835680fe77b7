"""`python -m benchmarks.scale.store`: histories of 20 cells into VictoriaMetrics and Prometheus.

Simulated once, then sent by turns, each time to a server that starts empty: by two workers into
VictoriaMetrics, by one into either. Then once more into a VictoriaMetrics that is killed in the
middle and started again. Every sample must be found again each time. Written to `latest.json` under
`store`. Needs the programs victoria-metrics and prometheus.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agentaskit_sim.scenario_choice import baseline
from benchmarks.bench import LATEST, save
from exporter.history.samples import EPOCH_S
from exporter.history.stream import HistoryStream
from simulator.topology import Topology
from verifier.engines.victoria_metrics import VictoriaMetrics, victoria_advice
from verifier.servers.binaries import find
from verifier.servers.prometheus import Prometheus
from verifier.stores.address import StoreAddress, read_url
from verifier.stores.scenario_sending import EverySeries
from verifier.stores.sender import Sender, SendingSetup
from verifier.suite import cores
from verifier.virtual_time.healthy_world import HealthyWorlds
from verifier.virtual_time.run import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.history.samples import History
    from verifier.stores.receipt import Receipt

CONTENDERS: dict[str, tuple[type[Prometheus], int]] = {
    "victoria-metrics, 2 workers": (VictoriaMetrics, 2),
    "victoria-metrics, 1 worker": (VictoriaMetrics, 1),
    "prometheus, 1 worker": (Prometheus, 1),
}
DOWN_S = 2.0
"""How long a store that was killed is away."""


def make_history(cells: int, hours: float) -> list[History]:
    """Simulate so many healthy cells; return their history in pieces."""
    scenario = replace(baseline(replace(Topology(), cells=cells)), duration_s=300.0)
    pieces: list[History] = []
    simulate(
        scenario, EverySeries(hours * 3600.0), HealthyWorlds(cores()),
        stream=HistoryStream(pieces.append, EPOCH_S),
    )  # fmt: skip
    return pieces


def send(
    pieces: Sequence[History],
    server: Prometheus,
    workers: int,
    meanwhile: Callable[[Sender], None] | None = None,
) -> Receipt:
    """Send the pieces to a server that runs; `meanwhile` has a thread of its own."""
    address = StoreAddress(read_url(f"{server.url}/api/v1/write"), read_url(server.url))
    with Sender(address, SendingSetup(workers=workers)) as way:
        other = threading.Thread(target=meanwhile or (lambda _: None), args=(way,), daemon=True)
        other.start()
        for piece in pieces:
            way.take(piece)
        receipt = way.finish()
        other.join()
    return receipt


def kill_in_the_middle(server: VictoriaMetrics, samples: int) -> Callable[[Sender], None]:
    """Return what kills a server when half of the samples are taken, and starts it again."""

    def kill(way: Sender) -> None:
        while way.sent < samples / 2:
            time.sleep(0.005)
        assert server.pid is not None  # noqa: S101 - it runs
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(DOWN_S)
        server.start_again()

    return kill


def measure(pieces: Sequence[History], rounds: int, console: Console) -> list[dict[str, Any]]:
    """Return the medians of each contender; every sample must be found again."""
    measured: dict[str, list[Receipt]] = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        for name, (kind, workers) in CONTENDERS.items():
            with kind() as server:
                receipt = send(pieces, server, workers)
            measured[name].append(receipt)
            console.print(
                f"round {number + 1} of {rounds}: {name}, {receipt.samples_per_s:,.0f} samples/s,"
                f" {'all' if receipt.whole else 'NOT all'} found again",
                soft_wrap=True,
            )
    return [
        {
            "store": name,
            "samples_per_s": median(each.samples_per_s for each in receipts),
            "whole": all(each.whole for each in receipts),
        }
        for name, receipts in measured.items()
    ]


def main() -> None:
    """Measure, print, save; status 1 when a sample is missing or doubled."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale.store", description=__doc__)
    parser.add_argument("--cells", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--hours", type=float, default=6.0, help="of history (default 6)")
    parser.add_argument("--rounds", type=int, default=3, help="for each (default 3)")
    options = parser.parse_args()
    console = Console()
    if find("victoria-metrics") is None:
        console.print(f"NO VICTORIA METRICS: no store was measured; {victoria_advice()}")
        return
    pieces = make_history(options.cells, options.hours)
    figures = measure(pieces, max(options.rounds, 1), console)
    with VictoriaMetrics() as server:
        samples = sum(piece.size for piece in pieces)
        killed = send(pieces, server, 2, kill_in_the_middle(server, samples))
    table = Table("store", "samples a second", "found again", box=SIMPLE_HEAD)
    for each in figures:
        table.add_row(
            each["store"], f"{each['samples_per_s']:,.0f}", "all" if each["whole"] else "NO"
        )
    console.print(table)
    console.print(
        f"{killed.samples:,} samples of {killed.series:,} series; killed in the middle:"
        f" {killed.lost:,} were lost and sent again, {killed.missing:,} missing,"
        f" {killed.doubled:,} doubled",
        soft_wrap=True,
    )
    latest = json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.exists() else {}
    document = {
        "cells": options.cells,
        "samples": killed.samples,
        "stores": figures,
        "killed": {name: getattr(killed, name) for name in ("lost", "missing", "doubled")},
    }
    save({**latest, "store": document}, LATEST)
    console.print(f"saved to {LATEST}", soft_wrap=True)
    sys.exit(not (killed.whole and all(each["whole"] for each in figures)))


if __name__ == "__main__":
    main()
