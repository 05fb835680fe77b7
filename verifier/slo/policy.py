"""The objectives of a service, read from `slo/policies.yaml`, and what follows from them.

Called by the SLO check. A reading keeps two kinds of mistakes apart, each with its place: a value
that cannot be used (syntax) and a field that is missing or too weak (completeness). Budget and
times to exhaustion are plain arithmetic on the objectives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, MissingKey, Shown
from documents.sentences import did_you_mean
from documents.walker import Walker, dotted
from verifier.pack.durations import parse_duration_s
from verifier.slo.conditions.indicator import Events, StatedEvents, read_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.document import Document, Step, Steps, Value
    from documents.mistakes import Mistake, Place

TARGET_MIN_PERCENT: Final = 99.9
"""The weakest availability that a policy may promise."""
WINDOWS_MIN: Final = 2
"""Fewest burn-rate windows: one that pages soon, and one for what burns slowly."""
DAY_S: Final = 86400.0
PERIOD_S: Final = 30 * DAY_S
"""The error budget's period: thirty days, as in the rule ErrorBudgetExhausted."""

FIELDS: Final = ("service", "availability", "latency", "startup_time")
NUMBERS: Final = (("latency", "p95_ms"), ("latency", "p99_ms"), ("startup_time", "p95_ms"))
_PERCENT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_FOREIGN: Final = {
    re.compile(r"^apiVersion:\s*openslo/", re.MULTILINE): "an OpenSLO document",
    re.compile(r"^version:\s*['\"]?prometheus/v\d", re.MULTILINE): "a specification for sloth",
    re.compile(r"^apiVersion:\s*(?:sloth\.slok\.dev|pyrra\.dev)/", re.MULTILINE): (
        "a Kubernetes resource of an SLO generator"
    ),
}
"""Forms of other tools, by a line that only they have."""
_LOOKBACK: Final = ("lookback", "window", "duration")
"""The keys under which policies state how far back a window reads."""


@dataclass(frozen=True, slots=True)
class Window:
    """A burn-rate window: errors over `lookback_s` at `burn_rate` times the allowed rate."""

    name: str
    lookback_s: float
    burn_rate: float
    steps: tuple[Step, ...]

    @property
    def exhaustion_s(self) -> float:
        """How long a full budget lasts at this burn rate."""
        return PERIOD_S / self.burn_rate

    @property
    def budget_spent(self) -> float:
        """Which share of the period's budget is spent when the window is full at this rate."""
        return self.lookback_s * self.burn_rate / PERIOD_S


@dataclass(frozen=True, slots=True)
class Policy:
    """Objectives as they stand in the file; None where the file has no usable value."""

    document: Document
    service: str | None
    target_percent: float | None
    windows: tuple[Window, ...]
    objectives_ms: dict[tuple[str, str], float]
    events: StatedEvents | None = None

    def place(self, steps: Sequence[Step]) -> Place:
        """Return where the value at `steps` stands in the file, else its nearest parent."""
        return self.document.place(steps)

    @property
    def budget(self) -> float | None:
        """Which share of the requests may fail: 0.001 for a target of 99.9 %."""
        return None if self.target_percent is None else (100 - self.target_percent) / 100


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """A policy and the mistakes in its file."""

    policy: Policy
    invalid: tuple[Mistake, ...]
    missing: tuple[Mistake, ...]


def foreign_form(text: str) -> str | None:
    """Return which other tool's form a file is written in, None if it is none that is known."""
    return next((form for line, form in _FOREIGN.items() if line.search(text)), None)


def read_policy(document: Document) -> PolicyReading:
    """Read the objectives of a document; never raises, every mistake is in the reading."""
    return _PolicyReader(document).read()


