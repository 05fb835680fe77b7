"""The workflow beside a pack keeps the compliance report, or the step states why it does not."""

from __future__ import annotations

import pytest

from tests.verifier.slo.packs import NOW, PACK
from verifier.slo.check import check

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


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("right", "wrong", "status", "reason"),
    [
        ("days: 30", "days: 30", "ok", "slo.yml keeps it 30 days or longer"),
        ("days: 30", "days: 90", "ok", "slo.yml keeps it 30 days or longer"),
        ("days: 30", "days: 7", "fail", "slo.yml:8:27: retention-days must be at least 30, got 7"),
        (
            "retention-days: 30",
            "name: report",
            "fail",
            "retention-days must be at least 30, got nothing",
        ),
        ("actions/upload-artifact@v4", "actions/cache@v4", "fail", "never uploads its report"),
        ("slo check", "doctor", "not seen", "no workflow in"),
        ("jobs:", "jobs: [", "fail", "this is not YAML"),
    ],
)
def test_the_workflow_that_runs_the_check_must_keep_its_report(
    pack, right, wrong, *, status, reason
):
    """Read from the workflow beside the pack."""
    folder = pack.parent / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "slo.yml").write_text(WORKFLOW.replace(right, wrong))
    step = check(pack, checked_at=NOW).steps[9]
    assert step.status == status
    assert reason in step.reasons[0]


def test_this_repository_keeps_its_own_report_30_days():
    """Its workflow runs every 30 minutes and on every change of what is checked."""
    step = check(PACK, checked_at=NOW).steps[9]
    assert step.status == "ok"
    text = (PACK.parent / ".github" / "workflows" / "slo-check.yml").read_text()
    assert 'cron: "*/30 * * * *"' in text
    for watched in ("slo", "alerts", "dashboards"):
        assert text.count(f"- observability/{watched}/**") == 2
