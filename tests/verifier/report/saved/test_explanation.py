"""A failure told from its verdict: what was decided when, by how much, and who is to blame."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from documents.mistakes import InputError
from tests.verifier.judge.small_scenario import outcome
from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers, DecisiveValue
from verifier.judge.verdict import INTERRUPTED, Culprit, Delivery, FailureEvidence, PanelVerdict
from verifier.judge.verdict_document import document
from verifier.report.saved.explanation import explanation
from verifier.report.saved.saved_verdict import FILE, read_verdict
from verifier.report.tally import verdict_line

READINGS = (
    DecisiveValue("before its cause", 180.0, 103.0),
    DecisiveValue("when it was due to fire", 600.0, None),
)
COMPARISON = ComparisonNumbers(
    "rate < 100",
    "<",
    100.0,
    101.0,
    300.0,
    (("tier", "x"),),
    None,
    104.0,
    READINGS,
    103.0,
    1.0,
    102.0,
)
EVIDENCE = FailureEvidence(
    condition=ConditionNumbers(300.0, None, None, (COMPARISON,)),
    fault_effect="gone (agent_hang) did: 3 agents measured, 3 declared",
    would_hold=("fires_within: 9m",),
    would_fire=("< 103",),
    culprit=Culprit(suspect="fault", because="it is weak"),
)


def failed(**changes):
    """Return an outcome whose alert never fired, with these changes of its verdict."""
    good = outcome().alerts[0]
    values = {"ok": False, "reason": "never fired; more", "firing_s": None, "evidence": EVIDENCE}
    alert = replace(good, **{**values, **changes})
    return outcome(alerts=(alert, *outcome().alerts[1:]))


@pytest.fixture
def saved(tmp_path):
    """Return what saves outcomes as a run does, and reads their verdict back."""

    def save(*outcomes):
        (tmp_path / FILE).write_text(json.dumps(document(outcomes)))
        return read_verdict(tmp_path)

    return save


def test_a_failure_is_told_with_its_culprit_values_and_bounds(saved):
    """Every value with its distance, in the order of time."""
    assert explanation(saved(failed())) == [
        "s: Throughput: failed",
        "  never fired",
        "  expected: fires within 7m of gone, which began at 3m, resolves within 3m of its end",
        "  likely culprit: the fault: it is weak",
        "  its condition never held; its `for` is 5m",
        "  rate < 100",
        "    of tier=x",
        "                              scenario time   value     from the threshold",
        "    before its cause                     3m     103   3 (3.0%) short of it",
        "    nearest                              5m     101   1 (1.0%) short of it",
        "    when it was due to fire             10m    none",
        "    at the end                                  104   4 (4.0%) short of it",
        "    kept up for the whole `for`: 102; the threshold is 100",
        "  gone (agent_hang) did: 3 agents measured, 3 declared",
        "  would have held: `fires_within: 9m`",
        "  with `< 103` it would have fired in time",
        "",
        "FAIL: 0 of 1 scenarios pass; 1 alert failed, 2 stayed silent",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"broke_at": "receiver"}, "  broke at: receiver"),
        ({"evidence": None, "vacuous": "no series"}, "  no series"),
        (
            {"evidence": None},
            "  likely culprit: not weighed: the verdict was saved by a release that",
        ),
        (
            {"evidence": replace(EVIDENCE, culprit=None)},
            "  likely culprit: none of fault, rule, route and expectation: scrapes failed",
        ),
        ({"evidence": replace(EVIDENCE, overlay="{alert: A}")}, "  to expect it: {alert: A}"),
        ({"expected": "unexpected"}, "  expected: that it stays silent"),
        (
            {"deliveries": (Delivery(receiver="pager", status="firing", at_s=61.2),)},
            "  notified: pager that it fires, at 1m1s",
        ),
    ],
)
def test_each_part_is_told_where_it_is_known(saved, changes, line):
    """Where it broke, why silence is vacuous, what an overlay needs, who was notified."""
    assert any(each.startswith(line) for each in explanation(saved(failed(**changes))))


def test_a_value_beyond_its_threshold_says_so(saved):
    """For each operator, and without a share where the threshold is 0."""
    sides = {">": "beyond", ">=": "beyond", "<": "short of it", "<=": "short of it",
             "==": "short of it", "!=": "beyond"}  # fmt: skip
    for operator, side in sides.items():
        numbers = replace(COMPARISON, operator=operator, threshold=0.0, nearest=7.0, readings=())
        evidence = replace(EVIDENCE, condition=ConditionNumbers(0.0, None, None, (numbers,)))
        lines = explanation(saved(failed(evidence=evidence)))
        assert any(line.startswith("    nearest") and line.endswith(f"7 {side}") for line in lines)


def test_an_alert_that_did_not_fail_is_told_as_it_was(saved):
    """By its name only: nothing of the others."""
    lines = explanation(saved(outcome()), "Throughput")
    assert lines[:2] == [
        "s: Throughput: did not fail",
        "  expected: fires within 7m of gone, which began at 3m, resolves within 3m of its end",
    ]
    assert all("Queue" not in line for line in lines)


def test_an_alert_that_did_not_fail_has_its_margin_and_its_values(saved):
    """By how much it was within its limits, and the table that a failure has."""
    good = outcome().alerts[0]
    alert = replace(good, margin=(replace(COMPARISON, held_s=600.0, nearest=97.0, sustained=None),))
    lines = explanation(saved(outcome(alerts=(alert,))), "Throughput")
    assert lines[3:] == [
        "  it fired 1m30s before its limit",
        "  it resolved 2m before its limit",
        "  rate < 100",
        "    of tier=x",
        "                              scenario time   value     from the threshold",
        "    before its cause                     3m     103   3 (3.0%) short of it",
        "    furthest beyond                      5m      97        3 (3.0%) beyond",
        "    when it was due to fire             10m    none",
        "    at the end                                  104   4 (4.0%) short of it",
    ]


def test_no_margin_is_invented(saved):
    """Of a label set that fired after the first, and of a verdict of an older release."""
    second = replace(outcome().alerts[0], firing_s=430.0, resolved_s=None)
    lines = explanation(saved(outcome(alerts=(second,))), "Throughput")
    assert not any("before its limit" in line for line in lines)
    values = document([outcome()])
    del values["scenarios"][0]["alerts"][0]["margin"]
    path = saved(outcome()).path
    Path(path).write_text(json.dumps(values))
    assert "  it fired 1m30s before its limit" in explanation(
        read_verdict(Path(path)), "Throughput"
    )


def test_a_time_before_the_scenario_is_said_in_words(saved):
    """No time of a table has a sign."""
    early = replace(COMPARISON, readings=(DecisiveValue("when it fired", -170.25, 90.0),))
    evidence = replace(EVIDENCE, condition=ConditionNumbers(60.0, 600.0, -230.0, (early,)))
    lines = explanation(saved(failed(expected="unexpected", cause=None, evidence=evidence)))
    assert any("when it fired   2m50.2s before the start   " in line for line in lines)
    assert any("from 3m50s before the start on" in line for line in lines)
    assert not any(" -" in line for line in lines)


def test_a_run_without_failures_says_so(saved):
    """In the words of the run's own last line, and nothing else."""
    last = "PASS: 1 of 1 scenarios pass; 1 alert fired as expected, 2 stayed silent"
    assert explanation(saved(outcome())) == [last] == [verdict_line([outcome()])]


