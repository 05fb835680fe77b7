"""How far back expressions read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError
from tests.verifier.histories import rules
from verifier.pack.history_depth import depths, in_dependency_order
from verifier.promql.reads import LOOKBACK_S, fixed_time, reads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("expr", "depth_s"),
    [
        ("m", LOOKBACK_S),
        ("rate(m[1m])", 60),
        ("rate(m[1m] offset 1h)", 3660),
        ("m offset 10m", 600 + LOOKBACK_S),
        ("rate(m[5m] offset -1h)", 0),
        ("max_over_time(rate(m[1m])[10m:30s])", 690),
        ("max_over_time(rate(m[1m])[10m:])", 720),
        ("max_over_time(sum_over_time(rate(m[1m])[10m:30s] offset 1m)[1h:1m])", 690 + 60 + 3660),
        ("sum(rate(m[6h])) / sum(rate(other[30d]))", 21600),
        ("other + on() {__name__='m'}", LOOKBACK_S),
        ("sum(rate({__name__=~'m|n'}[7m]))", 420),
        ("sum(count_over_time({job='x'}[8m]))", 480),
        ("rate(m[5m]) > 3 and m", 300),
    ],
)
def test_the_depth_of_a_metric_adds_ranges_offsets_and_subqueries(
    expr: str, depth_s: float
) -> None:
    """The longest way back over all selectors that may take `m`."""
    assert max(read.depth_s for read in reads(expr) if read.matches("m")) == depth_s


def test_a_subquery_beside_a_selector_does_not_deepen_it() -> None:
    """Only what stands inside the brackets reaches that far."""
    found = {r.exact: r.depth_s for r in reads("max_over_time(a[1h:1m]) + rate(b[5m])")}
    assert found == {"a": 3660 + LOOKBACK_S, "b": 300}


def test_an_at_modifier_is_seen() -> None:
    """Virtual time has no fixed moment."""
    assert fixed_time("rate(m[5m] @ 1700000000)")
    assert fixed_time("max_over_time(m[1h:1m] @ end())")
    assert not fixed_time("rate(m[5m] offset 1h)")


def test_a_recording_rule_hands_its_readers_depth_on(tmp_path: Path) -> None:
    """An alert over 30 days of a 5-minute rate needs 30 days and 5 minutes of the counter."""
    needed = depths(
        rules(
            tmp_path,
            {"alert": "A", "expr": "avg_over_time(b[30d]) > 1"},
            {"record": "b", "expr": "a * 2"},
            {"record": "a", "expr": "rate(m_total[5m])"},
        )
    )
    assert needed.depth_s("b") == 30 * 86400
    assert needed.depth_s("a") == 30 * 86400 + LOOKBACK_S
    assert needed.depth_s("m_total") == needed.longest_s == 30 * 86400 + LOOKBACK_S + 300
    assert needed.depth_s("unread") == 0


def test_recording_rules_are_ordered_by_what_they_read(tmp_path: Path) -> None:
    """Whatever their order in the file."""
    found = rules(
        tmp_path,
        {"record": "c", "expr": "a + b"},
        {"record": "b", "expr": "a"},
        {"record": "a", "expr": "m"},
    )
    assert [rule.record for rule in in_dependency_order(found)] == ["a", "b", "c"]


def test_recording_rules_in_a_circle_are_refused(tmp_path: Path) -> None:
    """There is no order in which to evaluate them over a whole history."""
    found = rules(tmp_path, {"record": "a", "expr": "b"}, {"record": "b", "expr": "a"})
    with pytest.raises(InputError, match="recording rule a must not read itself"):
        in_dependency_order(found)
