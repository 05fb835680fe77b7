"""What is saved of a run is read back as it was, but for charts, numbers and ledgers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from documents.mistakes import InputError, Place
from tests.verifier.outcomes import in_real_time, outcome
from tests.verifier.report.rich_outcomes import NOT_JUDGED, REAL, RUN, SEEDS, VIRTUAL
from verifier.judge.verdict import INTERRUPTED, UNKNOWN_ENGINE, FailureEvidence, engine_of
from verifier.judge.verdict_document import document
from verifier.report.saved.explanation import explanation
from verifier.report.saved.results import Results, files
from verifier.report.saved.saved_outcomes import saved_outcomes, saved_run
from verifier.report.saved.saved_verdict import FILE, read_verdict


def read_back(folder, outcomes, *, without=()):
    """Return a verdict that was saved, each scenario of it without some keys."""
    values = document(outcomes, RUN)
    for scenario in values["scenarios"]:
        for key in without:
            del scenario[key]
    (folder / FILE).write_text(json.dumps(values))
    return read_verdict(folder)


def without_numbers(verdict):
    """Return a verdict on an alert without what is read by other means, or not at all."""
    evidence = verdict.evidence and FailureEvidence(overlay=verdict.evidence.overlay)
    return replace(verdict, latency=None, margin=(), evidence=evidence)


def kept(run, engine):
    """Return what is read back of an outcome; the place of what is not judged is a text then."""
    items = tuple(replace(item, place=Place(str(item.place))) for item in run.not_judged)
    return replace(
        run, alerts=tuple(map(without_numbers, run.alerts)), not_judged=items, engine=engine,
        notifications=(), record=None, fault_effects={},
    )  # fmt: skip


@pytest.mark.parametrize("outcomes", [VIRTUAL, REAL, SEEDS], ids=["virtual", "real", "seeds"])
def test_every_outcome_is_read_back_as_it_was_saved(tmp_path, outcomes):
    """With its clock, panels, findings and the command that judges it again."""
    saved = read_back(tmp_path, outcomes)
    assert saved_outcomes(saved) == [kept(run, engine_of(outcomes)) for run in outcomes]
    assert saved_run(saved) == RUN


def test_what_an_older_release_did_not_write_is_as_if_nothing_was_known(tmp_path):
    """Such a run was in virtual time, and a rule that was not judged keeps it from a pass."""
    keys = ("replay", "findings", "clock", "compress", "notes", "clocks", "offsets", "panels")
    older = outcome(not_judged=NOT_JUDGED)
    (read,) = saved_outcomes(read_back(tmp_path, [older], without=keys))
    assert read == replace(kept(older, older.engine), panels=(), replay="")
    values = json.loads((tmp_path / FILE).read_text())
    for item in values["scenarios"][0]["not_judged"]:
        del item["keeps_from_passing"]
    (tmp_path / FILE).write_text(json.dumps({**values, "engine": None, "run": None}))
    saved = read_verdict(tmp_path)
    (read,) = saved_outcomes(saved)
    assert [item.keeps_from_passing for item in read.not_judged] == [True, True, False]
    assert (saved_run(saved), saved.engine) == (None, UNKNOWN_ENGINE)


def test_an_alert_that_was_not_judged_is_known_by_its_name(tmp_path):
    """And is among those that a wrong name may have meant."""
    saved = read_back(tmp_path, [outcome(not_judged=NOT_JUDGED)])
    for name in ("Throughput", "Latency", "Join", "Quiet"):
        saved.check_alert(name)
    with pytest.raises(InputError, match="'Joint', did you mean 'Join'"):
        saved.check_alert("Joint")
    with pytest.raises(InputError, match="'SLA / Logs', the run judged 2 others"):
        saved.check_alert("SLA / Logs")


def test_of_an_interrupted_run_it_is_said_beside_one_alert_too(tmp_path):
    """What else the run says stands only where all of it is explained."""
    cut = outcome("cut", alerts=(), invalid=(INTERRUPTED,))
    lines = explanation(read_back(tmp_path, [outcome(), cut, VIRTUAL[0]]), "Latency")
    assert lines == [
        "drop: Latency: did not fail",
        "  expected: that it stays silent",
        "  stayed silent",
        "",
        "The run was interrupted: what it did not judge cannot be explained.",
    ]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"firing_s": 420.0, "resolved_s": 720.0}, ["it fired 0s", "it resolved 0s"]),
        ({"firing_s": 420.5, "resolved_s": 720.5}, []),
        ({"firing_s": 420.0, "resolved_s": None}, ["it fired 0s"]),
        ({"firing_s": None, "resolved_s": 600.0}, []),
        ({"cause_end_s": None, "resolved_s": 170.0}, ["it fired 1m30s", "it resolved 10s"]),
    ],
)
def test_by_how_much_an_alert_was_in_time(tmp_path, changes, lines):
    """Also by nothing; of what came later, or never, nothing is said."""
    run = outcome(alerts=(replace(outcome().alerts[0], **changes),))
    said = explanation(read_back(tmp_path, [run]), "Throughput")
    assert [line.strip() for line in said if "before its limit" in line] == [
        f"{line} before its limit" for line in lines
    ]


def test_of_a_cause_in_the_past_no_time_is_said_at_which_it_began(tmp_path):
    """Its onset is the scenario's start, and it began before that."""
    assert explanation(read_back(tmp_path, VIRTUAL), "Old") == [
        "drop: Old: did not fail",
        "  expected: fires within 7m of before, resolves within 3m of its end",
        "  as expected",
        "  it fired 1m30s before its limit",
    ]


def test_earlier_results_are_known_by_their_verdict(tmp_path):
    """Other files in a folder are none."""
    (tmp_path / "notes.txt").write_text("mine")
    assert not Results(tmp_path).has_earlier
    (tmp_path / FILE).write_text("{}")
    assert Results(tmp_path).has_earlier


def test_notifications_are_saved_of_runs_in_real_time_alone():
    """Also where none came: a file that is not there would say that nobody listened."""
    assert "notifications.json" not in files([outcome()])
    silent = files([outcome(), in_real_time("quiet", notifications=())])
    assert json.loads(silent["notifications.json"]) == {"quiet": []}
