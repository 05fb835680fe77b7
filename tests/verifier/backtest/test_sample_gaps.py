"""Where a store has no sample of what alerts read, on planted histories with holes."""

from __future__ import annotations

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.backtest.test_replay import history_server
from tests.verifier.histories import history, labels, row, rules
from verifier.backtest import sample_gaps as module
from verifier.backtest.replay import ReplayRequest
from verifier.backtest.sample_gaps import sample_gaps, stored_query
from verifier.servers.prometheus import Prometheus

MINUTE_S = 60.0
ENGINE_ALONE = "only the engine can read what an alert selects"


@pytest.fixture(scope="module")
def server():
    """Return a Prometheus with five hours at one sample a minute, and holes in them."""
    series = {
        # Silent from 60 to 100 and from 200 to 207: of the latter the lookback hides most.
        labels("level", job="j"): row("1*60 .*40 1*100 .*7 1*94"),
        labels("early", job="j"): row("1*80 x .*220"),
        labels("sparse", job="j"): row(" ".join(["1 .*9"] * 30) + " 1"),
        labels("always", team="a"): row("1*301"),
    }
    with Prometheus() as server:
        server.push(history(series, step_s=MINUTE_S))
        yield server


def gaps_of(server, tmp_path, expr, *, start=0, end=300):
    """Return the gaps of a range, and it, in minutes."""
    request = ReplayRequest(
        rules=rules(tmp_path, {"alert": "A", "expr": expr}), against=None,
        from_s=EPOCH_S + MINUTE_S * start, to_s=EPOCH_S + MINUTE_S * end,
    )  # fmt: skip
    gaps = sample_gaps(history_server(server), request)
    spans = [tuple((each - EPOCH_S) / MINUTE_S for each in span) for span in gaps.spans]
    return spans, gaps.is_whole, gaps.unknown


@pytest.mark.parametrize(
    ("expr", "spans"),
    [
        ("level > 5", [(64, 100)]),
        ('level{job="elsewhere"} > 5', [(64, 100)]),
        ("rate(level[1h]) > 5", [(64, 100)]),
        ("level + early > 5", [(80, 100)]),
        ('{__name__=~"lev.l|early"} > 5', [(80, 100)]),
        ("early > 5", [(80, 300)]),
        ('{team="a"} > 5', []),
        ("level > 5 or on () always", []),
        ("sparse > 5", []),
    ],
)
def test_a_hole_is_where_nothing_is_stored(server, tmp_path, expr, spans):
    """By the names of the metrics alone, of all of them together, to the next instant asked."""
    hole, is_whole, unknown = gaps_of(server, tmp_path, expr)
    assert hole == [pytest.approx(span, abs=1.26) for span in spans]
    assert (is_whole, unknown) == (False, "")


@pytest.mark.parametrize(("start", "end"), [(120, 300), (120, 121)])
def test_a_range_without_samples_is_a_hole_as_a_whole(server, tmp_path, start, end):
    """However short it is."""
    assert gaps_of(server, tmp_path, "early", start=start, end=end) == ([(start, end)], True, "")


def test_slices_give_the_holes_of_one_piece(server, tmp_path, monkeypatch):
    """A hole that goes over the border of two answers is a single one."""
    whole = gaps_of(server, tmp_path, "level")
    monkeypatch.setattr("verifier.backtest.slices.POINTS_FIRST", 3)
    monkeypatch.setattr("verifier.backtest.slices.SAMPLES_MAX", 4)
    assert gaps_of(server, tmp_path, "level") == whole


def test_what_nobody_can_ask_is_not_known(server, tmp_path, monkeypatch):
    """A query that is refused, or none since the engine alone reads what an alert selects."""
    for query, reason in (("count(", "parse error"), ("", ENGINE_ALONE)):
        monkeypatch.setattr(module, "stored_query", lambda _, query=query: query)
        spans, is_whole, unknown = gaps_of(server, tmp_path, "level")
        assert reason in unknown
        assert (spans, is_whole) == ([], False)


def test_each_metric_is_asked_for_once(tmp_path):
    """By name; a selector without a name is asked for as it is."""
    written = (
        {"record": "job:level:sum", "expr": "sum(unread)"},
        {"alert": "A", "expr": 'level{a="b"} > job:level:sum'},
        {"alert": "B", "expr": 'level offset 1h > 1 unless on () {team="a"}'},
    )
    query = stored_query(rules(tmp_path, *written))
    assert query == 'count({__name__=~"level|job:level:sum"}) or count({team="a"})'
