"""A measurement is written whole: each figure in its own unit, as text, Markdown and a document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.slo.measurement.test_promises import BELOW, rule
from verifier.slo.measurement import promises as kinds
from verifier.slo.measurement.burns import Burn
from verifier.slo.measurement.measure import MeasuredBurn, Measurement, Response
from verifier.slo.measurement.promises import FiringBound
from verifier.slo.measurement.report import (
    measured_step,
    measurement_document,
    measurement_lines,
    measurement_markdown,
    promise_sentence,
)

AT = rule().position
OUTAGE = Burn("total outage, short", 1000.0, 300.0, 4000.0, is_outage=True)
SPENT = Burn("spent", 15.84, 6000.0, 4000.0)
"""A steady burn that would last beyond the end."""


def response(alert, fired_s=None, resolved_s=None, spent_share=None, **facts):
    """Return what an alert of this name did."""
    return Response(
        replace(rule(), alert=alert),
        fired_s=fired_s,
        resolved_s=resolved_s,
        spent_share=spent_share,
        **facts,
    )


MEASUREMENT = Measurement(
    (
        MeasuredBurn(
            BELOW,
            12.8765432,
            200.0,
            0.0123456789,
            (
                response("Sleepy"),
                response("Early", -90.0, 30.0, 0.0, fired_before=True),
                response("Deep", is_evaluated=False),
            ),
        ),
        MeasuredBurn(
            OUTAGE,
            999.6,
            200.0,
            0.5,
            (
                response("Second", 1800.25, None, 0.3000004),
                response("First", 200.4, 599.6, 0.077),
                response("Now", 0.0, 0.3, 0.0),
            ),
        ),
        MeasuredBurn(SPENT, 15.84, 200.0, 1.0, ()),
    ),
    "2.42.0",
)
BOUNDS = {
    ("total outage, short", "First"): FiringBound(240.4999, 0.0925926789),
    ("12.96 times", "First"): FiringBound(1.0, 1.0),
}


def test_what_alerts_did_is_a_line_each_in_the_order_in_which_they_fired():
    """Beside its bound where it has one; who was silent, and who was not asked, at the end."""
    assert measurement_lines(MEASUREMENT, BOUNDS) == [
        "12.96 times the allowed rate (measured 12.88) for 1h6m40s: 1.23 % of the budget spent",
        "  Early  fires before the onset",
        "  silent: Sleepy",
        "  too short a burn for: Deep",
        "total outage, short (measured 999.6) for 5m: 50 % of the budget spent",
        "  Now     fires after 0s, 0 % spent, until 0s",
        "  First   fires after 3m20s of 4m, 7.7 % of 9.26 % spent, until 10m",
        "  Second  fires after 30m, 30 % spent, until the end",
        "spent the allowed rate (measured 15.84) for 1h6m40s: 100 % of the budget spent",
    ]


def test_an_outage_is_called_by_its_name_also_where_it_goes_on_until_the_end():
    """A rate is one of the allowed rate, an outage is none."""
    lasting = replace(OUTAGE, name="total outage", lasts_s=4000.0)
    whole = Measurement((MeasuredBurn(lasting, 1000.0, 200.0, 1.0, ()),), "")
    short = Measurement((MeasuredBurn(replace(BELOW, lasts_s=300.0), 12.0, 200.0, 0.5, ()),), "")
    assert measurement_lines(whole, {}) == [
        "total outage (measured 1000) for 1h6m40s: 100 % of the budget spent"
    ]
    assert measurement_lines(short, {}) == [
        "12.96 times the allowed rate (measured 12) for 5m: 50 % of the budget spent"
    ]


def test_the_section_of_the_report_has_a_row_for_each_alert_of_each_burn():
    """In the order of the rules."""
    assert measurement_markdown(MEASUREMENT, BOUNDS) == (
        "\n## Burns as measured\n\n"
        "Evaluated by Prometheus 2.42.0; times count from the onset of the burn.\n\n"
        "| burn | measured rate | alert | fires after | budget spent | until |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| 12.96 times | 12.88 | Sleepy | never |  |  |\n"
        "| 12.96 times | 12.88 | Early | before the onset |  |  |\n"
        "| 12.96 times | 12.88 | Deep | not evaluated |  |  |\n"
        "| total outage, short | 999.6 | Second | 30m | 30 % | the end |\n"
        "| total outage, short | 999.6 | First | 3m20s of 4m | 7.7 % of 9.26 % | 10m |\n"
        "| total outage, short | 999.6 | Now | 0s | 0 % | 0s |\n"
    )


def test_the_document_has_every_figure():
    """Seconds to the millisecond, shares to a millionth; null for what did not come about."""
    broken = [kinds.NeverFires(AT, "Sleepy", 2)]
    written = measurement_document(MEASUREMENT, broken, BOUNDS)
    below, outage, spent = written.pop("burns")
    assert written == {
        "engine": "2.42.0",
        "broken": [
            {
                "alert": "Sleepy",
                "place": "rules.yaml:1:1",
                "sentence": "Sleepy never fires, in none of 2 burns",
            }
        ],
        "not_judged": [],
    }
    sleepy, early, deep = below.pop("alerts")
    assert below == {
        "burn": "12.96 times",
        "rate": 12.96,
        "measured_rate": 12.876543,
        "lasts_s": 4000.0,
        "watched_s": 4000.0,
        "budget_spent_share": 0.012346,
    }
    silent = {
        "alert": "Sleepy",
        "evaluated": True,
        "fired_s": None,
        "resolved_s": None,
        "budget_spent_share": None,
        "fired_before": False,
        "fires_within_s": None,
        "budget_spent_share_max": None,
    }
    assert sleepy == silent
    assert deep == silent | {"alert": "Deep", "evaluated": False}
    times = {"fired_s": -90.0, "resolved_s": 30.0, "budget_spent_share": 0.0}
    assert early == silent | {"alert": "Early", "fired_before": True} | times
    assert (outage["lasts_s"], outage["watched_s"], outage["rate"]) == (300.0, 4000.0, 1000.0)
    assert outage["alerts"][1] == silent | {
        "alert": "First",
        "fired_s": 200.4,
        "resolved_s": 599.6,
        "budget_spent_share": 0.077,
        "fires_within_s": 240.5,
        "budget_spent_share_max": 0.092593,
    }
    assert (spent["lasts_s"], spent["watched_s"], spent["alerts"]) == (4000.0, 4000.0, [])


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (kinds.NeverFires(AT, "A", 1), "A never fires, in none of 1 burn"),
        (kinds.FiresWhenHealthy(AT, "A"), "A fires before anything fails"),
        (
            kinds.FiresBelowRate(AT, "A", 12.9612, 90.0, 14.4),
            (
                "A fires at 13 times the allowed rate, 1m30s after its onset, it must not below"
                " 14.4 times"
            ),
        ),
        (
            kinds.FiresBelowRate(AT, "A", 0.5, 0.0, 1.0),
            "A fires at 0.5 times the allowed rate, 0s after its onset, it must not below 1 times",
        ),
        (
            kinds.FiresBelowRate(AT, "A", 12.9612, -90.0, 14.4),
            (
                "A fires at 13 times the allowed rate, 1m30s before its onset, it must not below"
                " 14.4 times"
            ),
        ),
        (
            kinds.MissesBurn(AT, "A", "b", 15.8412, 0.07, 14.4),
            (
                "A does not fire in the burn 'b', measured as 15.84 times the allowed rate, in"
                " which 7 % of the budget is spent: it must above 14.4 times"
            ),
        ),
        (
            kinds.FiresLate(AT, "A", "b", 3700.0, 0.023, 3600.4, 0.02),
            (
                "A fires 1h1m40s after the onset of the burn 'b', with 2.3 % of the budget spent;"
                " by the policy within 1h, with 2 %"
            ),
        ),
    ],
)
def test_a_broken_promise_is_a_sentence_with_its_figures(broken, sentence):
    """And with its place a reason of the step."""
    assert promise_sentence(broken) == sentence
    step = measured_step(MEASUREMENT, [broken])
    assert (step.name, step.status) == ("burns as measured", "fail")
    assert step.reasons == (f"rules.yaml:1:1: {sentence}",)


def test_the_step_counts_burns_and_alerts_each_once():
    """Of what breaks nothing."""
    step = measured_step(MEASUREMENT, [])
    reason = "3 burns, 6 alerts: each fires in time, and none below its rate"
    assert (step.status, step.reasons) == ("ok", (reason,))
