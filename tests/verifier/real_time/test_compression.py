"""Rules compressed: every duration divided, nothing else changed, nothing judged that cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import promql_parser as promql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.mistakes import InputError
from exporter.history.samples import EPOCH_S, History
from tests.verifier.histories import rules
from tests.verifier.simulations import is_stale, pack_panels, pack_rules, scenario_of, simulate
from verifier.evaluation.crosscheck import crosscheck
from verifier.evaluation.engine import evaluate
from verifier.promql.reads import reads
from verifier.real_time.compression import (
    check_compression,
    compress_expression,
    compress_panels,
    compress_rules,
)
from verifier.servers.prometheus import Prometheus
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from verifier.pack.rules import RuleFiles

NINETEEN = ("slo", "performance", "backpressure")
TROUBLE = """
duration: 22m
faults:
  - {name: a, fault: traffic_drop, start: 3m, duration: 9m, parameters: {share: 0.4}}
  - {name: b, fault: task_failure, start: 2m, duration: 12m, parameters: {share: 0.12}}
  - name: c
    fault: sandbox_leak
    start: 3m
    duration: 8m
    targets: {sandboxes: [B]}
    parameters: {share: 0.95}
expectations: []
"""

FIRING = {
    *("AvailabilitySLOBreach", "ErrorBudgetExhausted", "FastBurnRateHigh", "SlowBurnRateHigh"),
    *("MessageThroughputBelowTarget", "TaskThroughputBelowTarget", "SandboxPoolExhaustion"),
    *("HighTaskQueueDepth", "HighTaskProcessingTime", "P95LatencySLOBreach"),
}


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("sum(rate(x[5m])) > 1", "sum(rate(x[10000ms])) > 1"),
        ("x offset 1h", "x offset 120000ms"),
        ("x offset -90s", "x offset -3000ms"),
        ("x OFFSET - 5m @ end()", "x OFFSET - 10000ms @ end()"),
        ("rate(x[1d] @ start() offset 1w)", "rate(x[2880000ms] @ start() offset 20160000ms)"),
        ("rate(x[ 1h30m ])", "rate(x[ 180000ms ])"),
        ("rate(x[90]) / rate(x[0x5a])", "rate(x[3000ms]) / rate(x[3000ms])"),
        ("rate(x[9e1])", "rate(x[3000ms])"),
        ("max_over_time(x[1h:30s])", "max_over_time(x[120000ms:1000ms])"),
        ("max_over_time(x[1h:] offset 5m)", "max_over_time(x[120000ms:2000ms] offset 10000ms)"),
        ("deriv(rate(x[5m])[1h : 1m])", "deriv(rate(x[10000ms])[120000ms : 2000ms])"),
        ("rate(x[100ms])", "rate(x[3ms])"),
        ("rate(x[20ms])", "rate(x[1ms])"),
        # Brackets and the word itself, where they are no durations.
        ("x{a=\"[5m]\",b=~'offset 5m'} > 5", "x{a=\"[5m]\",b=~'offset 5m'} > 5"),
        ('x{offset="1h"} offset 1h', 'x{offset="1h"} offset 120000ms'),
        (r'x{a="\"[5m]"} offset 30s', r'x{a="\"[5m]"} offset 1000ms'),
        ("x{a=`[5m]`} # offset 5m [5m]\n> 0", "x{a=`[5m]`} # offset 5m [5m]\n> 0"),
        ("x # it's\noffset # 5m\n 5m", "x # it's\noffset # 5m\n 10000ms"),
        ("offset > 5", "offset > 5"),
        ("sum by (offset) (rate(my_offset[5m]))", "sum by (offset) (rate(my_offset[10000ms]))"),
        ("rate(job:x:offset[5m] offset 30s)", "rate(job:x:offset[10000ms] offset 1000ms)"),
        ("time() - x > 5m", "time() - x > 5m"),
    ],
)  # fmt: skip
def test_durations_are_divided_where_they_stand_and_all_else_stays(expr, expected):
    """Spaces, comments, texts and names as they were; the factor is 30."""
    assert compress_expression(expr, 30) == expected
    assert compress_expression(expr, 1) is expr


@pytest.mark.parametrize("expr", ["offset - 5", "x + on (a) offset - 5"])
def test_an_expression_whose_durations_are_ambiguous_is_refused(expr):
    """A metric named offset, of which something is subtracted."""
    with pytest.raises(ValueError, match="cannot be distinguished from the rest"):
        compress_expression(expr, 30)


DURATIONS = st.sampled_from(["30s", "1m", "5m", "1h30m", "1d", "2w", "45s500ms", "300", "7m"])
MOVES = st.sampled_from(["", " offset 7m", " offset -1h", " @ end() offset 30s", " offset 5 "])
TEXTS = st.sampled_from(['"a"', '"[5m]"', "'] offset 3m'", '"# [1m]"', r'"\"[2m"', "`[1m]`"])
NAMES = st.sampled_from(["x", "offset", "a:offset", "rate5m"])
SELECTORS = st.builds(lambda name, text: f"{name}{{l={text}}}", NAMES, TEXTS)
VECTORS = st.recursive(
    st.builds(lambda s, m: f"{s}{m}", SELECTORS, MOVES)
    | st.builds(lambda s, d, m: f"rate({s}[{d}]{m})", SELECTORS, DURATIONS, MOVES),
    lambda inner: (
        st.builds(lambda a, b: f"({a}) # offset 5m [1h:]\n / ({b})", inner, inner)
        | st.builds(
            lambda a, d, s, m: f"max_over_time(({a})[{d}:{s}]{m})",
            inner,
            DURATIONS,
            DURATIONS | st.just(""),
            MOVES,
        )
    ),
    max_leaves=6,
)


@given(VECTORS, st.sampled_from([2, 7, 30, 59.5, 1000]))
def test_every_read_looks_back_by_as_much_less(expr, factor):
    """Whatever is nested in whatever; a millisecond may be lost at each duration."""
    before, after = reads(expr), reads(compress_expression(expr, factor))
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        assert one.exact == other.exact
        instant = one.window_s == other.window_s == 300.0
        lookback_s = 300.0 if instant else 0.0
        expected_s = max(0.0, (one.depth_s - lookback_s) / factor + lookback_s)
        assert instant or other.window_s == pytest.approx(one.window_s / factor, abs=0.001)
        if one.depth_s > 0:
            assert other.depth_s == pytest.approx(expected_s, abs=0.02)


def test_a_rule_keeps_everything_but_its_time(tmp_path):
    """Labels, templates, places, findings; `for` down, the interval up to a millisecond."""
    rule = {
        "alert": "A",
        "expr": "rate(x[5m]) > 1",
        "for": "5m",
        "keep_firing_for": "1m",
        "labels": {"a": "{{ $value }} [5m]"},
        "annotations": {"b": "over 5m {% raw %}"},
    }
    found = rules(tmp_path, rule, {"record": "y", "expr": "x offset 1h"})
    small = compress_rules(found, 7)
    (group,), (alert, record) = small.groups, small.groups[0].rules
    assert group.interval_s == 2.143
    assert (alert.for_s, alert.keep_firing_for_s) == (42.857, 8.571)
    assert record.expr == "x offset 514285ms"
    (old,) = found.groups
    restored = replace(alert, expr=old.rules[0].expr, for_s=300.0, keep_firing_for_s=60.0)
    assert restored == old.rules[0]
    assert replace(record, expr="x offset 1h") == old.rules[1]
    assert replace(group, interval_s=15.0, rules=old.rules) == old
    assert small.findings == found.findings != ()
    assert compress_rules(found, 1) is found


@pytest.mark.parametrize("factor", [2, 3, 7, 29, 30])
def test_for_takes_as_many_evaluations_as_before(factor):
    """Rounding must not cost one: at most as many, and more than one fewer."""
    pairs = zip(pack_rules(*NINETEEN).alerts, compress_rules(pack_rules(*NINETEEN), factor).alerts,
                strict=True)  # fmt: skip
    for (old_group, old), (group, rule) in pairs:
        evaluations = old.for_s / old_group.interval_s
        assert evaluations - 0.9 < rule.for_s / group.interval_s <= evaluations


@pytest.mark.parametrize(
    ("interval", "factor", "expected_s"),
    [("15s", 30, 0.5), ("15s", 60, 0.5), ("1m", 60, 1.0), ("5s", 2, 2.5), ("400ms", 30, 0.4)],
)
def test_no_interval_falls_below_the_shortest_scrape(tmp_path, interval, factor, expected_s):
    """Where there is nothing new to see; a shorter one of the user's own stays."""
    found = rules(tmp_path, {"alert": "A", "expr": "x > 1"}, interval=interval)
    assert compress_rules(found, factor).groups[0].interval_s == expected_s


