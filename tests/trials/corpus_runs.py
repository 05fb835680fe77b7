"""`verify` over a file that nobody here wrote, in a process of its own: what it cost and said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EACH_S = 60.0
"""Real time that a file may take."""
GIVEN_UP_S = 180.0
"""Real time after which a run is ended."""
STATUSES = {0, 1, 2, 3}
"""Every hypothesis holds, one does not, a file is refused, nothing can be said."""
KINDS = {"alert", "record"}
"""What a rule may be."""
CRASHES = ("Traceback (most recent call last)", "internal error")
QUIET = """\
name: quiet
story: Twenty quiet minutes.
seed: 1
duration: 20m
expectations: []
"""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of the command ended; `document` is its verdict, None for a refused file."""

    status: int
    wall_s: float
    cpu_s: float
    said: str
    document: dict[str, Any] | None

    @property
    def scenario(self) -> dict[str, Any]:
        """Return the part of the verdict about the one scenario."""
        assert self.document is not None, self.said
        (scenario,) = self.document["scenarios"]
        return scenario

    def named(self) -> set[str]:
        """Return the subjects of what is not judged."""
        return {item["subject"] for item in self.scenario["not_judged"]}


def verify_quietly(folder: Path, option: str, path: Path) -> Run:
    """Run `verify` over a quiet scenario with a file, as a user does."""
    scenario, said = folder / "quiet.yaml", folder / "said"
    scenario.write_text(QUIET)
    command = [sys.executable, "-m", "agentaskit_sim", "verify", scenario, option, path]
    began_s = time.monotonic()
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*map(str, command), "--out", str(folder / "results")],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        status, cpu_s = _ended(process)
    verdict = folder / "results" / "verdict.json"
    document = json.loads(verdict.read_text()) if verdict.exists() else None
    text = said.read_text(errors="replace")
    return Run(status, time.monotonic() - began_s, cpu_s, text, document)


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for a process; return its status, and the processor time of it and its children."""
    deadline = time.monotonic() + GIVEN_UP_S
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            deadline += GIVEN_UP_S
        time.sleep(0.05)


def check_end(run: Run, record: Callable[[str, object], None]) -> None:
    """Fail unless a run ended in time, with a status that has a meaning and without a crash."""
    for name in ("status", "wall_s", "cpu_s"):
        record(name, getattr(run, name))
    assert run.status in STATUSES, run.said
    assert not any(crash in run.said for crash in CRASHES), run.said
    assert run.wall_s < EACH_S, f"{run.wall_s:.0f} s, {run.cpu_s:.0f} s of it computing"
    assert (run.document is None) == (run.status == 2), run.said
    if run.document is not None:
        assert run.status != 3 or run.scenario["reasons"], run.said


def unnamed_rules(run: Run, groups: list[dict[str, Any]]) -> list[str]:
    """Return the groups and alerts that are neither judged nor named with a reason."""
    named = run.named()
    evaluated = {group["group"] for group in run.scenario["offsets"]["groups"]}
    alerts = {alert["alert"] for alert in run.scenario["alerts"]}
    missing = []
    for group in groups:
        rules = group.get("rules") or ()
        subjects = {f"{kind} {rule[kind]}" for rule in rules for kind in rule.keys() & KINDS}
        if rules and group["name"] not in evaluated and not subjects <= named:
            missing.append(f"group {group['name']}")
        spoken_of = alerts | {name.removeprefix("alert ") for name in named}
        names = (rule["alert"] for rule in rules if "alert" in rule)
        missing += [f"alert {name}" for name in names if name not in spoken_of]
    return missing


def asked(board: dict[str, Any]) -> list[tuple[str, str]]:
    """Return title and expression of every query of a classic dashboard, with those in rows."""
    listed = [*(board.get("panels") or ())]
    for row in board.get("rows") or ():
        listed += row.get("panels") or ()
    listed += [inner for panel in listed for inner in panel.get("panels") or ()]
    return [
        (str(panel.get("title") or f"panel {panel.get('id')}"), target["expr"])
        for panel in listed
        for target in panel.get("targets") or ()
        if isinstance(target, dict) and str(target.get("expr") or "").strip()
    ]


def unnamed_panels(run: Run, board: dict[str, Any]) -> list[str]:
    """Return the panels with an expression that are neither judged nor named with a reason.

    A repeated panel is judged for each of its values, which its name ends in.
    """
    judged = [panel["panel"] for panel in run.scenario["panels"]]
    said = [*run.scenario["findings"], *run.named()]
    return sorted(
        {
            title
            for title, _ in asked(board)
            if not any(name == title or name.startswith(f"{title} (") for name in judged)
            and not any(title in text for text in said)
        }
    )
