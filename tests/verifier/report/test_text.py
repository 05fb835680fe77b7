"""The report shows every verdict that is not ok, and files appear whole or not at all."""

from __future__ import annotations

import io
import json
import re
import stat
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from documents.files import write_whole
from documents.mistakes import InputError
from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import alert, failing, fired, outcome, unjudged
from verifier.errors import JudgeError
from verifier.judge.verdict import FailureEvidence
from verifier.report.junit import junit
from verifier.report.saved import results as results_module
from verifier.report.saved.results import Results
from verifier.report.text import print_report, summary
from verifier.report.virtual_time_text import rows
from verifier.run_record import ScenarioRecord


def printed(outcomes, **console):
    """Return what the report prints."""
    text = io.StringIO()
    print_report(Console(file=text, **console), outcomes, "results/x")
    return text.getvalue()


def test_the_table_shows_when_each_alert_came_and_was_due():
    """Pending and fired count from the onset, resolved from the cause's end."""
    (row,) = rows([outcome()])
    assert row.cells == ("Throughput", "drop", "30s", "5m30s of 7m", "10m of 12m", "ok")


def test_a_long_name_stands_in_one_line_where_there_is_no_terminal():
    """With the labels that tell it from others: who reads a pipe searches for it."""
    name = "A" + "VeryLong" * 20
    long = outcome(alerts=(fired(name), fired(name, labels=(("severity", "ticket"),))))
    assert f"{name}{{severity=ticket}} " in printed([long])


def test_the_report_of_a_run_that_passes_has_every_part():
    """Alerts, silence, panels, engine, speed, where the results are, and the verdict last."""
    text = printed([outcome()])
    lines = text.splitlines()
    assert any("5m30s of 7m" in line for line in lines)
    assert "  drop: 1 of 2 alerts" in lines
    assert "  all 1 answered" in lines
    assert (
        "Judged by prometheus 2.42.0: 30m simulated event by event, 1h30m resampled, in 2s"
        " of wall time"
    ) in lines
    assert lines[-2:] == [
        "Results: results/x",
        "PASS: 1 of 1 scenarios pass; 1 alert fired as expected, 1 stayed silent",
    ]


def test_the_report_leaves_no_failure_out():
    """Every alert and panel that is not ok stands there with its reason."""
    text = printed([outcome(), failing(), unjudged()])
    for line in (
        "  burn: http_requests_total: a window of 30d needs as much history",
        "  bad: Planted: fired",
        "  bad: Throughput: never fired",
        "  bad: SLA / P99: NaN",
        "  bad: Queue: the queue grows",
        "  slo.yaml:3:1: same condition twice",
    ):
        assert line in text.splitlines(), line
    failed = "2 alerts failed, 1 fired in no scenario; 1 panel did not answer"
    assert text.endswith(f"\nFAIL: 1 of 3 scenarios pass; {failed}\n")
    assert "answered" not in text.replace("Panels that did not answer", "")


@pytest.mark.parametrize(
    ("outcomes", "counts"),
    [
        (
            [outcome(), outcome("other")],
            "1 alert fired as expected, 1 fired in no scenario",
        ),
        ([outcome(alerts=(alert("A", "silent"), alert("B", "silent")))], "2 alerts stayed silent"),
        ([outcome(alerts=(fired("A"), fired("B")))], "2 alerts fired as expected"),
        ([outcome(alerts=())], "0 alerts fired as expected"),
        (
            [outcome(alerts=(alert("A", "silent"), fired("B"))), outcome(alerts=(fired("A"),))],
            "2 alerts fired as expected",
        ),
    ],
)
def test_the_last_line_counts_alerts_that_fired_and_alerts_that_stayed_silent(outcomes, counts):
    """An alert that fired anywhere is not counted as silent, and nothing is counted as zero."""
    passed = f"{len(outcomes)} of {len(outcomes)} scenarios pass"
    assert printed(outcomes).splitlines()[-1] == f"PASS: {passed}; {counts}"


def test_alerts_that_fired_in_no_scenario_are_named_in_a_run_of_several():
    """A bundled suite that forgets an alert shows it."""
    assert "Fired in no scenario" not in printed([outcome()])
    lines = printed([outcome(), outcome("other")]).splitlines()
    assert lines[lines.index("Fired in no scenario") + 1] == "  Latency"


def test_series_of_one_alert_are_named_by_their_own_labels():
    """Labels that all of them share are left out."""
    low = fired("Queue", labels=(("priority", "low"), ("severity", "warning")))
    high = fired("Queue", labels=(("priority", "high"), ("severity", "warning")))
    titles = [str(row.title) for row in rows([outcome(alerts=(low, high))])]
    assert titles == ["Queue{priority=high}", "Queue{priority=low}"]


