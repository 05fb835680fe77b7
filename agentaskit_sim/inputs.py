"""What a run reads: scenarios, rules and dashboards, the pack's own where none are named.

Called by the commands before anything runs. All files are read and checked first, and the mistakes
of all of them are reported at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentaskit_sim.foreign.bundled_expectations import is_bundled, leave_out_bundled
from agentaskit_sim.foreign.mappings import read_mapping
from agentaskit_sim.front.mistake_collector import MistakeCollector, Reading
from agentaskit_sim.front.pack_files import PACK, PACK_RULES, PACK_TRUTHS
from documents.files import files_below
from documents.mistake_kinds import Remark, UnknownName
from documents.mistakes import InputError, Mistake, Place
from scenarios.library.files import library, resolve
from scenarios.loader import load_scenario
from scenarios.overlay import apply_overlays, check_scenario_names, load_overlay
from scenarios.scenario import Acceptance
from verifier.dashboards.reader import load_dashboards
from verifier.errors import Finding
from verifier.judge.alert_verdicts import check_alerts_exist
from verifier.judge.expectations.impossible import check_expectations
from verifier.judge.silence_verdicts import unjudged_alerts
from verifier.rule_files.loading import load_checked_rules
from verifier.truth.declared import panel_truths_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.scenario import Scenario
    from verifier.pack.panels import Dashboards
    from verifier.pack.rules import RuleFiles
    from verifier.time_compression import TimeCompression
    from verifier.truth.declared import PanelTruth

RULE_PATTERNS = ("*.yaml", "*.yml", "*.rules")
"""What is read of a folder with rules; a file that is named itself may be called anything."""

NAMES_LISTED_MAX = 6
MAPPING_ALONE = "--mapping needs --rules: the bundled rules are written against our own metrics"


@dataclass(frozen=True, slots=True)
class InputPaths:
    """What a run is to read: names or files of scenarios; None or nothing for the bundled ones."""

    scenarios: Sequence[str] = ()
    rules: Sequence[Path] | None = None
    dashboards: Sequence[Path] | None = None
    overlays: Sequence[Path] = ()
    accept: Sequence[str] = ()
    mapping: Path | None = None
    panel_truth: Path | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """All files of a run, read; `notes` are what to know of how they fit together."""

    scenarios: tuple[Scenario, ...]
    rules: RuleFiles
    dashboards: Dashboards
    notes: tuple[str, ...] = ()
    truths: tuple[PanelTruth, ...] = ()


def read_inputs(paths: InputPaths) -> Inputs:
    """Read all files of a run; raise one `InputError` with the mistakes of them all."""
    collector = MistakeCollector()
    scenarios = _read_scenarios(collector, paths.scenarios)
    rule_files = collector.read(read_rules, paths.rules, paths.mapping, scenarios)
    # The pack's dashboards show our own metrics, which a mapping leaves nothing of.
    bundled = [] if paths.mapping else [PACK / "dashboards"]
    boards = collector.read(load_dashboards, paths.dashboards or bundled)
    truths: Reading[tuple[PanelTruth, ...]] = Reading(())
    is_bundled_alone = not (paths.dashboards or paths.mapping)
    truth_file = paths.panel_truth or (PACK_TRUTHS if is_bundled_alone else None)
    if truth_file is not None and boards.is_read:
        truths = collector.read(panel_truths_of, truth_file, boards.value)
    scenarios = _overlaid(collector, scenarios, paths)
    notes: tuple[str, ...] = ()
    if rule_files.is_read:
        alerts = [rule.alert for _, rule in rule_files.value.alerts]
        if paths.rules:
            scenarios, notes = leave_out_bundled(scenarios, () if paths.mapping else alerts)
        for scenario in scenarios:
            collector.read(check_alerts_exist, scenario, alerts)
            own = [e for e in scenario.expectations if not is_bundled(e)]
            cells = scenario.topology.cells
            collector.read(check_expectations, own, rule_files.value, cells)
        unjudged = unjudged_alerts(rule_files.value.not_judged)
        _check_accepted(collector, scenarios, (*alerts, *unjudged), boards)
    collector.finish()
    return Inputs(tuple(scenarios), rule_files.value, boards.value, notes, truths.value)


def read_scenarios(names: Sequence[str]) -> list[Scenario]:
    """Return the scenarios without a mistake; every bundled scenario without `names`."""
    return _read_scenarios(MistakeCollector(), names)


def _overlaid(
    collector: MistakeCollector, scenarios: Sequence[Scenario], paths: InputPaths
) -> list[Scenario]:
    """Return the scenarios with what overlays add and what is accepted."""
    readings = [collector.read(load_overlay, path) for path in paths.overlays]
    overlays = [reading.value for reading in readings if reading.is_read]
    names = dict.fromkeys([*(s.name for s in scenarios), *(path.stem for path in library())])
    accepted = [collector.read(_acceptance, text) for text in paths.accept]
    by_hand = tuple(reading.value for reading in accepted if reading.is_read)
    for overlay in overlays:
        collector.read(check_scenario_names, overlay, names)
    overlaid = []
    for scenario in scenarios:
        with_overlays = apply_overlays(scenario, overlays, collector.note)
        overlaid.append(replace(with_overlays, accepted=(*with_overlays.accepted, *by_hand)))
    return overlaid


def _acceptance(text: str) -> Acceptance:
    """Read `ALERT=REASON`; raise `InputError` for anything else."""
    subject, _, reason = (part.strip() for part in text.partition("="))
    if not subject or not reason:
        raise InputError(f"--accept must be ALERT=REASON, got {text}")
    return Acceptance(subject, reason)


def _check_accepted(
    collector: MistakeCollector,
    scenarios: Sequence[Scenario],
    alerts: Sequence[str],
    boards: Reading[Dashboards],
) -> None:
    """Note what is accepted though there is no such alert or panel."""
    if not boards.is_read:
        return
    panels = [f"{panel.dashboard} / {panel.title}" for panel in boards.value.panels]
    known = (*alerts, *panels)
    for acceptance in dict.fromkeys(a for s in scenarios for a in s.accepted):
        if acceptance.subject not in known:
            problem = UnknownName("alert or panel", acceptance.subject, known, ", see the report")
            collector.note(Mistake(problem, acceptance.place))


def read_rules(
    paths: Sequence[Path] | None,
    mapping: Path | None = None,
    scenarios: Iterable[Scenario] = (),
) -> RuleFiles:
    """Read rule files and folders, the bundled ones without any; raise `InputError`.

    The engine that judges says what is valid; raises JudgeError when there is none. With a mapping
    file, which must fit the `scenarios`, the rules are written against the metrics that it makes.
    """
    if mapping is None:
        return _read_rules(paths)
    collector = MistakeCollector()
    mapped = collector.read(read_mapping, mapping, scenarios)
    if not paths:
        collector.note(Mistake(Remark(MAPPING_ALONE)))
    rules = collector.read(_read_rules, paths)
    collector.finish()
    return replace(rules.value, mapping=mapped.value)


def _read_rules(paths: Sequence[Path] | None) -> RuleFiles:
    chosen = paths or seen_from_here(PACK_RULES)
    rules = load_checked_rules(list(expand(chosen, *RULE_PATTERNS)))
    return replace(rules, findings=(*rules.findings, *left_out(chosen, *RULE_PATTERNS)))


def seen_from_here(paths: Sequence[Path]) -> list[Path]:
    """Return paths below the current folder as relative ones, so that places are short."""
    here = Path.cwd()
    return [path.relative_to(here) if path.is_relative_to(here) else path for path in paths]


def expand(paths: Iterable[Path], *patterns: str) -> Iterable[Path]:
    """Yield the files, whatever they are called, and what matches in the folders and below them.

    Raises `InputError` for a folder without any.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [file for file in files_below(path) if _matches(file, patterns)]
        if not inside:
            boards = any(file.suffix == ".json" for file in files_below(path))
            hint = "; dashboards go with --dashboards" if boards else ""
            raise InputError(f"the folder holds no {' or '.join(patterns)}{hint}", path=str(path))
        yield from inside


