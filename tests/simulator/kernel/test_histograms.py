"""A quantile read from the histogram's bounds is near that of the durations themselves."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.state import ns
from simulator.load import BASE_RATE_PER_S, Load
from simulator.plan import Plan
from simulator.snapshot import DURATION_BOUNDS_S
from simulator.topology import Topology
from simulator.world import World
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import fault, recent_durations_s, small

ROWS = {
    "http_request_duration": k.HTTP_DURATION,
    "response_duration": k.RESPONSE_DURATION,
    "task_duration": k.TASK_DURATION,
    "startup_duration": k.STARTUP_DURATION,
}


def histogram_quantile(quantile, counts):
    """Interpolate linearly within the cell, as Prometheus does."""
    bounds = np.array([0.0, *DURATION_BOUNDS_S])
    cumulative = np.concatenate([[0], np.cumsum(counts)])
    rank = quantile * cumulative[-1]
    cell = int(np.searchsorted(cumulative, rank)) - 1
    assert cell < len(DURATION_BOUNDS_S), "the quantile is beyond the last bound"
    inside = (rank - cumulative[cell]) / (cumulative[cell + 1] - cumulative[cell])
    return bounds[cell] + (bounds[cell + 1] - bounds[cell]) * inside


SLOWER = [
    (),
    (fault("task_slowdown", factor=1.6, start_s=0.0),),
    (fault("task_slowdown", factor=4.0, start_s=0.0, fraction=0.1),),
    (fault("task_slowdown", factor=12.0, start_s=0.0, fraction=0.1),),
    (fault("slow_start", factor=3.0, start_s=0.0),),
    (fault("dependency_outage", share=0.1, latency_s=0.1, start_s=0.0),),
]


@pytest.mark.sampled(6)
@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("faults", SLOWER, ids=lambda faults: "+".join(f.kind for f in faults))
def test_every_quantile_of_every_duration_is_within_a_tenth(faults, quantile):
    """The default system, healthy and slowed: bounds are fine enough wherever an alert reads."""
    topology = Topology(recycle_per_s=100.0)
    rate = BASE_RATE_PER_S if not faults else 5000.0
    world = World(topology, Plan(load=Load(rate=rate), faults=faults), 42)
    world.advance(6.0)
    s = world.snapshot()
    for name, row in ROWS.items():
        counts = getattr(s, name).counts
        assert 500 < counts.sum() <= k.RECENT, name
        true = np.quantile(recent_durations_s(world, row), quantile)
        assert histogram_quantile(quantile, counts) == pytest.approx(true, rel=0.1), name


def test_a_narrow_peak_is_resolved_only_to_its_cell():
    """Durations all near 0.6 s, between the bounds 0.5 and 0.75: a histogram knows no more."""
    outage = fault("dependency_outage", share=0.1, latency_s=0.6, start_s=0.0)
    world = World(Topology(), Plan(load=Load(rate=5000.0), faults=(outage,)), 42)
    world.advance(6.0)
    estimated = histogram_quantile(0.99, world.snapshot().http_request_duration.counts)
    true = np.quantile(recent_durations_s(world, k.HTTP_DURATION), 0.99)
    assert 0.5 < true < 0.75
    assert 0.5 < estimated < 0.75


def test_a_histogram_counts_and_sums_the_durations_that_were_kept():
    """Histogram and kept durations are the same observations, cell by cell."""
    world = World(Topology(), Plan(), 1)
    world.advance(3.0)
    s = world.snapshot()
    for name, row in ROWS.items():
        durations_ns = np.rint(recent_durations_s(world, row) * 1e9).astype(np.int64)
        histogram = getattr(s, name)
        bounds = np.rint(np.array(DURATION_BOUNDS_S) * 1e9).astype(np.int64)
        cells = np.searchsorted(bounds, durations_ns, side="left")
        assert histogram.counts.tolist() == np.bincount(cells, minlength=31).tolist(), name
        assert histogram.sum_ns == durations_ns.sum(), name


def test_a_duration_on_a_bound_is_counted_within_it():
    """As `le` says; a nanosecond more is in the next bucket, and the last has no bound."""
    bench = Bench(small())
    bounds_ns = [ns(bound) for bound in DURATION_BOUNDS_S]
    for cell, bound_ns in enumerate(bounds_ns):
        for duration, counted in ((bound_ns, cell), (bound_ns + 1, cell + 1)):
            bench.s.histogram[k.TASK_DURATION] = 0
            bench.observe(k.TASK_DURATION, duration)
            assert np.flatnonzero(bench.s.histogram[k.TASK_DURATION]).tolist() == [counted]
