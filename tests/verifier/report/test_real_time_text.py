"""A report of real time shows who was notified and when, which hop broke, how clocks differ."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from tests.verifier.outcomes import alert, delivery, difference, in_real_time, notified, outcome
from verifier.report.junit import junit
from verifier.report.saved.results import Results, files
from verifier.report.text import print_report, summary


def printed(outcomes, **console):
    """Return the lines of what the report prints, without spaces at their ends."""
    text = io.StringIO()
    print_report(Console(file=text, **console), outcomes, "results/x")
    return [line.rstrip() for line in text.getvalue().splitlines()]


def broken():
    """Return the outcome of a scenario in which Alertmanager notified no receiver of an alert."""
    lost = notified(
        "Throughput",
        ok=False,
        broke_at="alertmanager",
        reason="Alertmanager had it: nobody notified",
    )
    return in_real_time("bad", alerts=(lost,))


NARROW = """\
 Alert             Fired  Notified  Resolved  notified
 ─────────────────────────────────────────────────────────
 drop
 Throughput        5m30s  6m1s      10m       11m2s     ok
   slack-warnings  of 7m  of 6m26s  of 12m
"""


@pytest.mark.parametrize("console", [{"width": 80, "force_terminal": True}, {"width": 40}])
def test_the_table_shows_who_was_notified_and_after_how_long(console):
    """The limit stands below each time, the receivers below each alert; alike in a pipe."""
    lines = printed([in_real_time()], color_system=None, **console)
    start = next(index for index, line in enumerate(lines) if line.startswith(" Alert"))
    assert lines[start - 1].split() == ["Resolve"]
    assert lines[start : start + 5] == NARROW.splitlines()


def test_the_end_is_notified_when_the_last_receiver_was():
    """The slow one counts: 15m41s from the start, 12m41s from the onset at 3m."""
    each = notified("Throughput", "fast", "slow")
    late = (*each.deliveries[:-1], delivery("slow", 941.0, "resolved"))
    shown = "\n".join(printed([in_real_time(alerts=(replace(each, deliveries=late),))], width=120))
    assert "12m41s" in shown
    assert "11m1" not in shown


def test_nothing_is_cut_off_in_eighty_columns():
    """Long names, times of hours, several receivers and labels still fit or are folded."""
    slow = notified(
        "MessageThroughputBelowTarget",
        "pagerduty-critical",
        "sre-oncall",
        labels=(("priority", "critical"),),
        firing_s=12_030.0,
        fires_within_s=12_300.0,
    )
    sibling = notified("MessageThroughputBelowTarget", labels=(("priority", "low"),), ok=False)
    wide = [in_real_time("a-scenario-with-a-long-name", alerts=(slow, sibling))]
    lines = printed(wide, width=80, force_terminal=True, color_system=None)
    table = lines[: next(i for i, line in enumerate(lines) if line.startswith("All times"))]
    assert max(map(len, table)) <= 80
    assert "…" not in "".join(table)
    for word in ("3h20m30s", "of 3h25m", "{priority=critical}", "pagerduty-critical", "sre-oncall"):
        assert any(word in line for line in table), word


def test_the_hop_that_broke_stands_below_its_alert():
    """And the reason in the list of failures."""
    lines = printed([broken()])
    at = next(index for index, line in enumerate(lines) if line.startswith(" Throughput"))
    assert lines[at].endswith("FAIL")
    assert [line.split()[0] for line in lines[at + 1 : at + 2]] == ["nobody"]
    assert lines[at + 2] == "   broke at alertmanager"
    assert "  bad: Throughput: Alertmanager had it: nobody notified" in lines


def test_the_report_says_how_it_was_judged_and_lists_incidents():
    """Compression, scenario time and stack time; restarts and early ends."""
    lines = printed([in_real_time(notes=("the receiver was started again",))])
    assert (
        "Judged in real time by prometheus 2.42.0, Alertmanager and a webhook receiver, time"
        " compressed 30 times: 20m of scenarios in 2s of stack time"
    ) in lines
    assert "  drop: the receiver was started again" in lines
    assert any("time not compressed" in line for line in printed([in_real_time(compress=1.0)]))
    assert not any("Incidents" in line for line in printed([in_real_time()]))


def test_an_explained_alert_lists_the_receivers_it_notified():
    """It may have paged the person on call."""
    explained = alert(
        "Queue", "explained", firing_s=9.0, reason="x", deliveries=(delivery("pager", 9.0),)
    )
    assert "  drop: Queue: x (notified: pager)" in printed([in_real_time(alerts=(explained,))])


def test_both_clocks_stand_side_by_side():
    """Every difference has a row, those that are not allowed first; the rest is counted."""
    late = difference("resolved", 780.0, 790.1, ok=False, reason="10.1 s later in real time")
    allowed = difference("pending", 210.0, 240.0, allowed_s=45.0)
    lines = printed([in_real_time(clocks=(allowed, difference(), late))])
    assert (
        "  1 of 3 transitions came at the same evaluation in virtual and in real time,"
        " 1 within the allowed difference, 1 not"
    ) in lines
    rows = [line.split() for line in lines if line.startswith(" Throughput")][1:]
    assert rows == [
        ["Throughput", "resolved", "13m", "13m10.1s", "0s", "FAIL"],
        ["Throughput", "pending", "3m30s", "4m", "45s", "ok"],
    ]
    assert in_real_time(clocks=(late,)).verdict == "fail"
    assert in_real_time(clocks=(allowed,)).verdict == "pass"


def test_clocks_that_agree_need_no_table_and_one_clock_no_comparison():
    """A transition within the stored milliseconds is the same evaluation."""
    agreed = printed([in_real_time(clocks=(difference(real_s=510.1),))])
    assert any("1 of 1 transitions came at the same evaluation" in line for line in agreed)
    assert not any("Transition" in line for line in agreed)
    assert "Virtual and real time" not in printed([in_real_time()])


def test_a_transition_on_one_clock_only_is_shown():
    """On the other clock it shows as never."""
    only = difference("firing", 510.0, None, ok=False, reason="in virtual time only")
    (row,) = [line for line in printed([in_real_time(clocks=(only,))]) if " never " in line]
    assert row.split() == ["Throughput", "firing", "8m30s", "never", "0s", "FAIL"]


def test_the_summary_has_every_column():
    """Markdown has room for the condition and the pending state as well."""
    text = summary([in_real_time(clocks=(difference("resolved", 780.0, 800.0, ok=False),))])
    assert (
        "| Throughput | drop | gone, 3m to 12m | 11s | 30s | 5m30s of 7m | 6m1s of 6m26s"
        " | slack-warnings | 10m of 12m | 11m2s | ok |"
    ) in text
    assert "## Virtual and real time\n\n| Alert | Scenario | Transition |" in text
    assert "| Throughput | drop | resolved | 13m | 13m20s | 0s | FAIL |" in text


def test_a_report_of_virtual_time_does_not_mention_receivers():
    """It stays as it is."""
    text = "\n".join(printed([outcome()])) + summary([outcome()])
    for word in ("Notified", "Resolve notified", "slack", "Virtual and real time", "in real time"):
        assert word not in text


def test_junit_names_the_hop_and_has_a_case_for_every_transition():
    """CI systems show the type of a failure."""
    late = difference(ok=False, reason="30.0 s later in real time")
    text = junit([broken(), in_real_time(clocks=(difference(), late), notes=("cut",))])
    root = ET.fromstring(text)  # noqa: S314 - XML that this program wrote
    failures = [(failure.get("type"), failure.get("message")) for failure in root.iter("failure")]
    assert failures == [
        ("alertmanager", "Alertmanager had it: nobody notified"),
        (None, "30.0 s later in real time"),
    ]
    suite = root.find("testsuite[@name='drop']")
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names.count('Throughput{severity="warning"} firing 0 on both clocks') == 2
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert (properties["clock"], properties["compress"]) == ("real", "30")
    assert properties["note"] == "cut"


def test_the_ledger_is_among_the_results(tmp_path):
    """Every notification, by scenario; none for a run in virtual time."""
    folder = Results(tmp_path / "run").save([in_real_time(), outcome("virtual")])
    ledger = json.loads((folder / "notifications.json").read_text())
    assert list(ledger) == ["drop"]
    (notice,) = ledger["drop"]
    assert (notice["receiver"], notice["status"], notice["deliveries"]) == (
        "slack-warnings",
        "firing",
        2,
    )
    assert notice["labels"] == {"alertname": "Throughput", "severity": "warning"}
    assert notice["annotations"] == {"summary": "too few tasks"}
    assert (notice["starts_at_s"], notice["received_s"]) == (1_700_000_017.0, 1_700_000_018.04)
    assert "notifications.json" not in files([outcome()])


def test_a_summary_of_clocks_that_agree_says_so_without_a_table():
    """The sentence stands below its heading; of one clock there is neither."""
    agreed = summary([in_real_time(clocks=(difference(),))])
    heading, sentence = "## Virtual and real time\n\n", "1 of 1 transitions came at the same"
    assert heading + sentence in agreed
    assert heading not in summary([in_real_time()])