def test_what_is_no_alert_is_told_too(saved):
    """Scenarios that could not be judged, panels without an answer, an interrupted run."""
    panel = PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=False, reason="no data")
    both = outcome(panels=(panel,)), outcome(invalid=(INTERRUPTED,))
    lines = explanation(saved(*both))
    assert lines == [
        "Could not be judged",
        f"  s: {INTERRUPTED}",
        "",
        "Panels that did not answer",
        "  s: SLA / P95: no data",
        "",
        "Fired in no scenario",
        "  Queue",
        "  Latency",
        "",
        "The run was interrupted: what it did not judge cannot be explained.",
        "",
        verdict_line(both),
    ]


def test_an_older_verdict_is_explained_as_far_as_it_goes(tmp_path):
    """Readings and culprits came later."""
    values = document([failed()])
    evidence = values["scenarios"][0]["alerts"][0]["evidence"]
    del evidence["culprit"]
    del evidence["would_fire"]
    for key in ("readings", "healthy", "sustained"):
        del evidence["comparisons"][0][key]
    (tmp_path / FILE).write_text(json.dumps(values))
    lines = explanation(read_verdict(tmp_path))
    assert "  likely culprit: not weighed: the verdict was saved by a release that did not" in lines
    assert "    nearest                 5m     101   1 (1.0%) short of it" in lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be a verdict, this is no JSON"),
        ("[" * 100_000, "must be a verdict, this is no JSON"),
        ("[]", "must be a verdict of `verify`, this has no list of scenarios"),
        ('{"scenarios": []}', "this does not say whether it passed"),
        ('{"scenarios": [], "verdict": "pass"}', "this does not say whether it passed"),
        ('{"scenarios": [7], "verdict": "pass", "partial": false}', "no list of alerts"),
        (
            '{"scenarios": [{"alerts": [{}]}], "verdict": "pass", "partial": false}',
            "an alert in it has no `alert`",
        ),
    ],
)
def test_what_is_no_verdict_is_refused(tmp_path, text, message):
    """In one line that says what is missing."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError) as error:
        read_verdict(tmp_path)
    assert message in str(error.value)


def test_a_folder_without_a_verdict_names_the_newest_results(tmp_path):
    """Beside it, or in it: a folder of results is easily named for one of them."""
    for age_s, name in enumerate(("m-newest", "z-middle", "a-oldest")):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text("{}")
        os.utime(tmp_path / name / FILE, (1e9 - age_s, 1e9 - age_s))
    for place, problem in (
        (tmp_path / "absent", "there is no such folder"),
        (tmp_path, f"no {FILE} in this folder"),
    ):
        with pytest.raises(InputError) as error:
            read_verdict(place)
        assert problem in str(error.value)
        assert f"the newest results are in {tmp_path / 'm-newest'}" in str(error.value)
