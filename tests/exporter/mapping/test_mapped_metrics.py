"""A mapped catalogue: selection, sums, spellings, shares, units, and counters through a restart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.mapping.mapped_metrics import exported_metrics
from exporter.mapping.metric_mapping import MappedLabel, MappedMetric, MetricMapping
from exporter.mapping.quantities import quantities
from exporter.metrics.catalogue import WORLD, catalogue_world
from exporter.metrics.restart_view import RestartView
from simulator.plan import Plan
from simulator.snapshot import DURATION_BOUNDS_S
from simulator.topology import Topology
from simulator.world import World

HANDLERS = MappedLabel(name="handler", shares=(("/a", 0.75), ("/b", 0.25)))


@pytest.fixture(scope="module")
def world():
    """Return a world in which every kind of request has been counted for a while."""
    made = World(Topology(), Plan(), 3)
    made.advance(5.0)
    return made


def values(snapshot, *metrics):
    """Return the values of mapped series by name and labels, without those of the simulator."""
    catalogue = catalogue_world(snapshot, exported_metrics(MetricMapping(metrics)))
    return {
        tuple(value for _, value in labels): number
        for labels, number in zip(catalogue.series, catalogue.flatten(snapshot), strict=True)
        if "agentaskit_sim" not in labels[0][1]
    }


def counter(**fields):
    """Return a counter made of the requests by status."""
    return MappedMetric(name="r_total", kind="counter", source="http_requests_total", **fields)


def test_without_a_mapping_our_own_metrics_are_exported():
    """The same tuple: nothing is made anew."""
    assert exported_metrics(None) is WORLD


def test_beside_a_mapping_nothing_of_ours_is_left_but_of_the_simulator():
    """A rule that reads one of our names must find nothing."""
    names = {metric.name for metric in exported_metrics(MetricMapping((counter(),)))}
    assert "http_requests_total" not in names
    assert {name for name in names if not name.startswith("agentaskit_sim_")} == {"r_total"}
    assert "agentaskit_sim_time_seconds" in names


def test_a_metric_s_help_is_the_user_s_and_else_says_what_it_is_made_of():
    """The user knows better than we do."""
    own, silent = (
        exported_metrics(MetricMapping((counter(help=words),)))[0].help for words in ("Ours.", "")
    )
    assert (own, silent) == ("Ours.", "Made of http_requests_total.")
    sums = MappedMetric(name="r_total", kind="counter", help="Other.",
                        source="http_request_duration_seconds_sum")  # fmt: skip
    for parts, words in (
        ((counter(help="Ours."), sums), "Ours."),
        ((counter(), counter(), sums),
         "Made of http_requests_total, http_request_duration_seconds_sum."),
    ):  # fmt: skip
        assert exported_metrics(MetricMapping(parts))[0].help == words


@pytest.mark.parametrize(
    ("kind", "source", "monotone"),
    [
        ("counter", "http_requests_total", True),
        ("gauge", "agentaskit_tasks_in_flight", False),
        ("histogram", "http_request_duration_seconds", True),
    ],
)
def test_all_but_gauges_never_fall(kind, source, monotone):
    """By it a past is put before a replay, and a restart is shown."""
    metric = MappedMetric(name="mine", kind=kind, source=source, bounds=(1.0,))
    mapped = {each.name: each for each in exported_metrics(MetricMapping((metric,)))}["mine"]
    assert mapped.monotone is monotone


def test_series_that_no_label_tells_apart_are_added_up(world):
    """All statuses, or those that are selected."""
    snapshot = world.snapshot()
    assert values(snapshot, counter()) == {("r_total",): snapshot.http_requests.sum()}
    failed = counter(where=(("status", ("500", "503", "504")),))
    assert values(snapshot, failed) == {("r_total",): snapshot.http_requests[-3:].sum()}


def test_labels_are_renamed_and_their_values_spelt_otherwise(world):
    """Two values that are spelt alike are one series; a fixed label stands on each."""
    codes = MappedLabel(name="code", source="status", values=(("504", "5xx"), ("503", "5xx")))
    mapped = values(world.snapshot(), counter(labels=(codes, MappedLabel(name="m", fixed="GET"))))
    assert [key[1:] for key in mapped] == [(c, "GET") for c in ("200", "429", "500", "5xx")]
    assert sum(mapped.values()) == world.snapshot().http_requests.sum()


def test_two_labels_with_shares_split_each_other_and_all_adds_up(world):
    """Whole numbers, whose sum is the quantity."""
    methods = MappedLabel(name="method", shares=(("GET", 0.9), ("POST", 0.1)))
    mapped = values(world.snapshot(), counter(labels=(HANDLERS, methods)))
    total = world.snapshot().http_requests.sum()
    assert list(mapped) == [("r_total", h, m) for h in ("/a", "/b") for m in ("GET", "POST")]
    assert sum(mapped.values()) == total
    assert mapped["r_total", "/a", "GET"] == pytest.approx(0.675 * total, abs=3)


def test_a_histogram_keeps_its_laws_when_split_and_rebinned(world):
    """The last bucket is the count; the sum is scaled; buckets rise."""
    snapshot = world.snapshot()
    duration = MappedMetric(
        name="d_ms", kind="histogram", source="http_request_duration_seconds",
        labels=(HANDLERS,), factor=1000.0, bounds=(7.0, 10.0, 100.0),
    )  # fmt: skip
    mapped = values(snapshot, duration)
    assert [key for key in mapped if key[1] == "/a"] == [
        *(("d_ms_bucket", "/a", le) for le in ("7.0", "10.0", "100.0", "+Inf")),
        ("d_ms_count", "/a"),
        ("d_ms_sum", "/a"),
    ]
    for handler in ("/a", "/b"):
        buckets = [number for key, number in mapped.items() if key[:2] == ("d_ms_bucket", handler)]
        assert buckets == sorted(buckets)
        assert buckets[-1] == mapped["d_ms_count", handler]
    count, total_s = (
        snapshot.http_request_duration.counts.sum(),
        snapshot.http_request_duration.sum_ns,
    )
    assert mapped["d_ms_count", "/a"] + mapped["d_ms_count", "/b"] == count
    assert mapped["d_ms_sum", "/a"] == pytest.approx(0.75 * total_s / 1e6)


def test_parts_of_a_histogram_are_counters_too(world):
    """For an exporter with a summary, or a counter beside it."""
    snapshot = world.snapshot()
    mapped = values(
        snapshot,
        MappedMetric(name="n", kind="counter", source="http_request_duration_seconds_count"),
        MappedMetric(
            name="s", kind="counter", source="http_request_duration_seconds_sum", factor=1e3
        ),
    )  # fmt: skip
    assert mapped["n",] == snapshot.http_request_duration.counts.sum()
    assert mapped["s",] == pytest.approx(snapshot.http_request_duration.sum_ns / 1e6)


def test_a_mapped_counter_begins_at_0_after_a_restart_and_never_falls_else(world):
    """Read through the view that the page is read through, scrape by scrape."""
    metrics = exported_metrics(MetricMapping((counter(labels=(HANDLERS,)),)))
    own = world.fork()
    catalogue = catalogue_world(own.snapshot(), metrics)
    view = RestartView(catalogue)
    counters = np.flatnonzero(catalogue.kinds == "counter")
    rows = []
    for scrape in range(40):
        own.advance(5.0 + (scrape + 1) / 10)
        if scrape == 20:
            view.restart(own.snapshot())
        rows.append(view.read(own.snapshot())[counters])
    falls = (np.diff(np.array(rows), axis=0) < 0).any(axis=1)
    assert np.flatnonzero(falls).tolist() == [19]
    assert not rows[20].any()


@pytest.mark.parametrize("kind", ["gauge", "counter"])
def test_a_number_is_given_in_the_user_s_unit(world, kind):
    """Once multiplied, of whatever type it is."""
    snapshot = world.snapshot()
    source, total = {
        "gauge": ("agentaskit_memory_bytes", snapshot.memory_bytes.sum()),
        "counter": ("http_requests_total", snapshot.http_requests.sum()),
    }[kind]
    mapped = MappedMetric(name="mine_total", kind=kind, source=source, factor=0.25)
    assert values(snapshot, mapped) == {("mine_total",): total * 0.25}


def test_a_histogram_and_its_parts_are_given_in_the_user_s_unit(world):
    """Counts of observations are no durations; the counter of the sum is one."""
    snapshot = world.snapshot()
    ours = snapshot.http_request_duration
    whole = MappedMetric(
        name="h", kind="histogram", source="http_request_duration_seconds", factor=1000.0,
        bounds=(50.0,),
    )  # fmt: skip
    read = values(snapshot, whole)
    assert read["h_count",] == read["h_bucket", "+Inf"] == ours.counts.sum()
    assert read["h_sum",] == pytest.approx(ours.sum_ns / 1e6)
    within = np.cumsum(ours.counts)[DURATION_BOUNDS_S.index(0.05)]
    assert 0 < within == read["h_bucket", "50.0"]
    for part, total in (("_count", ours.counts.sum()), ("_sum", ours.sum_ns / 1e9)):
        counted = MappedMetric(name="p_total", kind="counter", factor=2.0,
                               source=f"http_request_duration_seconds{part}")  # fmt: skip
        assert values(snapshot, counted)["p_total",] == pytest.approx(2.0 * total)


def test_a_quantity_has_the_label_values_of_its_world():
    """A CPU for each of every host; tiers, priorities and pools by their names."""
    topology = Topology()
    known = {name: quantities()[name].label_values(topology) for name in quantities()}
    cpus = known["node_cpu_seconds_total"]["cpu"]
    assert len(cpus) == len(set(cpus)) == topology.hosts * topology.cpus_per_host
    pools = known["agentaskit_sandbox_pool_total"]["sandbox_type"]
    assert pools == tuple(pool.name for pool in topology.sandboxes)
    assert known["agentaskit_memory_bytes"]["tier"] == tuple(t.name for t in topology.tiers)


def test_clocks_are_no_quantities_and_a_histogram_is_three():
    """Nothing can be made of the world's time; count and sum are counters."""
    known = quantities()
    assert "agentaskit_sim_time_seconds" not in known
    assert known["http_request_duration_seconds"].kinds == ("histogram",)
    assert known["http_request_duration_seconds_sum"].kinds == ("counter",)
    assert known["agentaskit_network_bytes_sent"].kinds == ("counter",)
    assert "http_requests_total_sum" not in known