def test_an_expression_that_cannot_be_compressed_is_a_mistake_with_its_place(tmp_path):
    """A user's mistake, not a crash."""
    found = rules(tmp_path, {"alert": "A", "expr": "offset - 5 > 0"})
    with pytest.raises(InputError, match=r"rules.yaml:1:\d+: expr cannot be compressed: its dur"):
        compress_rules(found, 30)


def test_panels_are_compressed_and_their_json_is_not():
    """`$__rate_interval` stands for a minute by then."""
    panels = pack_panels("throughput", "sla", "capacity")
    small = compress_panels(panels, 30)
    assert [p.raw for p in small] == [p.raw for p in panels]
    depths_s = [
        (one.window_s, other.window_s)
        for panel, compressed in zip(panels, small, strict=True)
        for query, shorter in zip(panel.queries, compressed.queries, strict=True)
        for one, other in zip(reads(query.expr), reads(shorter.expr), strict=True)
    ]
    assert {60.0: 2.0, 300.0: 10.0}.items() <= dict(sorted(depths_s, reverse=True)).items()


def refused(found: RuleFiles, factor: float) -> list[str]:
    """Return the sentence of `check_compression` on each rule, without the path."""
    try:
        check_compression(found, factor, TimeCompression(factor).scrape_s)
    except InputError as error:
        return [f"{one.place.line}: {one.sentence}" for one in error.mistakes]
    return []


