"""What a person reads while a scenario takes long: why, before it begins."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY, scenario_of
from verifier.pack.history_depth import depths
from verifier.virtual_time import progress
from verifier.virtual_time.past import simulate_past
from verifier.virtual_time.progress import ProgressReporter
from verifier.virtual_time.steady_state import differing

SMALL = "duration: 1m\nload: {rate: 1000}\n"


def test_a_series_that_is_not_steady_is_named_before_its_past_is_simulated(tmp_path, monkeypatch):
    """Planted: one series is never found steady at first."""
    monkeypatch.setattr(progress, "REPORT_EVERY_S", 1e-9)
    monkeypatch.setattr(
        "verifier.virtual_time.past.differing", lambda a, b: np.ones_like(differing(a, b))
    )
    read = rules(tmp_path, {"alert": "A", "expr": "agentaskit_task_queue_depth < 0"})
    phases = []
    simulate_past(scenario_of(SMALL), depths(read), HEALTHY,
                  report=lambda report: phases.append(report.phase))  # fmt: skip
    name = "agentaskit_task_queue_depth"
    assert phases[0] == f"history (event by event while {name}, which is read, is not steady)"
    assert "event by event" not in phases[-1]


def test_reports_come_now_and_then_and_the_speed_is_that_of_the_scenario(monkeypatch):
    """The time that the past takes is left out of it; the past has no seconds of its own."""
    clock = SimpleNamespace(monotonic=lambda: clock.now_s, now_s=100.0)
    monkeypatch.setattr(progress, "time", clock)
    reports = []
    reporter = ProgressReporter(scenario_of(SMALL), reports.append)
    for since_s, at_s in (
        (0.125, -3000.0),
        (0.25, -2985.0),
        (0.375, -2970.0),
        (10.0, -15.0),
        (10.125, 0.0),
        (10.25, 0.0),
        (12.0, 30.0),
        (12.125, 45.0),
        (14.0, 60.0),
    ):
        clock.now_s = 100.0 + since_s
        reporter.simulated(at_s)
    reporter.cause = " (because)"
    clock.now_s = 120.0
    reporter.simulated(-1.0)
    reporter.judging()
    assert {(each.scenario, each.of_s) for each in reports} == {("written", 60.0)}
    assert [(each.phase, each.virtual_s, each.times_real_time) for each in reports] == [
        ("history", 0.0, 0.0),
        ("history", 0.0, 0.0),
        ("simulating", 0.0, 0.0),
        ("simulating", 30.0, 15.0),
        ("simulating", 60.0, 15.0),
        ("history (because)", 0.0, 0.0),
        ("judging", 60.0, 0.0),
    ]


def test_the_speed_counts_from_the_beginning_where_there_is_no_past(monkeypatch):
    """From when the reporter was made."""
    clock = SimpleNamespace(monotonic=lambda: clock.now_s, now_s=5.0)
    monkeypatch.setattr(progress, "time", clock)
    reports = []
    reporter = ProgressReporter(scenario_of(SMALL), reports.append)
    clock.now_s = 5.5
    reporter.simulated(45.0)
    assert [each.times_real_time for each in reports] == [90.0]
    ProgressReporter(scenario_of(SMALL), None).judging()


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (0, ""),
        (9_999_999, ""),
        (10_000_000, "10"),
        (94_400_000, "94"),
        (1_234_500_001, "1,235"),
    ],
)
def test_many_samples_are_announced_before_they_are_stored(samples, said):
    """A few go without saying."""
    phases = []
    reporter = ProgressReporter(scenario_of(SMALL), lambda report: phases.append(report.phase))
    reporter.judging(samples)
    storing = (
        f" (storing {said} million samples first: every scrape of so many series is read so far"
        " back)"
    )
    assert phases == ["judging" + (storing if said else "")]
