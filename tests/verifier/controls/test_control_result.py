"""A control is ok only when it ended with its status, and every reason is the stated one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from tests.verifier.outcomes import alert, outcome
from verifier.controls.control import FILES, Control, read_controls
from verifier.controls.control_result import (
    ControlResult,
    holds,
    reasons_of,
    result_lines,
    selftest_document,
)
from verifier.errors import NotJudged
from verifier.judge.verdict import PanelVerdict

MUST_FAIL = Control(name="a", wrong="x", scenario="a.yaml", status=1, reason="never fired")
MUST_PASS = Control(name="b", wrong="nothing", scenario="a.yaml", status=0)


@pytest.mark.parametrize(
    ("control", "status", "reasons", "result"),
    [
        (MUST_FAIL, 1, ("A: never fired; why",), "ok"),
        (MUST_FAIL, 0, (), "false_pass"),
        (MUST_FAIL, 0, ("A: never fired",), "false_pass"),
        (MUST_FAIL, 3, ("A: never fired",), "other_reason"),
        (MUST_FAIL, 1, ("A: never fired", "B: fired late"), "other_reason"),
        (MUST_FAIL, 1, (), "other_reason"),
        (MUST_PASS, 0, (), "ok"),
        (MUST_PASS, 1, ("A: never fired",), "must_pass"),
    ],
)
def test_status_and_every_reason_decide(control, status, reasons, result):
    """One that fails for a second reason besides is not its own."""
    assert ControlResult(control, status, reasons).result == result
    assert holds([ControlResult(control, status, reasons)]) == (result == "ok")


def test_no_control_at_all_holds_nothing():
    """Nothing was shown."""
    assert not holds([])
    assert list(result_lines([]))[-1].startswith("FAIL: 0 of 0 controls")


def test_every_shipped_control_states_a_reason_and_has_its_files():
    """Only the first may pass; no file is shipped that no control uses."""
    controls = read_controls()
    assert [control.name for control in controls if not control.reason] == ["unspoilt"]
    assert len({control.name for control in controls}) == len(controls) >= 21
    used = {n for c in controls for n in (c.scenario, *c.rules, *c.dashboards, c.panel_truth)}
    assert used - {""} == {path.name for path in FILES.iterdir()}


LONG = "x" * 161
RESULTS = [
    ControlResult(MUST_FAIL, 1, ("A: never fired", "B: never fired")),
    ControlResult(MUST_FAIL, 0, ()),
    ControlResult(MUST_FAIL, 3, (LONG,)),
    ControlResult(MUST_PASS, 1, (LONG[1:],)),
]
BY_HAND = "by hand: agentaskit-sim verify a.yaml --rules few-tasks.rules.yaml --dashboards"


def test_each_result_is_said_with_its_reason_and_how_to_repeat_it():
    """What must have come of it where it ended otherwise; long reasons are cut."""
    gap = " " * 14
    assert [line.rstrip() for line in result_lines(RESULTS)] == [
        "ok            a: x",
        f"{gap}status 1: A: never fired (and 1 more)",
        "FALSE PASS    a: x",
        f"{gap}status 0",
        f"{gap}{BY_HAND} tasks.dashboard.json",
        "other reason  a: x",
        f"{gap}status 3: {'x' * 156} ...",
        f"{gap}must be status 1: never fired",
        f"{gap}{BY_HAND} tasks.dashboard.json",
        "MUST PASS     b: nothing",
        f"{gap}status 1: {'x' * 160}",
        f"{gap}{BY_HAND} tasks.dashboard.json",
        "FAIL: 1 of 4 controls end as they must, 1 passed that must fail",
    ]
    assert list(result_lines(RESULTS[:1]))[-1] == (
        "PASS: 1 of 1 controls end as they must, 0 passed that must fail"
    )


def test_the_document_has_the_status_beside_the_one_that_must_be():
    """And every reason, whole."""
    document = selftest_document(RESULTS[2:3], "3.0")
    assert document == {
        "version": 1,
        "verdict": "fail",
        "engine": "3.0",
        "controls": [
            {
                "name": "a",
                "wrong": "x",
                "result": "other_reason",
                "status": 3,
                "reasons": [LONG],
                "must": {"status": 1, "reason": "never fired"},
                "command": MUST_FAIL.command,
            }
        ],
    }
    assert selftest_document(RESULTS[:1], "3.0")["verdict"] == "pass"


def test_the_reasons_are_those_of_the_run_of_its_alerts_and_of_its_panels():
    """Of what is no pass; what is not judged counts where it keeps from passing."""
    place = Place("r.yaml", 1, 1)
    left_out = NotJudged("alert C", "refused", place)
    panels = (
        PanelVerdict(panel="Good", dashboard="d", query="q", ok=True, reason="as expected"),
        PanelVerdict(panel="Bad", dashboard="d", query="q", ok=False, reason="shows nothing"),
    )
    whole = outcome(
        invalid=("a fault did nothing",), not_judged=(left_out,), panels=panels,
        alerts=(alert("A"), alert("B", ok=False, reason="never fired")),
    )  # fmt: skip
    kept = ("alert C: refused",) if left_out.keeps_from_passing else ()
    assert reasons_of(whole) == (
        *("a fault did nothing", *kept, "B: never fired", "Bad: shows nothing"),
    )


def test_a_control_names_its_files_and_the_words_that_repeat_it():
    """A panel truth only where it has one."""
    truth = replace(MUST_FAIL, panel_truth="t.yaml", rules=("a.yaml", "b.yaml"))
    assert truth.files == (
        *(str(FILES / "a.yaml"), (FILES / "a.yaml", FILES / "b.yaml")),
        *((FILES / "tasks.dashboard.json",), FILES / "t.yaml"),
    )
    assert MUST_FAIL.files[3] is None
    assert truth.command == (
        "verify a.yaml --rules a.yaml b.yaml --dashboards tasks.dashboard.json --panel-truth t.yaml"
    )


def test_the_reasons_of_an_outcome_are_those_that_keep_it_from_passing():
    """Of the run, of what is not judged, of alerts and of panels, in this order."""
    place = Place("board.json", 1, 1)
    panel = PanelVerdict(dashboard="SLA", panel="P99", query="x", ok=False, reason="NaN")
    mixed = outcome(
        invalid=("no history",),
        not_judged=(
            NotJudged("alert A", "refused", place),
            NotJudged("panel SLA / Logs", "of another source", place, keeps_from_passing=False),
        ),
        alerts=(alert("B", ok=False), alert("C")),
        panels=(panel, replace(panel, panel="P95", ok=True)),
    )
    assert reasons_of(mixed) == ("no history", "alert A: refused", "B: never fired", "P99: NaN")
