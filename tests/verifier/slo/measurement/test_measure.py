"""Burns are simulated and evaluated by a real Prometheus: good rules fire in time, dead ones never.

Two short burns for some rules here; the whole pack in a test that takes longer.
"""

from __future__ import annotations

import numpy as np
import pytest

from documents.mistakes import Place
from documents.yaml_reader import load, parse
from tests.verifier.slo.packs import PACK
from verifier.evaluation.timeline import Episode, Timeline
from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup, load_rules
from verifier.slo.measurement import measure as measuring
from verifier.slo.measurement.burns import Burn
from verifier.slo.measurement.promises import broken_promises
from verifier.slo.measurement.report import promise_sentence
from verifier.slo.policy import read_policy

POLICY = read_policy(parse((PACK / "slo" / "policies.yaml").read_text(), "policies.yaml")).policy
SHARE = (
    'sum(rate(http_requests_total{status=~"5.."}[1h])) / sum(rate(http_requests_total[1h])) / 0.001'
)
SHORT = SHARE.replace("1h", "5m")
RULES = {
    "Good": f"{SHARE} > 14.4",
    "Workbook": f"{SHARE} > 14.4 and {SHORT} > 14.4",
    "NeverMeets": SHARE.replace("sum(rate", "sum by (status) (rate", 1) + " > 14.4",
    "ShortTypo": f"{SHARE} > 14.4 and {SHORT} > 1440",
    "Always": f"{SHARE} > bool 14.4",
    "Successes": SHARE.replace("5..", "2..") + " > 14.4",
    "Sensitive": f"{SHARE} > 4",
    "Guarded": f"{SHARE} > 14.4 unless on() (hour() < 24)",
}


def rules_of(**expressions):
    """Return burn-rate alerts of the fast window, each at a line of its own."""
    labels = (("slo", "burn_rate"), ("window", "fast"))
    alerts = tuple(
        AlertRule(name, expr, 120.0, 0.0, labels, (), Place("rules.yaml", line, 1))
        for line, (name, expr) in enumerate(expressions.items(), 1)
    )
    return RuleFiles((RuleGroup("g", "rules.yaml", 30.0, alerts),))


@pytest.fixture(scope="module")
def measured():
    """Measure two burns of all `RULES`: below the rate of the fast window, and an outage.

    At a tenth of the load: what fails is a share of it.
    """
    burns = [
        Burn("8 times", 8.0, 2400.0, 2400.0),
        Burn("total outage, short", 1000.0, 300.0, 1200.0, is_outage=True),
    ]
    rules, notices = rules_of(**RULES), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "plan_burns", lambda *_: burns)
        patch.setattr(measuring, "BASE_RATE_PER_S", measuring.BASE_RATE_PER_S / 10)
        measurement = measuring.measure(POLICY, rules, lambda *each: notices.append(each))
    assert notices == [(1, 2, burns[0]), (2, 2, burns[1])]
    broken = broken_promises(POLICY, measuring.measured_rules(rules), measurement)
    return measurement, {each.alert: promise_sentence(each) for each in broken}


def test_a_burn_comes_about_at_the_rate_that_was_asked_for(measured):
    """Within what chance may do; an outage fails every request."""
    measurement, _ = measured
    steady, outage = measurement.burns
    assert steady.rate == pytest.approx(8.0, rel=0.05)
    assert steady.spent_share == pytest.approx(8 * 2400 / (30 * 86400), rel=0.06)
    assert outage.rate == pytest.approx(1000, rel=0.01)
    assert outage.spent_share == pytest.approx(300 / 2592, rel=0.02)


def test_good_rules_fire_in_the_outage_after_their_for_and_not_below_their_rate(measured):
    """52 seconds until the window has its rate, two minutes of `for`, an evaluation."""
    measurement, broken = measured
    for name in ("Good", "Workbook"):
        below, outage = (
            next(r for r in burn.responses if r.alert.alert == name) for burn in measurement.burns
        )
        assert below.fired_s is None
        assert 170 < outage.fired_s < 230
        assert outage.spent_share == pytest.approx(outage.fired_s / 2592, rel=0.05)
        assert name not in broken
        # The outage lasts five minutes, and is gone from a window of five minutes at about ten.
        assert outage.resolved_s is None if name == "Good" else 570 < outage.resolved_s < 630


