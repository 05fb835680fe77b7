"""An hour of scrapes through every kind of fault breaks no law of an exposition."""

from __future__ import annotations

import pytest

from exporter.metrics.page import OPENMETRICS, TEXT
from simulator.world import World
from tests.exporter.exposed_hour import (
    HOUR_S,
    LASTS_S,
    SCRAPE_S,
    onset_s,
    pages,
    troubled_world,
)
from tests.exporter.exposition_laws import PageLaws
from tests.exporter.metrics.test_page import lint
from tests.simulator.faults.samples import SAMPLES
from tests.simulator.random_worlds import random_scenario

KNOWN = ['agentaskit_sandbox_pool_total non-counter metrics should not have "_total" suffix']
"""What promtool says of the contract's own metrics."""
SHORT_S = range(SCRAPE_S, 600, SCRAPE_S)
HOUR = range(SCRAPE_S, HOUR_S, SCRAPE_S)


def broken_laws(world, instants_s, content_type=TEXT):
    """Return what the pages break, each with its instant; and how many pages and restarts came."""
    laws, broken, read, restarts = PageLaws(), [], 0, 0
    for at_s, text, restarted in pages(world, instants_s, content_type):
        if text is not None:
            broken += [f"{at_s} s: {law}" for law in laws.check(text, restarted=restarted)]
            read, restarts = read + 1, restarts + restarted
    return broken, read, restarts


def test_an_hour_with_every_fault_breaks_no_law():
    """Counters reset, series vanish and multiply, scrapes are refused: each page is whole."""
    broken, read, restarts = broken_laws(troubled_world(7), HOUR)
    assert broken == []
    assert read > len(HOUR) - 3 * LASTS_S / SCRAPE_S
    assert restarts >= 1


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 20))]
)
def test_random_worlds_break_no_law_in_either_format(seed):
    """Tight queues, tiny pools, overlapping faults; a scrape every fifth of a second at first."""
    instants_s = [*(tenth / 10 for tenth in range(1, 60, 2)), *range(6, 66, 3)]
    for content_type in (TEXT, OPENMETRICS):
        world = World(*random_scenario(seed), seed)
        assert broken_laws(world, instants_s, content_type)[0] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("content_type", [TEXT, OPENMETRICS])
def test_more_hours_break_no_law(seed, content_type):
    """Other seeds, and the format that Prometheus asks for."""
    assert broken_laws(troubled_world(seed), HOUR, content_type)[0] == []


HISTOGRAM = """# HELP h x
# TYPE h histogram
h_bucket{le="0.1",a="b"} 2
h_bucket{le="1.0",a="b"} 5
h_bucket{le="+Inf",a="b"} 6
h_sum{a="b"} 3.5
h_count{a="b"} 6
# HELP c_total x
# TYPE c_total counter
c_total 4
"""


@pytest.mark.parametrize(
    ("old", "new", "law"),
    [
        ('le="0.1"', 'le="2.0"', "h{a=b}: buckets are not in order"),
        ("} 5\n", "} 1\n", "h{a=b}: a bucket holds fewer than the one below"),
        ('h_count{a="b"} 6', 'h_count{a="b"} 7', "h{a=b}: the bucket +Inf must hold all 7"),
        ("} 3.5", "} 1.1", "h{a=b}: the sum 1.1 is not from 1.3 to inf"),
        ("# HELP h x\n", "", "h: 0 HELP"),
        ("# TYPE c_total counter\n", "# TYPE c_total counter\n" * 2, "c_total: 2 TYPE"),
        ("c_total 4\n", "c_total 4\nc_total 4\n", "c_total: twice"),
        ("c_total 4\n", "c_total 4\nh_sum 1\n", "h_sum: among the samples of c_total"),
        ("c_total 4\n", "c_total -4\n", "c_total: below 0"),
        ("c_total 4\n", "c_total NaN\n", "c_total: below 0"),
        ("c_total 4\n", "c_total 4 # {} 1\n", "c_total: an exemplar, which nothing here has"),
        ("c_total 4\n", "c_total 4\n# HELP h x\n", "h: described again after its samples"),
        ("c_total 4\n", "c total 4\n", "no sample: c total 4"),
    ],
)  # fmt: skip
def test_a_planted_mistake_on_a_page_is_found(old, new, law):
    """Each law can be broken; the page itself breaks none."""
    assert PageLaws().check(HISTOGRAM) == []
    assert old in HISTOGRAM
    assert law in PageLaws().check(HISTOGRAM.replace(old, new))


@pytest.mark.parametrize("series", ['h_sum{a="b"}', 'h_count{a="b"}', 'h_bucket{le="0.1",a="b"}',
                                    "c_total"])  # fmt: skip
def test_what_counts_may_fall_only_in_a_restart(series):
    """Sums and counts of histograms as well as counters."""
    laws = PageLaws()
    (line,) = (line for line in HISTOGRAM.splitlines() if line.startswith(series))
    assert laws.check(HISTOGRAM.replace(line, f"{series} 1000")) is not None
    assert f"{series}: fell from 1000" in laws.check(HISTOGRAM)
    assert laws.check(HISTOGRAM.replace(line, f"{series} 0"), restarted=True) is not None
    assert not [law for law in laws.check(HISTOGRAM) if "fell" in law]


def test_a_counter_that_starts_again_unannounced_is_found():
    """The hour has a restart: taken for none, every counter has fallen."""
    laws, fallen = PageLaws(), []
    around = onset_s("counter_reset")
    for _, text, _ in pages(troubled_world(7), range(int(around) - 60, int(around) + 90, SCRAPE_S)):
        fallen += [law for law in laws.check(text or "") if "fell from" in law]
    assert any("http_requests_total" in law for law in fallen)


def complaints(kinds):
    """Return what promtool says beyond what is known, of a page under each of the faults."""
    instants_s = sorted(onset_s(kind) + LASTS_S / 2 for kind in kinds)
    world = troubled_world(7)
    pages_by_s = [(0.5, next(pages(world, [0.5]))[1])]
    pages_by_s += [(at_s, text) for at_s, text, _ in pages(world, [*instants_s, HOUR_S])]
    said = {at_s: lint(text.encode()) for at_s, text in pages_by_s if text is not None}
    return {at_s: lines for at_s, lines in said.items() if lines != KNOWN}, len(said)


def test_promtool_has_nothing_against_the_first_a_middle_and_the_last_page():
    """In the middle the page has a thousand series too many."""
    assert complaints(["cardinality_burst"]) == ({}, 3)


@pytest.mark.long
def test_promtool_has_nothing_against_a_page_under_any_fault():
    """While the exporter is down there is no page."""
    assert complaints(SAMPLES) == ({}, len(SAMPLES) + 1)
