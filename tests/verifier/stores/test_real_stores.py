"""Real stores, killed and started again in the middle; faults of a writer that only they show.

What needs VictoriaMetrics is left out loudly where there is none.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S, Block, History
from tests.verifier.histories import labels
from verifier.engines.victoria_metrics import VictoriaMetrics
from verifier.errors import JudgeError
from verifier.servers.binaries import find, require
from verifier.servers.prometheus import Prometheus
from verifier.servers.prometheus.process import PrometheusProcess
from verifier.servers.prometheus.remote_write import block_requests
from verifier.stores.address import StoreAddress, read_url
from verifier.stores.connection import StoreConnection
from verifier.stores.parcel_writer import ParcelWriter
from verifier.stores.sender import Sender, SendingSetup
from verifier.stores.slices import WrittenSeries

needs_victoria_metrics = pytest.mark.skipif(
    find("victoria-metrics") is None,
    reason="NO VICTORIA METRICS: no history was sent into one; install Debian's package",
)
PAGE = Path(__file__).parents[3] / "docs" / "send.md"
PIECES = 16
SCRAPES = 200


def series(name, count=300):
    """Return the labels of some series of a metric."""
    return [labels(name, job="j", cell=str(i)) for i in range(count)]


def piece(own, number):
    """Return 50 minutes of some series: numbers that are different each time."""
    times_s = EPOCH_S + 15 * (np.arange(SCRAPES) + number * SCRAPES)
    draws = np.random.default_rng(number)
    values = draws.normal(1e6, 1e3, (len(own), SCRAPES)).round(3)
    return History(own, [Block((times_s * 1000).astype(np.int64), np.arange(len(own)), values)])


def address_of(server):
    """Return a server's address as a store."""
    return StoreAddress(read_url(f"{server.url}/api/v1/write"), read_url(server.url))


def send(server, own, *, pieces=PIECES, half_way=lambda _: None):
    """Send pieces with two workers, as a user does; `half_way` has its moment."""
    with Sender(address_of(server), SendingSetup(workers=2)) as way:
        for number in range(pieces):
            if number == pieces // 2:
                half_way(way)
            way.take(piece(own, number))
        return way.finish()


def killed_after(server, start_again, samples):
    """Return what waits until so much was taken, kills a server and lets it start again later."""

    def kill(way):
        while way.sent < samples:
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        threading.Timer(1.0, start_again).start()

    return kill


@pytest.mark.long
@needs_victoria_metrics
def test_victoria_metrics_killed_in_the_middle_holds_all_of_it_once():
    """It had answered, and lost what it had: that is found out, and sent again."""
    own = series("killed")
    half = PIECES // 2 * SCRAPES * len(own)
    with VictoriaMetrics() as server:
        receipt = send(server, own, half_way=killed_after(server, server.start_again, half))
        assert receipt.samples == 2 * half
        assert receipt.lost > 0
        assert receipt.whole


@pytest.mark.long
def test_prometheus_killed_in_the_middle_holds_all_of_it_once():
    """Its log was written before it answered: nothing was lost, and nothing is out of order."""
    own = series("killed")
    half = PIECES // 2 * SCRAPES * len(own)
    with Prometheus() as server:
        process = server._process
        flags = [require("prometheus"), *process._storage_flags(), *process._web_flags()]
        again = killed_after(server, lambda: server._server.restart(lambda: flags), half)
        receipt = send(server, own, half_way=again)
        assert receipt.samples == 2 * half
        assert receipt.lost == 0
        assert receipt.whole


@pytest.mark.long
@needs_victoria_metrics
def test_planted_faults_of_a_writer_are_caught_by_what_victoria_metrics_holds(monkeypatch):
    """A batch that is forgotten is sent again; one that is sent twice, a moment later, is seen."""
    whole = ParcelWriter.write
    faulty = []

    def forget(self, block, rows):
        if faulty:
            whole(self, block, rows)
        else:
            faulty.append(rows)

    def repeat(self, block, rows):
        whole(self, block, rows)
        if not faulty:
            faulty.append(rows)
            whole(self, Block(block.timestamps_ms + 7, block.series, block.values), rows)

    with VictoriaMetrics() as server:
        monkeypatch.setattr(ParcelWriter, "write", forget)
        forgotten = send(server, series("forgotten", 40), pieces=2)
        assert forgotten.whole
        assert forgotten.lost == SCRAPES * len(faulty[0])
        faulty.clear()
        monkeypatch.setattr(ParcelWriter, "write", repeat)
        repeated = send(server, series("repeated", 40), pieces=2)
        assert not repeated.whole
        assert repeated.doubled == SCRAPES * len(faulty[0])


