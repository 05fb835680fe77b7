"""What was run, for whoever reads a verdict elsewhere: the command, its files, story and faults.

Made by the front door from what it was asked and what it read; written into every form of the
report. Values only: it judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount
from documents.durations import format_duration
from simulator.faults.parameters import parameter_facts
from simulator.faults.targets import name_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.scenario import Incident, Scenario
    from simulator.faults.fault import Fault
    from simulator.load import Load
    from simulator.topology import Topology

WEIGHTS_MAX: Final = 12
"""So many weights of cells are named."""
SUM_LETTERS: Final = 12
"""Of a checksum: enough to tell the versions of a file apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file of the user that a run read; `sha256` tells one version of it from another."""

    kind: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """When a run began (UTC, ISO 8601), by which version, from which command and files.

    Scenarios, rules and dashboards that were not named are the bundled ones of that version.
    """

    started: str
    version: str
    command: str
    files: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A fault of a scenario, or an incident of its past (before 0): kind, times, strength.

    `targets` are those that the file names, empty where it means the whole system.
    """

    name: str
    kind: str
    start_s: float
    end_s: float
    ramp_s: float
    parameters: tuple[tuple[str, float], ...]
    targets: tuple[tuple[str, str], ...]

    @property
    def strength(self) -> str:
        """Parameters, targets and ramp as a person reads them: `share 0.2; tiers L1, L2`."""
        parts = [_as_written(name, value) for name, value in self.parameters]
        parts += [name_targets([target]) for target in self.targets]
        if self.ramp_s:
            parts.append(f"full strength after {format_duration(self.ramp_s)}")
        return "; ".join(parts)


def _as_written(name: str, value: float) -> str:
    """Return a parameter as a scenario has it: `latency 2s` for what is seconds."""
    if name.endswith("_s") and not name.endswith("_per_s"):
        return f"{name.removesuffix('_s')} {format_duration(value)}"
    return f"{name} {value:.6g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRecord:
    """The story of a scenario, its load in a sentence, and its faults in their order."""

    story: str
    load: str
    faults: tuple[PlannedFault, ...]

    @staticmethod
    def of(scenario: Scenario) -> ScenarioRecord:
        """Return the record of a scenario."""
        past = sorted(scenario.past.incidents, key=lambda each: -each.ago_s)
        incidents = [_record(each, -each.ago_s) for each in past]
        faults = [_record(each, each.start_s) for each in scenario.plan.faults]
        story = " ".join(scenario.story.split())
        load = load_sentence(scenario.plan.load, scenario.topology)
        return ScenarioRecord(story=story, load=load, faults=(*incidents, *faults))


def load_sentence(load: Load, topology: Topology) -> str:
    """Say what load a plan asks for, before any fault changes it: of each cell, and together."""
    if load.trace_s is not None:
        return f"{amount(len(load.trace_s), 'recorded arrivals')}"
    parts = [f"{load.rate:,.6g} tasks a second"]
    parts += [
        f"to {stage.target:,.6g} in {format_duration(stage.duration_s)}" for stage in load.stages
    ]
    if load.burst is not None:
        burst = load.burst
        lasts, every = format_duration(burst.last_s), format_duration(burst.every_s)
        parts.append(f"bursts of {burst.factor:g} times for {lasts}, {every} apart, on average")
    if load.daily is not None:
        parts.append(f"a day's curve of {load.daily.amplitude:.0%} either way")
    sentence, cells = ", ".join(parts), topology.cells
    if cells == 1:
        return sentence
    evenly = len(set(topology.cell_weights)) <= 1
    weights = ", ".join(f"{weight:g}" for weight in topology.cell_weights[:WEIGHTS_MAX])
    more = ", ..." if cells > WEIGHTS_MAX else ""
    shared = "evenly" if evenly else f"by the weights {weights}{more}"
    together = f"{cells * load.rate:,.6g} tasks a second together, shared {shared}"
    return f"{sentence}; for each of {cells:,} cells, {together}"


def run_facts(run: RunRecord) -> list[tuple[str, list[str]]]:
    """Return what a run was as (name, lines), for people: enough to repeat it."""
    began = run.started.replace("T", " ").replace("Z", " UTC")
    files = [f"{file.kind} {file.path}, sha256 {file.sha256[:SUM_LETTERS]}" for file in run.files]
    facts = [("Begun", [f"{began}, by agentaskit-sim {run.version}"]), ("Command", [run.command])]
    return [*facts, ("Files", files or ["the bundled ones of this version"])]


def run_document(run: RunRecord | None) -> dict[str, Any] | None:
    """Return the record of a run as JSON values."""
    if run is None:
        return None
    files = [{"kind": f.kind, "path": f.path, "sha256": f.sha256} for f in run.files]
    return {
        "started": run.started,
        "version": run.version,
        "command": run.command,
        "files": files,
    }


def fault_document(fault: PlannedFault, effects: Mapping[str, str]) -> dict[str, Any]:
    """Return a fault as JSON values, with what was measured of it where it is known."""
    return {
        "name": fault.name,
        "fault": fault.kind,
        "start_s": round(fault.start_s, 3),
        "end_s": round(fault.end_s, 3),
        "ramp_s": round(fault.ramp_s, 3),
        "parameters": dict(fault.parameters),
        "targets": dict(fault.targets),
        "effect": effects.get(fault.name),
    }


def _record(fault: Fault | Incident, start_s: float) -> PlannedFault:
    return PlannedFault(
        name=fault.name,
        kind=fault.parameters.facts.name,
        start_s=start_s,
        end_s=start_s + fault.duration_s,
        ramp_s=fault.ramp_s,
        parameters=tuple(
            (fact.field, float(getattr(fault.parameters, fact.field)))
            for fact in parameter_facts(type(fault.parameters))
        ),
        targets=fault.targets.in_words(),
    )
