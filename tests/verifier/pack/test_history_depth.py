"""How far back rules read, through recording rules too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError
from tests.verifier.histories import rules
from verifier.pack.history_depth import depths, in_dependency_order
from verifier.promql.reads import LOOKBACK_S

if TYPE_CHECKING:
    from pathlib import Path


def test_a_recording_rule_passes_on_the_depth_of_its_readers(tmp_path: Path) -> None:
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
    recordings = rules(
        tmp_path,
        {"record": "c", "expr": "a + b"},
        {"record": "b", "expr": "a"},
        {"record": "a", "expr": "m"},
    )
    assert [rule.record for rule in in_dependency_order(recordings)] == ["a", "b", "c"]


def test_recording_rules_in_a_circle_are_refused(tmp_path: Path) -> None:
    """There is no order in which to evaluate them over a whole history."""
    recordings = rules(tmp_path, {"record": "a", "expr": "b"}, {"record": "b", "expr": "a"})
    with pytest.raises(InputError, match="recording rule a must not read itself"):
        in_dependency_order(recordings)
