"""The judge of virtual time: its progress, and verdicts that a short past makes invalid."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY, NEAR, pack_rules, scenario_of, verify
from verifier.virtual_time import progress
from verifier.virtual_time.run import VirtualTimeSetup, verify_scenario

SMALL = "load: {rate: 1000}\n"
INCIDENT = (
    "history: {incidents: [{name: h, fault: task_failure, ago: 4m, duration: 2m,"
    " parameters: {share: 0.5}}]}\n"
)


def test_progress_is_reported_from_the_past_to_the_verdict(monkeypatch):
    """A person sees where it is and how fast it goes."""
    monkeypatch.setattr(progress, "REPORT_EVERY_S", 1e-9)
    reports = []
    outcome = verify_scenario(
        scenario_of("duration: 2m\n" + SMALL + INCIDENT),
        VirtualTimeSetup(pack_rules(*NEAR), (), HEALTHY, exact=True),
        reports.append,
    )
    phases = list(dict.fromkeys(report.phase for report in reports))
    assert phases == ["history", "simulating", "judging"]
    simulated_s = [report.virtual_s for report in reports if report.phase == "simulating"]
    assert simulated_s == sorted(simulated_s)
    assert simulated_s[-1] == 120
    assert reports[-2].times_real_time > 0
    assert outcome.exact_s > 120
    # The longest `for` of these rules, their windows and intervals, in whole coarse steps.
    assert outcome.virtual_s == 120 + 1200
    assert all(a.of_s == b.of_s for a, b in pairwise(reports))


@pytest.mark.parametrize(
    "metric", ["http_requests_total", "agentaskit_response_duration_seconds_count"]
)
def test_a_window_without_its_history_is_named(tmp_path, metric):
    """The verdict is invalid, whichever series of a metric the window reads."""
    hourly = rules(tmp_path, {"alert": "A", "expr": f"sum(rate({metric}[1h])) < 0"})
    outcome = verify(scenario_of("duration: 1m\nhistory: {depth: 10m}\n" + SMALL), hourly)
    assert outcome.verdict == "invalid"
    assert outcome.invalid == (
        f"{metric}: a window of 1h needs as much history before the start, there is 10m",
    )


def test_an_alert_that_remembers_longer_than_its_history_is_named(tmp_path):
    """Whether it was pending before the start cannot be said."""
    patient = {"alert": "A", "expr": "up == 0", "for": "30m", "keep_firing_for": "5m"}
    setup = rules(tmp_path, patient)
    outcome = verify(scenario_of("duration: 1m\nhistory: {depth: 10m}\n" + SMALL), setup)
    (reason,) = outcome.invalid
    assert reason.startswith("alert A: its memory (`for` and `keep_firing_for`) of 35m needs")
    assert reason.endswith("as much history before the start, there is 10m")
