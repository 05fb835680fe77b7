"""What of a scenario can be turned: a number of a fault, how long it lasts, a number of the load.

Called with a scenario and the document that it was read from. A knob knows where its number stands
there, between which bounds it may be, and how it is written. Pure.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from math import inf, log10
from typing import TYPE_CHECKING, Any, Final, Literal

from documents.durations import format_duration, parse_duration
from documents.mistakes import InputError
from scenarios.schema.derived import key_of
from simulator.faults.parameters import parameter_facts
from simulator.load import RATE_MAX_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from documents.document import Steps, Value
    from scenarios.scenario import Scenario
    from simulator.faults.fault import Fault

DIGITS: Final = 3
"""Significant digits of a number that is probed: a file that nobody can read helps nobody."""
DURATION: Final = "duration"
FRACTION: Final = "fraction"
RATE: Final = "load.rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A number of a scenario at `steps` of its document, `value` as the file has it.

    `name` is how a person asks for it; `fault` is whose it is, None of the load. Times are seconds,
    written as durations. Between `low` and `high` it may be anything, `low` itself left out where
    it is 0.
    """

    name: str
    fault: str | None
    steps: Steps
    value: float
    low: float
    high: float
    unit: Literal["number", "whole", "time"] = "number"

    @property
    def subject(self) -> str:
        """What is turned, as a person reads it: `share of neighbour`."""
        return self.name if self.fault is None else f"{self.name} of {self.fault}"

    def snapped(self, value: float) -> float:
        """Return the value nearest to one that can be written, within the bounds."""
        value = min(max(value, self.low), self.high)
        if self.unit == "whole":
            return float(round(value))
        if self.unit == "time" and value >= 1:
            return float(round(value)) if value >= 10 else round(value, 1)
        if value == 0:
            return 0.0
        return round(value, DIGITS - 1 - int(log10(abs(value)) // 1))

    def text(self, value: float) -> str:
        """Return a value as people write it."""
        return format_duration(value) if self.unit == "time" else f"{value:.10g}"

    def written(self, value: float) -> Value:
        """Return a value as a document has it."""
        if self.unit == "time":
            return format_duration(value)
        return round(value) if self.unit == "whole" or value.is_integer() else value

    def turned(self, document: Mapping[str, Any], value: float) -> dict[str, Any]:
        """Return a copy of the document with this value."""
        turned: dict[str, Any] = deepcopy(dict(document))
        part: Any = turned
        for step in self.steps[:-1]:
            part = part.setdefault(step, {}) if isinstance(part, dict) else part[step]
        part[self.steps[-1]] = self.written(value)
        return turned


def knobs_of(scenario: Scenario, document: Mapping[str, Any]) -> tuple[Knob, ...]:
    """Return all knobs of a scenario: those of its faults in their order, then the load's."""
    return (
        *(
            knob
            for index, fault in enumerate(scenario.plan.faults)
            for knob in _of_fault(index, fault, scenario)
        ),
        *_of_load(scenario, document),
    )


def _of_fault(index: int, fault: Fault, scenario: Scenario) -> Iterator[Knob]:
    """Yield the numbers of a fault's kind, its duration, and the share of agents that it hits."""
    for facts in parameter_facts(type(fault.parameters)):
        key, bound = key_of(facts.field), fault.parameters
        value = getattr(bound, facts.field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        limits = facts.bound
        low = limits.least if limits.least is not None else limits.above
        unit: Literal["number", "whole", "time"] = "number"
        if key != facts.field:
            unit = "time"
        elif isinstance(value, int):
            unit = "whole"
        yield Knob(
            name=key, fault=fault.name, steps=("faults", index, "parameters", key),
            value=float(value), low=0.0 if low is None else low,
            high=inf if limits.most is None else limits.most, unit=unit,
        )  # fmt: skip
    yield Knob(
        name=DURATION, fault=fault.name, steps=("faults", index, DURATION), value=fault.duration_s,
        low=max(1.0, fault.ramp_s), high=scenario.duration_s - fault.start_s, unit="time",
    )  # fmt: skip
    if fault.parameters.facts.aims_at == "agents":
        yield Knob(
            name=FRACTION, fault=fault.name, steps=("faults", index, "targets", FRACTION),
            value=fault.targets.fraction, low=0.0, high=1.0,
        )  # fmt: skip


def _of_load(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Knob]:
    """Yield the rate of the load, and whatever else of it is a number or a duration."""
    if scenario.plan.load.trace_s is None:
        rate = scenario.plan.load.rate
        yield Knob(
            name=RATE, fault=None, steps=("load", "rate"), value=rate, low=0.0,
            high=RATE_MAX_PER_S,
        )  # fmt: skip
    for steps, value in _leaves(document.get("load", {}), ("load",)):
        number, unit = _number(value)
        if number is not None and steps != ("load", "rate"):
            yield Knob(
                name=".".join(map(str, steps)), fault=None, steps=steps, value=number, low=0.0,
                high=RATE_MAX_PER_S, unit=unit,
            )  # fmt: skip


def _leaves(value: Value, steps: Steps) -> Iterator[tuple[Steps, Value]]:
    parts: Sequence[tuple[str | int, Value]] = ()
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    else:
        yield steps, value
    for step, part in parts:
        yield from _leaves(part, (*steps, step))


def _number(value: Value) -> tuple[float | None, Literal["number", "time"]]:
    if isinstance(value, str):
        try:
            return parse_duration(value), "time"
        except InputError:
            return None, "time"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, "number"
    return float(value), "number"