@pytest.mark.parametrize("factor", [1, 1.5, 2, 7, 13, 29.9, 30])
def test_the_pack_can_be_compressed_up_to_30(factor):
    """Four scrapes in the shortest window, whatever is lost to rounding."""
    assert refused(pack_rules(*NINETEEN, "extras"), factor) == []


def test_beyond_30_every_rule_of_one_minute_is_refused_with_the_way_out():
    """At 60 they would silently never fire: one or two samples in a window."""
    sentences = refused(pack_rules("performance"), 60)
    assert sentences == [
        f"{line}: [1m] must hold at least 4 scrapes, compressed by 60 it holds 2 of 0.5 s:"
        " --compress 30 is the most that all rules allow"
        for line in (10, 24)
    ]
    assert len(refused(pack_rules(*NINETEEN), 31)) == 3
    assert refused(pack_rules("slo"), 60) == []


def test_a_window_too_short_at_any_factor_is_refused_without_one(tmp_path):
    """Compressed or not it holds two scrapes; uncompressed it is the user's own business."""
    found = rules(tmp_path, {"alert": "A", "expr": "max_over_time(x[30s:5s]) > 0"})
    assert refused(found, 1) == []
    (only,) = refused(found, 2)
    assert only.endswith("[30s] must hold at least 4 scrapes, compressed by 2 it holds 2 of 7.5 s:"
                         " leave --compress out")  # fmt: skip


