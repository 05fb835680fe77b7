"""URLs of a store in parts, and what goes with the history of a scenario that is sent to one."""

from __future__ import annotations

from math import inf

import pytest

from exporter.history.retention import COARSE_S
from tests.verifier.simulations import scenario_of
from verifier.stores.address import StoreUrl, asked_at, read_url
from verifier.stores.scenario_sending import EverySeries, SentHistory


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://a", ("http://a", "http", "a", None, "")),
        ("https://a:8443/", ("https://a:8443", "https", "a", 8443, "")),
        ("http://A.b/c/d//", ("http://A.b/c/d", "http", "a.b", None, "/c/d")),
        ("http://[::1]:9/w", ("http://[::1]:9/w", "http", "::1", 9, "/w")),
    ],
)
def test_a_url_is_read_in_parts(text, parts):
    """Without the slash at its end."""
    assert read_url(text) == StoreUrl(*parts)


WITHOUT = "be an HTTP URL without user name, password, query or fragment"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("http://me@a", WITHOUT),
        ("http://a/b@c", WITHOUT),
        ("http://a?b=c", WITHOUT),
        ("http://a#b", WITHOUT),
        ("ftp://a", "be an HTTP URL"),
        ("http:///a", "be an HTTP URL"),
        ("a", "be an HTTP URL"),
        ("http://a:b", "be an HTTP URL"),
        ("http://a:99999", "be an HTTP URL"),
        ("http://[a", "be an HTTP URL"),
        ("http://a/\u200b", "be an HTTP URL"),
    ],
)
def test_anything_else_is_refused_by_its_rule(text, rule):
    """What may be a secret has a rule of its own."""
    with pytest.raises(ValueError, match=f"^{rule}$"):
        read_url(text)


@pytest.mark.parametrize(
    ("write", "ask"),
    [
        ("http://a/api/v1/write/", "http://a"),
        ("http://a/prometheus/api/v1/write", "http://a/prometheus"),
        ("http://a/x/api/v1/push", "http://a/x/prometheus"),
        ("http://a/api/v1/write/x", None),
    ],
)
def test_where_it_is_asked_follows_from_the_end_of_the_url(write, ask):
    """Whatever stands before it."""
    assert asked_at(write) == ask


def test_a_history_is_sent_from_before_its_past_to_its_end():
    """One coarse step earlier: where that begins is not known before."""
    scenario = scenario_of("duration: 10m\n")
    sent = SentHistory(scenario, 10_000.5)
    assert sent.span_ms == (round((10_000.5 - 3600 - COARSE_S) * 1000), 10_600_500)
    assert SentHistory(scenario, 10_000.0, past_s=60.0).span_ms == (
        round((9_940 - COARSE_S) * 1000), 10_600_000,
    )  # fmt: skip


def test_every_series_is_needed_as_deep_and_at_every_scrape():
    """Whatever the metric, and however long the scenario."""
    need = EverySeries(3600.0).need("any", 600.0)
    assert (need.depth_s, need.fine) == (3585.0, ((-3600.0 - COARSE_S, inf),))
