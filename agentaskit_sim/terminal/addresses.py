"""The addresses that `up` prints, and the lines that a user's own servers need in their files.

`up` prints them. Text only: nothing is started, asked or written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exporter.server.discovery import TARGETS
from exporter.server.landing import API
from exporter.target import JOB

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEFAULT_WORLD: Final = "http://127.0.0.1:9464"
RECEIVER_PATH: Final = "/agentaskit-sim"
WEBHOOK: Final = "webhook"
BREAK_IT: Final = "agentaskit-sim fault inject sandbox_leak share=0.81 --sandboxes B"


def describe_urls(
    world: str, prometheus: str, alertmanager: str | None, receiver: str
) -> list[str]:
    """Return a line for each server, and how to break the world; Alertmanager may be unknown."""
    urls = {"World": f"{world}/", "Prometheus": f"{prometheus}/alerts"}
    if alertmanager is not None:
        urls["Alertmanager"] = f"{alertmanager}/#/alerts"
    urls |= {"Receiver": receiver, "Fault API": f"{world}{API}/faults"}
    option = "" if world == DEFAULT_WORLD else f" --url {world}"
    return [
        *(f"{what + ':':<14}{url}" for what, url in urls.items()),
        "",
        "Press Ctrl-C to stop. To break something, in another terminal:",
        f"  {BREAK_IT}{option}",
        "",
    ]


def describe_prometheus(world: str, sd_file: Path | None, rules: Sequence[Path]) -> list[str]:
    """Return what a prometheus.yml needs to scrape the world and to evaluate its alerts."""
    discovery = (
        ["    http_sd_configs:", f"      - url: {world}{TARGETS}"]
        if sd_file is None
        else ["    file_sd_configs:", f'      - files: ["{sd_file.absolute()}"]']
    )
    return [
        "In your prometheus.yml:",
        "",
        "rule_files:",
        *(f"  - {path}" for path in rules),
        "scrape_configs:",
        f"  - job_name: {JOB}",
        "    scrape_interval: 15s",
        *discovery,
        "",
    ]


def describe_alertmanager(receiver: str) -> list[str]:
    """Return what an alertmanager.yml needs to send its notifications here as well."""
    return [
        "In your alertmanager.yml, in each receiver whose notifications should be shown here:",
        "",
        "    webhook_configs:",
        f"      - url: {receiver}/{WEBHOOK}",
        "        send_resolved: true",
        "",
    ]
