"""Where a promise begins and ends: rates that are told apart, burns that must be seen, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.slo.measurement.test_promises import POLICY, rule
from verifier.pack.rules import RuleFiles, RuleGroup
from verifier.slo.measurement.burns import Burn
from verifier.slo.measurement.measure import MeasuredBurn, Measurement, Response
from verifier.slo.measurement.promises import (
    FiresBelowRate,
    FiresLate,
    FiresWhenHealthy,
    FiringBound,
    MissesBurn,
    NeverFires,
    Promise,
    bounds,
    broken_promises,
    promise_of,
)
from verifier.slo.policy import PERIOD_S

MARGIN = 0.055
"""Of ten thousand errors within an hour: 3 %, and two and a half standard errors of 1 %."""
WAIT_S = 210.0
"""Two minutes of `for`, two evaluations, two scrapes."""
AVAILABILITY = rule(slo="availability", expr="rate(http_requests_total[1h]) > 1")


def files(alert):
    """Return the rules of a pack with one alert."""
    return RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),))


def measured(alert, rate, fired_s=None, *, lasts_s=None, **facts):
    """Return a burn at a rate, steady without `lasts_s`, and what the alert did in it."""
    burn = Burn("b", rate, lasts_s or 9000.0, 9000.0, is_outage=lasts_s is not None)
    response = Response(alert, fired_s=fired_s, spent_share=fired_s and 0.5, **facts)
    return MeasuredBurn(burn, rate, 1e4 / 3600, 0.25, (response,))


def broken(alert, *burns, seen=True):
    """Return what is broken in burns, beside one in which the alert has fired as it must."""
    good = (measured(alert, 1000.0, 1.0),) if seen else ()
    return broken_promises(POLICY, files(alert), Measurement((*burns, *good), "2.42.0"))


@pytest.mark.parametrize(
    ("failed_per_s", "margin"),
    [(1e4 / 3600, 0.055), (100 / 3600, 0.28), (1 / 3600, 2.53), (0.0, 2.53), (1e6 / 3600, 0.0325)],
)
def test_rates_are_told_apart_by_as_much_as_their_errors_allow(failed_per_s, margin):
    """Of the errors in the whole window; never by less than three per cent."""
    burn = replace(measured(rule(), 20.0), failed_per_s=failed_per_s)
    assert Promise(10.0, 3600.0, WAIT_S, 10.0).margin(burn) == pytest.approx(margin)


@pytest.mark.parametrize(
    ("rate", "filled"), [(22.2, 0.5), (11.1, 1.0), (10.0, 1.0), (111.0, 0.1), (5.0, 1.0)]
)
def test_a_window_has_its_rate_after_a_share_of_it_and_at_the_latest_when_it_is_full(rate, filled):
    """Then come the waits."""
    promise = Promise(10.0, 3600.0, WAIT_S, 10.0)
    assert promise.within_s(measured(rule(), rate)) == pytest.approx(3600.0 * filled + WAIT_S)


def test_an_alert_promises_the_rate_of_its_window_or_the_allowed_rate_itself():
    """That on availability over what it reads; any other promises nothing."""
    waiting = replace(rule(), for_s=60.0)
    cases = {
        waiting: Promise(14.4, 3600.0, 150.0, 14.4),
        rule("slow"): Promise(6.0, 21600.0, WAIT_S, 6.0),
        AVAILABILITY: Promise(1.0, 3600.0, WAIT_S, 1.0),
        rule("creeping"): None,
        rule(slo="latency"): None,
        rule(slo="error_budget"): None,
    }
    for alert, promise in cases.items():
        [(group, own)] = files(alert).alerts
        assert promise_of(POLICY, files(alert), group, own) == promise


BELOW, OWED = 14.4 * (1 - MARGIN), 14.4 * (1 + 2 * MARGIN)


@pytest.mark.parametrize(
    ("rate", "fired_s", "kind"),
    [
        (BELOW * 0.999, 3000.0, FiresBelowRate),
        (BELOW * 0.999, None, None),
        (BELOW * 1.001, 3000.0, None),
        (BELOW * 1.001, 8000.0, None),
        (OWED * 0.999, None, None),
        (OWED * 1.001, None, MissesBurn),
        (OWED * 1.001, 3600.0, None),
        (OWED * 2, 1800.0 + WAIT_S - 1, None),
        (OWED * 2, 1800.0 + WAIT_S + 1, FiresLate),
    ],
)
def test_a_steady_burn_is_judged_beyond_what_chance_may_do(rate, fired_s, kind):
    """Below its rate it must be silent, above it must fire in time, between the two it may."""
    alert = rule()
    assert [type(each) for each in broken(alert, measured(alert, rate, fired_s))] == (
        [kind] if kind else []
    )


def test_an_alert_that_fires_at_the_last_moment_is_in_time():
    """The bound itself belongs to what is promised."""
    alert = rule()
    burn = measured(alert, OWED * 2)
    [(group, own)] = files(alert).alerts
    within_s = promise_of(POLICY, files(alert), group, own).within_s(burn)
    assert broken(alert, measured(alert, OWED * 2, within_s)) == []


@pytest.mark.parametrize(
    ("alert", "rate", "lasts_s", "is_owed"),
    [
        (rule(), 215.0, 300.0, False),  # a twelfth of the window, at 1.25 times the rate
        (rule(), 217.0, 300.0, True),
        (rule(), 17.9, 3600.0, False),
        (rule(), 18.1, 3600.0, True),
        (rule(), 17.9, 5000.0, False),  # a window that is full is not filled further
        (rule(), 18.1, 5000.0, True),
        (replace(rule(), for_s=600.0), 217.0, 300.0, True),
        (replace(AVAILABILITY, for_s=301.0), 1000.0, 300.0, False),
        (replace(AVAILABILITY, for_s=300.0), 1000.0, 300.0, True),
        (AVAILABILITY, 14.9, 300.0, False),
        (AVAILABILITY, 15.1, 300.0, True),
    ],
)
def test_a_short_outage_must_be_seen_that_fills_enough_of_the_window(alert, rate, lasts_s, is_owed):
    """And, where no rate is promised, outlasts the alert's `for`."""
    silent = measured(alert, rate, lasts_s=lasts_s)
    expected = [MissesBurn(alert.position, "Burn", "b", rate, 0.25, 14.4)] if is_owed else []
    if alert.labels == AVAILABILITY.labels:
        expected = [replace(each, rate=1.0) for each in expected]
    assert broken(alert, silent) == expected
    assert bool(bounds(POLICY, files(alert), Measurement((silent,), ""))) is is_owed


