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


def test_what_faults_make_of_the_load_is_no_more_than_a_world_can_be_asked_for():
    """In each cell."""
    surge = "{name: s, fault: traffic_surge, start: 1m, duration: 1m, parameters: {factor: 3}}"
    for cells in (1, 2):
        scenario = scenario_of(
            f"duration: 2m\ntopology: {{cells: {cells}}}\nload: {{rate: 1500000}}\n"
            f"faults:\n- {surge}\n"
        )
        assert drawn(scenario, 30, 90) == {
            "load profile": [1.5e6 * cells] * 2,
            "after faults": [1.5e6 * cells, 2e6 * cells],
        }


@pytest.mark.parametrize(
    ("end_s", "edges"),
    [(5.0, 2), (15.0, 2), (30.0, 3), (120.0, 9), (7485.0, 500), (7500.0, 501), (36_000.0, 501)],
)
def test_the_load_is_drawn_at_every_scrape_and_at_five_hundred_steps_at_most(end_s, edges):
    """From the start to the end; a jump has two instants besides."""
    calm = scenario_of("duration: 2m\n")
    times_s = world_rows._load_times_s(calm, end_s)
    assert (len(times_s), times_s[0], times_s[-1]) == (edges, 0.0, end_s)
    drop = "{name: d, fault: traffic_drop, start: 4s, duration: 70s, parameters: {share: 0.5}}"
    jumping = scenario_of(f"duration: 2m\nfaults:\n- {drop}\n")
    inside = [at_s for at_s in (3.999, 4.0, 73.999, 74.0) if at_s < end_s]
    assert set(world_rows._load_times_s(jumping, end_s)) == {*times_s.round(3), *inside}