@pytest.mark.parametrize(
    "expr",
    [
        "rate(x[5m]) > 1 and irate(x[5m]) > 1",
        "avg_over_time(x[5m]) > max_over_time(y[5m])",
        "absent_over_time(x[5m]) or absent(x)",
        "x > 1 and x offset 1h < 1",
        "hour(x) > 3 and sqrt(rate(x[5m])) ^ 2 > 1",
        "increase(x[5m]) > 0",
        "0 != sum(increase(x[5m]))",
        "sum(increase(x[5m])) / sum(increase(y[5m])) > 0.01",
        "sum(increase(x[5m])) > 0.01 * sum(increase(y[5m]))",
        "histogram_quantile(0.9, sum by (le) (increase(x[5m]))) > 1",
        "(sum(increase(x[5m])) or vector(0)) == 0",
        "(increase(x[5m]) > bool 0) + 1 > 1",
        "count(increase(x[5m])) > 3 unless absent(increase(x[5m]))",
        "stddev(increase(x[5m])) / avg(increase(x[5m])) > 1",
        "resets(x[5m]) > 0 or max(deriv(x[5m])) < 0",
        "count_over_time((x > 1)[5m:1m]) > 4",
    ],
)
def test_a_rule_that_means_the_same_is_accepted(tmp_path, expr):
    """Its value does not depend on how much time has passed, or only its sign matters."""
    found = rules(tmp_path, {"alert": "A", "expr": expr})
    assert [refused(found, factor) for factor in (1, 30, 60)] == [[], [], []]


@pytest.mark.parametrize(
    ("expr", "at_30", "at_60"),
    [
        # What grows with its window.
        ("increase(x[5m]) > 3", "increase", "increase"),
        ("sum(increase(x[5m])) > sum(rate(y[5m])) * 300", "increase", "increase"),
        ("increase(x[5m]) * increase(y[5m]) > increase(z[5m])", "increase", "increase"),
        ("(sum(increase(x[5m])) or vector(1)) == 2", "increase", "increase"),
        ("log2(increase(x[5m])) > 0", "increase", "increase"),
        ("clamp_max(increase(x[5m]), 3) > 0", "increase", "increase"),
        ("count(increase(x[5m]) > 7) > 3", "increase", "increase"),
        ('count_values("v", increase(x[5m])) > 0', "increase", "increase"),
        ("stdvar(increase(x[5m])) / increase(y[5m]) ^ 2 > 1", "increase", "increase"),
        ("max_over_time(increase(x[5m])[1h:1m]) > 3", "increase", "increase"),
        # What may grow with it, or not.
        ("delta(x[5m]) > 5", "delta", "delta"),
        ("idelta(x[5m]) < -5", "idelta", "idelta"),
        ("deriv(x[5m]) > 1", "deriv", "deriv"),
        ("changes(x[5m]) > 3", "changes", "changes"),
        ("resets(x[5m]) > 1", "resets", "resets"),
        ("sum(delta(x[5m])) > 0", "delta", "delta"),
        ("changes(x[5m]) / changes(y[5m]) > 1", "changes", "changes"),
        ("changes(x[5m]) > changes(y[5m])", "changes", "changes"),
        # What counts samples: as many as before, up to 30.
        ("count_over_time(x[5m]) < 20", "", "count_over_time"),
        ("sum_over_time(up[5m]) < 20", "", "sum_over_time"),
        # What reads the clock.
        ("time() - x > 60", "time", "time"),
        ("time() - timestamp(x) > 60", "time", "time"),
        ("timestamp(x) - y > 60", "timestamp", "timestamp"),
        ("x > 1 and on() hour() > 8", "hour", "hour"),
        ("predict_linear(x[1h], 3600) < 0", "predict_linear", "predict_linear"),
    ],
)
def test_a_rule_that_would_mean_something_else_is_refused(tmp_path, expr, at_30, at_60):
    """By the name of the function; the way out is a smaller factor, or none.

    At 30 a window still holds as many samples as uncompressed, so counting is refused above only.
    """
    found = rules(tmp_path, {"alert": "A", "expr": expr})
    way_out = (
        "--compress 30 is the most that all rules allow" if not at_30 else "leave --compress out"
    )
    for factor, function in ((30, at_30), (60, at_60)):
        expected = function and (
            f"1: {function} must not decide a compressed rule: its value depends on how much time"
            f" has passed: {way_out}"
        )
        assert refused(found, factor) == ([expected] if expected else [])
    assert refused(found, 1) == []


