"""One rule over its evaluations: what is open at the end, what fails, what is stored of it."""

from __future__ import annotations

import numpy as np

from documents.mistakes import Place
from verifier.evaluation.alert_states import AlertStates
from verifier.evaluation.rule_graph import RuleNode
from verifier.evaluation.rule_run import Failures, RuleRun
from verifier.evaluation.timeline import Episode, Grid
from verifier.pack.rules import AlertRule, RecordingRule, RuleGroup
from verifier.servers.prometheus import Series

PLACE = Place("rules.yaml", 3, 5)
GRID = Grid(0, 120, 30)
RECORD = RecordingRule("r", "x", (), PLACE)


def rule(for_s: float = 0.0, keep_s: float = 0.0, **labels: str) -> AlertRule:
    """Return an alert `A`."""
    return AlertRule("A", "x", for_s, keep_s, tuple(labels.items()), (), PLACE)


def run_of(of: AlertRule | RecordingRule, *, stores: bool = True) -> RuleRun:
    """Return a rule before its first evaluation."""
    group = RuleGroup("g", "rules.yaml", 30.0, (of,))
    return RuleRun(RuleNode((0, 0), group, of, ()), GRID, epoch_s=0.0, stores=stores)


def test_an_alert_that_is_only_kept_firing_at_the_end_has_no_end() -> None:
    """Nor has one that is pending; one that is over has."""
    machine = AlertStates(rule(30.0, 90.0))
    a, b = ((("x", name),) for name in "ab")
    for at_ms, present in ((0, [a]), (30_000, [a]), (60_000, [b])):
        machine.evaluate(at_ms, present)
    lines = {line.labels: line.episodes for line in machine.timelines()}
    assert lines == {a: (Episode(0, 30, None),), b: (Episode(60, None, None),)}


def test_a_label_that_becomes_nothing_is_stored_as_its_template() -> None:
    """As a server does; what the alert has of its own comes first."""
    machine = AlertStates(rule(gone="{{ $labels.nope }}", x="{{ $labels.y }}"))
    machine.evaluate(0, [(("x", "1"),)])
    named = [dict(labels) for labels, _ in machine.samples(epoch_ms=0)]
    assert [(each["gone"], each["x"]) for each in named] == [("{{ $labels.nope }}", "1")] * 2


def test_an_evaluation_that_fails_ends_no_series_of_a_recording_rule() -> None:
    """Its samples before and after are all that there is; failures of before are counted on."""
    evaluated = run_of(RECORD)
    evaluated.go_on_from(2, "long ago")
    evaluated.evaluate_all([Series({}, np.array([0.0, 60.0, 90.0]), np.ones(3))], {1: "now"})
    assert evaluated.failures == Failures(3, 5, "long ago")
    (block,) = evaluated.history.blocks
    assert block.timestamps_ms.tolist() == [0, 60_000, 90_000, 120_000], "the last one is the end"
    assert block.values[0, :3].tolist() == [1.0] * 3


def test_what_nobody_reads_is_not_stored() -> None:
    """Of an alert; its timeline is there all the same."""
    evaluated = run_of(rule(), stores=False)
    assert evaluated.evaluate(0, [({}, 1.0)]) is None
    assert evaluated.history is None
    assert evaluated.timelines()[0].episodes == (Episode(0, 0, None),)
