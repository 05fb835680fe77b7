"""The SLO check: ten steps over a pack's policy, alert rules and dashboards.

Called by `agentaskit-sim slo check`. A defect of the pack is a failed step with its place, never
an exception; a step whose input could not be read is skipped. It reads the pack and asks promtool
and git; it writes nothing: the report is written by the caller, who puts that step in with
`Compliance.with_step`.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.files import files_below, read_text
from documents.mistake_kinds import BrokenRule, Shown
from documents.mistakes import InputError, Place
from documents.yaml_reader import YAML_BYTES_MAX, load
from verifier.dashboards.reader import load_dashboards
from verifier.errors import Finding
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.binaries import describe, require
from verifier.servers.child_environment import child_environment
from verifier.slo.alignment import budget_differences, differences, request_differences
from verifier.slo.compliance import (
    ALERT_SYNTAX,
    ALIGNMENT,
    BURN_RATES,
    CHECKOUT,
    COMPLETENESS,
    POLICY_EXISTS,
    POLICY_SYNTAX,
    REPORT,
    TOOLING,
    Compliance,
    ObjectiveAlerts,
    Step,
    outcome,
    skipped,
)
from verifier.slo.disagreements import MissingPart
from verifier.slo.objectives import budget_rules, objectives, objectives_without_alert
from verifier.slo.panels import panel_differences, panels_of_alerts
from verifier.slo.policy import foreign_form, read_policy
from verifier.slo.retention import check_retention
from verifier.slo.sentences import findings, lines
from verifier.slo.traps import histogram_traps, rule_traps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from verifier.pack.panels import Panel
    from verifier.pack.rules import RuleFiles
    from verifier.slo.disagreements import Disagreement
    from verifier.slo.objectives import Objective
    from verifier.slo.panels import AlertPanels
    from verifier.slo.policy import Policy, PolicyReading

POLICY: Final = "slo/policies.yaml"
_TIMEOUT_S: Final = 60
"""For promtool and git, which answer within a second: only a broken one takes longer."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Policy, rules and panels of a pack as far as they could be read; panels need the others."""

    policy: Policy
    rules: RuleFiles
    alert_panels: tuple[AlertPanels, ...]


def check(pack: Path, *, checked_at: datetime) -> Compliance:
    """Check the pack in directory `pack`.

    Raises InputError when `pack` is no directory and JudgeError when promtool is missing.
    """
    if not pack.is_dir():
        raise InputError("a pack must be an existing directory", path=str(pack))
    promtool = require("promtool")
    binary = describe("promtool")
    engine = f"promtool {binary.version if binary else 'of unknown version'}"
    policy_syntax, reading = _read_policy(pack)
    alert_syntax, rules = _read_alerts(pack)
    unreadable, panels = _read_panels(pack)
    comparison = None
    if reading is not None and rules is not None:
        alert_panels = () if panels is None else tuple(panels_of_alerts(rules, panels))
        comparison = Comparison(reading.policy, rules, alert_panels)
    return Compliance(
        pack=str(pack),
        checked_at=checked_at,
        engine=engine,
        steps=(
            _checkout(pack),
            _policy_exists(pack),
            Step(TOOLING, "ok", (f"{engine} ({promtool})",)),
            policy_syntax,
            alert_syntax,
            _completeness(reading, rules),
            _burn_rates(comparison),
            unreadable or _alignment(comparison, len(panels or ())),
            Step(REPORT, "skipped", ("not written yet",)),
            check_retention(pack),
        ),
        policy=reading.policy if reading else None,
        objectives=_objectives(comparison),
        alert_panels=comparison.alert_panels if comparison else (),
        findings=_findings(rules, comparison),
        rules=rules,
    )


def _read_policy(pack: Path) -> tuple[Step, PolicyReading | None]:
    if not (pack / POLICY).is_file():
        return skipped(POLICY_SYNTAX, "there is no policy"), None
    try:
        _refuse_foreign(pack / POLICY)
        reading = read_policy(load(pack / POLICY))
    except InputError as error:
        return outcome(POLICY_SYNTAX, str(error).splitlines()), None
    invalid = list(map(str, reading.invalid))
    return outcome(POLICY_SYNTAX, invalid, "valid YAML, every value usable"), reading


def _refuse_foreign(path: Path) -> None:
    """Raise InputError for a policy in the form of another tool, which states other things."""
    form = foreign_form(read_text(path, bytes_max=YAML_BYTES_MAX))
    if form is not None:
        rule = "state service, availability, latency and startup_time (docs/slo.md)"
        raise Place(str(path), 1, 1).error(BrokenRule("a policy", rule, Shown(form, form)))


def _read_alerts(pack: Path) -> tuple[Step, RuleFiles | None]:
    files = _files(pack / "alerts", ".yaml", ".yml")
    if not files:
        return outcome(ALERT_SYNTAX, [f"{pack / 'alerts'}: contains no alert files (*.yaml)"]), None
    try:
        rules = load_checked_rules(files)
    except InputError as error:
        return outcome(ALERT_SYNTAX, str(error).splitlines()), None
    alerts, where = amount(len(rules.alerts), "alerts"), amount(len(files), "files")
    counts = f"{alerts} in {where}, as the engine says too"
    return outcome(ALERT_SYNTAX, [], counts), rules


