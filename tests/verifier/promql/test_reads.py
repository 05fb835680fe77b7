"""How far back the selectors of an expression read."""

from __future__ import annotations

import pytest

from verifier.promql.reads import LOOKBACK_S, ReadIndex, all_reads, reads, reads_ahead


@pytest.mark.parametrize(
    ("expr", "depth_s"),
    [
        ("m", LOOKBACK_S),
        ("rate(m[1m])", 60),
        ("rate(m[1m] offset 1h)", 3660),
        ("m offset 10m", 600 + LOOKBACK_S),
        ("rate(m[5m] offset -1h)", LOOKBACK_S),
        ("max_over_time(rate(m[1m])[10m:30s])", 690),
        ("max_over_time(rate(m[1m])[10m:])", 720),
        ("max_over_time(sum_over_time(rate(m[1m])[10m:30s] offset 1m)[1h:1m])", 690 + 60 + 3660),
        ("sum(rate(m[6h])) / sum(rate(other[30d]))", 21600),
        ("other + on() {__name__='m'}", LOOKBACK_S),
        ("sum(rate({__name__=~'m|n'}[7m]))", 420),
        ("sum(rate({job=~'x', __name__=~'m|n'}[7m]))", 420),
        ("sum(count_over_time({job='x'}[8m]))", 480),
        ("sum(count_over_time({job=~'x'}[8m]))", 480),
        ("rate(m[5m]) > 3 and m", 300),
    ],
)
def test_the_depth_of_a_metric_adds_ranges_offsets_and_subqueries(
    expr: str, depth_s: float
) -> None:
    """The longest way back over all selectors that may match `m`."""
    assert max(read.depth_s for read in reads(expr) if read.matches("m")) == depth_s


def test_a_subquery_beside_a_selector_does_not_deepen_it() -> None:
    """Only selectors inside its brackets read that far."""
    depths_s = {r.exact: r.depth_s for r in reads("max_over_time(a[1h:1m]) + rate(b[5m])")}
    assert depths_s == {"a": 3660 + LOOKBACK_S, "b": 300}


def test_what_may_lie_ahead_of_an_evaluation_is_recognised() -> None:
    """A negative offset, a fixed time, and what cannot be read at all."""
    assert reads_ahead("rate(m[5m] @ 1700000000)")
    assert reads_ahead("max_over_time(m[1h:1m] @ end())")
    assert reads_ahead("m offset -1m")
    assert reads_ahead("max_over_time(m[1h:1m] offset -1m)")
    assert reads_ahead("m ! m")
    assert not reads_ahead("rate(m[5m] offset 1h)")
    for expr in ("m", "rate(m[5m])", "max_over_time(m[1h:1m])", "1"):
        assert not reads_ahead(expr), expr


@pytest.mark.parametrize(
    ("expr", "ends"),
    [
        ("rate(m[30d])", True),
        ("increase(m[6h] offset 1d)", True),
        ("max_over_time(delta(m[1h])[1d:1m])", True),
        ("rate(m[30m])", False),
        ("irate(m[30d])", False),
        ("avg_over_time(m[30d])", False),
        ("count_over_time(m[30d])", False),
        ("changes(m[30d]) + resets(m[30d])", False),
        ("deriv(m[30d]) > predict_linear(m[30d], 3600)", False),
        ("quantile_over_time(0.9, m[30d])", False),
        ("sum_over_time(rate(m[5m])[30d:1m])", False),
        ("m offset 30d", False),
    ],
)
def test_the_samples_between_a_windows_ends_matter_but_to_rates(expr: str, *, ends: bool) -> None:
    """Only a rate, an increase or a delta over a wide window may be read from coarse steps."""
    assert {read.ends for read in reads(expr)} == {ends}


@pytest.mark.parametrize(
    ("expr", "fine"),
    [
        ("avg_over_time(m[1h])", [(-3600, 100)]),
        ("m offset 1h", [(-3900, -3500)]),
        ("m offset -1h", [(-LOOKBACK_S, 3700)]),
        ("rate(m[1h])", [(-3600, -3500), (0, 100)]),
        ("rate(m[2h] offset 1d)", [(-93600, -93500), (-86400, -86300)]),
        ("max_over_time(rate(m[2h])[1h:1m])", [(-10860, -7100), (-3660, 100)]),
    ],
)
def test_every_sample_is_needed_where_windows_begin_and_end(
    expr: str, fine: list[tuple[float, float]]
) -> None:
    """For evaluations of 100 s: a wide rate needs those near its ends, all else all."""
    assert [*reads(expr)[0].fine(100.0)] == fine


@pytest.mark.parametrize(
    ("expr", "names", "depth_s"),
    [
        ("new_function(m[1h] offset 5m)", {"m"}, 3900 + LOOKBACK_S),
        ("sum(m{a=`x`}) by (b) ~~ n[30m:1m]", {"m", "n"}, 1860 + LOOKBACK_S),
        ("?? rate(m[1h30m])", {"m"}, 5400 + LOOKBACK_S),
        ("?? rate(m[3600])", {"m"}, 3600 + LOOKBACK_S),
        ('?? "n in quotes" + m # n in a comment', {"m"}, LOOKBACK_S),
        ("?? ({job='x'})", {"m", "n"}, LOOKBACK_S),
        ('?? {"m", job="x"}[10m]', {"m", "n"}, 600 + LOOKBACK_S),
    ],
)
def test_what_the_parser_cannot_follow_reads_all_that_it_names(
    expr: str, names: set[str], depth_s: float
) -> None:
    """As far back as all its durations together."""
    read = [read for read in all_reads(expr) if read.matches("m") or read.matches("n")]
    assert {name for name in ("m", "n") if any(each.matches(name) for each in read)} == names
    assert {each.depth_s for each in read} == {depth_s}
    assert not any(each.ends for each in read)


def test_reads_are_found_by_the_metric_in_their_order() -> None:
    """As asking each of them would find them; also those of several names or of any."""
    expr = 'b + a + {__name__=~"a|c"} + a offset 1m + {job="x"} + {__name__=~"a|c"}'
    own = all_reads(expr)
    for metric in ("a", "b", "c", "d"):
        assert ReadIndex(own).matching(metric) == [read for read in own if read.matches(metric)]


@pytest.mark.parametrize(
    ("expr", "depth_s", "recent_s", "full_after_s"),
    [
        ("m", 300, 0, 0),
        ("m offset 1h", 3900, 3600, 3600),
        ("rate(m[2h])", 7200, 0, 7200),
        ("max_over_time(m[10m:1m] offset 7m)", 1380, 420, 1080),
        ("max_over_time(rate(m[5m] offset 2m)[10m:1m] offset 7m)", 1500, 540, 1500),
        ("m offset -5m", 300, -300, 0),
        ("avg_over_time(m[5m] offset -5m)", 300, -300, 300),
        ("bad( __name__ m[5m]", 600, 0, 600),
    ],
)
def test_a_read_says_how_deep_how_recent_and_when_it_is_full(
    expr: str, depth_s: float, recent_s: float, full_after_s: float
) -> None:
    """Offsets of subqueries move it as its own does; an instant needs no full lookback."""
    (read,) = all_reads(expr)
    assert (read.depth_s, read.recent_s, read.full_after_s) == (depth_s, recent_s, full_after_s)
    assert read.matches("other") == expr.startswith("bad(")
