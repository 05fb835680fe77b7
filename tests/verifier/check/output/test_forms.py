"""The outcome in every form, each by the rules of its reader."""

from __future__ import annotations

import json

import jsonschema
import pytest
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from documents.mistakes import Place
from tests.schemas.validation import validate
from verifier.check.findings.finding import CheckFinding
from verifier.check.findings.outcome import CheckOutcome, SilencedFinding
from verifier.check.output.document import SCHEMA, check_document
from verifier.check.output.github import github_lines
from verifier.check.output.sarif import sarif_document
from verifier.check.output.text import text_lines
from verifier.errors import NotJudged

ERROR = CheckFinding("top-bucket", Place("a b.yaml", 3, 7), "alert A", "100 % of it,\nor: more")
INFO = CheckFinding("empty-child", Place("b.json", 1, 2), "panel B / P", "not yet")
WHOLE = CheckFinding("routing", Place("r.yml"), "routing", "of a whole file")
UNFOLLOWED = NotJudged("alert X", "not understood", Place("c.yaml", 9, 1))


def outcome(*findings, silenced=(), not_checked=()):
    """Return an outcome."""
    return CheckOutcome("page.txt", 2, 3, findings, silenced, not_checked)


FULL = outcome(
    ERROR, INFO, WHOLE, silenced=(SilencedFinding(INFO, "so"),), not_checked=(UNFOLLOWED,)
)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (outcome(), 0),
        (outcome(INFO), 0),
        (outcome(INFO, WHOLE), 1),
        (outcome(ERROR), 1),
        (outcome(ERROR, not_checked=(UNFOLLOWED,)), 1),
        (outcome(not_checked=(UNFOLLOWED,)), 3),
        (CheckOutcome("page.txt", 0, 0, ()), 3),
    ],
)
def test_the_status_is_that_of_the_heaviest_finding(made, status):
    """What could not be checked never passes, nor does nothing at all."""
    assert made.status == status


def test_the_document_follows_the_published_schema():
    """In all its parts; and the schema refuses what has lost one."""
    document, schema = check_document(FULL), json.loads(SCHEMA.read_text())
    validate(document, schema)
    assert document["counts"] == {"error": 1, "warning": 1, "info": 1}
    for part in ("findings", "counts", "verdict"):
        with pytest.raises(jsonschema.ValidationError):
            validate({k: v for k, v in document.items() if k != part}, schema)


def test_a_fingerprint_outlives_a_line_that_moves():
    """And tells two findings apart."""
    moved = CheckFinding("top-bucket", Place("a b.yaml", 30, 7), "alert A", ERROR.reason)
    other = CheckFinding("top-bucket", Place("a b.yaml", 3, 7), "alert B", ERROR.reason)
    assert moved.fingerprint == ERROR.fingerprint != other.fingerprint


def test_sarif_points_at_rules_that_it_lists():
    """Every result by index and id; a silenced one is suppressed with its reason."""
    (run,) = sarif_document(FULL)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "a%20b.yaml"
    assert where["region"] == {"startLine": 3, "startColumn": 7}
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]
    assert run["results"][-1]["suppressions"][0]["justification"] == "so"
    assert run["invocations"][0]["executionSuccessful"] is False


def test_annotations_are_one_line_each_with_what_ends_their_parts_escaped():
    """So that no text of a rule becomes a command of its own."""
    lines = list(github_lines(FULL))
    assert lines[0].startswith(
        "::error file=a b.yaml,line=3,col=7,title=top-bucket::alert A: 100 %25"
    )
    assert "%0Aor: more" in lines[0]
    assert lines[1].startswith("::notice file=b.json,line=1,col=2,title=empty-child::")
    assert lines[2].startswith("::warning file=r.yml,title=routing::")
    assert len(lines) == 5


def test_the_text_names_place_id_reason_and_way_out():
    """Silenced ones only where they are asked for."""
    lines = list(text_lines(FULL))
    assert lines[0] == "a b.yaml:3:7: error [top-bucket] alert A: 100 % of it, or: more"
    assert lines[1].startswith("    to mend it: ")
    assert not any("because: so" in line for line in lines)
    assert any("because: so" in line for line in text_lines(FULL, silenced=True))
    assert lines[-1].startswith("FAIL: 1 error, 1 warning, 1 info, 1 silenced, 1 not checked; ")


def sarif_run(change):
    """Return the SARIF of everything, read as JSON; `change` is made to its run."""
    document = json.loads(json.dumps(sarif_document(FULL)))
    change(document["runs"][0])
    return document


def test_sarif_follows_the_official_schema():
    """By models that were generated from it; what they do not know is that rules differ."""
    document = sarif_run(lambda _: None)
    SarifLog.model_validate(document)
    rules = [each["id"] for each in document["runs"][0]["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert [rules[each["ruleIndex"]] for each in document["runs"][0]["results"]] == [
        each["ruleId"] for each in document["runs"][0]["results"]
    ]


def place_of(run):
    """Return where the first result is."""
    return run["results"][0]["locations"][0]["physicalLocation"]


@pytest.mark.parametrize(
    "plant",
    [
        lambda run: run["results"][0].update(level="info"),
        lambda run: run["results"][0].update(colour="red"),
        lambda run: run["results"][0].pop("message"),
        lambda run: place_of(run)["region"].update(startLine=0),
        lambda run: run["tool"]["driver"].pop("name"),
        lambda run: run["results"][-1]["suppressions"][0].update(kind="file"),
        lambda run: run["invocations"][0].pop("executionSuccessful"),
    ],
)
def test_the_official_schema_refuses_what_is_none(plant):
    """Planted: a level of our own, a key that there is none of, lines from 0, parts left out."""
    with pytest.raises(ValidationError):
        SarifLog.model_validate(sarif_run(plant))
