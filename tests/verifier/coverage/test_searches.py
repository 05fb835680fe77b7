"""Which command searches an open near miss, and what is said where none can."""

from __future__ import annotations

import pytest

from tests.verifier.alerts import rule_files
from verifier.coverage.score import (
    NO_SCENARIO,
    NO_THRESHOLD,
    Coverage,
    CoveredCell,
    coverage_lines,
    search_command,
)

COMMANDS = {
    ("second", "Slow", "near_threshold"): "near-miss second.yaml --parameter share",
    ("second", "Slow", "near_for"): "near-miss second.yaml --parameter duration",
    ("other", "Slow", "near_for"): "near-miss other.yaml --parameter duration",
}


@pytest.mark.parametrize(
    ("expr", "cell", "fires_in", "said"),
    [
        ("up < 3", "near_threshold", ("first", "second"), "second.yaml --parameter share"),
        ("absent(up)", "near_for", ("second",), "second.yaml --parameter duration"),
        ("up < 3", "near_threshold", ("first",), NO_SCENARIO),
        ("up < 3", "near_for", (), NO_SCENARIO),
        ("absent(up)", "near_threshold", ("second",), NO_THRESHOLD),
        ("up < 3 and up > 1", "near_threshold", ("second",), NO_THRESHOLD),
        ("vector(1)", "near_threshold", (), NO_THRESHOLD),
    ],
)
def test_a_search_is_suggested_only_where_it_can_find_a_near_miss(expr, cell, fires_in, said):
    """In a scenario in which the alert fires; else the line says why there is none."""
    ((_, rule),) = rule_files(expr=expr).alerts
    open_ = CoveredCell(rule, cell, (), ())
    fires = CoveredCell(rule, "fires", tuple((name, "fired") for name in fires_in), ())
    coverage = Coverage((fires, open_), searches=COMMANDS)
    (line,) = [each for each in coverage_lines(coverage) if each.startswith("  ")]
    assert line.endswith(said)
    assert (search_command(coverage, open_) is None) == (said in (NO_SCENARIO, NO_THRESHOLD))
