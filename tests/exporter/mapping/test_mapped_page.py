"""The page of a mapped exporter, as a scraping server reads it."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from exporter.mapping.metric_mapping import MappedLabel, MappedMetric, MetricMapping
from exporter.metrics.page import OPENMETRICS, TEXT
from exporter.server.exposition import Exposition
from exporter.target import Target
from simulator.pacer import SystemClock
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from tests.exporter.exposed_hour import WorldClock
from tests.simulator.cells.test_system import cells

HANDLERS = MappedLabel(name="handler", shares=(("/a", 0.5), ("/b", 0.5)))
MAPPING = MetricMapping(
    (
        MappedMetric(
            name="r_total", kind="counter", source="http_requests_total", labels=(HANDLERS,)
        ),
        MappedMetric(name="sent", kind="counter", source="http_requests_total"),
        MappedMetric(
            name="d_seconds", kind="histogram", source="http_request_duration_seconds",
            labels=(HANDLERS,), bounds=(0.01, 1.0),
        ),
    ),
    Target("shop", "shop-1"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("content_type", "read"), [(TEXT, read_text), (OPENMETRICS, read_openmetrics)]
)
def test_both_formats_can_be_read_and_hold_the_mapping_and_no_process(content_type, read):
    """A counter without `_total` has no type, or OpenMetrics would give it another name."""
    exposition = Exposition(
        World(Topology(), Plan(), 1), SystemClock(), version="0", scenario="s", mapping=MAPPING
    )
    page = exposition.scrape()
    families = {
        each.name: each for each in read(page.body(content_type, compressed=False).decode())
    }
    names = {sample.name for family in families.values() for sample in family.samples}
    theirs = {name for name in names if not name.startswith("agentaskit_sim")}
    assert theirs == {"r_total", "sent", "d_seconds_bucket", "d_seconds_count", "d_seconds_sum"}
    assert families["sent"].type == "unknown"
    assert len(families["d_seconds"].samples) == 2 * (3 + 2)


def test_each_cell_shows_the_mapping_alone():
    """On the page of a cell there is as little of ours as on that of one world."""
    system = cells(2)
    exposition = Exposition(system, WorldClock(system), version="0", scenario="s", mapping=MAPPING)
    assert len(exposition.cells) == 2
    for cell in exposition.cells:
        text = cell.scrape().body(TEXT, compressed=False).decode()
        families = {each.name for each in read_text(text)}
        assert {each for each in families if not each.startswith("agentaskit_sim")} == {
            "r", "sent", "d_seconds",
        }  # fmt: skip


def test_a_label_of_the_target_that_a_metric_has_is_honoured():
    """As a server does with `honor_labels`: a metric may be of another target."""
    complete = MAPPING.target.complete
    assert complete((("__name__", "x"),))[1:] == (("instance", "shop-1"), ("job", "shop"))
    assert dict(complete((("__name__", "x"), ("job", "db"))))["job"] == "db"
