"""The addresses that `up` prints, and the lines that a user's own servers need in their files.

`up` prints them. Text only: nothing is started, asked or written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentaskit_sim.front.typed import command_line
from exporter.server.discovery import TARGETS
from exporter.server.landing import API
from exporter.target import JOB

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEFAULT_WORLD: Final = "http://127.0.0.1:9464"
RECEIVER_PATH: Final = "/agentaskit-sim"
WEBHOOK: Final = "webhook"
BREAK_IT: Final = ("fault", "inject", "sandbox_leak", "share=0.81", "--sandboxes", "B")
"""A fault that shows within seconds, as words of this program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everything around a world is; `alertmanager` is None when only the user knows it.

    `amtool` shows the alerts of an Alertmanager without a page. `token_file` is what a fault by
    hand needs.
    """

    world: str
    prometheus: str
    alertmanager: str | None
    receiver: str
    amtool: str | None = None
    token_file: Path | None = None


def describe_addresses(addresses: Addresses) -> list[str]:
    """Return a line for each server, and how to break the world."""
    world = addresses.world
    urls = {"World": f"{world}/", "Prometheus": addresses.prometheus}
    if addresses.alertmanager is not None:
        urls["Alertmanager"] = addresses.alertmanager
    urls |= {"Receiver": addresses.receiver, "Fault API": f"{world}{API}/faults"}
    words = [*BREAK_IT]
    if world != DEFAULT_WORLD:
        words += ["--url", world]
    if addresses.token_file is not None:
        words += ["--token-file", str(addresses.token_file)]
    lines = [f"{what + ':':<14}{url}" for what, url in urls.items()]
    if addresses.amtool is not None:
        lines += ["", "This Alertmanager has no web page. Its alerts, in another terminal:"]
        lines += [f"  {addresses.amtool}"]
    return [
        *lines,
        "",
        "Press Ctrl-C to stop. To break something, in another terminal:",
        f"  {command_line(*words)}",
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
