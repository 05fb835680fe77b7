"""A trial written as a scenario file: what can be in one as YAML, the rest as comments.

A scenario has no faults by hand and no warm-up; those lines say what else was done. The file is
read by the scenario loader as it stands, and means the trial's own topology, load and faults.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from documents.durations import format_duration
from scenarios.injection_form import FaultForm
from scenarios.schema.derived import NAMED_PARTS, key_of
from simulator.topology import Topology

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from tests.swarm.trial import Trial

TRACE_SHOWN = 20


def write_scenario(trial: Trial) -> str:
    """Return the trial as the text of a scenario file."""
    lines = [
        f"name: swarm-{trial.seed}",
        f"story: Shrunk from seed {trial.seed} of the swarm.",
        f"seed: {trial.seed}",
        f"duration: {format_duration(trial.quiet_ms / 1000)}",
        *_write_topology(trial.topology),
        *_write_load(trial),
        "faults:" if trial.faults else "faults: []",
        *(f"  - {_flow(_write_fault(trial, fault))}" for fault in trial.faults),
        f"# heals after {format_duration(trial.heal_ms / 1000)}",
        *([f"# warm for {format_duration(trial.warm_s)} before"] if trial.warm_s else []),
        *(
            f"# by hand after {format_duration(action.at_ms / 1000)}: {action}"
            for action in trial.actions
        ),
    ]
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    """A value in YAML's flow style, of which JSON is a part."""
    return json.dumps(value)


def _write_topology(topology: Topology) -> list[str]:
    """What differs from the built-in system, a line for each key or named part."""
    built_in = Topology()
    lines = []
    for key, value in _differences(topology, built_in).items():
        if key in NAMED_PARTS:
            lines.append(f"  {key}:")
            lines += [f"    {name}: {_flow(part)}" for name, part in value.items()]
        else:
            lines.append(f"  {key}: {_flow(value)}")
    return ["topology:", *lines] if lines else ["topology: {}"]


def _differences(part: Any, built_in: Any) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for field in fields(part):
        value, usual = getattr(part, field.name), getattr(built_in, field.name)
        if value == usual:
            continue
        key = key_of(field.name)
        if key in NAMED_PARTS:
            named = zip(value, usual, strict=True)
            parts = {ours.name: _differences(ours, theirs) for ours, theirs in named}
            changed[key] = {name: part for name, part in parts.items() if part}
        elif key != field.name:
            changed[key] = format_duration(value)
        else:
            changed[key] = value
    return changed


def _write_load(trial: Trial) -> list[str]:
    load = trial.load
    if load.trace_s is not None:
        times = ", ".join(f"{at_s:.3f}" for at_s in load.trace_s[:TRACE_SHOWN])
        more = len(load.trace_s) - TRACE_SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return [f"# load: a recorded trace of arrivals at {times}{rest}"]
    lines = ["load:", f"  rate: {load.rate}", "  stages:"]
    lines += [
        f"    - {_flow({'duration': format_duration(stage.duration_s), 'target': stage.target})}"
        for stage in load.stages
    ]
    if load.burst is not None:
        every, last = format_duration(load.burst.every_s), format_duration(load.burst.last_s)
        lines.append(
            f"  burst: {_flow({'factor': load.burst.factor, 'every': every, 'last': last})}"
        )
    if load.daily is not None:
        lines.append(f"  daily: {_flow({'amplitude': load.daily.amplitude})}")
    return lines


def _write_fault(trial: Trial, fault: Fault) -> dict[str, object]:
    ends_s = min(fault.end_s, trial.heal_ms / 1000)
    healed = replace(fault, duration_s=ends_s - fault.start_s, ramp_s=0.0)
    written = FaultForm(trial.topology).write(healed)
    written["start"] = format_duration(fault.start_s)
    if fault.ramp_s and fault.end_s == ends_s:
        written["ramp"] = format_duration(fault.ramp_s)
    empty = [key for key, value in written.items() if value in ({}, "0s") and key != "start"]
    return {key: value for key, value in written.items() if key not in empty}