def test_a_pipe_gets_plain_text_and_a_terminal_gets_colour():
    """No escape sequence reaches a file."""
    assert "\x1b" not in printed([outcome(), failing()])
    assert "\x1b[" in printed([outcome(), failing()], force_terminal=True, color_system="standard")


def test_markup_in_labels_and_reasons_is_text():
    """What looks like Rich markup comes from a user's file and is shown as it is."""
    odd = alert("A[red]", "unexpected", ok=False, reason="[/bold] [x]")
    assert "bad: A[red]: [/bold] [x]" in printed([outcome("bad", alerts=(odd,))])


def test_the_summary_is_a_markdown_table():
    """The same rows, for a CI system's page."""
    text = summary([outcome(), failing()])
    assert text.startswith("# Verdict: fail\n")
    assert "| Throughput | drop | gone, 3m to 12m | 30s | 5m30s of 7m | 10m of 12m | ok |" in text
    assert "## Failed\n\n- bad: Planted: fired\n" in text


@pytest.mark.parametrize("real_time", [False, True])
def test_a_bar_in_any_text_leaves_the_columns_of_the_summary_as_they_are(real_time):
    """Names of scenarios, alerts and labels come from a user's files."""
    barred = fired("A|B", labels=(("queue", "x|y"),)), fired("A|B", labels=(("queue", "z"),))
    outcomes = [outcome("s|t", alerts=barred, clock="real" if real_time else "virtual")]
    table = [line for line in summary(outcomes).splitlines() if line.startswith("|")]
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert len(columns) == 1
    assert any(line.startswith("| A\\|B{queue=x\\|y} | s\\|t | ") for line in table)


def test_junit_counts_what_failed_and_what_was_not_judged():
    """A case for each alert and panel; failures and errors carry their reason."""
    root = ET.fromstring(junit([outcome(), failing(), unjudged()]))  # noqa: S314 - XML that this program wrote
    assert [root.get(key) for key in ("tests", "failures", "errors")] == ["8", "3", "1"]
    failures = [case.get("message") for case in root.iter("failure")]
    assert failures == ["never fired", "fired", "NaN"]
    (error,) = root.iter("error")
    assert error.get("message").startswith("http_requests_total")
    names = [case.get("name") for case in root.find("testsuite[@name='drop']").iter("testcase")]
    assert names == ['Throughput{severity="warning"} fires', "Latency{} silent", "SLA / P95: up"]


def test_junit_stays_xml_whatever_a_label_holds():
    """Control characters, which XML cannot carry, are replaced."""
    odd = alert("A", ok=False, labels=(("x", "\x00<&\x1b"),), reason="\x07")
    root = ET.fromstring(junit([outcome(alerts=(odd,))]))  # noqa: S314 - XML that this program wrote
    assert "\ufffd<&\ufffd" in next(root.iter("testcase")).get("name")


def test_results_take_their_name_when_all_files_are_there(tmp_path):
    """Until then the folder is not there; afterwards nothing else is left."""
    folder = tmp_path / "deep" / "run"
    results = Results(folder)
    assert list(tmp_path.iterdir()) == []
    assert results.save([outcome()]) == folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "junit.xml",
        "report.html",
        "summary.md",
        "verdict.json",
    ]
    assert json.loads((folder / "verdict.json").read_text())["verdict"] == "pass"
    assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_run_that_ends_early_leaves_nothing(tmp_path, monkeypatch):
    """Neither before there is anything to save, nor in the middle of saving it."""
    results = Results(tmp_path / "results" / "run")
    assert list(tmp_path.iterdir()) == []

    def interrupted(path, text):
        write_whole(path, text)
        raise KeyboardInterrupt

    monkeypatch.setattr(results_module, "write_whole", interrupted)
    with pytest.raises(KeyboardInterrupt):
        results.save([outcome()])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    """The last file cannot be written: the first two are not left as a half result."""

    def write(path, text):
        if path.name == "verdict.json":
            raise OSError(28, "No space left on device")
        write_whole(path, text)

    monkeypatch.setattr(results_module, "write_whole", write)
    with pytest.raises(JudgeError, match="No space left on device"):
        Results(tmp_path / "r").save([outcome()])
    assert list(tmp_path.iterdir()) == []


