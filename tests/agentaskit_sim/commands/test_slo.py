"""`agentaskit-sim slo check` as a person or a workflow runs it: output, files, exit statuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentaskit_sim.commands import slo
from documents.mistakes import Place
from verifier.slo.measurement.burns import Burn
from verifier.slo.measurement.measure import (
    MeasuredBurn,
    Measurement,
    NothingToMeasureError,
    Response,
    measured_rules,
)

ROOT = Path(__file__).resolve().parents[3]
PACK = ROOT / "observability"


@pytest.fixture
def run(command, monkeypatch):
    """Return a function that runs the command in an empty directory, with variables of a shell."""

    def check(*arguments, **variables):
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        return command("slo", "check", *arguments)

    return check


def test_the_bundled_pack_passes_and_its_report_is_written(run, tmp_path):
    """Exit status 0, a line for each step, the report where it says."""
    done = run()
    assert done.status == 0, done.out + done.err
    assert done.err == ""
    assert done.out.endswith("Report: results/slo-compliance.md\nPASS\n")
    assert "dashboard/alert alignment" in done.out
    report = (tmp_path / "results" / "slo-compliance.md").read_text()
    assert report.startswith("# SLO compliance of agentaskit: pass\n")
    assert "| 9 | compliance report | ok | results/slo-compliance.md |" in report
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["slo-compliance.md"]


def test_a_defect_fails_by_name_and_is_reported_all_the_same(run, tmp_path):
    """Exit status 1, the step in the last line, the place in the table and in the report."""
    shutil.copytree(PACK, tmp_path / "pack")
    policy = tmp_path / "pack" / "slo" / "policies.yaml"
    policy.write_text(policy.read_text().replace("target: 99.9 ", "target: 99 "))
    done = run("pack", "--report", "report.md")
    assert done.status == 1
    assert "FAIL: completeness, burn-rate thresholds, dashboard/alert alignment" in done.out
    assert "slo/policies.yaml:6:11: availability.target must be at least 99.9, got 99" in done.out
    assert "must be at least 99.9, got 99" in (tmp_path / "report.md").read_text()


def test_json_is_one_document_on_a_clean_stdout(run):
    """Steps, budget, objectives, panels, findings."""
    done = run(PACK, "--json")
    assert done.status == 0
    document = json.loads(done.out)
    assert document["verdict"] == "pass"
    assert [step["status"] for step in document["steps"]] == ["ok"] * 10
    assert document["budget"]["full_outage_exhaustion_s"] == 2592
    assert {objective["agrees"] for objective in document["objectives"]} == {True}
    assert document["engine"].startswith("promtool ")


def test_in_a_workflow_the_report_is_added_to_its_summary(run, tmp_path):
    """Appended: other steps write there too."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = run(PACK, GITHUB_STEP_SUMMARY=str(summary))
    assert done.status == 0
    report = (tmp_path / "results" / "slo-compliance.md").read_text()
    assert summary.read_text() == "before\n" + report
    assert "and the summary of the workflow" in report


def test_a_report_that_cannot_be_written_fails_that_step(run, tmp_path):
    """Nothing half written is left."""
    (tmp_path / "results").write_text("a file in the way")
    done = run(PACK)
    assert done.status == 1
    assert "FAIL: compliance report" in done.out
    assert "cannot be written" in done.out


