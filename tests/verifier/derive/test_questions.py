"""What promtool is asked, batch by batch, and how its answers are read."""

from __future__ import annotations

import json

import pytest

from verifier.derive import promtool
from verifier.derive.promtool import Question, ask_promtool
from verifier.derive.series.worlds import InputSeries, Timing
from verifier.errors import JudgeError

RULES = {"groups": [{"name": "g", "rules": []}]}


def question(*asks):
    """Return a question about one series."""
    return Question(Timing(60.0, 15.0), (InputSeries("up", "1+0x3"),), asks)


def got(mark, sample):
    """Return what promtool prints of an expression that is something."""
    return f'    expr: "up > 1 # q{mark}", time: 1m30s,\n        exp: nil\n        got: {sample}\n'


def asked(monkeypatch, questions, outputs, rules=None):
    """Return the answers to some questions, the documents, and what lay beside them."""
    seen = []

    def run(documents, beside):
        seen.extend([[json.loads(each) for each in documents], beside])
        return [promtool.PromtoolRun(*each) for each in outputs]

    monkeypatch.setattr(promtool, "run_promtool", run)
    return ask_promtool(questions, rules or {}, 90.0), *seen


def test_questions_are_split_over_the_processes_and_the_answers_come_back_in_order(monkeypatch):
    """Numbered in each file from 0 on; what is not printed was nothing."""
    questions = [question(("up > 1", 90.0), ("up > 2", 0.0)), question(), question(("up", 60.0))]
    first = got(1, '{__name__="up", a="x, \\"y\\""} 2E+00, {a="z"} NaN') + "  FAILED:\n"
    answers, documents, beside = asked(
        monkeypatch,
        questions,
        [(1, first), (1, '    expr: "up # q0", time: 1m, err: odd\n')],
        RULES,
    )
    (silent, two), nothing, (third,) = answers
    assert (silent.vector, silent.error, nothing) == ((), "", ())
    assert two.vector[0] == ((("__name__", "up"), ("a", 'x, "y"')), 2.0)
    assert two.vector[1][0] == (("a", "z"),)
    assert (third.vector, third.error) == ((), "odd")
    assert [len(document["tests"]) for document in documents] == [2, 1]
    assert documents[0] == {
        "rule_files": ["rules.json"],
        "evaluation_interval": "1m30s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": "up", "values": "1+0x3"}],
                "promql_expr_test": [
                    {"expr": "up > 1 # q0", "eval_time": "1m30s"},
                    {"expr": "up > 2 # q1", "eval_time": "0s"},
                ],
            },
            {
                "interval": "15s",
                "input_series": [{"series": "up", "values": "1+0x3"}],
                "promql_expr_test": [],
            },
        ],
    }
    assert documents[1]["tests"][0]["promql_expr_test"][0]["expr"] == "up # q0"
    assert json.loads(beside["rules.json"]) == RULES


def test_a_batch_is_bounded_and_without_rules_no_file_is_named(monkeypatch):
    """However many questions there are."""
    monkeypatch.setattr(promtool, "BATCH_MAX", 2)
    _, documents, _ = asked(monkeypatch, [question()] * 7, [(0, "")] * 4)
    assert [len(document["tests"]) for document in documents] == [2, 2, 2, 1]
    assert [document["rule_files"] for document in documents] == [[]] * 4
    assert asked(monkeypatch, [], [])[0] == []


@pytest.mark.parametrize(
    ("status", "output", "said"),
    [
        (0, "rules.json: odd", r"\(status 0\): rules.json: odd"),
        (2, got(0, "{} 1"), r"\(status 2\): expr: "),
        (1, got(0, "{} 1") + "  FAILED:\nodd", r"\(status 1\): odd$"),
        (-9, "", r"\(status -9\): $"),
        (1, got(0, "up 1"), "promtool's answer cannot be read: 'up 1'"),
    ],
)
def test_what_is_no_answer_is_an_error(monkeypatch, status, output, said):
    """With the status and the beginning of what was printed."""
    with pytest.raises(JudgeError, match=said):
        asked(monkeypatch, [question(("up", 0.0))], [(status, output)])