def test_an_old_folder_keeps_its_other_files(tmp_path):
    """`--out .` must not remove what is there."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "verdict.json").write_text("old")
    Results(tmp_path).save([outcome()])
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert json.loads((tmp_path / "verdict.json").read_text())["verdict"] == "pass"


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path, monkeypatch):
    """Nobody's results are overwritten by default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results_module.time, "strftime", lambda _: "20260105-101500")
    for expected in ("20260105-101500", "20260105-101500-2"):
        assert Results(None).save([outcome()]).name == expected


def test_a_place_that_cannot_be_written_is_reported_before_the_run(tmp_path):
    """A file in the way, or a folder below a file."""
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "below"):
        with pytest.raises(InputError, match=str(file)):
            Results(folder)


def vacuous(name="Dead", **changes):
    """Return a verdict on an alert that could not have fired."""
    values = {"vacuous": "no metric x exists", "reason": "silent, but it could not have fired"}
    return alert(name, "silent", **{"ok": False, **values, **changes})


def test_an_alert_that_could_not_have_fired_stands_in_a_list_of_its_own():
    """With the way out, and neither among the silent nor among the failed."""
    lines = printed([outcome(alerts=(fired("Throughput"), vacuous()))]).splitlines()
    assert "Vacuous: could not have fired" in lines
    assert "  Dead: no metric x exists" in lines
    assert any("--accept 'ALERT=REASON'" in line for line in lines)
    assert "Failed" not in lines
    assert "  drop: 0 of 2 alerts" in lines


def test_a_reason_that_many_scenarios_share_stands_once():
    """A dead rule is dead everywhere."""
    outcomes = [outcome(name, alerts=(vacuous(),)) for name in ("a", "b", "c")]
    assert "  Dead: no metric x exists (in all 3 scenarios)" in printed(outcomes).splitlines()
    some = [*outcomes, outcome("d")]
    assert "  Dead: no metric x exists (a, b, c)" in printed(some).splitlines()


def test_what_could_not_have_fired_and_need_not_is_told():
    """Accepted, or merely too slow for this scenario."""
    alerts = (
        vacuous("Elsewhere", ok=True, accepted="its exporter is another"),
        vacuous("Slow", ok=True, could_fire_in="healthy-day"),
    )
    lines = printed([outcome(alerts=alerts)]).splitlines()
    assert "Could not have fired, and need not" in lines
    assert "  Elsewhere (accepted: its exporter is another)" in lines
    assert "  Slow (healthy-day is long enough)" in lines
    counted = "1 of 1 scenarios pass; 1 alert stayed silent, 1 could not have fired, as accepted"
    assert lines[-1] == f"PASS: {counted}"


def test_nothing_of_the_table_is_cut_off_in_a_narrow_terminal():
    """Names and times are folded."""
    name = "MessageThroughputBelowTarget"
    outcomes = [outcome("a-scenario-with-a-long-name", alerts=(fired(name),))]
    text = printed(outcomes, width=44, force_terminal=True, color_system=None)
    table = text.partition("All times")[0]
    assert "\u2026" not in table
    letters = "".join(line[:9].strip() for line in table.splitlines())
    assert name in letters


def test_the_sentences_of_a_failure_stand_below_each_other():
    """Each on a line of its own."""
    late = fired("Throughput", ok=False, reason="fired late; `fires_within: 9m` would have held")
    lines = printed([outcome(alerts=(late,))]).splitlines()
    at = lines.index("  drop: Throughput: fired late")
    assert lines[at + 1] == "    `fires_within: 9m` would have held"


def test_the_report_ends_with_the_overlay_to_paste():
    """In Markdown as a block of YAML."""
    evidence = FailureEvidence(overlay="{alert: Planted, cause: gone, fires_within: 6m}")
    planted = alert("Planted", "unexpected", ok=False, reason="unexpected", evidence=evidence)
    outcomes = [outcome(alerts=(planted,))]
    lines = printed(outcomes).splitlines()
    at = lines.index("  scenarios:")
    assert lines[at : at + 4] == [
        "  scenarios:",
        "    drop:",
        "      expectations:",
        "      - {alert: Planted, cause: gone, fires_within: 6m}",
    ]
    assert "```yaml\nscenarios:\n  drop:\n" in summary(outcomes)


def test_of_one_scenario_the_terminal_says_when_its_faults_were():
    """Times count from them; of many scenarios the summary's table and the page say it."""
    record = ScenarioRecord.of(scenario_with())
    line = "Faults, in the scenario's time: gone (agent_hang) from 3m to 12m."
    assert line in printed([outcome(record=record)]).splitlines()
    several = [outcome(record=record), outcome("other", record=record)]
    for outcomes in (several, [outcome()]):
        assert "Faults, in the scenario's time" not in printed(outcomes)
