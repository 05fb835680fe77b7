"""A real Prometheus scrapes the server in both formats and has every metric of the contract."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from itertools import product

import pytest
from aiohttp import hdrs, web

from benchmarks.scraper import Scraper
from exporter.history.scrape_series import SCRAPE_SERIES, SERIES_ADDED, ScrapeReporter
from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.page import OPENMETRICS, TEXT
from exporter.scrape_path.losses import rank_series
from exporter.server.app import bind, build_app
from exporter.server.exposition import Exposition
from simulator.pacer import SystemClock
from simulator.snapshot import ScrapePath
from tests.exporter.contract import METRICS, THRESHOLDS_S
from tests.fakes import FakeWorld

FORMATS = {"openmetrics": OPENMETRICS, "text": TEXT}
SCRAPE_S = 0.5
"""Interval and timeout: short, for most of these tests wait for the next scrape."""


class Served:
    """A fake world on two ports, in a thread of its own: the server as it is, and a text-only one.

    Prometheus 2.42 cannot be told to ask for text, so the second port drops its Accept header.
    `content_types` has the formats that each port answered with.
    """

    def __init__(self):
        """Take two ports and start."""
        self.content_types = {name: set() for name in FORMATS}
        self._listeners = {name: bind("127.0.0.1", 0) for name in FORMATS}
        self.targets = {
            name: f"127.0.0.1:{listener.getsockname()[1]}"
            for name, listener in self._listeners.items()
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    async def _start(self):
        world = self._world = FakeWorld(rate=1000.0)
        world.advance(5.0)
        self.exposition = Exposition(world, SystemClock(), version="1", scenario="calm")
        self._runners = []
        for name, listener in self._listeners.items():
            app = build_app(self.exposition)
            app.middlewares.append(self._recorder(name))
            runner = web.AppRunner(app)
            await runner.setup()
            await web.SockSite(runner, listener).start()
            self._runners.append(runner)
        self._pacing = asyncio.create_task(self.exposition.pacer.run())

    def _recorder(self, name):
        @web.middleware
        async def record(request, handler):
            if name == "text":
                headers = request.headers.copy()
                headers.popall(hdrs.ACCEPT, None)
                request = request.clone(headers=headers)
            answer = await handler(request)
            self.content_types[name].add(answer.headers[hdrs.CONTENT_TYPE])
            return answer

        return record

    def snapshot(self, path):
        """Return a reading of the world as if its scrape path were `path`."""
        return replace(self._world.snapshot(), scrape_path=path)

    def affect_scrapes(self, path):
        """Let the scrape path be `path` from now on."""
        self._loop.call_soon_threadsafe(lambda: self._world.change(scrape_path=path))

    async def _stop(self):
        self._pacing.cancel()
        for runner in self._runners:
            await runner.cleanup()

    def stop(self):
        """End server and thread."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="module")
def served():
    """Return a server of a fake world."""
    served = Served()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def prometheus(served):
    """Return a Prometheus that has scraped both ports at least three times."""
    with Scraper(served.targets, interval_s=SCRAPE_S) as prometheus:
        prometheus.wait_for("count(count_over_time(up[1m]) >= 3) == 2")
        yield prometheus


def plain(samples):
    """Return the labels that the exporter gave."""
    return {k: v for k, v in samples.labels.items() if k not in {"__name__", "job", "instance"}}


@pytest.mark.parametrize("name", FORMATS)
def test_each_port_was_scraped_in_its_format(prometheus, served, name):
    """Otherwise the tests below would check a single format."""
    assert prometheus.query(f'up{{job="{name}"}} == 1')
    assert served.content_types[name] == {FORMATS[name]}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_of_the_contract_answers_by_its_exact_name(prometheus, name, metric):
    """With all its label values, and nothing but them."""
    kind, labels = METRICS[metric]
    suffix = "_count" if kind == "histogram" else ""
    answer = [plain(series) for series in prometheus.query(f'{metric}{suffix}{{job="{name}"}}')]
    expected = [dict(zip(labels, c, strict=True)) for c in product(*labels.values())]
    assert sorted(map(str, (sorted(labels.items()) for labels in answer))) == sorted(
        map(str, (sorted(labels.items()) for labels in expected))
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("metric", [n for n in METRICS if METRICS[n][0] == "histogram"])
def test_buckets_at_the_thresholds_answer_with_the_same_spelling(prometheus, name, metric):
    """`le="1.0"` in one format and `le="1"` in the other would be two histograms."""
    answer = prometheus.query(f'{metric}_bucket{{job="{name}"}}')
    bounds = {bucket.labels["le"] for bucket in answer}
    assert {*THRESHOLDS_S, "+Inf"} <= bounds
    assert len(bounds) == len(answer) == 31


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "metric",
    ["agentaskit_agents_started_total", "agentaskit_inter_agent_messages_dropped_total"],
)
def test_alerts_on_a_single_series_find_just_one(prometheus, name, metric):
    """`rate(x[5m]) > 100` without sum() reads each series alone."""
    (answer,) = prometheus.query(f'rate({metric}{{job="{name}"}}[1m])')
    assert plain(answer) == {}
    assert answer.points[0][1] > 0


