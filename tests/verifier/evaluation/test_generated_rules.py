"""Thousands of rules that nobody chose: alert states in virtual time are promtool's, all of them.

A batch is one group of rules on one history. What an evaluation fails on (a match of many to many)
promtool refuses to go on with, so such rules, a few in a hundred, are left out; a test of the
engine's own holds what a server does then.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.verifier.evaluation.generated_rules import (
    AGGREGATIONS,
    MATHS,
    OVER_TIME,
    RATES,
    generated_rules,
)
from tests.verifier.generated_histories import SHAPES, Shape, generated_history
from verifier.evaluation.alert_states import AlertStates
from verifier.evaluation.crosscheck import (
    Difference,
    PlainSchedule,
    differences,
    origin,
    promtool_states,
    timeline_states,
)
from verifier.evaluation.engine import Evaluation, evaluate_rules
from verifier.evaluation.timeline import Grid
from verifier.pack.history_depth import depths
from verifier.pack.rules import AlertRule, RuleFiles
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from exporter.history.samples import History

SAMPLE: Final = [(1000 + number, 5 if number else 12, shape) for number, shape in enumerate(SHAPES)]
ALL: Final = [(seed, 50, SHAPES[seed % len(SHAPES)]) for seed in range(40)]
FUNCTIONS: Final = (
    *(*AGGREGATIONS, *MATHS, *OVER_TIME, *RATES, "quantile", "topk", "bottomk", "count_values"),
    *("quantile_over_time", "predict_linear", "holt_winters", "clamp", "clamp_min", "clamp_max"),
    *("absent", "absent_over_time", "histogram_quantile", "label_replace", "label_join", "scalar"),
    *("vector", "timestamp", "pi"),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A batch, evaluated by both: where they differ, how much there was to differ on."""

    rules: RuleFiles
    differences: list[Difference]
    states: int
    active: int


def compare(seed: int, count: int, shape: Shape) -> Comparison:
    """Evaluate a batch in virtual time and by promtool."""
    history, rules = generated_history(seed, shape), generated_rules(seed, count, shape)
    rules, evaluation = without_failures(history, rules, shape)
    grid = Grid(shape.offset_s, shape.end_s, float(shape.interval_s))
    ours = timeline_states(evaluation.timelines, grid)
    theirs = promtool_states(history, rules, grid)
    active = len({timeline.alert for timeline in evaluation.timelines})
    return Comparison(rules, differences(ours, theirs), len(theirs), active)


def without_failures(
    history: History, rules: RuleFiles, shape: Shape
) -> tuple[RuleFiles, Evaluation]:
    """Return the rules of which no evaluation fails, and their evaluation."""
    grid = Grid(shape.offset_s, shape.end_s, float(shape.interval_s))
    while True:
        with Prometheus() as server:
            server.push(history)
            schedule = PlainSchedule(origin(history, grid), shape.end_s, depths(rules))
            evaluation = evaluate_rules(server, rules, schedule)
        failing = {finding.position for finding in evaluation.findings}
        failing |= {item.place for item in evaluation.not_judged}
        if not failing:
            return rules, evaluation
        (group,) = rules.groups
        kept = tuple(rule for rule in group.rules if rule.position not in failing)
        rules = RuleFiles((replace(group, rules=kept),))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("seed", "count", "shape"), SAMPLE)
def test_alert_states_of_generated_rules_are_promtools(seed: int, count: int, shape: Shape) -> None:
    """A sample of every shape: intervals from 15 s to 5 min, windows from one scrape to 6 h."""
    compared = compare(seed, count, shape)
    assert compared.differences == []
    assert compared.states > 150
    assert compared.active >= count / 3


@pytest.mark.long
@pytest.mark.parametrize(("seed", "count", "shape"), ALL)
def test_alert_states_of_two_thousand_rules_are_promtools(
    seed: int, count: int, shape: Shape
) -> None:
    """40 batches of 50 alerting rules and the recording rules between them."""
    assert compare(seed, count, shape).differences == []


def test_every_kind_is_among_the_two_thousand() -> None:
    """Every function, every operator, every modifier."""
    drawn = [
        rule for batch in ALL for group in generated_rules(*batch).groups for rule in group.rules
    ]
    text = "\n".join(rule.expr for rule in drawn)
    words = Counter(re.findall(r"[a-z_0-9]+(?=\s*\()", text))
    words.update(re.findall(r"[a-z_0-9]+(?= by| without)", text))
    assert {name for name in FUNCTIONS if not words[name]} == set()
    for sign in (
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "atan2",
        "and",
        "or",
        "unless",
        "bool",
        "group_left",
    ):
        assert text.count(f" {sign} ") + text.count(f" {sign}(") > 10, sign
    for modifier in (" offset -", " offset 5m", " @ end()", " @ start()", " @ 17", ":15s]", ":]"):
        assert text.count(modifier) > 10, modifier
    assert sum(rule.expr.count("ALERTS") > 0 for rule in drawn) > 40


@pytest.mark.ci
def test_a_fault_of_the_judge_shows_in_generated_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what lies ahead is answered from the whole history, as a range query does."""
    seed, _, shape = SAMPLE[1]
    monkeypatch.setattr("verifier.evaluation.rule_graph.reads_ahead", lambda _: False)
    assert len(compare(seed, 8, shape).differences) > 2


@pytest.mark.ci
def test_a_for_of_one_millisecond_more_shows_in_generated_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: `for` that is over one evaluation too late."""
    seed, _, shape = SAMPLE[0]
    real = AlertStates.__init__

    def slow(machine: AlertStates, rule: AlertRule, *, limit: int = 0) -> None:
        real(machine, replace(rule, for_s=rule.for_s + 0.001), limit=limit)

    monkeypatch.setattr(AlertStates, "__init__", slow)
    assert len(compare(seed, 8, shape).differences) > 5
