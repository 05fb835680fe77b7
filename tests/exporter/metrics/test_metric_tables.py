"""The tables of metrics in the documentation have every metric of the catalogue, as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.marked_tables import fill_tables
from exporter.metrics.catalogue import RUN, WORLD
from exporter.metrics.metric_tables import METRIC_TABLES, metrics_table


@pytest.fixture(scope="module")
def page(repository):
    """Return the page of `serve`."""
    return (repository / "docs" / "serve.md").read_text(encoding="utf-8")


def test_the_page_has_the_tables_that_the_code_writes(page):
    """After a change of a metric, `make docs` updates them."""
    assert all(f"<!-- `make docs` writes {name} -->" in page for name in METRIC_TABLES)
    assert fill_tables(page, METRIC_TABLES) == page, "run `make docs`"


def test_the_page_lists_every_metric_once_in_the_order_of_the_catalogue(page):
    """And no metric that does not exist."""
    metrics = page.partition("## Metrics")[2]
    names = [line.split("`")[1] for line in metrics.splitlines() if line.startswith("| `")]
    assert names == [metric.name for metric in (*WORLD, *RUN)]


@pytest.mark.parametrize(
    "change", [{"name": "x_total"}, {"kind": "gauge"}, {"help": "Other."}, {"labels": ()}]
)
def test_a_change_of_a_metric_changes_its_row(change):
    """Of its name, type, help text or labels."""
    metric = WORLD[0]
    assert metrics_table((replace(metric, **change),)) != metrics_table((metric,))
