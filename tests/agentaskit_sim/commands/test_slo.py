"""`agentaskit-sim slo check` as a person or a workflow runs it: output, files, exit statuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACK = ROOT / "observability"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the command in an empty directory."""

    def command(*arguments, **variables):
        environment = {k: v for k, v in os.environ.items() if k != "GITHUB_STEP_SUMMARY"}
        environment |= {"PYTHONPATH": str(ROOT), **variables}
        return subprocess.run(
            [sys.executable, "-m", "agentaskit_sim", "slo", "check", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


def test_the_bundled_pack_passes_and_its_report_is_written(run, tmp_path):
    """Exit status 0, a line for each step, the report where it says."""
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.endswith("Report: results/slo-compliance.md\nPASS\n")
    assert "dashboard/alert alignment" in done.stdout
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
    assert done.returncode == 1
    assert "FAIL: completeness, burn-rate thresholds, dashboard/alert alignment" in done.stdout
    assert (
        "slo/policies.yaml:6:11: availability.target must be at least 99.9, got 99" in done.stdout
    )
    assert "must be at least 99.9, got 99" in (tmp_path / "report.md").read_text()


def test_json_is_one_document_on_a_clean_stdout(run):
    """Steps, budget, objectives, panels, findings."""
    done = run(PACK, "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
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
    assert done.returncode == 0
    report = (tmp_path / "results" / "slo-compliance.md").read_text()
    assert summary.read_text() == "before\n" + report
    assert "and the summary of the workflow" in report


def test_a_report_that_cannot_be_written_fails_that_step(run, tmp_path):
    """Nothing half written is left."""
    (tmp_path / "results").write_text("a file in the way")
    done = run(PACK)
    assert done.returncode == 1
    assert "FAIL: compliance report" in done.stdout
    assert "cannot be written" in done.stdout


@pytest.mark.parametrize("arguments", [("nowhere",), ("--report", "."), ("--unknown",)])
def test_a_wrong_argument_is_status_2_without_a_traceback(run, arguments):
    """One line with what is wrong."""
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_without_promtool_nothing_is_judged(run, tmp_path):
    """Exit status 3 and how to get it."""
    done = run(PATH=str(tmp_path), AGENTASKIT_SIM_TOOLS=str(tmp_path))
    if "promtool" not in done.stderr:
        pytest.skip("promtool is in the project's own .tools")
    assert done.returncode == 3
    assert "make setup" in done.stderr
    assert not (tmp_path / "results").exists()