def test_what_is_recorded_must_stay_as_it_is(tmp_path):
    """Others read its value, so that even its sign is not enough."""
    ratio = {"record": "a", "expr": "increase(x[5m]) / increase(y[5m])"}
    assert refused(rules(tmp_path, ratio), 30) == []
    (only,) = refused(rules(tmp_path, {"record": "a", "expr": "increase(x[5m])"}), 30)
    assert "increase must not decide" in only


def test_samples_of_a_group_that_is_too_fast_are_counted_as_fewer(tmp_path):
    """Every 5 s becomes every half second at 30, not every sixth of one."""
    counting = {"alert": "A", "expr": "count_over_time(y[5m]) < 60"}
    assert refused(rules(tmp_path, counting, interval="15s"), 30) == []
    (only,) = refused(rules(tmp_path, counting, interval="5s"), 30)
    assert only.endswith("--compress 10 is the most that all rules allow")


def squeezed(history: History, names: set[str], factor: int) -> History:
    """Return a history `factor` times as fast: as much per second in the counters `names`."""
    counts = [factor if dict(labels)["__name__"] in names else 1 for labels in history.series]
    divisors = np.array(counts, dtype=np.float64)
    epoch_ms = EPOCH_S * 1000
    blocks = [
        replace(
            block,
            timestamps_ms=epoch_ms + (block.timestamps_ms - epoch_ms) // factor,
            values=np.where(
                is_stale(block.values), block.values, block.values / divisors[block.series, None]
            ),
        )
        for block in history.blocks
    ]
    return History(history.series, blocks)


def counters(found: RuleFiles) -> set[str]:
    """Return the names of all metrics read over a window."""
    names = set()

    def enter(node):
        if isinstance(node, promql.MatrixSelector):
            names.add(node.vector_selector.name)

    for _, rule in found.alerts:
        promql.walk(promql.parse(rule.expr), enter)
    return names


def timelines(history: History, found: RuleFiles, end_s: float, factor: int):
    """Return the timelines of a real Prometheus in scenario seconds, sorted."""
    with Prometheus() as server:
        server.push(history)
        seen = evaluate(server, found, start_s=0.0, end_s=end_s / factor).timelines

    def scaled(time_s):
        return None if time_s is None else round(time_s * factor, 6)

    return sorted(
        (one.alert, one.labels, [
            (scaled(e.pending_s), scaled(e.firing_s), scaled(e.resolved_s)) for e in one.episodes
        ])
        for one in seen
    )  # fmt: skip


def test_compressed_rules_on_a_compressed_world_say_the_same_at_the_same_time():
    """All nineteen, by a real engine: pending, firing, resolved, to the evaluation."""
    found, scenario = pack_rules(*NINETEEN), scenario_of(TROUBLE)
    history = simulate(scenario).history
    fast = squeezed(history, counters(found), 30)
    small = compress_rules(found, 30)
    expected = timelines(history, found, scenario.duration_s, 1)
    fired = {
        alert for alert, _, episodes in expected if any(one[1] is not None for one in episodes)
    }
    assert fired >= FIRING
    assert timelines(fast, small, scenario.duration_s, 30) == expected
    assert crosscheck(fast, small, 0.0, scenario.duration_s / 30) == []
    # Planted: rules that nobody compressed.
    assert timelines(fast, found, scenario.duration_s, 30) != expected
