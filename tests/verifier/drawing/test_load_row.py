"""The load as it is drawn: what its profile asks for, and what faults of the load make of that."""

from __future__ import annotations

import numpy as np
import pytest

from tests.verifier.simulations import bundled, scenario_of
from verifier.drawing import world_rows
from verifier.drawing.world_rows import load_row


def drawn(scenario, *instants_s):
    """Return both lines at some instants, in tasks a second."""
    row = load_row(scenario, scenario.duration_s)
    assert (row.title, row.unit) == ("Load", "tasks/s")
    assert (np.diff(row.times_s) > 0).all()
    return {
        series.name: [float(np.interp(at_s, row.times_s, series.values)) for at_s in instants_s]
        for series in row.series
    }


def surge():
    """Return both lines of a bundled scenario: just before, within and just after its fault."""
    scenario = bundled("traffic-surge")
    (fault,) = scenario.plan.faults
    middle_s = fault.start_s + fault.duration_s / 2
    return drawn(scenario, fault.start_s - 0.01, middle_s, fault.end_s - 0.01, fault.end_s + 0.01)


def test_a_surge_is_in_one_line_and_not_in_the_other():
    """The profile is as flat as the plan has it; what comes is as much more as the fault says."""
    (fault,) = bundled("traffic-surge").plan.faults
    most = 10_300 * fault.parameters.factor
    assert surge() == {
        "load profile": [10_300] * 4,
        "after faults": pytest.approx([10_300, most, most, 10_300]),
    }


def test_a_surge_that_is_not_drawn_is_noticed(monkeypatch):
    """Planted: faults multiply nothing."""
    monkeypatch.setattr(world_rows, "planned_factor", lambda *_: 1.0)
    with pytest.raises(AssertionError):
        test_a_surge_is_in_one_line_and_not_in_the_other()


def test_a_recorded_trace_is_counted_and_a_drop_plays_it_at_half_the_speed(tmp_path):
    """Ten tasks a second; from the middle on five of them come, until the end of what is drawn."""
    trace = tmp_path / "trace.csv"
    trace.write_text("".join(f"{tenth / 10 + 0.05}\n" for tenth in range(1200)))
    faults = "{name: d, fault: traffic_drop, start: 1m, duration: 1m, parameters: {share: 0.5}}"
    scenario = scenario_of(f"duration: 2m\nload: {{trace: {trace}}}\nfaults:\n- {faults}\n")
    row = load_row(scenario, scenario.duration_s)
    profile, after_faults = (series.values[:-1] for series in row.series)
    is_early = row.times_s[:-1] < 60
    assert profile == pytest.approx(np.full(len(profile), 10.0), abs=0.1)
    assert after_faults == pytest.approx(np.where(is_early, 10.0, 5.0), abs=0.2)


def test_a_surge_of_one_cell_is_drawn_for_its_share_of_the_load():
    """Three cells, of which the second has half of the load: twice that is half as much more."""
    fault = (
        "{name: s, fault: traffic_surge, start: 1m, duration: 1m, parameters: {factor: 2},"
        " targets: {cells: [1]}}"
    )
    topology = "topology: {cells: 3, cell_weights: [1, 2, 1]}\nload: {rate: 100}\n"
    scenario = scenario_of(f"duration: 2m\n{topology}faults:\n- {fault}\n")
    assert drawn(scenario, 30, 90) == {
        "load profile": [300, 300],
        "after faults": [300, pytest.approx(450)],
    }