def left_out(paths: Iterable[Path], *patterns: str) -> list[Finding]:
    """Return a finding for each folder that holds files of other names, which are not read."""
    findings = []
    for path in paths:
        others = [
            str(file.relative_to(path))
            for file in (files_below(path) if path.is_dir() else ())
            if not _matches(file, patterns)
        ]
        if others:
            names = ", ".join(others[:NAMES_LISTED_MAX])
            more = len(others) - NAMES_LISTED_MAX
            message = f"not read, no {' or '.join(patterns)}: {names}"
            message += f" and {more} more" if more > 0 else ""
            findings.append(Finding(Place(str(path)), message))
    return findings


def _matches(file: Path, patterns: Sequence[str]) -> bool:
    return any(file.match(pattern) for pattern in patterns)


def check_plan(scenario: Scenario, compression: TimeCompression) -> None:
    """Raise `InputError` for a plan that cannot run in real time, or not so compressed."""
    try:
        compression.plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None


def _read_scenarios(collector: MistakeCollector, names: Sequence[str]) -> list[Scenario]:
    """Return the scenarios that could be read; every bundled scenario without `names`."""
    if names:
        resolved = [collector.read(resolve, name) for name in names]
        paths = [reading.value for reading in resolved if reading.is_read]
    else:
        paths = list(library())
    readings = [collector.read(load_scenario, path) for path in dict.fromkeys(paths)]
    scenarios = [reading.value for reading in readings if reading.is_read]
    first: dict[str, Scenario] = {}
    for scenario in scenarios:
        collector.read(_check_name, scenario, first.setdefault(scenario.name, scenario))
    return scenarios


def _check_name(scenario: Scenario, first: Scenario) -> None:
    if first is not scenario:
        raise InputError(
            f"another scenario of the same name is {first.path}: give one a new name",
            path=scenario.path,
        )