@needs_victoria_metrics
def test_what_victoria_metrics_does_with_the_same_sample_twice():
    """It keeps both, as docs/send.md says: so none is sent twice."""
    own = series("twice", 3)
    with VictoriaMetrics() as server:
        way = StoreConnection(address_of(server))
        for body in bodies(own) * 2:
            way.write(body)
        server._settle()
        counted = server.query('sum(count_over_time(twice{job="j"}[51m]))', EPOCH_S + 2985)
        assert counted[0].values[0] == 2 * 3 * SCRAPES


def test_what_prometheus_does_with_the_same_sample_twice():
    """Older ones are refused, as docs/send.md says: so none is sent twice."""
    own = series("twice", 3)
    with Prometheus() as server:
        way = StoreConnection(address_of(server))
        (body,) = bodies(own)
        way.write(body)
        with pytest.raises(JudgeError, match=r"\(400: out of order"):
            way.write(body)
        counted = server.query('sum(count_over_time(twice{job="j"}[51m]))', EPOCH_S + 2985)
        assert counted[0].values[0] == 3 * SCRAPES


def test_a_prometheus_of_two_hour_blocks_takes_ten_hours_from_many_workers(monkeypatch):
    """It refuses what is an hour older than its newest sample: no shard runs ahead of another."""
    whole = PrometheusProcess._storage_flags
    monkeypatch.setattr(
        PrometheusProcess,
        "_storage_flags",
        lambda self: [flag for flag in whole(self) if "block-duration" not in flag],
    )
    own = series("blocks", 40)
    with (
        Prometheus() as server,
        Sender(address_of(server), SendingSetup(workers=8, safe_s=0.0)) as way,
    ):
        for number in range(12):
            way.take(piece(own, number))
        receipt = way.finish()
    assert receipt.whole
    assert receipt.samples == 12 * SCRAPES * len(own)


def bodies(own):
    """Return the requests for one piece."""
    (block,) = piece(own, 0).blocks
    requests = block_requests(block, np.arange(len(own)), WrittenSeries.of(own).encoded)
    return [body for body, _ in requests]


@pytest.mark.long
@needs_victoria_metrics
def test_live_scrapes_of_two_cells_arrive_by_prometheus_as_the_page_says(tmp_path):
    """The configuration of docs/send.md, with these ports and a scrape a second."""
    (config,) = re.findall(r"^    scrape_configs:\n(?:    .*\n)+", PAGE.read_text(), re.MULTILINE)
    config = re.sub("^    ", "", config, flags=re.MULTILINE)
    (tmp_path / "cells.yaml").write_text("cells: 2\n")
    words = [sys.executable, "-m", "agentaskit_sim", "serve", "--port", "0"]
    with (
        VictoriaMetrics() as store,
        Prometheus() as scraper,
        subprocess.Popen(
            [*words, "--topology", tmp_path / "cells.yaml"], stdout=subprocess.PIPE, text=True
        ) as served,
    ):
        try:
            lines = (re.match(r"Metrics: +http://([^/]+)/", line) for line in served.stdout)
            config = config.replace("127.0.0.1:9464", next(match[1] for match in lines if match))
            config = config.replace("http://127.0.0.1:8428", store.url)
            scraper.configure("global: {scrape_interval: 1s, scrape_timeout: 1s}\n" + config)
            until_s = time.monotonic() + 60
            while time.monotonic() < until_s:
                time.sleep(2)
                arrived = store.stored("up", time.time() - 30, time.time())
                if len(arrived) == 2 and all(len(s.values) > 5 for s in arrived):
                    break
        finally:
            served.send_signal(signal.SIGINT)
            served.communicate(timeout=30)
        assert sorted(each.labels["cell"] for each in arrived) == ["0", "1"]
        assert all(len(each.values) > 5 for each in arrived)
        for each in arrived:
            scraped = {
                tuple(sorted(own.labels.items())): set(own.times_s.tolist())
                for own in scraper.stored("up", each.times_s[0] - 1, time.time())
            }
            assert set(each.times_s.tolist()) <= scraped[tuple(sorted(each.labels.items()))]
