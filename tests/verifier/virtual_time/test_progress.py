"""What a person reads while a scenario takes long: why, before it begins."""

from __future__ import annotations

import numpy as np

from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY, scenario_of
from verifier.pack.history_depth import depths
from verifier.virtual_time import progress
from verifier.virtual_time.past import simulate_past
from verifier.virtual_time.progress import MANY_SAMPLES, ProgressReporter
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


def test_many_samples_are_announced_before_they_are_stored():
    """A few go without saying."""
    phases = []
    reporter = ProgressReporter(scenario_of(SMALL), lambda report: phases.append(report.phase))
    reporter.judging(MANY_SAMPLES - 1)
    reporter.judging(94_000_000)
    assert phases[0] == "judging"
    assert phases[1].startswith("judging (storing 94 million samples first: every scrape")
