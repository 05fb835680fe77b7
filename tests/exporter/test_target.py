"""The labels of a scraped series: its own ones first, those of its target where it has none."""

from __future__ import annotations

from exporter.target import OURS, SCRAPE_S, SCRAPE_TIMEOUT_S, Target

NAMED = ("__name__", "x")


def test_a_series_has_the_labels_of_its_target_and_its_own_are_honoured():
    """As with `honor_labels`; sorted, as a history has them."""
    target = Target("theirs", "host:1")
    assert target.complete((NAMED,)) == (NAMED, ("instance", "host:1"), ("job", "theirs"))
    own = (NAMED, ("job", "a"), ("instance", "b"))
    assert target.complete(own) == (NAMED, ("instance", "b"), ("job", "a"))


def test_a_cell_is_an_instance_of_its_own_with_its_number():
    """Counted from 0; a label of that name of a series is honoured as well."""
    cell = Target("theirs", "host:1").of_cell(3)
    rest = (("instance", "host:1/cells/3"), ("job", "theirs"))
    assert cell.complete((NAMED,)) == (NAMED, ("cell", "3"), *rest)
    assert cell.complete((NAMED, ("cell", "a"))) == (NAMED, ("cell", "a"), *rest)


def test_our_target_is_scraped_as_prometheus_does_by_default():
    """Of the port that is documented, wherever it is really served; ten seconds of fifteen."""
    assert Target("agentaskit", "127.0.0.1:9464", "") == OURS
    assert (SCRAPE_S, SCRAPE_TIMEOUT_S) == (15, 10)
    assert OURS.of_cell(0) == Target("agentaskit", "127.0.0.1:9464/cells/0", "0")
    assert OURS.of_cell(0).complete(()) == (
        ("cell", "0"), ("instance", "127.0.0.1:9464/cells/0"), ("job", "agentaskit"),
    )  # fmt: skip
