"""A control is ok only when it ended with its status, and every reason is the stated one."""

from __future__ import annotations

import pytest

from verifier.controls.control import FILES, Control, read_controls
from verifier.controls.control_result import ControlResult, holds, result_lines

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
