"""One outcome, whole, in each of its forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from documents.mistakes import Place
from verifier.check.findings.finding import CheckFinding, in_order
from verifier.check.findings.kinds import KINDS
from verifier.check.findings.outcome import CheckOutcome, SilencedFinding
from verifier.check.output.document import check_document
from verifier.check.output.github import github_lines
from verifier.check.output.sarif import sarif_document
from verifier.check.output.text import text_lines
from verifier.errors import Finding, NotJudged

RAW = CheckFinding("raw-counter", Place("a,b:c.yaml", 3, 7), "alert A", "100 % of it,\r\nor: more")
CHILD = CheckFinding("empty-child", Place("b.json", 12), "panel B / P", "not yet")
WHOLE = CheckFinding("top-bucket", Place("r.yml"), "alert T", "of a whole file")
LINE_0 = CheckFinding("routing", Place("r.yml", 0, 0), "routing", "so it is")
FULL = CheckOutcome(
    "page.txt",
    1,
    2,
    (RAW, CHILD, WHOLE),
    (SilencedFinding(LINE_0, "somebody looked"), SilencedFinding(CHILD, "and again")),
    (NotJudged("alert X", "not understood", Place("c.yaml", 9, 1)),),
    (Finding(Place("d.yaml", 2, 3), "a reader's note"),),
)
EXPECTED = json.loads(Path(__file__).with_name("whole_forms.json").read_text(encoding="utf-8"))


def forms():
    """Return the outcome in every form, without the rules of SARIF and the version of ours."""
    sarif = sarif_document(FULL)
    (run,) = sarif["runs"]
    rules = run["tool"]["driver"].pop("rules")
    del run["tool"]["driver"]["version"]
    assert [rule["id"] for rule in rules] == list(KINDS)
    return {
        "text": list(text_lines(FULL)),
        "text with silenced": list(text_lines(FULL, silenced=True)),
        "github": list(github_lines(FULL)),
        "document": check_document(FULL),
        "sarif": sarif,
        "a rule of sarif": rules[list(KINDS).index("empty-child")],
    }


@pytest.mark.parametrize("form", EXPECTED)
def test_an_outcome_is_written_whole(form):
    """Everything that stands, is silenced, was not checked or noted, each in its words."""
    assert forms()[form] == EXPECTED[form]


def test_findings_are_in_the_order_of_their_places_the_heavier_first():
    """A whole file before its lines, a line before its columns; each once."""
    at = [Place("a"), Place("a", 2), Place("a", 2, 1), Place("a", 2, 10), Place("a", 10, 1)]
    placed = [CheckFinding("routing", place, "s", "r") for place in (*at, Place("b", 1, 1))]
    assert in_order([*reversed(placed), *placed]) == tuple(placed)
    here = [
        CheckFinding("top-bucket", at[2], "s", "r"),
        CheckFinding("raw-counter", at[2], "s", "a"),
        CheckFinding("raw-counter", at[2], "s", "b"),
        CheckFinding("raw-counter", at[2], "t", "a"),
        CheckFinding("routing", at[2], "a", "r"),
        CheckFinding("empty-child", at[2], "s", "r"),
    ]
    assert in_order(reversed(here)) == tuple(here)


def test_a_fingerprint_is_of_the_name_of_the_file_wherever_it_lies():
    """And of everything else that it says, but for its place in the file."""
    own = CheckFinding("routing", Place("x/r.yml", 1, 1), "s", "r").fingerprint
    assert own == CheckFinding("routing", Place("y/z/r.yml", 9, 3), "s", "r").fingerprint
    assert len(own) == 16
    others = {
        CheckFinding(*parts).fingerprint
        for parts in (
            ("raw-counter", Place("r.yml"), "s", "r"), ("routing", Place("q.yml"), "s", "r"),
            ("routing", Place("r.yml"), "t", "r"), ("routing", Place("r.yml"), "s", "q"),
        )
    }  # fmt: skip
    assert len(others | {own}) == 5


@pytest.mark.parametrize(
    ("outcome", "last", "verdict"),
    [
        (CheckOutcome("p", 1, 0, ()), "PASS: 0 errors, 0 warnings, 0 infos; 1 rule and 0 queries",
         "pass"),
        (CheckOutcome("p", 0, 0, ()),
         "NOT CHECKED: 0 errors, 0 warnings, 0 infos; 0 rules and 0 queries", "not checked"),
        (CheckOutcome("p", 0, 1, (CHILD,)),
         "PASS: 0 errors, 0 warnings, 1 info; 0 rules and 1 query", "pass"),
    ],
)  # fmt: skip
def test_the_last_line_says_what_was_held_against_what(outcome, last, verdict):
    """In every form of text."""
    whole = f"{last.replace(';', ', 0 silenced;')} of panels held against p"
    assert [*text_lines(outcome)][-1] == [*github_lines(outcome)][-1] == whole
    assert check_document(outcome)["verdict"] == verdict
    assert sarif_document(outcome)["runs"][0]["invocations"][0]["executionSuccessful"]