@pytest.mark.sampled(1)
@pytest.mark.parametrize("arguments", [("nowhere",), ("--report", "."), ("--unknown",)])
def test_a_wrong_argument_is_status_2_without_a_traceback(run, arguments):
    """One line with what is wrong."""
    done = run(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err


def test_without_promtool_nothing_is_judged(run, tmp_path):
    """Exit status 3 and how to get it."""
    done = run(PATH=str(tmp_path), AGENTASKIT_SIM_TOOLS=str(tmp_path))
    if "promtool" not in done.err:
        pytest.skip("promtool is in the project's own .tools")
    assert done.status == 3
    assert "make setup" in done.err
    assert not (tmp_path / "results").exists()


BURN = Burn("total outage, short", 1000.0, 300.0, 1200.0, is_outage=True)


def measure_like(monkeypatch, tmp_path, measured):
    """Run the command with `--measure` in this process, the measurement itself replaced."""
    monkeypatch.setattr("verifier.slo.measurement.measure.measure", measured)
    monkeypatch.chdir(tmp_path)
    return CliRunner().invoke(slo.app, ["check", str(PACK), "--measure", "--json"])


def measured_with(fired_s):
    """Return a measurement in which every alert fired after so long, None for never."""

    def measure(_, rules, notify):
        notify(1, 1, BURN)
        responses = tuple(
            Response(rule, fired_s=fired_s, spent_share=None if fired_s is None else 0.08)
            for _, rule in measured_rules(rules).alerts
        )
        return Measurement((MeasuredBurn(BURN, 1000.0, 1e4, 0.116, responses),), "2.42.0")

    return measure


def test_measured_burns_are_an_eleventh_step_and_a_part_of_every_output(monkeypatch, tmp_path):
    """Progress on standard error, one document on standard output, a section of the report."""
    done = measure_like(monkeypatch, tmp_path, measured_with(60.0))
    assert done.exit_code == 0, done.output
    written = json.loads(done.stdout)
    assert written["steps"][-1]["step"] == "burns as measured"
    assert written["steps"][-1]["reasons"] == [
        "1 burn, 7 alerts: each fires in time, and none below its rate"
    ]
    [burn] = written["measurement"]["burns"]
    assert {alert["fired_s"] for alert in burn["alerts"]} == {60.0}
    assert written["measurement"]["broken"] == []
    assert "[1/1] measuring a burn: total outage, short" in done.stderr
    assert "## Burns as measured" in (tmp_path / "results" / "slo-compliance.md").read_text()


def test_an_alert_that_never_fires_fails_the_check_by_name(monkeypatch, tmp_path):
    """Though policy and rules agree."""
    done = measure_like(monkeypatch, tmp_path, measured_with(None))
    assert done.exit_code == 1
    reasons = json.loads(done.stdout)["steps"][-1]["reasons"]
    assert len(reasons) == 7
    assert any("slo.yaml:39:15: FastBurnRateHigh never fires, in none of" in r for r in reasons)


def test_a_rule_that_the_engine_refuses_fails_the_measurement_with_its_place(monkeypatch, tmp_path):
    """The other ten steps are told all the same."""

    def refuse(*_):
        raise Place("rules.yaml", 3, 4).error("Prometheus cannot evaluate expr")

    done = measure_like(monkeypatch, tmp_path, refuse)
    assert done.exit_code == 1
    written = json.loads(done.stdout)
    assert written["steps"][-1]["reasons"] == ["rules.yaml:3:4: Prometheus cannot evaluate expr"]
    assert written["measurement"] is None


def test_what_cannot_be_measured_is_skipped_and_the_other_steps_are_told(monkeypatch, tmp_path):
    """A pack on metrics that the built-in world has not; that is no pass."""

    def refuse(*_):
        raise NothingToMeasureError("no alert reads the requests of the world")

    done = measure_like(monkeypatch, tmp_path, refuse)
    assert done.exit_code == 1
    last = json.loads(done.stdout)["steps"][-1]
    assert last["status"] == "skipped"
    assert last["reasons"] == ["no alert reads the requests of the world"]


def test_without_a_policy_nothing_is_measured_and_that_is_said(monkeypatch, tmp_path):
    """A step that was left out is no pass."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PACK, tmp_path / "pack")
    (tmp_path / "pack" / "slo" / "policies.yaml").unlink()
    done = CliRunner().invoke(slo.app, ["check", "pack", "--measure", "--json"])
    assert done.exit_code == 1
    last = json.loads(done.stdout)["steps"][-1]
    assert (last["step"], last["status"]) == ("burns as measured", "skipped")


@pytest.mark.long
def test_a_measurement_ends_at_ctrl_c_with_130_and_leaves_nothing(tmp_path):
    """The server that was running ends too, and no report is written."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agentaskit_sim", "slo", "check", "--measure"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "[1/" in line:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == ""
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
