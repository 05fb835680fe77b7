"""A difference is explained by what turns one value into the other, and only by that."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.schemas.validation import validate
from tests.verifier.engines.test_other_engines import (
    OTHER,
    SCENARIO,
    WINDOW,
    needs_other,
    needs_victoria_metrics,
)
from tests.verifier.histories import history, labels, row, rules
from tests.verifier.simulations import HEALTHY
from verifier.changes.timelines import AlertChange
from verifier.engines.causes import explaining
from verifier.engines.causes.explaining import EnginePair, explain, traits_of
from verifier.engines.causes.reckoning import Reckoning
from verifier.engines.causes.sentences import cause_lines, explanation_document, reason_lines
from verifier.engines.causes.traits import (
    PROMETHEUS_2,
    PROMETHEUS_3,
    VICTORIA_METRICS,
    Trait,
    sentence,
)
from verifier.engines.choice import EngineChoice
from verifier.engines.comparison import (
    SCHEMA,
    compare_engines,
    comparison_document,
    comparison_lines,
)
from verifier.engines.judge import EnginesJudge
from verifier.evaluation.engine import SpreadSchedule
from verifier.pack.history_depth import depths
from verifier.servers.prometheus import Series

HISTORY = history(
    {
        labels("done_total", job="a"): [1500.0 * min(number, 40) for number in range(81)],
        labels("level", job="a"): row("1*30 9*20 .*31"),
    }
)
NAMES = ("prometheus", "victoria-metrics")
STOPS = {"alert": "Stops", "expr": "sum(rate(done_total[1m])) < 50"}
GONE = {"alert": "High", "expr": "level > 5", "for": "1m"}


@dataclass
class StandIn:
    """Answers as an engine with these traits does, `factor` times as much."""

    reckoning: Reckoning
    traits: frozenset[Trait]
    factor: float = 1.0

    def query_range(self, query):
        """Answer from what is recomputed."""
        steps = range(round((query.end_s - query.start_s) / query.step_s) + 1)
        values = self.reckoning.values(query, steps, self.traits, held_by=0)
        return [
            Series(
                dict(names),
                query.start_s + query.step_s * np.array([*own], dtype=np.float64),
                self.factor * np.array([*own.values()], dtype=np.float64),
            )
            for names, own in values.items()
        ]


@pytest.fixture(scope="module")
def reckoning():
    """Return what recomputes on the history."""
    with Reckoning(((HISTORY,), (HISTORY,))) as running:
        yield running


def explained(tmp_path, reckoning, *written, traits=VICTORIA_METRICS, factor=1.0, known=None):
    """Return why the first of these rules differs between Prometheus and an engine like this."""
    read = rules(tmp_path, *written)
    schedule = SpreadSchedule(start_s=4.0, end_s=1200.0, needed=depths(read))
    servers = StandIn(reckoning, PROMETHEUS_2), StandIn(reckoning, traits, factor)
    own = known or (PROMETHEUS_2,), (VICTORIA_METRICS,)
    pair = EnginePair(NAMES, servers, own, read, schedule)
    (own_rule, *_) = (rule for _, rule in read.alerts)
    series = () if "sum" in own_rule.expr else (("job", "a"),)
    change = AlertChange(own_rule.alert, series, ())
    (explanation,) = explain(pair, reckoning, [change])
    return explanation


def causes_of(explanation):
    """Return the traits of each reason."""
    return [[cause.trait for cause in reason.causes] for reason in explanation.reasons]


def test_the_value_of_one_engine_becomes_that_of_the_other(tmp_path, reckoning):
    """A counter that begins, and stops: of all that differs, what matters is named each time."""
    explanation = explained(tmp_path, reckoning, STOPS)
    assert explanation.is_explained
    assert causes_of(explanation) == [[Trait.UNEXTENDED], [Trait.SAMPLE_BEFORE]]
    _, line = reason_lines(explanation, NAMES)
    assert line == (
        "at 10m34s: sum(rate(done_total[1m])) is 33.3333 in prometheus, 50 in victoria-metrics,"
        f" against < 50: victoria-metrics {sentence(Trait.SAMPLE_BEFORE)}"
    )


def test_how_long_a_series_is_known_is_a_cause(tmp_path, reckoning):
    """A gauge that is no longer scraped: five minutes in one, half a minute in the other."""
    explanation = explained(tmp_path, reckoning, GONE)
    assert explanation.is_explained
    assert causes_of(explanation) == [[Trait.SHORT_LOOKBACK]]
    assert len(explanation.reasons[0].times_s) == 18
    assert list(cause_lines([explanation], NAMES)) == [
        f"1 alert: victoria-metrics {sentence(Trait.SHORT_LOOKBACK)}"
    ]


def test_a_value_that_is_no_number_is_none_in_one_of_them(tmp_path, reckoning):
    """0 / 0 is not 1: an alert in Prometheus, nothing in VictoriaMetrics."""
    zero = "sum(rate(done_total[1m]) * 0)"
    rule = {"alert": "Share", "expr": f"{zero} / {zero} != 1"}
    explanation = explained(tmp_path, reckoning, rule)
    assert explanation.is_explained
    assert [Trait.NAN_IS_MISSING] in causes_of(explanation)
    (reason, *_) = explanation_document(explanation)
    assert reason["values"] == ["NaN", None]
    assert "is not a number in prometheus, without a value in" in next(
        reason_lines(explanation, NAMES)
    )


@pytest.mark.parametrize("factor", [1.01, 1.00001])
def test_a_planted_difference_is_not_explained(tmp_path, reckoning, factor):
    """An engine whose answers are a little too high: no trait of any makes them."""
    explanation = explained(tmp_path, reckoning, STOPS, factor=factor)
    assert not explanation.is_explained
    (line,) = reason_lines(explanation, NAMES)
    assert "NOT EXPLAINED: what is known of victoria-metrics gives another value" in line
    (reason, *_) = explanation_document(explanation)
    assert not reason["causes"]
    assert reason["unexplained"]


def test_what_is_not_recomputed_is_not_explained(tmp_path, reckoning):
    """It says which part."""
    rule = {"alert": "Stops", "expr": "sum(idelta(done_total[1m]) + rate(done_total[1m])) < 50"}
    read = rules(tmp_path, rule)
    schedule = SpreadSchedule(start_s=0.0, end_s=600.0, needed=depths(read))

    class Answers(StandIn):
        def query_range(self, query):
            return super().query_range(replace(query, expr=STOPS["expr"].replace("< 50", self.end)))

    first, second = Answers(reckoning, PROMETHEUS_2), Answers(reckoning, VICTORIA_METRICS)
    first.end, second.end = "> 0", "> 1000"
    traits = (PROMETHEUS_2,), (VICTORIA_METRICS,)
    pair = EnginePair(NAMES, (first, second), traits, read, schedule)
    (explanation,) = explain(pair, reckoning, [AlertChange("Stops", (), ())])
    assert not explanation.is_explained
    assert "idelta() is not recomputed" in next(reason_lines(explanation, NAMES))


def test_an_alert_whose_condition_is_the_same_is_not_explained(tmp_path, reckoning):
    """Whatever makes it differ is not in its condition."""
    explanation = explained(tmp_path, reckoning, STOPS, traits=PROMETHEUS_2)
    assert not explanation.is_explained
    assert list(reason_lines(explanation, NAMES)) == [
        "NOT EXPLAINED: its condition has the same values in both"
    ]


def test_every_trait_is_in_the_schema():
    """A document names no cause that its schema does not know."""
    assert all(f'"{trait.value}"' in SCHEMA.read_text() for trait in Trait)


@pytest.mark.parametrize(
    ("name", "version", "likeliest"),
    [
        ("victoria-metrics", "unknown", VICTORIA_METRICS),
        ("prometheus", "2.42.0+ds", PROMETHEUS_2),
        ("prometheus", "3.5.3", PROMETHEUS_3),
        ("http://localhost:9009", "2.10", PROMETHEUS_2),
    ],
)
def test_what_an_engine_may_be(name, version, likeliest):
    """An engine at a URL may be any."""
    assert traits_of(name, version)[0] == likeliest
    assert len(traits_of(name, version)) == {"victoria-metrics": 1, "prometheus": 2}.get(name, 3)


RATE = "sum(rate(agentaskit_tasks_processed_total[30s]))"
NOISY = (
    {"record": "job:done:rate", "expr": RATE},
    {"alert": "Read", "expr": f"{RATE} > 1000"},
    {"alert": "Recorded", "expr": "job:done:rate > 1000"},
    {"alert": "Counted", "expr": "count_over_time(job:done:rate[15s]) > 1"},
)


def judged(tmp_path, *written, second):
    """Return the comparison of the installed Prometheus with another engine."""
    judge = EnginesJudge(rules(tmp_path, *written), (EngineChoice("prometheus"), second))
    return compare_engines([judge(HEALTHY, SCENARIO, lambda _: None)])


@needs_victoria_metrics
def test_what_differs_in_victoria_metrics_is_explained(tmp_path, monkeypatch):
    """A rate, and an alert on what is recorded of it; without the right traits neither is."""
    second = EngineChoice("victoria-metrics", "victoria-metrics")
    comparison = judged(tmp_path, *NOISY, second=second)
    (scenario,) = comparison.scenarios
    known = {each.alert: each for each in scenario.explanations}
    assert {*known} == {"Read", "Recorded", "Counted"}
    assert not scenario.unexplained
    assert causes_of(known["Read"]) == [[Trait.SAMPLE_BEFORE]]
    assert causes_of(known["Recorded"]) == [[Trait.RECORDED, Trait.SAMPLE_BEFORE]]
    assert causes_of(known["Counted"]) == [[Trait.OPEN_WINDOW]]
    document = comparison_document(comparison)
    validate(document, json.loads(SCHEMA.read_text()))
    assert document["unexplained"] == 0
    assert list(comparison_lines(comparison))[-1].endswith("; why is said of each")
    monkeypatch.setattr(explaining, "VICTORIA_METRICS", PROMETHEUS_3)
    comparison = judged(tmp_path, *NOISY[:3], second=second)
    assert len(comparison.scenarios[0].unexplained) == 2
    validate(comparison_document(comparison), json.loads(SCHEMA.read_text()))
    assert list(comparison_lines(comparison))[-1].endswith("; 2 NOT EXPLAINED")


@needs_other
def test_what_differs_in_another_prometheus_is_explained(tmp_path):
    """A window over samples at the instants of evaluation."""
    second = EngineChoice("3", binary=Path(os.environ[OTHER]))
    (scenario,) = judged(tmp_path, *WINDOW, second=second).scenarios
    (explanation,) = scenario.explanations
    assert causes_of(explanation) == [[Trait.OPEN_WINDOW]]