def test_by_its_bound_an_alert_has_spent_what_burnt_until_then_and_no_more_than_the_burn():
    """An outage of five minutes ends before."""
    alert = rule()
    steady, outage = (
        measured(alert, OWED * 2, 3000.0),
        measured(alert, 217.0, 3000.0, lasts_s=300.0),
    )
    both = Measurement((steady, replace(outage, burn=replace(outage.burn, name="o"))), "")
    within_s = 3600.0 * 14.4 / 217.0 * (1 + 2 * MARGIN) + WAIT_S
    assert within_s > 300.0
    steady_share, outage_share = 2010.0 * OWED * 2 / PERIOD_S, 300.0 * 217.0 / PERIOD_S
    assert bounds(POLICY, files(alert), both) == {
        ("b", "Burn"): FiringBound(pytest.approx(2010.0), pytest.approx(steady_share)),
        ("o", "Burn"): FiringBound(pytest.approx(within_s), pytest.approx(outage_share)),
    }
    late = broken(alert, steady, outage)
    assert [(each.within_s, each.promised_share) for each in late] == [
        (pytest.approx(2010.0), pytest.approx(steady_share)),
        (pytest.approx(within_s), pytest.approx(outage_share)),
    ]
    assert [(each.fired_s, each.spent_share, each.burn) for each in late] == [
        (3000.0, 0.5, "b")
    ] * 2


def test_what_was_not_evaluated_says_nothing_of_an_alert():
    """Neither that it never fires nor that it misses a burn."""
    alert = rule()
    left_out = measured(alert, 1000.0, is_evaluated=False)
    assert broken(alert, left_out, seen=False) == []
    assert broken(alert, left_out) == []
    never = broken(alert, left_out, measured(alert, 1000.0), measured(alert, 900.0), seen=False)
    assert never == [NeverFires(alert.position, "Burn", 2)]


def test_an_alert_that_once_fires_before_the_onset_is_judged_by_that_alone():
    """Whatever it does in other burns."""
    alert = rule()
    early = measured(alert, 20.0, -60.0, fired_before=True)
    assert broken(alert, early) == [FiresWhenHealthy(alert.position, "Burn")]
    assert broken(alert, measured(alert, 1.0, 10.0), early) == broken(alert, early)


def test_an_alert_below_its_rate_is_named_with_the_rate_that_it_watches():
    """Measured, not asked for."""
    burn = replace(measured(AVAILABILITY, 0.5, 70.0), rate=0.6)
    assert broken(AVAILABILITY, burn) == [
        FiresBelowRate(AVAILABILITY.position, "Burn", 0.6, 70.0, 1.0)
    ]


def test_each_alert_is_judged_by_what_it_did_itself():
    """Not by what another did in the same burn."""
    alert = rule()
    other = replace(alert, alert="Other", position=replace(alert.position, line=9))
    burn = measured(alert, 1000.0, 1.0)
    both = replace(burn, responses=(*burn.responses, Response(other)))
    rules = RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert, other)),))
    assert broken_promises(POLICY, rules, Measurement((both, both), "")) == [
        NeverFires(other.position, "Other", 2)
    ]


@pytest.mark.parametrize("expr", ["up > > 1", "up", "SHARE > 14.4"])
def test_an_alert_that_cannot_be_compared_promises_the_rate_of_its_own_window(expr):
    """Not understood, or a share of other events than the failed requests."""
    share = 'sum(rate(x{status=~"4.."}[6h])) / sum(rate(x[6h]))'
    alert = rule(expr=expr.replace("SHARE", share))
    [(group, own)] = files(alert).alerts
    assert promise_of(POLICY, files(alert), group, own) == Promise(14.4, 3600.0, WAIT_S, 14.4)
