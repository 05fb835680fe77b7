"""The workflow beside a pack keeps the compliance report, or the step states why it does not."""

from __future__ import annotations

from os.path import relpath

import pytest

from tests.verifier.slo.packs import NOW, PACK
from verifier.slo.check import check
from verifier.slo.retention import check_retention

WORKFLOW = """\
on: push
jobs:
  slo:
    steps:
      - run: agentaskit-sim slo check
      - uses: actions/upload-artifact@v4
        with:
          retention-days: 30
"""
SHORT = "slo.yml:8:27: retention-days must be at least 30, got"
MISSING = "retention-days must be at least 30, got nothing"
SECOND_UPLOAD = """\
      - uses: actions/upload-artifact@v4
        with: {retention-days: 31}
"""


@pytest.fixture
def folder(tmp_path):
    """Return the folder of workflows above an empty pack."""
    (tmp_path / "pack").mkdir()
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    return workflows


def retention(folder):
    """Return status and reasons of the step for the pack beside workflows."""
    step = check_retention(folder.parent.parent / "pack")
    assert step.name == "report kept 30 days"
    return step.status, step.reasons


@pytest.mark.parametrize(
    ("right", "wrong", "status", "reason"),
    [
        ("days: 30", "days: 30", "ok", "slo.yml keeps it 30 days or longer"),
        ("days: 30", "days: 90", "ok", "slo.yml keeps it 30 days or longer"),
        ("days: 30", "days: 29", "fail", f"{SHORT} 29"),
        ("days: 30", "days: 7", "fail", f"{SHORT} 7"),
        ("retention-days: 30", "name: report", "fail", MISSING),
        ("with:\n          retention-days: 30", "with: report", "fail", MISSING),
        ("days: 30\n", f"days: 7\n{SECOND_UPLOAD}", "ok", "keeps it 30 days or longer"),
        ("actions/upload-artifact@v4", "actions/cache@v4", "fail", "slo.yml:1:1: the workflow"),
        ("actions/upload-artifact@v4", "my/actions/upload-artifact@v4", "fail", "never uploads"),
        ("slo check", "doctor", "not seen", "runs `slo check`: it cannot be checked here"),
        ("run:", "name:", "not seen", "no workflow in"),
        ("steps:", "stages:", "not seen", "no workflow in"),
        ("jobs:", "tasks:", "not seen", "no workflow in"),
        ("jobs:", "jobs: [", "fail", "this is not YAML"),
    ],
)  # fmt: skip
def test_the_workflow_that_runs_the_check_must_keep_its_report(
    folder, right, wrong, *, status, reason
):
    """In one of its uploads at least; read from the workflow beside the pack."""
    assert right in WORKFLOW
    (folder / "slo.yml").write_text(WORKFLOW.replace(right, wrong))
    own_status, (own_reason,) = retention(folder)
    assert own_status == status
    assert reason in own_reason


def test_of_several_workflows_one_that_keeps_the_report_is_enough(folder):
    """Of either ending; without one, everything that is wrong is said, in order."""
    short = WORKFLOW.replace("days: 30", "days: 7")
    (folder / "a.yaml").write_text(short)
    (folder / "b.yml").write_text("on: push\n")
    (folder / "c.yml").write_text(short.replace("days: 7", "days: 8"))
    status, reasons = retention(folder)
    assert (status, [reason.rpartition("/")[2] for reason in reasons]) == (
        "fail",
        [f"{name}:8:27: retention-days must be at least 30, got {days}"
         for name, days in (("a.yaml", 7), ("c.yml", 8))],
    )  # fmt: skip
    (folder / "d.yaml").write_text(WORKFLOW)
    path = f"{relpath(folder)}/d.yaml"
    assert retention(folder) == ("ok", (f"{path} keeps it 30 days or longer",))


def test_a_workflow_that_is_no_yaml_is_named_beside_the_others(folder):
    """It may be the one; and is not asked where another keeps the report."""
    (folder / "a.yml").write_text("jobs: [")
    (folder / "b.yml").write_text(WORKFLOW.replace("days: 30", "days: 7"))
    status, reasons = retention(folder)
    assert (status, len(reasons)) == ("fail", 2)
    (folder / "b.yml").write_text(WORKFLOW)
    assert retention(folder)[0] == "ok"


def test_workflows_are_looked_for_up_to_the_root_of_the_repository(folder):
    """Those above it belong to another one; a root may be a file of a linked checkout."""
    pack = folder.parent.parent / "pack"
    (folder / "slo.yml").write_text(WORKFLOW)
    assert retention(folder)[0] == "ok"
    for make in ("mkdir", "touch"):
        getattr(pack / ".git", make)()
        missing = f"no .github/workflows in {pack} or above: it cannot be checked here"
        assert retention(folder) == ("not seen", (missing,))
        own = pack / ".github" / "workflows"
        own.mkdir(parents=True)
        (own / "slo.yml").write_text(WORKFLOW)
        assert retention(folder)[0] == "ok"
        (own / "slo.yml").unlink()
        own.rmdir()
        own.parent.rmdir()
        (pack / ".git").rmdir() if make == "mkdir" else (pack / ".git").unlink()


def test_this_repository_keeps_its_own_report_30_days():
    """Its workflow runs every 30 minutes and on every change of what is checked."""
    step = check(PACK, checked_at=NOW).steps[9]
    assert step.status == "ok"
    text = (PACK.parent / ".github" / "workflows" / "slo-check.yml").read_text()
    assert 'cron: "*/30 * * * *"' in text
    for watched in ("slo", "alerts", "dashboards"):
        assert text.count(f"- observability/{watched}/**") == 2
