"""The SLO check: ten steps over a pack's policy, alert rules and dashboards.

Called by `agentaskit-sim slo check`. A defect of the pack is a failed step with its place, never
an exception; what cannot be seen from here (no git checkout, no workflow) is said plainly and is
no failure. It reads the pack and asks promtool and git; it writes nothing: the report is written
by the caller, who adds that step with `reported`.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from documents.mistakes import InputError
from documents.yaml_reader import load
from verifier.pack.dashboards import load_dashboards
from verifier.pack.rules import load_rules
from verifier.servers.binaries import describe, require
from verifier.slo.alignment import (
    Objective,
    budget_differences,
    differences,
    objectives,
    unguarded,
)
from verifier.slo.panels import AlertPanels, draw, panel_differences
from verifier.slo.policy import read_policy
from verifier.slo.retention import look_for_retention
from verifier.slo.traps import find_other_stories, find_traps

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from verifier.errors import Finding
    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.slo.policy import Policy, Reading

Status = Literal["ok", "fail", "not seen", "skipped"]

POLICY: Final = "slo/policies.yaml"
STEPS: Final = (
    "checkout",
    "policy exists",
    "tooling",
    "policy syntax",
    "alert syntax",
    "completeness",
    "burn-rate thresholds",
    "dashboard/alert alignment",
    "compliance report",
    "report kept 30 days",
)
_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the check: its outcome, and a line for each reason."""

    name: str
    status: Status
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """An objective, the alerts that guard it, and whether they say what the policy says."""

    objective: Objective
    alerts: tuple[AlertRule, ...]
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """The outcome of a check. `policy` is None when the file could not be read."""

    pack: str
    checked_at: datetime
    engine: str
    steps: tuple[Step, ...]
    policy: Policy | None
    guards: tuple[Guard, ...]
    drawn: tuple[AlertPanels, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no step failed."""
        return all(step.status in ("ok", "not seen") for step in self.steps)

    def reported(self, step: Step) -> Compliance:
        """Return the same outcome with the step of that name replaced."""
        steps = tuple(step if one.name == step.name else one for one in self.steps)
        return replace(self, steps=steps)


def check(pack: Path, *, checked_at: datetime) -> Compliance:
    """Check the pack in directory `pack`.

    Raises InputError when `pack` is no directory and JudgeError when promtool is missing.
    """
    if not pack.is_dir():
        raise InputError("a pack must be a directory that is there", path=str(pack))
    promtool = require("promtool")
    found = describe("promtool")
    engine = f"promtool {found.version if found else 'of unknown version'}"
    checking = _Checking(pack)
    steps = (
        checking.checkout(),
        checking.policy_exists(),
        Step(STEPS[2], "ok", (f"{engine} ({promtool})",)),
        checking.policy_syntax(),
        checking.alert_syntax(promtool),
        checking.completeness(),
        checking.burn_rates(),
        checking.alignment(),
        Step(STEPS[8], "skipped", ("not written yet",)),
        _retention(pack),
    )
    return Compliance(
        pack=str(pack),
        checked_at=checked_at,
        engine=engine,
        steps=steps,
        policy=checking.reading.policy if checking.reading else None,
        guards=checking.guards(),
        drawn=tuple(checking.drawn),
        findings=tuple(checking.findings),
    )


class _Checking:
    """What the steps of one check learn from each other; each method is a step, in order."""

    def __init__(self, pack: Path) -> None:
        self.pack = pack
        self.reading: Reading | None = None
        self.rules: RuleFiles | None = None
        self.drawn: list[AlertPanels] = []
        self.findings: list[Finding] = []

    def checkout(self) -> Step:
        commit = _git(self.pack, "rev-parse", "--short", "HEAD")
        if commit is None:
            reason = f"git sees no checkout at {self.pack}: judged as the files are"
            return Step(STEPS[0], "not seen", (reason,))
        changed = len((_git(self.pack, "status", "--porcelain", "--", ".") or "").splitlines())
        state = f"{changed} files of the pack changed since" if changed else "pack unchanged"
        return Step(STEPS[0], "ok", (f"commit {commit}, {state}",))

    def policy_exists(self) -> Step:
        path = self.pack / POLICY
        return _step(1, [] if path.is_file() else [f"{path}: no such file"], str(path))

    def policy_syntax(self) -> Step:
        if not (self.pack / POLICY).is_file():
            return _skip(3, "there is no policy")
        try:
            self.reading = read_policy(load(self.pack / POLICY))
        except InputError as error:
            return _step(3, str(error).splitlines())
        return _step(3, list(map(str, self.reading.invalid)), "valid YAML, every value usable")

    def alert_syntax(self, promtool: Path) -> Step:
        files = _files(self.pack / "alerts", ".yaml", ".yml")
        if not files:
            return _step(4, [f"{self.pack / 'alerts'}: no alert file (*.yaml) is there"])
        try:
            rules = load_rules(files)
        except InputError as error:
            return _step(4, str(error).splitlines())
        run = subprocess.run(
            [promtool, "check", "rules", *files],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if run.returncode != 0:
            said = [line.strip() for line in run.stderr.splitlines() if line.strip()]
            return _step(4, [line for line in said if line != "FAILED:"])
        self.rules = rules
        self.findings += find_traps(rules)
        return _step(4, [], f"{len(rules.alerts)} alerts in {len(files)} files, by promtool too")

    def completeness(self) -> Step:
        if self.reading is None:
            return _skip(5, "the policy could not be read")
        problems = list(map(str, self.reading.missing))
        if self.rules is None:
            return _step(5, problems) if problems else _skip(5, "the alerts could not be read")
        problems += unguarded(self.reading.policy, self.rules)
        problems += [
            str(rule.position.error(f"{rule.alert} lacks {name}"))
            for _, rule in self.rules.alerts
            for name, pairs in (("severity", rule.labels), ("summary", rule.annotations))
            if name not in dict(pairs)
        ]
        policy = self.reading.policy
        return _step(5, problems, f"target {policy.target_percent} %, every objective is guarded")

    def burn_rates(self) -> Step:
        if self.reading is None or self.rules is None:
            return _skip(6, "policy or alerts could not be read")
        policy, rules = self.reading.policy, self.rules
        windows = [one for one in objectives(policy) if one.range_s is not None]
        problems = [line for one in windows for line in differences(policy, rules, one)]
        if not windows and not problems:
            return _skip(6, "the policy has no usable window")
        stated = ", ".join(f"{one.name.split()[-1]} {one.stated}" for one in windows)
        return _step(6, problems, f"rules and policy agree: {stated}")

    def alignment(self) -> Step:
        files = _files(self.pack / "dashboards", ".json")
        if not files:
            return _step(7, [f"{self.pack / 'dashboards'}: no dashboard (*.json) is there"])
        try:
            panels = load_dashboards(files).panels
        except InputError as error:
            return _step(7, str(error).splitlines())
        if self.reading is None or self.rules is None:
            return _skip(7, "policy or alerts could not be read")
        policy, rules = self.reading.policy, self.rules
        others = [one for one in objectives(policy) if one.range_s is None]
        problems = [line for one in others for line in differences(policy, rules, one)]
        problems += budget_differences(policy, rules)
        self.drawn = draw(rules, panels)
        self.findings += find_other_stories(self.drawn)
        problems += panel_differences(self.drawn)
        count = sum(bool(own) for one in self.drawn for _, _, own in one.panels)
        return _step(7, problems, f"{len(panels)} panels, {count} thresholds compared with alerts")

    def guards(self) -> tuple[Guard, ...]:
        if self.reading is None or self.rules is None:
            return ()
        policy, rules = self.reading.policy, self.rules
        return tuple(
            Guard(
                one,
                alerts := tuple(one.guards(rules)),
                bool(alerts) and not differences(policy, rules, one),
            )
            for one in objectives(policy)
        )


def _step(index: int, problems: list[str], reason: str = "") -> Step:
    return Step(STEPS[index], "fail" if problems else "ok", tuple(problems or [reason]))


def _skip(index: int, reason: str) -> Step:
    return Step(STEPS[index], "skipped", (reason,))


def _retention(pack: Path) -> Step:
    seen, reasons = look_for_retention(pack)
    return Step(STEPS[9], seen, reasons)


def _files(folder: Path, *endings: str) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in endings and path.is_file())


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says, None when there is no git or no checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    run = subprocess.run(
        [git, "-C", folder, *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return run.stdout.strip() if run.returncode == 0 else None
