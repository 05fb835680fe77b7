"""A well-formed scenario document as values that can run, checked against one another.

Called by `scenarios.loader` once the keys and types are right. Goes on after a mistake, so that a
file's mistakes are told together.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from documents.durations import format_duration
from documents.mistakes import InputError
from documents.yaml_reader import load, read_text
from scenarios.expectations import read_expectations
from scenarios.fault_fields import read_strike
from scenarios.scenario import Incident, Past, Scenario
from scenarios.topology_overlay import overlay
from scenarios.validation import Mistakes
from simulator.faults.catalogue import Fault
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan

if TYPE_CHECKING:
    from documents.yaml_reader import Step
    from scenarios.schema import FaultModel, IncidentModel, ScenarioModel
    from simulator.topology import Topology

DURATION_MAX_S = 31 * 86_400.0
TRACE_BYTES_MAX = 64 << 20


class Builder:
    """Builds one scenario from its document; mistakes go to `mistakes`."""

    def __init__(self, mistakes: Mistakes, model: ScenarioModel) -> None:
        """Build from `model`, which `mistakes.document` holds."""
        self.mistakes = mistakes
        self.model = model
        self.path = mistakes.document.path
        self.folder = Path(self.path).parent

    def scenario(self) -> Scenario | None:
        """Return the scenario, or None when a mistake was found."""
        model = self.model
        self._check_head()
        topology = self._topology()
        load = self._load()
        faults = tuple(self._fault(i, topology) for i in range(len(model.faults)))
        incidents = tuple(self._incident(i, topology) for i in range(len(model.history.incidents)))
        expectations = read_expectations(self.mistakes, model)
        if topology is None or load is None or self.mistakes.found:
            return None
        return Scenario(
            name=model.name,
            story=model.story.strip(),
            path=self.path,
            seed=model.seed,
            duration_s=model.duration,
            topology=topology,
            plan=Plan(load=load, faults=tuple(f for f in faults if f)),
            past=Past(depth_s=model.history.depth, incidents=tuple(i for i in incidents if i)),
            expectations=expectations,
            pending_allowed=model.pending == "allowed",
        )

    def _check_head(self) -> None:
        model = self.model
        stem = Path(self.path).stem
        if model.name != stem:
            self.mistakes.add(
                f"name must be the file's name {stem!r}, got {model.name!r}", ("name",)
            )
        if not 0 < model.duration <= DURATION_MAX_S:
            rule = f"above 0s and at most {format_duration(DURATION_MAX_S)}"
            got = format_duration(model.duration)
            self.mistakes.add(f"duration must be {rule}, got {got}", ("duration",))
        seen: set[str] = set()
        strikes: list[tuple[tuple[Step, ...], FaultModel | IncidentModel]] = [
            *((("faults", i), one) for i, one in enumerate(model.faults)),
            *((("history", "incidents", i), one) for i, one in enumerate(model.history.incidents)),
        ]
        for steps, strike in strikes:
            if strike.name in seen:
                message = f"the name {strike.name!r} is given twice; each fault needs its own"
                self.mistakes.add(message, (*steps, "name"))
            seen.add(strike.name)

    def _topology(self) -> Topology | None:
        data = self.model.topology
        if isinstance(data, dict):
            return overlay(self.mistakes, data, ("topology",))
        try:
            document = load(self.folder / data)
        except InputError as error:
            if error.line is None:
                self.mistakes.add(f"topology file {data!r}: {error.message}", ("topology",))
            else:
                self.mistakes.found.append(error)
            return None
        of_file = Mistakes(document)
        topology = overlay(of_file, document.data or {}, ())
        self.mistakes.found.extend(of_file.found)
        return topology

    def _load(self) -> Load | None:
        model, build = self.model.load, self.mistakes.build
        stages = [
            build(Stage, {"duration_s": s.duration, "target": s.target}, ("load", "stages", i))
            for i, s in enumerate(model.stages)
        ]
        values: dict[str, Any] = {"stages": tuple(stage for stage in stages if stage)}
        if model.rate is not None:
            values["rate"] = model.rate
        if model.burst:
            shape = {
                "factor": model.burst.factor,
                "every_s": model.burst.every,
                "last_s": model.burst.last,
            }
            values["burst"] = build(Burst, shape, ("load", "burst"))
        if model.daily:
            curve = {"amplitude": model.daily.amplitude, "peak_s": model.daily.peak}
            values["daily"] = build(Daily, curve, ("load", "daily"))
        if model.trace is not None:
            for key in sorted({"rate", "stages", "burst", "daily"} & model.model_fields_set):
                message = f"{key} must not stand beside a trace: the trace says all arrivals"
                self.mistakes.add(message, ("load", key), at_key=True)
            values["trace_s"] = self._trace(model.trace)
        return build(Load, values, ("load",))

    def _trace(self, name: str) -> tuple[float, ...]:
        path = self.folder / name
        try:
            return read_trace(path)
        except InputError as error:
            if error.line is None:
                self.mistakes.add(f"trace {name!r}: {error.message}", ("load", "trace"))
            else:
                self.mistakes.found.append(error)
            return ()

    def _fault(self, index: int, topology: Topology | None) -> Fault | None:
        model, steps = self.model.faults[index], ("faults", index)
        values = read_strike(self.mistakes, model, steps, topology)
        if values is None:
            return None
        fault = self.mistakes.build(Fault, {**values, "start_s": model.start}, steps)
        if fault and fault.end_s > self.model.duration:
            end, limit = format_duration(fault.end_s), format_duration(self.model.duration)
            message = f"fault {fault.name!r} must end in the scenario, within {limit}, got {end}"
            self.mistakes.add(message, (*steps, "duration"))
        return fault

    def _incident(self, index: int, topology: Topology | None) -> Incident | None:
        model = self.model.history.incidents[index]
        steps = ("history", "incidents", index)
        values = read_strike(self.mistakes, model, steps, topology)
        # A fault of the plan refuses the same times, so one is made to hear its objections.
        if values is None or not self.mistakes.build(Fault, {**values, "start_s": 0.0}, steps):
            return None
        if model.ago < model.duration:
            rule = f"at least its duration {format_duration(model.duration)}"
            got = format_duration(model.ago)
            message = f"ago must be {rule}: an incident is over when the scenario starts, got {got}"
            self.mistakes.add(message, (*steps, "ago"))
        elif (depth_s := self.model.history.depth) is not None and model.ago > depth_s:
            rule = f"within the history's depth {format_duration(depth_s)}"
            message = f"ago must be {rule}, got {format_duration(model.ago)}"
            self.mistakes.add(message, (*steps, "ago"))
        return Incident(ago_s=model.ago, **values)


def read_trace(path: str | Path) -> tuple[float, ...]:
    """Read arrival times: seconds, one a line, never falling; `#` lines and empty ones are free."""
    times: list[float] = []
    for number, line in enumerate(read_text(path, bytes_max=TRACE_BYTES_MAX).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            time_s = float(text)
        except ValueError:
            time_s = float("nan")
        if not time_s >= (times[-1] if times else 0.0):
            rule = "a time in seconds, not before the one above"
            message = f"an arrival must be {rule}, got {text[:40]!r}"
            raise InputError(message, path=str(path), line=number, column=1)
        times.append(time_s)
    return tuple(times)
