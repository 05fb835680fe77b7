"""The whole of what a check writes, of a pack with something of everything."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from tests.verifier.slo.packs import NOW, OLDER_RULES, edit, older_dashboard
from verifier.slo.check import check
from verifier.slo.report import document, markdown

REPORT = Path(__file__).with_name("whole_report.md")
DOCUMENT = Path(__file__).with_name("whole_report.json")


def write_mixed(pack):
    """Let a pack in older form lack, weaken and contradict one thing each."""
    edit(pack / "slo" / "policies.yaml", "service: agentaskit", "team: x")
    (pack / "alerts" / "slo.yaml").unlink()
    rules = OLDER_RULES.replace("window: slow", "window: long").replace("0.1 <", "0.2 <")
    (pack / "alerts" / "slo.yml").write_text(rules.replace("{summary: tasks}", "{title: tasks}"))
    board = json.loads(older_dashboard(burn_rate=15))
    panels = board["rows"][0]["panels"]
    panels.append({**panels[0], "title": "a|b", "alert": {}})
    (pack / "dashboards" / "older.json").write_text(json.dumps(board))


def without_machine(text, pack):
    """Return what was written without where the pack is and which promtool is here."""
    text = re.sub(r"promtool [^\s\"]*[^\s\".](?: \([^)]*\))?", "promtool", text)
    return text.replace(str(pack), "PACK")


def test_a_report_is_written_whole_as_markdown_and_as_a_document(older):
    """Every figure, place and outcome, in the order of the files."""
    write_mixed(older)
    outcome = check(older, checked_at=NOW)
    assert without_machine(markdown(outcome), older) == REPORT.read_text()
    written = json.loads(without_machine(json.dumps(document(outcome)), older))
    assert written == json.loads(DOCUMENT.read_text())


def test_without_thresholds_on_panels_the_alerts_are_counted_that_the_policy_covers(older):
    """Availability, budget, two latencies and start-up; burn rates have a step of their own."""
    board = json.loads(older_dashboard())
    panels = [{**panel, "alert": {}, "thresholds": []} for panel in board["rows"][0]["panels"]]
    (older / "dashboards" / "older.json").write_text(
        json.dumps({"title": "Bare", "panels": panels})
    )
    step = next(
        step for step in check(older, checked_at=NOW).steps if step.name.startswith("dashboard/")
    )
    counts = "3 panels, 0 thresholds compared with alerts, 5 alerts with the policy"
    assert (step.status, step.reasons) == ("ok", (counts,))


def test_without_readable_alerts_the_policy_is_still_read(older):
    """What it lacks is said; where it lacks nothing, the step is skipped."""
    (older / "alerts" / "slo.yaml").write_text("groups: [")

    def completeness():
        steps = check(older, checked_at=NOW).steps
        return next((s.status, s.reasons) for s in steps if s.name == "completeness")

    assert completeness() == ("skipped", ("the alerts could not be read",))
    path = older / "slo" / "policies.yaml"
    edit(path, "service: agentaskit", "team: x")
    assert completeness() == ("fail", (f"{path}:3:1: the key 'service' is missing",))


def test_a_service_without_a_name_and_a_pack_without_alerts_are_reported_as_such(older):
    """Parts of which there is nothing are left out."""
    outcome = replace(check(older, checked_at=NOW), policy=None, objectives=(), alert_panels=())
    written = markdown(replace(outcome, findings=()))
    assert written.startswith("# SLO compliance of unknown service: ")
    assert "##" not in written
