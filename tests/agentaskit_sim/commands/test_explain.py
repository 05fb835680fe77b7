"""`agentaskit-sim explain` from the command line: a run that failed is explained again later."""

from __future__ import annotations

import json

import pytest

from tests.verifier.report.saved.test_explanation import failed
from verifier.judge.verdict_document import document
from verifier.report.saved.saved_verdict import FILE


@pytest.fixture
def results(tmp_path):
    """Return a results folder of a run in which one alert failed."""
    (tmp_path / FILE).write_text(json.dumps(document([failed()])))
    return tmp_path


def test_what_failed_is_explained_from_the_folder_or_the_file(command, results):
    """On standard output; the status is that of reading, whatever the verdict."""
    finished = command("explain", results)
    assert (finished.status, finished.err) == (0, "")
    assert finished.out.startswith("s: Throughput: failed\n")
    assert "likely culprit: the fault: it is weak" in finished.out
    assert command("explain", results / FILE).out == finished.out


def test_one_alert_is_explained_whether_it_failed_or_not(command, results):
    """By its name."""
    assert command("explain", results, "Queue").out.startswith("s: Queue: did not fail\n")
    assert "Queue" not in command("explain", results, "Throughput").out


@pytest.mark.parametrize(
    ("alert", "message"),
    [("Througput", "did you mean 'Throughput'?"), ("Zzz", "the run judged 3 others")],
)
def test_an_alert_that_was_not_judged_is_a_mistake(command, results, alert, message):
    """With the name that is near, if there is one."""
    finished = command("explain", results, alert)
    assert (finished.status, finished.out) == (2, "")
    assert message in finished.err


def test_no_such_folder_is_a_mistake(command, tmp_path):
    """In one line, without a traceback."""
    finished = command("explain", tmp_path / "absent")
    assert finished.status == 2
    assert finished.err == f"{tmp_path / 'absent'}: there is no such folder\n"


def test_a_verdict_that_is_damaged_inside_is_a_mistake(command, results):
    """Not an internal error: the file is the user's."""
    values = json.loads((results / FILE).read_text())
    values["scenarios"][0]["alerts"][0]["evidence"]["comparisons"] = 7
    (results / FILE).write_text(json.dumps(values))
    finished = command("explain", results)
    assert finished.status == 2
    assert f"{results / FILE}: must be a verdict of `verify`, this is none" in finished.err
