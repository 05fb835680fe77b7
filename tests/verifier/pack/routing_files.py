"""A good Alertmanager configuration, and how the tests of routing read and check others."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from verifier.servers.binaries import require

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
route:
  receiver: mail
  group_by: [alertname]
  routes:
    - matchers: [team="db"]
      receiver: page
      group_interval: 1m
receivers:
  - name: mail
    webhook_configs: [{url: http://127.0.0.1/}]
  - name: page
    webhook_configs: [{url: http://127.0.0.1/}]
"""


def receivers(*names: str) -> str:
    """Return a list of receivers, each with a webhook."""
    hook = "webhook_configs: [{url: http://127.0.0.1/}]"
    return "receivers:\n" + "".join(f"  - {{name: {name}, {hook}}}\n" for name in names)


def accepted(config: str, directory: Path) -> bool:
    """Return whether amtool takes a configuration."""
    path = directory / "checked.yml"
    path.write_text(config, encoding="utf-8")
    command = [require("amtool"), "check-config", path]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