def test_what_is_no_whole_number_is_split_into_parts_that_are_none(world):
    """Seconds of CPU time: each handler has its exact share, as events have whole ones."""
    snapshot = world.snapshot()
    spent = MappedMetric(name="cpu_total", kind="counter", source="node_cpu_seconds_total",
                         labels=(HANDLERS,))  # fmt: skip
    total_s = snapshot.cpu_ns.sum() / 1e9
    assert not float(total_s * 0.25).is_integer()
    read = values(snapshot, spent)
    assert read["cpu_total", "/a"] == pytest.approx(total_s * 0.75, rel=1e-12)
    assert read["cpu_total", "/b"] == pytest.approx(total_s * 0.25, rel=1e-12)
    waited = MappedMetric(name="d_total", kind="counter", labels=(HANDLERS,),
                          source="http_request_duration_seconds_sum")  # fmt: skip
    whole_s = snapshot.http_request_duration.sum_ns / 1e9
    assert values(snapshot, waited)["d_total", "/b"] == pytest.approx(whole_s * 0.25, rel=1e-9)


def test_parts_of_one_name_are_one_metric_wherever_they_stand():
    """Names and labels in order, so that every run writes the same page."""
    labels = tuple(MappedLabel(name=name, fixed="x") for name in ("z", "m", "a", "k"))
    other = MappedMetric(name="a_total", kind="counter", source="http_requests_total")
    parts = (counter(labels=labels[:2]), other, counter(labels=labels[2:]))
    shown = [
        (metric.name, [label.name for label in metric.labels])
        for metric in exported_metrics(MetricMapping(parts))
        if "agentaskit_sim" not in metric.name
    ]
    assert shown == [("a_total", []), ("r_total", ["a", "k", "m", "z"])]


def test_events_are_split_before_their_unit_is_changed(world):
    """Of seven requests five and two, each counted as a half."""
    seven = np.zeros_like(world.snapshot().http_requests)
    seven[0] = 7
    snapshot = replace(world.snapshot(), http_requests=seven)
    assert values(snapshot, counter(labels=(HANDLERS,), factor=0.5)) == {
        ("r_total", "/a"): 2.5,
        ("r_total", "/b"): 1.0,
    }
