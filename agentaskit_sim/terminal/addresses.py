"""Where everything of `up` is, and what to write into the files of servers that the user runs."""

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
    """Return a line for each server, and how to break the world; an Alertmanager may be unknown."""
    urls = {"World": f"{world}/", "Prometheus": f"{prometheus}/alerts"}
    if alertmanager is not None:
        urls["Alertmanager"] = f"{alertmanager}/#/alerts"
    urls |= {"Receiver": receiver, "Fault API": f"{world}{API}/faults"}
    where = "" if world == DEFAULT_WORLD else f" --url {world}"
    return [
        *(f"{what + ':':<14}{url}" for what, url in urls.items()),
        "",
        "Press Ctrl-C to stop. To break something, in another terminal:",
        f"  {BREAK_IT}{where}",
        "",
    ]


def describe_prometheus(world: str, sd_file: Path | None, rules: Sequence[Path]) -> list[str]:
    """Return what a prometheus.yml needs for the world to be scraped and its alerts to fire."""
    found = (
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
        *found,
        "",
    ]


def describe_alertmanager(receiver: str) -> list[str]:
    """Return what an alertmanager.yml needs for its notifications to be seen here."""
    return [
        "In your alertmanager.yml, at each receiver whose notifications shall be shown here:",
        "",
        "    webhook_configs:",
        f"      - url: {receiver}/{WEBHOOK}",
        "        send_resolved: true",
        "",
    ]