def _read_panels(pack: Path) -> tuple[Step | None, Sequence[Panel] | None]:
    """Return the panels, or the failed step when there are none to be read."""
    files = _files(pack / "dashboards", ".json")
    if not files:
        return outcome(ALIGNMENT, [f"{pack / 'dashboards'}: contains no dashboards (*.json)"]), None
    try:
        return None, load_dashboards(files).panels
    except InputError as error:
        return outcome(ALIGNMENT, str(error).splitlines()), None


def _checkout(pack: Path) -> Step:
    commit = _git(pack, "rev-parse", "--short", "HEAD")
    if commit is None:
        reason = f"{pack} is not in a git checkout: the files are checked as they are"
        return Step(CHECKOUT, "not seen", (reason,))
    changed = len((_git(pack, "status", "--porcelain", "--", ".") or "").splitlines())
    state = f"{amount(changed, 'files')} of the pack changed since" if changed else "pack unchanged"
    return Step(CHECKOUT, "ok", (f"commit {commit}, {state}",))


def _policy_exists(pack: Path) -> Step:
    path = pack / POLICY
    return outcome(POLICY_EXISTS, [] if path.is_file() else [f"{path}: no such file"], str(path))


def _completeness(reading: PolicyReading | None, rules: RuleFiles | None) -> Step:
    if reading is None:
        return skipped(COMPLETENESS, "the policy could not be read")
    problems = list(map(str, reading.missing))
    if rules is None:
        reason = "the alerts could not be read"
        return outcome(COMPLETENESS, problems) if problems else skipped(COMPLETENESS, reason)
    problems += lines(objectives_without_alert(reading.policy, rules))
    problems += lines(
        MissingPart(rule.position, rule.alert, name)
        for _, rule in rules.alerts
        for name, pairs in (("severity", rule.labels), ("summary", rule.annotations))
        if name not in dict(pairs)
    )
    target = f"target {reading.policy.target_percent} %"
    return outcome(COMPLETENESS, problems, f"{target}, every objective has an alert")


def _burn_rates(comparison: Comparison | None) -> Step:
    if comparison is None:
        return skipped(BURN_RATES, "policy or alerts could not be read")
    policy, rules = comparison.policy, comparison.rules
    windows = [objective for objective in objectives(policy) if objective.range_s is not None]
    problems = [line for window in windows for line in lines(differences(policy, rules, window))]
    if not windows and not problems:
        return skipped(BURN_RATES, "the policy has no usable window")
    compared = [window for window in windows if window.alerts(rules)]
    if not compared and not problems:
        return skipped(BURN_RATES, f"no alert has the labels of a window: {_labelled(windows)}")
    stated = ", ".join(f"{window.labels['window']} {window.stated}" for window in compared)
    others = [window for window in windows if window not in compared]
    unseen = f"; not compared, for no alert has its labels: {_labelled(others)}" if others else ""
    return outcome(BURN_RATES, problems, f"rules and policy agree: {stated}{unseen}")


def _labelled(stated: Sequence[Objective]) -> str:
    """Return the labels by which the alerts of objectives are found."""
    return " or ".join(
        ", ".join(f"{name}={text}" for name, text in each.labels.items()) for each in stated
    )


def _alignment(comparison: Comparison | None, panel_count: int) -> Step:
    if comparison is None:
        return skipped(ALIGNMENT, "policy or alerts could not be read")
    policy, rules = comparison.policy, comparison.rules
    problems: list[Disagreement] = []
    compared = len(budget_rules(rules)) if policy.budget is not None else 0
    for objective in objectives(policy):
        if objective.range_s is None:
            problems += differences(policy, rules, objective)
            compared += len(objective.alerts(rules))
    problems += budget_differences(policy, rules)
    problems += request_differences(policy, rules)
    problems += panel_differences(comparison.alert_panels)
    shown = [panel for alert in comparison.alert_panels for panel in alert.panels]
    count = sum(bool(panel.thresholds) for panel in shown)
    if not compared and not count and not problems:
        reason = "nothing to compare: no alert has the labels of an objective, no panel of an alert"
        return skipped(ALIGNMENT, f"{reason} has thresholds")
    counts = f"{amount(panel_count, 'panels')}, {amount(count, 'thresholds')} compared with alerts"
    counts += "" if count else f", {amount(compared, 'alerts')} with the policy"
    return outcome(ALIGNMENT, lines(problems), counts)


def _objectives(comparison: Comparison | None) -> tuple[ObjectiveAlerts, ...]:
    if comparison is None:
        return ()
    policy, rules = comparison.policy, comparison.rules
    return tuple(
        ObjectiveAlerts(
            objective,
            alerts := tuple(objective.alerts(rules)),
            bool(alerts) and not differences(policy, rules, objective),
        )
        for objective in objectives(policy)
    )


def _findings(rules: RuleFiles | None, comparison: Comparison | None) -> tuple[Finding, ...]:
    if rules is None:
        return ()
    panels = comparison.alert_panels if comparison else ()
    unjudged = (
        Finding(each.place, f"{each.subject} is not compared: {each.reason}")
        for each in rules.not_judged
    )
    traps = (*findings(rule_traps(rules)), *findings(histogram_traps(panels)))
    return (*rules.findings, *unjudged, *traps)


def _files(folder: Path, *endings: str) -> list[Path]:
    return [path for path in files_below(folder) if path.suffix in endings]


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None when there is no git or no checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    run = subprocess.run(
        [git, "-C", folder, *arguments],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return run.stdout.strip() if run.returncode == 0 else None