@pytest.mark.parametrize("name", FORMATS)
def test_pool_share_divides_without_matching_labels(prometheus, name):
    """The alert divides available by total: both have the same label set."""
    expr = f'agentaskit_sandbox_pool_available{{job="{name}"}} / agentaskit_sandbox_pool_total'
    assert len(prometheus.query(expr)) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_rated_names_without_total_have_a_rate(prometheus, name):
    """These very names must answer."""
    for metric in ("agentaskit_network_bytes_sent", "agentaskit_network_bytes_received"):
        answer = prometheus.query(f'rate({metric}{{job="{name}"}}[1m])')
        assert len(answer) == 2
        assert all(series.points[0][1] > 0 for series in answer)


def test_prometheus_takes_the_gauge_named_total_for_a_gauge(prometheus):
    """As declared, under that name, by both formats alike."""
    declared = prometheus.metadata()["agentaskit_sandbox_pool_total"]
    assert {metric["type"] for metric in declared} == {"gauge"}


def test_no_sample_of_a_scrape_is_lost_and_both_formats_have_as_many(prometheus):
    """A duplicate or a sample out of order would be dropped silently."""
    scraped = prometheus.query("scrape_samples_scraped")
    kept = prometheus.query("scrape_samples_post_metric_relabeling")
    numbers = {series.points[0][1] for series in (*scraped, *kept)}
    assert len(scraped) == 2
    assert len(numbers) == 1
    stored = prometheus.query('count({job="text",__name__!~"up|scrape_.*"})')
    assert stored[0].points[0][1] == numbers.pop()


def test_a_name_that_is_not_there_gets_no_answer(prometheus):
    """So the queries above can fail."""
    assert prometheus.query("agentaskit_sandbox_pool") == []
    assert prometheus.query("agentaskit_network_bytes_sent_total") == []


@pytest.mark.parametrize("path", [ScrapePath(cut_share=0.001), ScrapePath(delay_s=2 * SCRAPE_S)])
def test_a_page_cut_short_or_late_is_a_failed_scrape_in_both_formats(prometheus, served, path):
    """`up` is 0 and every series has ended, as the recorder of history has it; then all is well."""
    metric = "agentaskit_active_agents"
    assert prometheus.query(metric)
    served.affect_scrapes(path)
    try:
        prometheus.wait_for("count(up == 0) == 2")
        assert prometheus.query(metric) == []
    finally:
        served.affect_scrapes(ScrapePath())
    prometheus.wait_for("count(up == 1) == 2")
    assert prometheus.query(metric)


def test_vanished_series_end_while_the_target_is_up(prometheus, served):
    """A scrape with fewer series is a successful scrape."""
    whole = len(prometheus.query('{job="text"}'))
    served.affect_scrapes(ScrapePath(vanished_share=0.9))
    try:
        prometheus.wait_for(f'count({{job="text"}}) < {whole // 2}')
        assert len(prometheus.query("up == 1")) == 2
    finally:
        served.affect_scrapes(ScrapePath())
    prometheus.wait_for(f'count({{job="text"}}) >= {whole}')


def test_a_scrape_is_reported_as_a_real_prometheus_does(prometheus, served):
    """Of a whole page, of one cut short, of fewer series, and of series that are new again.

    How long a scrape took is a matter of the machine, so only counts are compared.
    """
    whole, cut, few = ScrapePath(), ScrapePath(cut_share=0.001), ScrapePath(vanished_share=0.9)
    reporter = ScrapeReporter(rank_series(catalogue_world(served.snapshot(whole))))
    reporter.report(served.snapshot(whole))
    added = []
    try:
        for path in (cut, whole, few, whole):
            served.affect_scrapes(path)
            values = reporter.report(served.snapshot(path)).tolist()
            report = dict(zip(SCRAPE_SERIES, values, strict=True))
            for name in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling"):
                prometheus.wait_for(f'{name}{{job="text"}} == {report[name]:g}')
            if path is whole:
                window = f"{4 * SCRAPE_S:g}s"
                new = f'max_over_time({SERIES_ADDED}{{job="text"}}[{window}])'
                prometheus.wait_for(f"{new} == {report[SERIES_ADDED]:g}")
            added.append(report[SERIES_ADDED])
    finally:
        served.affect_scrapes(whole)
    # A page that failed leaves the series known, one with fewer series does not.
    assert added[:3] == [0, 0, 0]
    assert added[3] > 0
