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
from tests.verifier.simulations import (
    NINETEEN,
    is_stale,
    pack_panels,
    pack_rules,
    scenario_of,
    simulate,
)
from verifier.evaluation.crosscheck import crosscheck
from verifier.evaluation.engine import evaluate
from verifier.promql.reads import reads
from verifier.real_time.rule_compression import (
    compress_expression,
    compress_query,
    compress_rules,
)
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from verifier.pack.rules import RuleFiles

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
        ("rate(x[0X5A])", "rate(x[3000ms])"),
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
    for old, new in zip(before, after, strict=True):
        assert old.exact == new.exact
        instant = old.window_s == new.window_s == 300.0
        lookback_s = 300.0 if instant else 0.0
        expected_s = max(0.0, (old.depth_s - lookback_s) / factor + lookback_s)
        assert instant or new.window_s == pytest.approx(old.window_s / factor, abs=0.001)
        if old.recent_s >= 0:  # of what lies ahead, the lookback is read
            assert new.depth_s == pytest.approx(expected_s, abs=0.02)


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
    original = rules(tmp_path, rule, {"record": "y", "expr": "x offset 1h"})
    small = compress_rules(original, 7)
    (group,), (alert, record) = small.groups, small.groups[0].rules
    assert group.interval_s == 2.143
    assert (alert.for_s, alert.keep_firing_for_s) == (42.857, 8.571)
    assert record.expr == "x offset 514285ms"
    (old,) = original.groups
    restored = replace(alert, expr=old.rules[0].expr, for_s=300.0, keep_firing_for_s=60.0)
    assert restored == old.rules[0]
    assert replace(record, expr="x offset 1h") == old.rules[1]
    assert replace(group, interval_s=15.0, rules=old.rules) == old
    late = replace(original, groups=(replace(old, query_offset_s=70.0),))
    assert compress_rules(late, 7).groups[0].query_offset_s == 10.0
    assert small.findings == original.findings != ()
    assert compress_rules(original, 1) is original


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
    original = rules(tmp_path, {"alert": "A", "expr": "x > 1"}, interval=interval)
    assert compress_rules(original, factor).groups[0].interval_s == expected_s


def test_an_expression_that_cannot_be_compressed_is_a_mistake_with_its_place(tmp_path):
    """A user's mistake, not a crash."""
    original = rules(tmp_path, {"alert": "A", "expr": "offset - 5 > 0"})
    with pytest.raises(InputError, match=r"rules.yaml:1:\d+: expr cannot be compressed: its dur"):
        compress_rules(original, 30)


def test_queries_of_panels_are_compressed():
    """`$__rate_interval` stands for a minute by then."""
    panels = pack_panels("throughput", "sla", "capacity")
    depths_s = [
        (old.window_s, new.window_s)
        for panel in panels
        for query in panel.queries
        for old, new in zip(reads(query.expr), reads(compress_query(query, 30).expr), strict=True)
    ]
    assert {60.0: 2.0, 300.0: 10.0}.items() <= dict(sorted(depths_s, reverse=True)).items()


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


def counters(files: RuleFiles) -> set[str]:
    """Return the names of all metrics read over a window."""
    names = set()

    def enter(node):
        if isinstance(node, promql.MatrixSelector):
            names.add(node.vector_selector.name)

    for _, rule in files.alerts:
        promql.walk(promql.parse(rule.expr), enter)
    return names


def timelines(history: History, files: RuleFiles, end_s: float, factor: int):
    """Return the timelines of a real Prometheus in scenario seconds, sorted."""
    with Prometheus() as server:
        server.push(history)
        observed = evaluate(server, files, start_s=0.0, end_s=end_s / factor).timelines

    def scaled(time_s):
        return None if time_s is None else round(time_s * factor, 6)

    return sorted(
        (line.alert, line.labels, [
            (scaled(e.pending_s), scaled(e.firing_s), scaled(e.resolved_s)) for e in line.episodes
        ])
        for line in observed
    )  # fmt: skip


@pytest.mark.long
def test_compressed_rules_on_a_compressed_world_say_the_same_at_the_same_time():
    """All nineteen, by a real engine: pending, firing, resolved, to the evaluation."""
    original, scenario = pack_rules(*NINETEEN), scenario_of(TROUBLE)
    history = simulate(scenario).history
    fast = squeezed(history, counters(original), 30)
    small = compress_rules(original, 30)
    expected = timelines(history, original, scenario.duration_s, 1)
    fired = {
        alert for alert, _, episodes in expected if any(times[1] is not None for times in episodes)
    }
    assert fired >= FIRING
    assert timelines(fast, small, scenario.duration_s, 30) == expected
    assert crosscheck(fast, small, 0.0, scenario.duration_s / 30) == []
    # Planted: rules that were not compressed.
    assert timelines(fast, original, scenario.duration_s, 30) != expected
