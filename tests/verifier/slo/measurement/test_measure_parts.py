"""Parts of a measurement that need no engine: what is simulated, counted, measured or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.verifier.slo.measurement.test_measure import POLICY, SPENDING, rules_of
from verifier.slo.measurement import measure as measuring
from verifier.slo.measurement.burns import Burn


def test_what_failed_before_the_onset_is_no_part_of_a_burn():
    """Nor of its rate."""
    since = replace(SPENDING, failed=SPENDING.failed + 7.0, requests=SPENDING.requests + 50.0)
    for at_s in (7.5, 150.0, 900.0):
        assert since.spent(at_s) == pytest.approx(SPENDING.spent(at_s))
        assert since.rate(at_s) == pytest.approx(SPENDING.rate(at_s))
        assert since.failed_since(at_s) == pytest.approx(at_s / 15.0 * 10.0)


@pytest.mark.parametrize(
    ("burn", "duration_s", "lasts_s"),
    [
        (Burn("steady", 2.0, 1000.0, 1000.0), 1305.0, 1305.0),
        (Burn("short", 2.0, 300.0, 1005.0), 1305.0, 300.0),
        (Burn("shorter", 2.0, 300.0, 1006.0), 1320.0, 300.0),
    ],
)
def test_a_burn_is_simulated_after_five_healthy_minutes_in_whole_scrapes(burn, duration_s, lasts_s):
    """A steady one until the end, another for as long as it lasts."""
    scenario = measuring._scenario(burn, 0.25)
    [fault] = scenario.plan.faults
    assert (scenario.name, scenario.seed, scenario.duration_s) == (burn.name, 42, duration_s)
    assert (fault.start_s, fault.duration_s, fault.parameters.share) == (300.0, lasts_s, 0.25)
    assert measuring._scenario(burn, 0.0).plan.faults == ()


@dataclass
class Line:
    """A series as the engine answers it."""

    status: str
    times_s: np.ndarray
    values: np.ndarray

    @property
    def labels(self):
        """Its labels."""
        return {"status": self.status}


class Engine:
    """Answers one question with these series."""

    def __init__(self, *lines):
        """Remember what is asked."""
        self.lines, self.asked = lines, []

    def query_range(self, query):
        """Return all of them."""
        self.asked.append(query)
        return self.lines


def test_every_status_of_5xx_is_a_failed_request_counted_from_the_onset():
    """A series that begins later is read at the times of the first."""
    times_s = measuring.EPOCH_S + 300.0 + np.array([-15.0, 0.0, 15.0, 30.0])
    engine = Engine(
        Line("200", times_s, np.array([0.0, 10.0, 20.0, 30.0])),
        Line("404", times_s, np.array([0.0, 1.0, 2.0, 3.0])),
        Line("500", times_s, np.array([0.0, 0.0, 2.0, 4.0])),
        Line("503", times_s[1:], np.array([0.0, 1.0, 2.0])),
    )
    spending = measuring._spending(engine, 330.0)
    assert spending.times_s.tolist() == [-15.0, 0.0, 15.0, 30.0]
    assert spending.requests.tolist() == [0.0, 11.0, 25.0, 39.0]
    assert spending.failed.tolist() == [0.0, 0.0, 3.0, 6.0]
    [query] = engine.asked
    assert query.expr == "sum by (status) (http_requests_total)"
    assert (query.start_s, query.end_s) == (measuring.EPOCH_S, measuring.EPOCH_S + 330.0)
    assert query.step_s == 15.0


def test_where_no_alert_reads_the_requests_nothing_can_be_measured():
    """They were not recorded."""
    with pytest.raises(measuring.NothingToMeasureError, match="reads http_requests_total"):
        measuring._spending(Engine(), 330.0)


@pytest.mark.parametrize("beyond", [0.0, 1e-9])
def test_a_system_that_fails_more_when_healthy_than_is_allowed_cannot_be_measured(
    monkeypatch, beyond
):
    """Nor one that fails just as much."""
    monkeypatch.setattr(measuring, "_healthy_share", lambda _: POLICY.budget + beyond)
    with pytest.raises(measuring.NothingToMeasureError) as error:
        measuring.measure(POLICY, rules_of(Good="x > 1"), lambda *_: None)
    assert str(error.value) == (
        "the simulated system fails 0.1 % of its requests when healthy, more than a target of"
        " 99.9 % allows: it cannot be measured"
    )


def test_alerts_on_failed_requests_are_measured_and_recording_rules_kept():
    """The budget's among them; what only the engine understands stays as it is."""
    rules = rules_of(One="x > 1", Two="x > > 2", Three="x > 3", Four="x > 4")
    [group] = rules.groups
    slo = ("availability", "error_budget", "burn_rate", "latency")
    labelled = tuple(
        replace(own, labels=(("slo", name),)) for own, name in zip(group.rules, slo, strict=True)
    )
    left = measuring.measured_rules(replace(rules, groups=(replace(group, rules=labelled),)))
    assert left.groups == (replace(group, rules=labelled[:3]),)
    none = replace(rules, groups=(replace(group, rules=labelled[3:]),))
    assert measuring.measured_rules(none).groups == ()
