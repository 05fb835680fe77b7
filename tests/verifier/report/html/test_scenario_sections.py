"""A scenario's part of the page: story, faults, causes and windows as text, without any script."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import alert, fired, in_real_time, outcome
from verifier.judge.failures.sentences import culprit_sentence
from verifier.judge.verdict import Culprit, FailureEvidence
from verifier.report.html.parts import failures
from verifier.report.html.run_part import run_part
from verifier.report.html.scenario_sections import section
from verifier.report.real_time_text import RealTimeRow
from verifier.report.wording import Title
from verifier.run_record import InputFile, RunRecord, ScenarioRecord


def lines(made):
    """Return the text of HTML, a line for each cell and break."""
    return [line for line in re.split(r"(?:<[^>]*>)+|\n", made) if line]


def section_lines(**changes):
    """Return the lines on a scenario with a fault from 3m to 12m."""
    whole = outcome(record=ScenarioRecord.of(scenario_with()), panels=(), **changes)
    return lines(section(whole))


def test_the_faults_stand_in_a_table_with_what_was_measured():
    """Name, kind, from, to, strength, effect; the load and the story above."""
    effects = {"gone": "gone (agent_hang) did: 3 agents measured, 3 declared"}
    text = section_lines(fault_effects=effects)
    at = text.index("gone")
    assert text[at : at + 4] == ["gone", "agent_hang", "3m", "12m"]
    assert "3 agents measured, 3 declared" in text
    assert "From 3m to 12m something is wrong." in text
    assert "Load profile, before any fault: 10,300 tasks a second." in text


def test_an_alert_has_its_cause_its_onset_and_its_windows():
    """Each time from the onset, and below it the scenario's own."""
    text = section_lines(alerts=(fired("Throughput"),))
    at = text.index("Throughput")
    assert text[at : at + 12] == [
        *("Throughput", "fires", "gone", "3m to 12m"),
        *("30s", "at 3m30s"),
        *("5m30s of 7m", "at 8m30s", "window 3m to 10m"),
        *("10m of 12m", "at 13m", "window 12m to 15m"),
    ]


def test_an_alert_without_a_cause_says_so():
    """Its times are the scenario's own, once."""
    text = section_lines(
        alerts=(alert("Odd", "unexpected", ok=False, pending_s=60.0, firing_s=90.0),)
    )
    at = text.index("Odd")
    assert text[at : at + 6] == ["Odd", "unexpected", "none", "at 1m", "at 1m30s", "still firing"]


@pytest.mark.parametrize(("resolved_s", "remarks"), [(600.0, 0), (400.0, 1)])
def test_a_resolution_while_the_cause_lasts_gets_a_remark(resolved_s, remarks):
    """And stays ok: it is no failure."""
    text = section_lines(alerts=(fired("Throughput", resolved_s=resolved_s),))
    remark = "resolved 2m20s before gone ended: whoever is on call reads an all-clear"
    assert text.count(remark) == remarks
    assert any(line.startswith("✓") for line in text)


def test_what_could_not_have_fired_is_not_among_the_silent():
    """It has its reason; so has what need not fire."""
    alerts = (
        alert("Quiet", "silent"),
        alert("Mute", "silent", vacuous="no series", accepted="another exporter"),
        alert("Free", "explained"),
    )
    text = section_lines(alerts=alerts)
    assert "Silent, as expected: 1 of 3 alerts." in text
    assert "Did not fire, and need not: Free." in text
    assert "Could not have fired, and need not: Mute (accepted: another exporter)." in text


def test_code_in_a_reason_is_shown_as_code_and_its_markup_is_not_run():
    """Backticks are for terminals."""
    odd = alert("Odd", ok=False, reason="no; its `for` is <b>1h</b>; more")
    made = section(outcome(alerts=(odd,)))
    assert "its <code>for</code> is &lt;b&gt;1h&lt;/b&gt;<br>more" in made


def test_what_was_run_can_be_repeated_from_the_page():
    """Date, version, command, files; nothing where nobody noted them."""
    file = InputFile(kind="rules", path="a.yaml", sha256="c" * 64)
    run = RunRecord(started="2026-01-02T03:04:05Z", version="0.1.0", command="x <y>")
    assert "x &lt;y&gt;" in run_part(run)
    assert lines(run_part(replace(run, files=(file,)))) == [
        *("This run", "Begun", "2026-01-02 03:04:05 UTC, by agentaskit-sim 0.1.0"),
        *("Command", "x &lt;y&gt;", "Files", f"rules a.yaml, sha256 {'c' * 12}"),
    ]
    assert "the bundled ones of this version" in lines(run_part(run))
    assert run_part(None) == ""


def test_a_run_in_real_time_says_who_was_notified_and_where_it_broke():
    """As the terminal does; virtual time has nobody to notify."""
    late = replace(in_real_time().alerts[0], ok=False, broke_at="receiver")
    text = lines(section(in_real_time(alerts=(late,))))
    row = RealTimeRow(Title(late.alert), "drop", late)
    for words in ("Notified", str(row.notified), row.receivers, str(row.notice)):
        assert words in text
    assert "broke at receiver" in text
    assert "Notified" not in section_lines(alerts=(fired("A"),))


def test_a_cause_of_the_past_is_before_the_start():
    """Its verdict counts from 0, which is not when it was."""
    gone = ScenarioRecord.of(scenario_with()).faults[0]
    past = replace(gone, name="before", start_s=-7200.0, end_s=-6900.0)
    record = ScenarioRecord(story="", load="", faults=(past,))
    late = fired("Late", cause="before", onset_s=0.0, cause_end_s=0.0)
    text = lines(section(outcome(alerts=(late,), record=record)))
    assert "2h before the start to 1h55m before the start" in text


def test_what_failed_is_short_above_and_whole_in_its_row():
    """The list says the first sentence and the culprit, and leads to the row."""
    blame = Culprit(suspect="rule", because="it is deaf")
    reason = f"never fired; its value was 3; {culprit_sentence(blame)}"
    odd = alert("Odd", ok=False, reason=reason, evidence=FailureEvidence(culprit=blame))
    whole = outcome(alerts=(odd,))
    assert lines(failures([whole])) == [
        *("Failed", "drop", ": ", "Odd", ": never fired"),
        "likely culprit: the rule, since it is deaf",
    ]
    link = re.search(r'href="#(alert[^"]*)"', failures([whole]))[1]
    row = section(whole).partition(f'id="{link}"')[2].partition("</tbody>")[0]
    assert "its value was 3" in row