class _PolicyReader(Walker):
    """One walk over a policy; `mistakes` are values that cannot be used, `missing` all others."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.missing: list[Mistake] = []

    def read(self) -> PolicyReading:
        """Return the policy and all mistakes."""
        top = self.mapping(self.document.data, ())
        for field in FIELDS:
            self.require(top, (field,))
        policy = Policy(
            self.document,
            self.service(top.get("service")),
            *self.availability(top.get("availability")),
            self.response_times(top),
            self.events(top.get("availability")),
        )
        return PolicyReading(policy, tuple(self.mistakes), tuple(self.missing))

    def service(self, raw: Value) -> str | None:
        """Return the service's name, None when there is no usable one."""
        if raw is not None and (not isinstance(raw, str) or not raw.strip()):
            self.reject(BrokenRule("service", "be a name", raw), ("service",))
        return raw if isinstance(raw, str) else None

    def availability(self, raw: Value) -> tuple[float | None, tuple[Window, ...]]:
        """Return the target in per cent and the burn-rate windows."""
        if raw is None:
            return None, ()
        values = self.mapping(raw, ("availability",))
        return self.target(values), self.windows(values)

    def target(self, availability: dict[str, Value]) -> float | None:
        """Return the target in per cent; one that is too weak is missing, and is still used."""
        steps = ("availability", "target")
        raw = availability.get("target")
        if isinstance(raw, str) and (match := _PERCENT.fullmatch(raw)):
            availability = availability | {"target": float(match.group(1))}
        target = self.number(availability, steps)
        if target is None:
            return None
        if target < 1:
            rule = f"be in per cent, like {100 * target:g}"
            shown = Shown(target, f"{target:g}, a ratio")
            self.reject(BrokenRule("availability.target", rule, shown), steps)
            return None
        shown = Shown(target, f"{target:g}")
        if target >= 100:
            self.reject(BrokenRule("availability.target", "be below 100 per cent", shown), steps)
            return None
        if target < TARGET_MIN_PERCENT:
            rule = f"be at least {TARGET_MIN_PERCENT}"
            problem = BrokenRule("availability.target", rule, shown)
            self.missing.append(self.place(steps).mistake(problem))
        return target

    def events(self, raw: Value) -> StatedEvents | None:
        """Return what the policy counts, None where it does not say."""
        values = raw if isinstance(raw, dict) else {}
        names = ("requests", "errors")
        requests, errors = (self.selector(values, name) for name in names)
        absent = [name for name in names if values.get(name) is None]
        if len(absent) == 1:
            place = self.document.key_place(("availability",))
            self.missing.append(place.mistake(MissingKey(absent[0], "availability")))
        return None if requests is None or errors is None else StatedEvents(requests, errors)

    def selector(self, values: dict[str, Value], name: str) -> Events | None:
        """Return a selector of events, None where there is no usable one."""
        raw = values.get(name)
        if raw is None:
            return None
        try:
            return read_events(str(raw))
        except ValueError:
            rule = "be a selector of series, without a function, a range or an offset"
            self.reject(BrokenRule(f"availability.{name}", rule, raw), ("availability", name))
            return None

    def windows(self, availability: dict[str, Value]) -> tuple[Window, ...]:
        """Return the usable windows, from a list with names or a mapping by name."""
        steps = ("availability", "windows")
        raw = self.require(availability, steps)
        named: list[tuple[str | None, Value, Steps]] = []
        if isinstance(raw, dict):
            named = [(name, value, (*steps, name)) for name, value in raw.items()]
        elif isinstance(raw, list):
            named = [(_name(value), value, (*steps, i)) for i, value in enumerate(raw)]
        elif raw is None:
            return ()
        else:
            self.reject(BrokenRule("availability.windows", "be a list of windows", raw), steps)
            return ()
        count = len({name or path for name, _, path in named})
        if count < WINDOWS_MIN:
            rule = f"be at least {WINDOWS_MIN} of different names"
            problem = BrokenRule("availability.windows", rule, count)
            self.missing.append(self.document.key_place(steps).mistake(problem))
        windows = (self.window(*each) for each in named)
        return tuple(window for window in windows if window is not None)

    def window(self, name: str | None, raw: Value, steps: Steps) -> Window | None:
        """Return a window, None when it lacks a part."""
        values = self.mapping(raw, steps)
        if name is None:
            self.missing.append(self.place(steps).mistake(MissingKey("name", dotted(steps))))
            return None
        subject = f"window {name!r}"
        lookback_s = self.lookback_s(values, steps, subject)
        burn_rate = self.number(values, (*steps, "burn_rate"), subject)
        if lookback_s is None or burn_rate is None:
            return None
        return Window(name, lookback_s, burn_rate, steps)

    def lookback_s(self, values: dict[str, Value], steps: Steps, subject: str) -> float | None:
        """Return how far back a window reads, None when it does not say so."""
        key = next((key for key in _LOOKBACK if key in values), None)
        if key is None:
            self.missing.append(self.place(steps).mistake(MissingKey(_LOOKBACK[0], subject)))
            return None
        try:
            seconds = parse_duration_s(str(values[key]))
        except ValueError:
            seconds = 0.0
        if not seconds:
            rule = "be a duration above 0, written like 30s, 5m or 1h30m"
            self.reject(BrokenRule(f"{subject}: {key}", rule, values[key]), (*steps, key))
        return seconds or None

    def response_times(self, top: dict[str, Value]) -> dict[tuple[str, str], float]:
        """Return the objectives in milliseconds by section and field."""
        objectives = {}
        for section, name in NUMBERS:
            if top.get(section) is not None:
                value = self.number(self.mapping(top[section], (section,)), (section, name))
                if value is not None:
                    objectives[section, name] = value
        p95, p99 = (objectives.get(("latency", name)) for name in ("p95_ms", "p99_ms"))
        if p95 is not None and p99 is not None and p99 < p95:
            rule = f"be at least p95_ms ({p95:g})"
            self.reject(BrokenRule("latency.p99_ms", rule, Shown(p99, f"{p99:g}")), NUMBERS[1])
        return objectives

    def number(
        self, holder: dict[str, Value], steps: Steps, subject: str | None = None
    ) -> float | None:
        """Return a number above 0, None when it is missing or no such number."""
        value = self.require(holder, steps, subject)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < inf:
            return float(value)
        name = f"{subject}: {steps[-1]}" if subject else dotted(steps)
        self.reject(BrokenRule(name, "be a number above 0", value), steps)
        return None

    def require(self, holder: dict[str, Value], steps: Steps, subject: str | None = None) -> Value:
        """Return the value at `steps`, whose last is a key of `holder`; note when it is missing."""
        *above, last = steps
        key = str(last)
        value = holder.get(key)
        if value is None:
            hint = did_you_mean(key, [other for other in holder if other != key])
            problem = MissingKey(key, subject or (dotted(above) if above else ""), hint)
            place = self.document.key_place(above) if above else self.place(())
            self.missing.append(place.mistake(problem))
        return value


def _name(window: Value) -> str | None:
    name = window.get("name") if isinstance(window, dict) else None
    return name if isinstance(name, str) and name else None
