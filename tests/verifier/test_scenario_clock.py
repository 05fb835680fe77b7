"""Scenario seconds and Unix time are two readings of one clock."""

import pytest

from verifier.scenario_clock import ScenarioClock

START_S = 1_700_000_000.0


@pytest.mark.parametrize(("factor", "scenario_s"), [(1.0, 2.0), (30.0, 60.0)])
def test_the_clock_goes_both_ways(factor, scenario_s):
    """Two seconds after the start, whatever the compression."""
    clock = ScenarioClock(START_S, factor)
    assert clock.scenario_s(START_S + 2.0) == scenario_s
    assert clock.unix_s(scenario_s) == pytest.approx(START_S + 2.0)
    assert clock.scenario_s(START_S - 1.0) == -factor
