"""What an alert owes in a burn, and every way to break it."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse
from tests.verifier.slo.packs import PACK
from verifier.errors import NotJudged
from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup
from verifier.slo.measurement.burns import Burn, evaluated, plan_burns
from verifier.slo.measurement.measure import MeasuredBurn, Measurement, Response, measured_rules
from verifier.slo.measurement.promises import (
    FiresBelowRate,
    FiresLate,
    FiresWhenHealthy,
    MissesBurn,
    NeverFires,
    bounds,
    broken_promises,
)
from verifier.slo.measurement.report import (
    measured_step,
    measurement_document,
    measurement_lines,
    measurement_markdown,
)
from verifier.slo.policy import read_policy

POLICY = read_policy(parse((PACK / "slo" / "policies.yaml").read_text(), "policies.yaml")).policy
STEADY = Burn("15.84 times", 15.84, 4000.0, 4000.0)
BELOW = Burn("12.96 times", 12.96, 4000.0, 4000.0)
OUTAGE = Burn("total outage, short", 1000.0, 300.0, 4000.0, is_outage=True)


def rule(window="fast", expr="rate(http_requests_total[1h]) > 1", **labels):
    """Return a burn-rate alert that waits two minutes."""
    pairs = {"slo": "burn_rate", "window": window} | labels
    place = Place("rules.yaml", 1, 1)
    return AlertRule("Burn", expr, 120.0, 0.0, tuple(sorted(pairs.items())), (), place)


def broken(*burns, alert=None):
    """Return what is broken when the alert fired at these times in these burns."""
    alert = alert or rule()
    measured = tuple(
        MeasuredBurn(
            burn, burn.rate, 200.0, 0.07, (Response(alert, fired_s=fired_s, spent_share=0.02),)
        )
        for burn, fired_s in burns
    )
    files = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),))
    return broken_promises(POLICY, files, Measurement(measured, "2.42.0"))


def test_an_alert_that_fires_in_time_and_only_above_its_rate_breaks_nothing():
    """An hour at 14.4 / 15.84, two minutes of `for`, two evaluations, two scrapes."""
    assert broken((STEADY, 3420.0), (BELOW, None), (OUTAGE, 200.0)) == []


@pytest.mark.parametrize(
    ("burns", "kind"),
    [
        (((STEADY, None), (BELOW, None), (OUTAGE, None)), NeverFires),
        (((STEADY, 3700.0), (BELOW, None), (OUTAGE, 200.0)), FiresLate),
        (((STEADY, 3420.0), (BELOW, 3420.0), (OUTAGE, 200.0)), FiresBelowRate),
        (((STEADY, None), (BELOW, None), (OUTAGE, 200.0)), MissesBurn),
        (((STEADY, 3420.0), (BELOW, None), (OUTAGE, None)), MissesBurn),
        (((STEADY, 3420.0), (BELOW, None), (OUTAGE, 900.0)), FiresLate),
    ],
)
def test_each_broken_promise_is_of_its_own_kind(burns, kind):
    """An alert that never fires is that alone."""
    assert [type(each) for each in broken(*burns)] == [kind]


def test_an_alert_that_fires_when_nothing_fails_is_no_witness_of_a_burn():
    """Its time in the burn would count for nothing."""
    alert = rule()
    early = Response(alert, fired_s=-300.0, spent_share=0.0, fired_before=True)
    files = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),))
    burns = (MeasuredBurn(STEADY, 15.84, 200.0, 0.07, (early,)),)
    [problem] = broken_promises(POLICY, files, Measurement(burns, "2.42.0"))
    assert isinstance(problem, FiresWhenHealthy)


def test_an_alert_without_a_window_of_the_policy_owes_only_to_fire_at_all():
    """Extras may watch what the policy does not state."""
    assert broken((STEADY, 9999.0), alert=rule("creeping")) == []
    assert broken((STEADY, None), alert=rule("creeping"))


def test_an_alert_that_watches_a_slower_window_too_may_fire_below_its_own_rate():
    """As the workbook writes it: (fast and short) or (slow and short)."""
    share = (
        'sum(rate(http_requests_total{status=~"5.."}[1h])) / sum(rate(http_requests_total[1h]))'
        " / 0.001 > 14.4"
    )
    both = f"{share} or {share.replace('1h', '6h').replace('14.4', '6')}"
    burns = ((STEADY, 3420.0), (BELOW, 3420.0), (OUTAGE, 200.0))
    assert broken(*burns, alert=rule(expr=both)) == []
    assert [type(each) for each in broken(*burns, alert=rule(expr=share))] == [FiresBelowRate]


def test_rates_that_chance_may_exchange_are_not_judged():
    """A window of five minutes at the allowed rate holds some 3,000 errors: 2 per cent of noise."""
    alert = rule(slo="availability", expr="rate(http_requests_total[5m]) < 1")
    near = MeasuredBurn(
        Burn("1.05 times", 1.05, 4000.0, 4000.0), 1.05, 10.0, 0.01, (Response(alert),)
    )
    far = MeasuredBurn(OUTAGE, 1000.0, 1e4, 0.1, (Response(alert, fired_s=200.0, spent_share=0.1),))
    files = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),))
    assert broken_promises(POLICY, files, Measurement((near, far), "2.42.0")) == []


def test_every_rate_of_the_policy_is_tried_from_both_sides_and_an_outage_twice():
    """And the allowed rate itself, once further above."""
    burns = plan_burns(POLICY, [rule()])
    rates = [round(burn.rate, 6) for burn in burns]
    assert rates == [0.9, 1.1, 1.25, 5.4, 6.6, 12.96, 15.84, 1000, 1000]
    below = next(burn for burn in burns if round(burn.rate, 2) == 5.4)
    assert below.watched_s > 6 * 3600
    assert [burn.is_steady for burn in burns] == [True] * 7 + [False, True]


def test_a_rule_that_reads_thirty_days_is_left_out_where_it_cannot_move():
    """Evaluating it hundreds of times costs more than everything else."""
    deep = rule(slo="error_budget", expr="rate(http_requests_total[30d]) > 1")
    files = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (rule(), deep)),))
    spent = Burn("total outage, until the budget is spent", 1000.0, 3000.0, 3000.0)
    assert [r.expr for _, r in evaluated(STEADY, files).alerts] == [rule().expr]
    assert len(evaluated(spent, files).alerts) == 2


def test_alerts_of_one_name_are_told_apart_and_guards_by_the_clock_left_out():
    """Otherwise the one would vouch for the other, and an hour of the day for a rule."""
    first, second = rule(), rule(expr="(rate(a[1h]) > 1) unless on() (hour() < 6)")
    other = rule(slo="latency")
    files = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (first, second, other)),))
    alerts = [alert for _, alert in measured_rules(files).alerts]
    assert [alert.alert for alert in alerts] == ["Burn", "Burn (2)"]
    assert alerts[1].expr == "rate(a[1h]) > 1"


def test_a_measurement_is_written_as_text_as_markdown_and_as_a_document():
    """The same facts in each."""
    alert = rule()
    silent = Response(alert)
    fired = Response(alert, fired_s=3420.0, spent_share=0.0209)
    burns = (
        MeasuredBurn(BELOW, 12.9, 200.0, 0.068, (silent,)),
        MeasuredBurn(STEADY, 15.8, 200.0, 0.072, (fired, Response(alert, is_evaluated=False))),
    )
    measurement = Measurement(burns, "2.42.0")
    limits = bounds(POLICY, RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),)), measurement)
    assert list(limits) == [("15.84 times", "Burn")]
    text = "\n".join(measurement_lines(measurement, limits))
    assert "12.96 times the allowed rate (measured 12.9) for 1h6m40s: 6.8 % of the budget" in text
    assert "  silent: Burn" in text
    assert "  Burn  fires after 57m of 1h1m47s, 2.09 % of 2.26 % spent, until the end" in text
    assert "too short a burn for: Burn" in text
    markdown = measurement_markdown(measurement, limits)
    assert "| 15.84 times | 15.8 | Burn | 57m of 1h1m47s | 2.09 % of 2.26 % | the end |" in markdown
    assert "| 12.96 times | 12.9 | Burn | never |  |  |" in markdown
    problem = NeverFires(alert.position, "Burn", 2)
    written = measurement_document(measurement, [problem], limits)
    assert written["burns"][1]["alerts"][0] == {
        "alert": "Burn",
        "evaluated": True,
        "fired_s": 3420.0,
        "resolved_s": None,
        "budget_spent_share": 0.0209,
        "fired_before": False,
        "fires_within_s": 3707.207,
        "budget_spent_share_max": 0.022598,
    }
    assert written["broken"][0]["sentence"] == "Burn never fires, in none of 2 burns"
    assert measured_step(measurement, []).status == "ok"
    failed = measured_step(measurement, [problem])
    assert failed.status == "fail"
    assert failed.reasons == ("rules.yaml:1:1: Burn never fires, in none of 2 burns",)


def test_a_rule_that_could_not_be_evaluated_fails_the_step_and_breaks_no_promise_beside():
    """One reason for one rule."""
    alert = rule()
    files = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),))
    refused = NotJudged("alert Burn", "Prometheus cannot evaluate it: many", alert.position)
    burns = (MeasuredBurn(STEADY, 15.84, 200.0, 0.07, (Response(alert),)),)
    measurement = Measurement(burns, "2.42.0", (refused,))
    assert broken_promises(POLICY, files, measurement) == []
    step = measured_step(measurement, [])
    assert step.status == "fail"
    assert step.reasons == (str(refused),)
    assert measurement_document(measurement, [], {})["not_judged"] == [str(refused)]
