"""A well-formed scenario document as values that can run, checked against one another.

Called by `scenarios.loader` once the keys and types are right. Goes on after a mistake, so that all
mistakes of a file are reported together.
"""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from documents.durations import format_duration, show_duration
from documents.files import read_text
from documents.mistake_kinds import BrokenRule, RepeatedName, Shown, UnreadableFile
from documents.mistakes import InputError, Place
from documents.yaml_reader import load
from scenarios.expectations import (
    causes_in,
    check_unique,
    ends_too_late,
    read_expectations,
)
from scenarios.fault_fields import read_fault
from scenarios.scenario import Incident, Past, Scenario
from scenarios.topology_overlay import overlay
from scenarios.validation import ModelWalker
from simulator.load import BASE_RATE_PER_S, Burst, Daily, Load, Stage
from simulator.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from documents.document import Steps
    from scenarios.schema.models import FaultFields, LoadModel, ScenarioModel
    from simulator.faults.fault import Fault
    from simulator.topology import Topology

T = TypeVar("T")
DURATION_MAX_S = 31 * 86_400.0
"""A day more than the longest window of the pack's rules, thirty days."""

TRACE_BYTES_MAX = 64 << 20
"""About five million arrivals: eight minutes of the design load."""

_TIME: Final = re.compile(r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
LETTERS_SHOWN_MAX = 40
"""Of a line that is no time: it may be a whole file without line ends."""


class Builder:
    """Builds one scenario from its document; mistakes are noted by `walker`."""

    def __init__(
        self, walker: ModelWalker, model: ScenarioModel, skipped: Collection[Steps] = ()
    ) -> None:
        """Build from `model`, which the document of `walker` holds but for what is `skipped`.

        There the document has a mistake, which is noted already: only names are read.
        """
        self.walker = walker
        self.skipped = skipped
        self.model = model
        self.path = walker.document.path
        self.folder = Path(self.path).parent

    def scenario(self) -> Scenario | None:
        """Return the scenario, or None when there is a mistake."""
        model = self.model
        self._check_head()
        topology = self._topology()
        load = self._load()
        faults = tuple(self._fault(i, topology) for i in range(len(model.faults)))
        incidents = tuple(self._incident(i, topology) for i in range(len(model.history.incidents)))
        expectations = read_expectations(
            self.walker,
            {
                ("expectations", index): each
                for index, each in enumerate(model.expectations)
                if ("expectations", index) not in self.skipped
            },
            causes=causes_in(model),
            duration_s=model.duration,
        )
        check_unique(self.walker, expectations)
        if topology and topology.cells > 1 and self.model.load.trace is not None:
            rule = "not stand beside several cells: whose arrival is whose is not in it"
            self.walker.reject(BrokenRule("trace", rule), ("load", "trace"), at_key=True)
        if topology is None or load is None or self.walker.mistakes:
            return None
        return Scenario(
            name=model.name,
            story=model.story.strip(),
            path=self.path,
            seed=model.seed,
            duration_s=model.duration,
            topology=topology,
            plan=Plan(load=load, faults=tuple(fault for fault in faults if fault)),
            past=Past(
                depth_s=model.history.depth,
                incidents=tuple(incident for incident in incidents if incident),
            ),
            expectations=expectations,
            pending_allowed=model.pending == "allowed",
            starts_at_s=model.starts_at,
        )

    def _check_head(self) -> None:
        model = self.model
        stem = Path(self.path).stem
        if model.name != stem:
            rule = f"be the file's name {stem!r}"
            self.walker.reject(BrokenRule("name", rule, model.name), ("name",))
        if not 0 < model.duration <= DURATION_MAX_S:
            rule = f"be above 0s and at most {format_duration(DURATION_MAX_S)}"
            value = show_duration(model.duration)
            self.walker.reject(BrokenRule("duration", rule, value), ("duration",))
        names: set[str] = set()
        lists: tuple[tuple[Steps, Sequence[FaultFields]], ...] = (
            (("faults",), model.faults),
            (("history", "incidents"), model.history.incidents),
        )
        for steps, faults in lists:
            for index, fault in enumerate(faults):
                if fault.name in names:
                    where = (*steps, index, "name")
                    self.walker.reject(RepeatedName("fault name", fault.name), where)
                names.add(fault.name)

    def _topology(self) -> Topology | None:
        if ("topology",) in self.skipped:
            return None
        data = self.model.topology
        if isinstance(data, dict):
            return overlay(self.walker, data, ("topology",))
        document = self._read_file("topology file", data, load, ("topology",))
        if document is None:
            return None
        walker = ModelWalker(document)
        topology = overlay(walker, document.data or {}, ())
        self.walker.mistakes += walker.mistakes
        return topology

    def _load(self) -> Load | None:
        model, steps = self.model.load, ("load",)
        trace_s = None
        if model.trace is not None:
            for key in sorted({"rate", "stages", "burst", "daily"} & model.model_fields_set):
                rule = "not stand beside a trace: the trace has all arrivals"
                self.walker.reject(BrokenRule(key, rule), (*steps, key), at_key=True)
            trace_s = self._read_file("trace", model.trace, read_trace, (*steps, "trace")) or ()
        stages, burst, daily = self._stages(model), self._burst(model), self._daily(model)
        rate = BASE_RATE_PER_S if model.rate is None else model.rate
        return self.walker.attempt(
            lambda: Load(rate=rate, stages=stages, burst=burst, daily=daily, trace_s=trace_s), steps
        )

    def _stages(self, model: LoadModel) -> tuple[Stage, ...]:
        stages = []
        for index, stage in enumerate(model.stages):

            def make(duration_s: float = stage.duration, target: float = stage.target) -> Stage:
                return Stage(duration_s=duration_s, target=target)

            stages.append(self.walker.attempt(make, ("load", "stages", index)))
        return tuple(stage for stage in stages if stage)

    def _burst(self, model: LoadModel) -> Burst | None:
        if (burst := model.burst) is None:
            return None
        return self.walker.attempt(
            lambda: Burst(factor=burst.factor, every_s=burst.every, last_s=burst.last),
            ("load", "burst"),
        )

    def _daily(self, model: LoadModel) -> Daily | None:
        if (daily := model.daily) is None:
            return None
        return self.walker.attempt(
            lambda: Daily(amplitude=daily.amplitude, peak_s=daily.peak), ("load", "daily")
        )

    def _read_file(self, what: str, name: str, read: Callable[[Path], T], steps: Steps) -> T | None:
        """Return what `read` makes of the file that stands at `steps`; or None with its mistakes.

        A file that cannot be read at all is a mistake of the scenario, which names it.
        """
        try:
            return read(self.folder / name)
        except InputError as error:
            for mistake in error.mistakes:
                if isinstance(mistake.problem, UnreadableFile):
                    self.walker.reject(replace(mistake.problem, subject=f"{what} {name!r}"), steps)
                else:
                    self.walker.mistakes.append(mistake)
            return None

    def _fault(self, index: int, topology: Topology | None) -> Fault | None:
        model, steps = self.model.faults[index], ("faults", index)
        if steps in self.skipped:
            return None
        fault = read_fault(self.walker, model, steps, topology, start_s=model.start)
        if fault and fault.end_s > self.model.duration:
            problem = ends_too_late(f"fault {fault.name!r}", fault.end_s, self.model.duration)
            self.walker.reject(problem, (*steps, "duration"))
        return fault

    def _incident(self, index: int, topology: Topology | None) -> Incident | None:
        model = self.model.history.incidents[index]
        steps = ("history", "incidents", index)
        if steps in self.skipped:
            return None
        # An incident has the bounds of a fault; only its start is counted from elsewhere.
        fault = read_fault(self.walker, model, steps, topology, start_s=0.0)
        if fault is None:
            return None
        rule = None
        if model.ago < model.duration:
            length = format_duration(model.duration)
            rule = (
                f"be at least its duration {length}: an incident is over when the scenario starts"
            )
        elif (depth_s := self.model.history.depth) is not None and model.ago > depth_s:
            rule = f"be within the history's depth {format_duration(depth_s)}"
        if rule is not None:
            self.walker.reject(BrokenRule("ago", rule, show_duration(model.ago)), (*steps, "ago"))
        return Incident(
            name=fault.name,
            parameters=fault.parameters,
            ago_s=model.ago,
            duration_s=fault.duration_s,
            ramp_s=fault.ramp_s,
            targets=fault.targets,
        )


def read_trace(path: str | Path) -> tuple[float, ...]:
    """Read arrival times: seconds, one a line, never falling; `#` lines and empty ones are free.

    Raises `InputError` for the first line that is no such time.
    """
    times: list[float] = []
    lines = StringIO(read_text(path, bytes_max=TRACE_BYTES_MAX))
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        time_s = float(text) if _TIME.fullmatch(text) else float("nan")
        rule = ""
        if not time_s >= (times[-1] if times else 0.0):
            rule = "be a time in seconds, not before the one above"
        elif time_s > DURATION_MAX_S:
            rule = f"be at most {format_duration(DURATION_MAX_S)}, the longest scenario"
        if rule:
            value = Shown(text, repr(text[:LETTERS_SHOWN_MAX]))
            raise Place(str(path), number, 1).error(BrokenRule("an arrival", rule, value))
        times.append(time_s)
    return tuple(times)
