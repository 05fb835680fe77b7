"""Of generated dead rules none passes; of sound ones that stay silent none is called vacuous."""

from __future__ import annotations

import re
from functools import cache

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.evidence.generated_rules import dead_rules, sample, sound_rules
from tests.verifier.histories import rules as written
from tests.verifier.simulations import scenario_of, simulate
from verifier.evaluation.engine import evaluate
from verifier.evidence.silence import WatchedRun, silences
from verifier.judge.alert_verdicts import judge
from verifier.judge.silence_verdicts import judge_silence
from verifier.pack.history_depth import HistoryDepths
from verifier.pack.spread import WHOLE
from verifier.promql.reads import Read
from verifier.servers.prometheus import Prometheus

EVERYTHING = re.compile("(?!agentaskit_sim_).*")
QUIET = scenario_of("duration: 20m\n")


@cache
def quiet():
    """Simulate a healthy twenty minutes, once, with an hour and a half before them."""
    return simulate(QUIET, HistoryDepths((Read(EVERYTHING, None, 5400.0, 300.0),)))


def verdicts_on(generated, tmp_path):
    """Return the verdicts on generated rules in the quiet scenario, by alert."""
    rules = written(tmp_path, *generated)
    with Prometheus() as server:
        server.push(quiet().history)
        evaluation = evaluate(server, rules, start_s=0.0, end_s=QUIET.duration_s)
        run = WatchedRun(server, rules, EPOCH_S, QUIET.duration_s, WHOLE)
        silent = silences(run, evaluation.timelines)
    names = [rule.alert for _, rule in rules.alerts]
    verdicts = judge(QUIET, names, evaluation.timelines)
    longest = (QUIET.name, QUIET.duration_s)
    exprs = {rule.alert: rule.expr for _, rule in rules.alerts}
    judged = judge_silence(verdicts, silent, QUIET, longest=longest)
    return [(exprs[verdict.alert], verdict) for verdict in judged]


def passing(generated, tmp_path):
    """Return the alerts that are ok, with their expressions."""
    return [(v.alert, expr) for expr, v in verdicts_on(generated, tmp_path) if v.ok]


def refused(generated, tmp_path):
    """Return the alerts that are not ok, with their expressions and reasons."""
    judged = verdicts_on(generated, tmp_path)
    return [(v.alert, expr, v.reason) for expr, v in judged if not v.ok]


def test_a_sample_of_dead_rules_does_not_pass(tmp_path):
    """Every seventh of them."""
    assert passing(sample(dead_rules(), 7), tmp_path) == []


def test_a_sample_of_sound_rules_is_not_called_vacuous(tmp_path):
    """Every third of them."""
    assert refused(sample(sound_rules(), 3), tmp_path) == []


@pytest.mark.long
def test_no_dead_rule_passes(tmp_path):
    """All of them: more than two hundred."""
    rules = dead_rules()
    assert sum("alert" in rule for rule in rules) >= 200
    assert passing(rules, tmp_path) == []


@pytest.mark.long
def test_no_sound_rule_is_called_vacuous(tmp_path):
    """All of them: more than two hundred."""
    rules = sound_rules()
    assert sum("alert" in rule for rule in rules) >= 200
    assert refused(rules, tmp_path) == []
