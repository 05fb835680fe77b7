"""`coverage`: what it prints, its exit status, and how it refuses."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from agentaskit_sim import suite_runs
from tests.schemas.validation import validate
from tests.verifier.outcomes import outcome, unjudged
from verifier.coverage.cells import CELLS, Observation
from verifier.coverage.observing import CoveredScenario
from verifier.coverage.score import SCHEMA
from verifier.judge.verdict import ScenarioOutcome

ALL = tuple(
    Observation(number=number, cell=cell, shown="seen", binds=True)
    for number in range(19)
    for cell in CELLS
)


def covered(*observations, failing=()):
    """Return an outcome that showed this."""
    whole = outcome()
    values = {field.name: getattr(whole, field.name) for field in fields(ScenarioOutcome)}
    return CoveredScenario(**values, observations=observations, failing=failing)


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
        ([covered(*ALL)], ("--fail-under", "100"), 0),
        ([covered(*ALL[1:])], (), 0),
        ([covered(*ALL[1:])], ("--fail-under", "100"), 1),
        ([covered(*ALL, failing=(("FastBurnRateHigh", "fails"),))], (), 3),
        ([covered(*ALL), unjudged()], (), 3),
    ],
)
def test_the_score_decides_the_status_and_nothing_passes_unjudged(
    command, judged, tmp_path, *, outcomes, options, status
):
    """An alert that fails, or a scenario that was not judged, is status 3."""
    judged(*outcomes)
    done = command("coverage", "traffic-drop", *options, "--report", tmp_path / "c.html")
    assert done.status == status
    assert "7 cells of 19 alerts ..." in done.err
    assert "of 133 cells proven" in done.out.splitlines()[-1]
    style = {0: "pass" if options else "", 1: "fail", 3: "invalid"}[status]
    assert f'<p class="verdict {style}">' in (tmp_path / "c.html").read_text()


def test_json_is_one_document_by_the_published_schema(command, judged):
    """Each cell with its state and the scenarios that prove it."""
    judged(covered(ALL[0]))
    document = json.loads(command("coverage", "traffic-drop", "--json").out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert (document["proven"], len(document["cells"])) == (1, 133)
    assert document["cells"][0]["proven_by"] == [{"scenario": "drop", "shown": "seen"}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("coverage", "trafic-drop"), "did you mean 'traffic-drop'?"),
        (("coverage", "--reasons", "none.yaml"), "none.yaml"),
        (("coverage", "--routing", "none.yml"), "none.yml"),
        (("coverage", "--fail-under", "101"), "--fail-under"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(command, judged, arguments, said):
    """With status 2, and a way out."""
    judged()
    done = command(*arguments)
    assert done.status == 2
    assert said in done.err
