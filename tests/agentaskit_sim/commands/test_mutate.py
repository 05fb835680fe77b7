"""`mutate`: what it prints, its exit status, and how it refuses."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from agentaskit_sim import suite_runs
from tests.schemas.validation import validate
from tests.verifier.outcomes import failing, outcome, unjudged
from verifier.judge.verdict import ScenarioOutcome
from verifier.mutation.killing import MutatedScenario
from verifier.mutation.score import SCHEMA

ONE = ("mutate", "traffic-drop", "--alert", "TaskThroughputBelowTarget")


def mutated(whole, *killed):
    """Return an outcome with these mutants killed."""
    values = {field.name: getattr(whole, field.name) for field in fields(ScenarioOutcome)}
    return MutatedScenario(**values, killed=frozenset(killed))


@pytest.fixture
def judged(monkeypatch):
    """Replace the suite by one that returns these outcomes."""

    def judge_as(*outcomes):
        monkeypatch.setattr(suite_runs, "run_suite", lambda *_, **__: list(outcomes))
        monkeypatch.setattr(suite_runs.HealthyWorlds, "prepare", lambda *_, **__: None)

    return judge_as


@pytest.mark.parametrize(
    ("outcomes", "options", "status"),
    [
        ([mutated(outcome(), 0, 1)], (), 0),
        ([mutated(outcome(), 0, 1)], ("--fail-under", "7.6"), 0),
        ([mutated(outcome(), 0, 1)], ("--fail-under", "7.7"), 1),
        ([mutated(failing(), 0)], ("--fail-under", "1"), 3),
        ([mutated(outcome(), 0), unjudged()], ("--fail-under", "1"), 3),
    ],
)
def test_the_score_decides_the_status_and_nothing_passes_unjudged(
    command, judged, tmp_path, *, outcomes, options, status
):
    """An alert that fails without an edit, or a scenario that was not judged, is status 3."""
    judged(*outcomes)
    done = command(*ONE, *options, "--report", tmp_path / "m.html")
    assert done.status == status
    assert "26 mutants of 1 alert ..." in done.err
    assert "of 26 mutants killed" in done.out.splitlines()[-1]
    style = {0: "pass" if options else "", 1: "fail", 3: "invalid"}[status]
    assert f'<p class="verdict {style}">' in (tmp_path / "m.html").read_text()


def test_json_is_one_document_by_the_published_schema(command, judged):
    """Each mutant with its place and the scenarios that kill it."""
    judged(mutated(outcome(), 3))
    document = json.loads(command(*ONE, "--json").out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert (document["killed"], len(document["mutants"])) == (1, 26)
    (killed,) = (mutant for mutant in document["mutants"] if mutant["killed_by"])
    assert killed["file"].endswith("performance.yaml")


def test_survivors_are_named_with_their_place(command, judged):
    """Under their alert; those that are killed are not."""
    judged(mutated(outcome(), *range(1, 26)))
    lines = command(*ONE).out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("TaskThroughputBelowTarget ("))
    assert lines[at + 1] == "  comparator: < 10000 -> > 10000"
    assert lines[at + 2].startswith("SCORE: 96.2%: 25 of 26 mutants killed, 1 survived")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mutate", "trafic-drop"), "did you mean 'traffic-drop'?"),
        (("mutate", "--alert", "TaskThroughputBelow"), "'TaskThroughputBelowTarget'?"),
        (("mutate", "--rules", "nowhere.yaml"), "nowhere.yaml"),
        (("mutate", "--fail-under", "101"), "--fail-under"),
        (("mutate", "--report", "no/where.html"), "there is no such folder"),
    ],
)
def test_a_mistake_is_status_2_without_a_traceback(command, arguments, said):
    """With a way out, before anything is simulated."""
    done = command(*arguments)
    assert (done.status, "Traceback" in done.err) == (2, False)
    assert said in done.err
