"""The whole way in real time: a receiver that is muted at every hour, another told of no end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.field.routed_alerts import FOLDER


@pytest.mark.long
def test_muted_receivers_and_unsent_ends_fail_with_their_reasons(tmp_path) -> None:
    """Two minutes in real time; the findings are in the verdict as well."""
    files = [FOLDER / name for name in ("leak.yaml", "pool-rules.yaml", "muted-always.yml")]
    scenario, rules, routing = map(str, files)
    options = ["--rules", rules, "--routing", routing, "--out", str(tmp_path)]
    command = [sys.executable, "-m", "agentaskit_sim", "verify", scenario, "--live"]
    run = subprocess.run(
        [*command, "--compress", "10", *options], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stderr
    (outcome,) = json.loads((tmp_path / "verdict.json").read_text())["scenarios"]
    (alert,) = outcome["alerts"]
    assert "duty was never notified (duty: muted by time interval 'always')" in alert["reason"]
    unsent = "send_resolved of its slack_configs is false by default"
    assert f"chat was never notified that it resolved (chat: {unsent})" in alert["reason"]
    findings = "\n".join(outcome["findings"])
    assert "this route to 'duty' is muted at every hour, by time interval 'always'" in findings
    assert "does not send that an alert has resolved" in findings
