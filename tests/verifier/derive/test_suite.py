"""The file of derived tests as it is written, what was derived in all, and tests left out of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse
from tests.verifier.alerts import rule_files
from verifier.derive import promtool, suite, timelines
from verifier.derive.result import Derived, derived_document, derived_lines
from verifier.derive.series.worlds import InputSeries, Timing
from verifier.derive.solving import Solution
from verifier.derive.suite import SuiteFile, confirm, relative_rule_files
from verifier.errors import JudgeError, NotJudged

RULE = rule_files("Deep").alerts[0][1]
PENDING = (("__name__", "ALERTS"), ("alertname", "Deep"), ("alertstate", "pending"), ("a", "x"))
FIRING = (("alertname", "Deep"), ("alertstate", "firing"), ("a", "x\n'"))


def derived_test(name, kind="fires"):
    """Return a test."""
    return timelines.DerivedTest(
        kind, "Deep", name, Timing(60.0, 15.0), (InputSeries('up{a="it\'s"}', "1+0x4"),),
        ((0.0, ()), (90.0, (PENDING, FIRING))),
    )  # fmt: skip


SOLVED = Solution(RULE, (derived_test("Deep fires"), derived_test("Deep waits", "for")))
PARTLY = Solution(
    replace(RULE, alert="Odd", position=Place("b.yaml", 7, 3)), (derived_test("Odd fires"),),
    ("no series", "no time"), error="no time",
)  # fmt: skip
NEVER = Solution(replace(RULE, alert="Never"), (), ("it reads no series",))


def test_a_file_of_tests_is_written_for_people_to_read():
    """Every time with its alerts, the name and the state first; text between quotes."""
    text = SuiteFile(("a.yaml", "b 'c'.yaml"), 90.0).text([SOLVED, NEVER])
    block = """\
    interval: 15s
    input_series:
      - series: 'up{a="it''s"}'
        values: '1+0x4'
    promql_expr_test:
      - expr: 'ALERTS{alertname="Deep"}'
        eval_time: 0s
        exp_samples: []
      - expr: 'ALERTS{alertname="Deep"}'
        eval_time: 1m30s
        exp_samples:
          - labels: 'ALERTS{alertname="Deep",alertstate="pending",a="x"}'
            value: 1
          - labels: 'ALERTS{alertname="Deep",alertstate="firing",a="x\\n''"}'
            value: 1
"""
    assert text == (
        "# Derived by agentaskit-sim: series that make each alert fire, nearly fire,\n"
        "# resolve and go absent. Run it with: promtool test rules THIS_FILE\n"
        "rule_files:\n  - 'a.yaml'\n  - 'b ''c''.yaml'\n"
        "evaluation_interval: 1m30s\ntests:\n"
        f"  - name: 'Deep fires'\n{block}  - name: 'Deep waits'\n{block}"
    )
    named = replace(SOLVED, tests=(derived_test("odd\nname"),))
    document = parse(SuiteFile((), 90.0).text([named]), "suite").data
    assert document["tests"][0]["name"] == "odd\nname"


def test_rule_files_are_named_from_the_folder_and_not_as_patterns(tmp_path):
    """What stands for something in a pattern is escaped."""
    (tmp_path / "tests").mkdir()
    names = ["a.yaml", "b*.yaml", "[c]?.yaml"]
    paths = [tmp_path / "rules" / name for name in names]
    assert relative_rule_files(paths, tmp_path / "tests") == (
        "../rules/a.yaml", "../rules/b\\*.yaml", "../rules/\\[c]\\?.yaml",
    )  # fmt: skip
    assert relative_rule_files([Path("/x/a\\b.yaml")], Path("/")) == ("x/a\\\\b.yaml",)


def running(monkeypatch, *runs):
    """Have promtool say these; return the documents that it reads."""
    tried = []

    def run(documents, beside):
        assert beside == {}
        tried.extend(documents)
        return [promtool.PromtoolRun(*each) for each in runs[: len(documents)]]

    monkeypatch.setattr(suite, "run_promtool", run)
    return tried


def test_what_promtool_does_not_confirm_is_left_out_and_named(monkeypatch):
    """By the number in its expression, in whichever file it stands."""
    failed = '  FAILED:\n    expr: "ALERTS # t2", time: 1m,\n expr: "ALERTS # t2",\n'
    documents = running(monkeypatch, (0, "SUCCESS # t0\n"), (1, failed))
    confirmed = confirm([SOLVED, NEVER, PARTLY], SuiteFile(("/a.yaml",), 60.0))
    assert confirmed[:2] == [SOLVED, NEVER]
    reason = "promtool does not agree with the test 'Odd fires'"
    assert confirmed[2] == replace(PARTLY, tests=(), unsolved=(*PARTLY.unsolved, reason))
    assert [document.count("- name: ") for document in documents] == [2, 1]
    assert "expr: 'ALERTS{alertname=\"Deep\"} # t1'" in documents[0]
    assert "# t2'" in documents[1]
    assert confirm([NEVER], SuiteFile((), 60.0)) == [NEVER]


@pytest.mark.parametrize(
    ("status", "output"), [(1, "cannot load the rules"), (1, 'expr: "x # t0", '), (2, "killed")]
)
def test_a_failure_of_no_test_of_its_own_is_an_error(monkeypatch, status, output):
    """Such as that a rule file cannot be read."""
    running(monkeypatch, (0, ""), (status, output))
    with pytest.raises(
        JudgeError, match=rf"cannot run the tests \(status {status}\): {output.strip()}"
    ):
        confirm([SOLVED, PARTLY], SuiteFile((), 60.0))


def test_what_was_derived_is_said_and_a_document():
    """Every reason with its place, and the share of all alerts, read or not."""
    unread = NotJudged("alert Other", "it is no PromQL", Place("c.yaml", 4, 5))
    derived = Derived((SOLVED, PARTLY), (unread,), "the suite")
    assert list(derived_lines(derived)) == [
        "b.yaml:7: Odd is not solved: no series",
        "b.yaml:7: Odd is not solved: no time",
        "c.yaml:4:5: alert Other is not solved: it is no PromQL",
        "DERIVED: 33.3%: 1 of 3 alerts solved, 3 tests, promtool agrees with each",
    ]
    assert (derived.has_errors, replace(derived, solutions=(SOLVED, NEVER)).has_errors) == (
        True, False,
    )  # fmt: skip
    assert derived_document(derived) == {
        "version": 1,
        "share": 0.333333,
        "solved": 1,
        "alerts": [
            {"alert": "Deep", "file": "rules.yaml", "line": 1, "solved": True, "unsolved": [],
             "tests": [{"kind": "fires", "name": "Deep fires"},
                       {"kind": "for", "name": "Deep waits"}], "error": None},
            {"alert": "Odd", "file": "b.yaml", "line": 7, "solved": False,
             "tests": [{"kind": "fires", "name": "Odd fires"}],
             "unsolved": ["no series", "no time"], "error": "no time"},
        ],
        "not_read": [
            {"subject": "alert Other", "reason": "it is no PromQL", "place": "c.yaml:4:5"}
        ],
        "suite": "the suite",
    }  # fmt: skip
    assert Derived((), (), "").share == 1.0
