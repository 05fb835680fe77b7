"""The catalogue against the contract, written out by hand, and its layout as a vector."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from exporter.metrics.catalogue import (
    BESIDE_MAPPED,
    CHARTED,
    RUN,
    STATE,
    WORLD,
    RunStatus,
    catalogue_burst,
    catalogue_run,
    catalogue_world,
)
from exporter.metrics.series import NAME, Catalogue
from simulator.faults.kinds.catalogue import FAULTS
from simulator.pacer import Pace
from tests.exporter.contract import METRICS, MOVED_BY, THRESHOLDS_S
from tests.fakes import FakeWorld


@pytest.fixture
def world():
    """Return a world after two seconds."""
    world = FakeWorld()
    world.advance(2.0)
    return world


def values_of(catalogue, snapshot, name):
    """Return {labels without the name: value} of every series called `name`."""
    values = {}
    for labels, value in zip(catalogue.series, catalogue.flatten(snapshot), strict=True):
        plain = dict(labels)
        if plain.pop(NAME) == name:
            values[tuple(sorted(plain.items()))] = value
    return values


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_of_the_contract_is_there_with_its_type_and_labels(name):
    """A rename, another type or another label would break rules that users already have."""
    kind, labels = METRICS[name]
    (metric,) = (metric for metric in WORLD if metric.name == name)
    assert metric.kind == kind
    assert {label.name for label in metric.labels} == set(labels)


@pytest.mark.parametrize("name", [n for n in METRICS if METRICS[n][0] != "histogram"])
def test_every_label_value_exists_from_the_first_reading(name):
    """A series that appears late hides its first increments from rate()."""
    labels = METRICS[name][1]
    expected = {tuple(sorted(zip(labels, c, strict=True))) for c in product(*labels.values())}
    begin = FakeWorld()
    values = values_of(catalogue_world(begin.snapshot()), begin.snapshot(), name)
    assert values.keys() == expected
    if METRICS[name][0] == "counter":
        assert set(values.values()) == {0.0}


@pytest.mark.parametrize("name", [n for n in METRICS if METRICS[n][0] == "histogram"])
def test_histograms_have_a_bucket_at_every_threshold_of_the_alerts(name, world):
    """A quantile near a threshold is only exact where a bucket ends on it."""
    values = values_of(catalogue_world(world.snapshot()), world.snapshot(), f"{name}_bucket")
    bounds = {dict(labels)["le"] for labels in values}
    assert {*THRESHOLDS_S, "+Inf"} <= bounds


def test_buckets_are_cumulative_and_the_last_is_the_count(world):
    """The law of histograms: a bucket is the sum of the cells up to its bound."""
    snapshot = world.snapshot()
    catalogue = catalogue_world(snapshot)
    name = "agentaskit_task_duration_seconds"
    buckets = list(values_of(catalogue, snapshot, f"{name}_bucket").values())
    assert buckets == np.cumsum(snapshot.task_duration.counts).tolist()
    assert values_of(catalogue, snapshot, f"{name}_count") == {(): buckets[-1]}
    total_s = values_of(catalogue, snapshot, f"{name}_sum")[()]
    assert total_s == snapshot.task_duration.sum_ns / 1e9


def test_each_value_stands_beside_its_own_labels(world):
    """Spot checks on arrays of one and of two axes: a transposed axis would mix them up."""
    snapshot = world.snapshot()
    catalogue = catalogue_world(snapshot)
    tasks = values_of(catalogue, snapshot, "agentaskit_tasks_processed_total")
    assert tasks[("outcome", "failed"), ("priority", "normal")] == snapshot.tasks_processed[2, 1]
    cpu = values_of(catalogue, snapshot, "node_cpu_seconds_total")
    assert cpu[("cpu", "9"), ("mode", "user")] == snapshot.cpu_ns[9, 7] / 1e9


def test_slots_stand_beside_their_own_state(world):
    """All three states, of counts that differ: two that are alike would hide a wrong order."""
    world.change(sandbox_leaked=np.array([1, 2, 3]), sandbox_down=np.array([4, 5, 6]))
    snapshot = world.snapshot()
    values = values_of(catalogue_world(snapshot), snapshot, "agentaskit_sandbox_slots")
    assert {dict(labels)["state"] for labels in values} >= {"in_use", "leaked", "down"}
    for place, pool in enumerate("ABC"):
        of_pool = [("sandbox_type", pool)]
        assert values[*of_pool, ("state", "leaked")] == 1 + place
        assert values[*of_pool, ("state", "down")] == 4 + place
        assert values[*of_pool, ("state", "in_use")] == snapshot.sandbox_in_use[place]


def test_names_are_unique_and_so_are_series(world):
    """Two entries of one name would be one metric with two meanings."""
    names = [metric.name for metric in (*WORLD, *RUN)]
    assert len(set(names)) == len(names)
    series = catalogue_world(world.snapshot()).series
    assert len(set(series)) == len(series)
    assert all(labels == tuple(sorted(labels)) for labels in series)


@pytest.mark.parametrize("metric", [*WORLD, *RUN], ids=lambda metric: metric.name)
def test_a_unit_ends_the_name_and_a_counter_ends_in_total(metric):
    """OpenMetrics would otherwise rename the family."""
    stem = metric.name.removesuffix("_total")
    assert not metric.unit or stem.endswith(f"_{metric.unit}")
    assert metric.name.endswith("_total") or metric.kind != "counter"
    assert metric.help.endswith(".")


def test_no_label_can_name_an_agent(world):
    """Every label has a closed list of values, none longer than the catalogue of faults."""
    for metric in WORLD:
        for label in metric.labels:
            assert label.name not in {"agent", "agent_id", "task", "id"}
            assert len(label.values(world.snapshot())) <= len(FAULTS)


def test_counters_never_fall_while_gauges_do():
    """A falling series declared a counter fails here; the gauges show that values do fall."""
    world = FakeWorld(seed=7)
    catalogue = catalogue_world(world.snapshot())
    counters = catalogue.kinds == "counter"
    before, fell = catalogue.flatten(world.snapshot()), np.zeros(len(counters), dtype=bool)
    for step in range(1, 60):
        world.advance(step * 0.01)
        now = catalogue.flatten(world.snapshot())
        fell |= now < before
        before = now
    assert not fell[counters].any()
    assert fell[~counters].any()


def test_buckets_counts_and_sums_are_of_kind_counter(world):
    """The recorder keeps levels of counters only, and must not miss any."""
    catalogue = catalogue_world(world.snapshot())
    counters = {
        dict(labels)[NAME]
        for labels, kind in zip(catalogue.series, catalogue.kinds, strict=True)
        if kind == "counter"
    }
    for name, (kind, _) in METRICS.items():
        if kind == "histogram":
            assert {f"{name}_bucket", f"{name}_count", f"{name}_sum"} <= counters
        else:
            assert (name in counters) == (kind in {"counter", "unknown"})


def test_conservation_errors_are_zero_and_a_planted_loss_shows(world):
    """The check of each law can fail, and reports that law by name."""
    name = "agentaskit_sim_conservation_error"
    catalogue = catalogue_world(world.snapshot())
    assert set(values_of(catalogue, world.snapshot(), name).values()) == {0.0}
    snapshot = world.snapshot()
    lost = np.array([2, -1, 0, 0])
    world.change(
        tasks_arrived=snapshot.tasks_arrived + lost,
        dispatched=snapshot.dispatched + 1,
        messages_sent=snapshot.messages_sent - 4,
        sandbox_in_use=snapshot.sandbox_in_use + 5,
    )
    values = values_of(catalogue, world.snapshot(), name)
    assert {dict(labels)["law"]: value for labels, value in values.items()} == {
        "tasks": 3,
        "dispatch": 6,
        "messages": 4,
        "sandboxes": 15,
    }


def test_faults_in_effect_add_up_by_kind(world):
    """Two windows of one kind, of which the first counts as the start, and one of another."""
    world.begin_fault("traffic_drop", 0.4, 100.0)
    world.advance(2.5)
    world.begin_fault("traffic_drop", 0.2, 50.0)
    world.begin_fault("memory_leak", 9.0, 7.0)
    catalogue = catalogue_world(world.snapshot())
    for name, drop, leak in (
        ("agentaskit_sim_faults_active", 2.0, 1.0),
        ("agentaskit_sim_fault_magnitude", 0.4 + 0.2, 9.0),
        ("agentaskit_sim_fault_effect", 150.0, 7.0),
        ("agentaskit_sim_fault_effect_expected", 300.0, 14.0),
        ("agentaskit_sim_fault_start_time_seconds", 2.0, 2.5),
    ):
        values = values_of(catalogue, world.snapshot(), name)
        assert values[(("fault", "traffic_drop"),)] == pytest.approx(drop)
        assert values[(("fault", "memory_leak"),)] == leak
        assert values[(("fault", "exporter_down"),)] == 0.0


ELSEWHERE = {"seed", "tiers", "priorities", "sandboxes", "faults", "exporter_up", "scrape_path",
             "cells"}  # fmt: skip


def moved_metrics(catalogue, before, now):
    """Return the names, without their prefix, of the metrics that differ between two readings."""
    differs = catalogue.flatten(before) != catalogue.flatten(now)
    return {
        group.metric.name.removeprefix("agentaskit_")
        for group in catalogue.groups
        if differs[group.start : group.stop].any()
    }


def test_every_field_of_a_snapshot_is_shown_by_its_own_metrics(world):
    """Change any field of a snapshot, and those move, and no other."""
    snapshot = world.snapshot()
    catalogue = catalogue_world(snapshot)
    shown = {}
    for field in set(type(snapshot).__dataclass_fields__) - ELSEWHERE:
        old = getattr(snapshot, field)
        new = type(old)(old.counts + 1, old.sum_ns + 1) if hasattr(old, "counts") else old + 1
        shown[field] = moved_metrics(catalogue, snapshot, replace(snapshot, **{field: new}))
    assert shown == {field: set(names) for field, names in MOVED_BY.items()}


def test_every_number_of_a_fault_is_shown_by_its_own_metric(world):
    """The strength of now, not the one declared, which a ramp reaches only at its end."""
    world.begin_fault("traffic_drop", 0.4, 100.0)
    snapshot = world.snapshot()
    catalogue, (status,) = catalogue_world(snapshot), snapshot.faults
    moved = {
        field: moved_metrics(
            catalogue,
            snapshot,
            replace(snapshot, faults=(replace(status, **{field: getattr(status, field) + 1}),)),
        )
        for field in ("magnitude", "declared", "effect", "expected", "began_ns", "ends_ns")
    }
    assert moved == {
        "magnitude": {"sim_fault_magnitude"}, "declared": set(), "effect": {"sim_fault_effect"},
        "expected": {"sim_fault_effect_expected"}, "began_ns": {"sim_fault_start_time_seconds"},
        "ends_ns": set(),
    }  # fmt: skip


def test_flattening_takes_well_under_a_millisecond(world):
    """A history takes a hundred thousand; the best of many runs is the cost without noise."""
    snapshot = world.snapshot()
    catalogue = catalogue_world(snapshot)
    best_s = 1.0
    for _ in range(200):
        began_s = time.perf_counter()
        catalogue.flatten(snapshot)
        best_s = min(best_s, time.perf_counter() - began_s)
    assert best_s < 0.5e-3


def test_a_catalogue_can_be_laid_out_over_a_part_of_the_metrics(world):
    """A caller may need a few metrics only."""
    catalogue = Catalogue(STATE[:1], world.snapshot())
    assert len(catalogue.series) == 4


def test_each_number_of_a_run_stands_under_its_own_name():
    """All of them different: two that are alike would hide that one is shown for another."""
    pace = Pace(
        elapsed_s=1.0, drift_s=2.0, times_real_time=3.0, computing_s=4.0, ticks=5, late_ticks=6,
        loop_lag_s=7.0, loop_lag_max_s=8.0,
    )  # fmt: skip
    status = RunStatus(
        version="9.1", python_version="3.99", scenario="quiet", seed=10, pace=pace,
        scrapes_served=11, scrapes_refused=12, series_dropped=13,
    )  # fmt: skip
    catalogue = catalogue_run(status)
    shown = {}
    for labels, value in zip(catalogue.series, catalogue.flatten(status), strict=True):
        name = dict(labels)[NAME].removeprefix("agentaskit_sim_")
        shown[name, *(pair for pair in labels if pair[0] != NAME)] = value
    assert shown == {
        ("build_info", ("python_version", "3.99"), ("version", "9.1")): 1,
        ("run_info", ("scenario", "quiet"), ("seed", "10")): 1,
        ("clock_drift_seconds",): 2,
        ("times_real_time",): 3,
        ("computing_seconds_total",): 4,
        ("ticks_total",): 5,
        ("late_ticks_total",): 6,
        ("loop_lag_seconds",): 7,
        ("loop_lag_max_seconds",): 8,
        ("scrapes_total", ("outcome", "served")): 11,
        ("scrapes_total", ("outcome", "refused")): 12,
        ("series_dropped_total",): 13,
    }


def test_what_the_simulator_says_of_itself_stands_beside_metrics_of_the_user():
    """And the counter that shows every restart, under a name that is surely not theirs."""
    steady, *others = BESIDE_MAPPED
    assert others == [each for each in WORLD if each.name.startswith("agentaskit_sim_")]
    assert steady.name == "agentaskit_sim_cpu_seconds_total"
    assert [label.name for label in steady.labels] == ["cpu", "mode"]


def test_a_series_of_a_burst_is_1_and_has_a_value_of_its_own():
    """From 0, so that a longer burst has those of a shorter one."""
    catalogue = catalogue_burst(3)
    assert catalogue.flatten(3).tolist() == [1, 1, 1]
    assert [dict(labels)["value"] for labels in catalogue.series] == ["0", "1", "2"]


def test_the_clock_of_the_world_is_a_clock_and_nothing_else_is(world):
    """It alone does not begin anew with the exporter though it never falls."""
    catalogue = catalogue_world(world.snapshot())
    clocks = [dict(catalogue.series[i])[NAME] for i in np.flatnonzero(catalogue.kinds == "clock")]
    assert clocks == ["agentaskit_sim_time_seconds"]


def test_a_gauge_of_agents_counts_all_that_run(world):
    """Idle, busy or hung; neither those that start nor those that are down."""
    snapshot = world.snapshot()
    active = values_of(catalogue_world(snapshot), snapshot, "agentaskit_active_agents")
    assert list(active.values()) == snapshot.active_agents.tolist()


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Free sandbox slots", "sum by (sandbox_type) (agentaskit_sandbox_pool_available)"),
        ("Tasks that wait, by priority", "sum by (priority) (agentaskit_task_queue_depth)"),
        ("CPU in use", '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[WINDOW]))'),
    ],
)
def test_a_report_draws_what_its_title_says(title, query):
    """What is free and not what there is; what is in use and not what is idle."""
    (drawn,) = (each for each in CHARTED if each.title == title)
    assert drawn.query == query
