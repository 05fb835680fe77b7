"""Terminal, summary, page and `explain` say the same of the same verdict."""

from __future__ import annotations

import html
import io
import json
import re

import pytest
from rich.console import Console

from documents.mistakes import Place
from tests.verifier.outcomes import alert, failing, fired, outcome, unjudged
from verifier.errors import NotJudged
from verifier.judge.verdict_document import document
from verifier.report import text
from verifier.report.html import parts
from verifier.report.html.page import page
from verifier.report.lists import FAILED, VACUOUS, lists
from verifier.report.saved import explanation as saved_explanation
from verifier.report.saved.saved_verdict import FILE, read_verdict
from verifier.report.tally import counts
from verifier.run_record import RunRecord

MUTE = {"vacuous": "no metric x exists"}
LOGS = NotJudged(
    "panel Board / Logs", "it asks Loki", Place("b.json", 3, 2), keeps_from_passing=False
)
JOIN = NotJudged("alert Join", "the engine refuses it: many-to-many", Place("a.yaml", 5, 11))
ALERTS = (
    fired("Throughput", labels=(("severity", "warning"),)),
    fired("Early", resolved_s=400.0),
    fired("Flapping", firings=((330.0, 400.0), (430.0, 500.0), (520.0, 600.0))),
    alert("Quiet", "silent", reason="stayed silent"),
    alert("Free", "explained", reason="did not fire, and need not"),
    alert("Mute", "silent", **MUTE, accepted="its exporter is another"),
    alert("Dead", "silent", ok=False, **MUTE),
)
OUTCOMES = [
    outcome(alerts=ALERTS, not_judged=(LOGS, JOIN), notes=("the receiver was started again",)),
    failing(),
    unjudged(),
]


def forms(outcomes, folder):
    """Return every form of the report as plain text, by its name."""
    terminal = io.StringIO()
    text.print_report(Console(file=terminal), outcomes, "results/x")
    (folder / FILE).write_text(json.dumps(document(outcomes)))
    body = page(outcomes).partition("<body>")[2].partition("<script")[0]
    explained = saved_explanation.explanation(read_verdict(folder))
    return {
        "terminal": terminal.getvalue(),
        "summary": text.summary(outcomes),
        "page": html.unescape(re.sub(r"<[^>]*>", "", body.replace("<br>", "\n"))),
        "explain": "\n".join(explained),
    }


def expected(outcomes, form):
    """Yield what a form has to say; `explain` tells failed alerts in its own way, at length."""
    yield counts(outcomes)
    for part in lists(outcomes):
        at_length = form == "explain" and part.heading in {FAILED, VACUOUS}
        if form == "explain" and part.weight == "count":
            continue
        if not at_length:
            yield part.heading
        for item in part.items:
            said = [item.text.partition("; ")[0]] if at_length else item.text.split("; ")
            yield from (each for each in said if not (at_length and part.heading == VACUOUS))
    if form == "explain":
        yield from (a.vacuous for o in outcomes for a in o.alerts if a.is_vacuous and not a.ok)


def complaints(outcomes, folder):
    """Return (form, what it does not say)."""

    def plain(words):
        return " ".join(words.replace("`", "").split())

    return [
        (form, said)
        for form, whole in forms(outcomes, folder).items()
        for said in expected(outcomes, form)
        if plain(said) not in plain(whole)
    ]


def test_every_form_says_all_of_it(tmp_path):
    """Counts, headings and reasons; the outcomes have something for nearly every list."""
    headings = {part.heading for part in lists(OUTCOMES)}
    assert len(headings) >= 13
    assert complaints(OUTCOMES, tmp_path) == []


@pytest.mark.parametrize(
    ("module", "name", "speechless"),
    [
        (text, "lists", {"terminal", "summary"}),
        (parts, "lists", {"page"}),
        (saved_explanation, "lists", {"explain"}),
        (text, "verdict_line", {"terminal"}),
        (saved_explanation, "verdict_line", {"explain"}),
    ],
)
def test_a_form_that_leaves_something_out_is_noticed(
    tmp_path, monkeypatch, module, name, speechless
):
    """Planted: one of them no longer reads a list, or writes a last line of its own."""
    silenced = {"lists": lambda _: [], "verdict_line": lambda _: "FAIL: something failed"}
    monkeypatch.setattr(module, name, silenced[name])
    assert {form for form, _ in complaints(OUTCOMES, tmp_path)} == speechless


def test_an_alert_that_was_not_judged_is_explained_by_its_name(tmp_path):
    """Rule, place and the engine's sentence, though no verdict is on it."""
    (tmp_path / FILE).write_text(json.dumps(document(OUTCOMES)))
    saved = read_verdict(tmp_path)
    saved.check_alert("Join")
    assert saved_explanation.explanation(saved, "Join") == [
        "alert Join: not judged",
        "  the engine refuses it: many-to-many (a.yaml:5:11)",
    ]


def test_an_accepted_silence_is_explained_as_such(tmp_path):
    """Not as a silence that proves something."""
    (tmp_path / FILE).write_text(json.dumps(document(OUTCOMES)))
    lines = saved_explanation.explanation(read_verdict(tmp_path), "Mute")
    assert lines[0] == "drop: Mute: could not have fired, and need not"
    assert lines[-1] == "  accepted: its exporter is another"


def test_an_early_resolution_is_remarked_beside_its_alert(tmp_path):
    """Also where it alone is explained, and it did not fail."""
    (tmp_path / FILE).write_text(json.dumps(document(OUTCOMES)))
    lines = saved_explanation.explanation(read_verdict(tmp_path), "Early")
    assert lines[0] == "drop: Early: did not fail"
    remark = "resolved 2m20s before gone ended: whoever is on call reads an all-clear"
    assert lines[-1] == f"  {remark}"


def test_every_form_says_that_an_alert_fired_again_while_its_cause_lasted(tmp_path):
    """How often, with times, also where it passed: each resolve reads as an all-clear."""
    said = (
        "fired 3 times (5m30s, 7m10s, 8m40s), resolved twice while gone lasted (6m40s, 8m20s):"
        " whoever is on call reads all-clears"
    )
    for form, whole in forms(OUTCOMES, tmp_path).items():
        assert said in " ".join(whole.split()), form
    marked = {"terminal", "summary", "page"}
    for form in marked:
        assert "5m30s (1st of 3) of 7m" in forms(OUTCOMES, tmp_path)[form]
    lines = saved_explanation.explanation(read_verdict(tmp_path), "Flapping")
    assert lines[-1] == f"  {said}"


def test_of_an_alert_that_never_fired_no_form_says_that_it_resolved(tmp_path):
    """An older release wrote of it when it was pending no more."""
    pending = fired("Weak", ok=False, firing_s=None, resolved_s=400.0, reason="never fired")
    for form, whole in forms([outcome(alerts=(pending,))], tmp_path).items():
        assert "all-clear" not in whole, form


def test_summary_page_and_explain_say_what_was_run(tmp_path):
    """So that it can be repeated from any of them; nothing is said where it is not known."""
    run = RunRecord(started="2026-01-02T03:04:05Z", version="0.1.0", command="verify drop")
    (tmp_path / FILE).write_text(json.dumps(document(OUTCOMES, run)))
    explained = "\n".join(saved_explanation.explanation(read_verdict(tmp_path)))
    for whole in (explained, text.summary(OUTCOMES, run), page(OUTCOMES, run)):
        for words in ("2026-01-02 03:04:05 UTC", "verify drop", "the bundled ones"):
            assert words in whole
    assert "This run" not in forms(OUTCOMES, tmp_path)["explain"]