def test_what_is_dead_always_true_or_too_sensitive_is_named(measured):
    """Each by what it did."""
    _, broken = measured
    assert broken.pop("NeverMeets") == "NeverMeets never fires, in none of 2 burns"
    assert broken.pop("ShortTypo") == "ShortTypo never fires, in none of 2 burns"
    for name in ("Always", "Successes"):
        assert broken.pop(name) == f"{name} fires before anything fails"
    assert "Sensitive fires at 7.7" in broken["Sensitive"]
    assert "it must not below 14.4 times" in broken.pop("Sensitive")
    assert broken == {}


def test_a_guard_by_the_clock_is_taken_as_open(measured):
    """The hour at which a burn is simulated says nothing of a rule."""
    measurement, _ = measured
    response = next(r for r in measurement.burns[1].responses if r.alert.alert == "Guarded")
    assert response.fired_s is not None


SPENDING = measuring._Spending(
    np.arange(81) * 15.0 - 300.0,
    np.arange(81) * 100.0,
    np.maximum(np.arange(81) - 20, 0) * 10.0,
)


def test_what_a_burn_spends_is_a_share_of_thirty_days_of_requests():
    """At 100 requests each 15 s, of which 10 fail from the onset on; between scrapes as well."""
    of_period = 100 / 15 * 30 * 86400
    assert SPENDING.spent(150.0) == pytest.approx(100 / of_period)
    assert SPENDING.spent(7.5) == pytest.approx(5 / of_period)
    assert SPENDING.spent(-30.0) == 0.0
    assert SPENDING.rate(150.0) == pytest.approx(0.1)


def episode(firing_s, resolved_s=None):
    """Return an episode at these seconds from the onset on."""
    resolved_s = None if resolved_s is None else measuring.ONSET_S + resolved_s
    firing_s = None if firing_s is None else measuring.ONSET_S + firing_s
    return Episode(0.0, firing_s, resolved_s)


@pytest.mark.parametrize(
    ("episodes", "fired_s", "resolved_s", "fired_before"),
    [
        ([[episode(60, 90), episode(300)]], 60, 90, False),
        ([[episode(300)], [episode(60, 90)]], 60, 90, False),
        ([[episode(60)], [episode(60, 90)]], 60, 90, False),
        ([[episode(60)], [episode(None, 30)]], 60, None, False),
        ([[episode(0)]], 0, None, False),
        ([[episode(60)], [episode(-15, 30)]], -15, 30, True),
        ([[episode(None, 30)]], None, None, False),
        ([], None, None, False),
    ],
)
def test_an_alert_that_fires_several_times_is_measured_by_the_first(
    episodes, fired_s, resolved_s, fired_before
):
    """Whatever the labels; not by what was pending alone, nor by another alert."""
    [(_, rule)] = rules_of(Good="x").alerts
    lines = [Timeline("Good", (("a", str(i)),), tuple(each)) for i, each in enumerate(episodes)]
    response = measuring._response(
        rule, (Timeline("Other", (), (episode(-99),)), *lines), SPENDING, 0.001
    )
    assert (response.fired_s, response.resolved_s) == (fired_s, resolved_s)
    assert response.fired_before is fired_before
    assert (response.alert, response.is_evaluated) == (rule, True)
    spent = None if fired_s is None else SPENDING.spent(fired_s) / 0.001
    assert response.spent_share == spent


def test_without_an_alert_on_availability_there_is_nothing_to_measure():
    """That is said, and no world is simulated."""
    with pytest.raises(measuring.NothingToMeasureError, match="nothing to measure"):
        measuring.measure(POLICY, RuleFiles(()), lambda *_: None)


@pytest.mark.long
def test_the_bundled_pack_keeps_every_promise():
    """Nine burns, the extras among the alerts."""
    rules = load_rules(sorted((PACK / "alerts").glob("*.yaml")))
    policy = read_policy(load(PACK / "slo" / "policies.yaml")).policy
    measurement = measuring.measure(policy, rules, lambda *_: None)
    assert broken_promises(policy, measuring.measured_rules(rules), measurement) == []
