"""The objectives of a service, read from `slo/policies.yaml`, and what follows from them.

Called by the SLO check. Reading tells two kinds of mistakes apart, each with its place: a value
that is no such value (syntax) and a field that is not there or too weak (completeness). Budget and
times to exhaustion are plain arithmetic on the objectives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from documents.sentences import did_you_mean
from verifier.pack.durations import parse_duration_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.document import Document, Step
    from documents.mistakes import InputError, Place

TARGET_MIN_PERCENT: Final = 99.9
WINDOWS: Final = ("fast", "slow")
DAY_S: Final = 86400.0
PERIOD_S: Final = 30 * DAY_S
"""The error budget's period: thirty days, as in the rule ErrorBudgetExhausted."""

FIELDS: Final = ("service", "availability", "latency", "startup_time")
NUMBERS: Final = (("latency", "p95_ms"), ("latency", "p99_ms"), ("startup_time", "p95_ms"))
_LOOKBACK: Final = ("lookback", "window", "duration")


@dataclass(frozen=True, slots=True)
class Window:
    """One burn-rate window: errors over `lookback_s` at `burn_rate` times the allowed rate."""

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

    def place(self, steps: Sequence[Step]) -> Place:
        """Return where the value at `steps` stands in the file, else its nearest parent."""
        return self.document.place(steps)

    @property
    def budget(self) -> float | None:
        """Which share of the requests may fail: 0.001 for a target of 99.9 %."""
        return None if self.target_percent is None else (100 - self.target_percent) / 100


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy and the mistakes found in reading it."""

    policy: Policy
    invalid: tuple[InputError, ...]
    missing: tuple[InputError, ...]


def read_policy(document: Document) -> Reading:
    """Read the objectives of a document; never raises, every mistake is in the reading."""
    return _PolicyReader(document).read()


class _PolicyReader:
    """One walk over the document; mistakes are collected, so that all are told at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.invalid: list[InputError] = []
        self.missing: list[InputError] = []

    def read(self) -> Reading:
        top = self.mapping(self.document.data, ())
        for field in FIELDS:
            self.field(top, field, ())
        service = top.get("service")
        if service is not None and (not isinstance(service, str) or not service.strip()):
            self.wrong("service must be a name", service, ("service",))
        availability = self.mapping(top.get("availability"), ("availability",))
        stated = top.get("availability") is not None
        target = self.target(availability) if stated else None
        windows = self.windows(availability) if stated else ()
        objectives = {}
        for section, name in NUMBERS:
            if top.get(section) is not None:
                value = self.number(self.mapping(top[section], (section,)), (section, name))
                if value is not None:
                    objectives[section, name] = value
        self.order(objectives)
        policy = Policy(
            self.document,
            service if isinstance(service, str) else None,
            target,
            windows,
            objectives,
        )
        return Reading(policy, tuple(self.invalid), tuple(self.missing))

    def target(self, availability: dict[str, Any]) -> float | None:
        steps = ("availability", "target")
        target = self.number(availability, steps)
        if target is None:
            return None
        if target >= 100:
            self.wrong("availability.target must be below 100 per cent", target, steps)
            return None
        if target < TARGET_MIN_PERCENT:
            message = f"availability.target must be at least {TARGET_MIN_PERCENT}, got {target:g}"
            self.missing.append(self.document.error(message, steps))
        return target

    def windows(self, availability: dict[str, Any]) -> tuple[Window, ...]:
        steps = ("availability", "windows")
        raw = self.field(availability, "windows", ("availability",))
        if isinstance(raw, dict):
            pairs = [(name, value, (*steps, name)) for name, value in raw.items()]
        elif isinstance(raw, list):
            pairs = [(_name(value), value, (*steps, i)) for i, value in enumerate(raw)]
        else:
            if raw is not None:
                self.wrong("availability.windows must be a list of windows", raw, steps)
            return ()
        for name in (name for name in WINDOWS if name not in [pair[0] for pair in pairs]):
            named = [str(pair[0]) for pair in pairs if pair[0]]
            hint = did_you_mean(name, named).replace("did you mean", "is it")
            message = f"availability.windows: window {name!r} is missing{hint}"
            self.missing.append(self.document.error(message, steps, at_key=True))
        found = (self.window(name, value, where) for name, value, where in pairs)
        return tuple(window for window in found if window is not None)

    def window(self, name: str | None, raw: Any, steps: tuple[Step, ...]) -> Window | None:
        values = self.mapping(raw, steps)
        if name is None:
            self.missing.append(self.document.error("a window must have a name", steps))
            return None
        lookback_s = None
        key = next((key for key in _LOOKBACK if key in values), None)
        if key is None:
            self.missing.append(self.document.error(f"window {name!r}: lookback is missing", steps))
        else:
            try:
                lookback_s = parse_duration_s(str(values[key])) or None
            except ValueError as error:
                self.invalid.append(self.document.error(f"{key}: {error}", (*steps, key)))
        burn_rate = self.number(values, (*steps, "burn_rate"), f"window {name!r}: burn_rate")
        if lookback_s is None or burn_rate is None:
            return None
        return Window(name, lookback_s, burn_rate, steps)

    def order(self, objectives: dict[tuple[str, str], float]) -> None:
        p95, p99 = (objectives.get(("latency", name)) for name in ("p95_ms", "p99_ms"))
        if p95 is not None and p99 is not None and p99 < p95:
            self.wrong(f"latency.p99_ms must be at least p95_ms ({p95:g})", p99, NUMBERS[1])

    def number(
        self, holder: dict[str, Any], steps: tuple[Step, ...], name: str | None = None
    ) -> float | None:
        """Return a number above 0, None when it is missing or no such number."""
        name = name or ".".join(map(str, steps))
        value = self.field(holder, str(steps[-1]), steps[:-1], name)
        if value is None:
            return None
        usable = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not usable or not 0 < value < float("inf"):
            self.wrong(f"{name} must be a number above 0", value, steps)
            return None
        return float(value)

    def field(
        self,
        holder: dict[str, Any],
        key: str,
        steps: tuple[Step, ...],
        name: str | None = None,
    ) -> Any:
        if holder.get(key) is None:
            name = name or ".".join(map(str, (*steps, key)))
            others = [other for other in holder if other != key]
            hint = did_you_mean(key, others).replace("did you mean", "is it")
            message = f"{name} is missing{hint}"
            self.missing.append(self.document.error(message, steps, at_key=bool(steps)))
        return holder.get(key)

    def mapping(self, raw: Any, steps: tuple[Step, ...]) -> dict[str, Any]:
        if raw is not None and not isinstance(raw, dict):
            self.wrong(f"{'.'.join(map(str, steps)) or 'a policy'} must be a mapping", raw, steps)
        return raw if isinstance(raw, dict) else {}

    def wrong(self, rule: str, got: object, steps: tuple[Step, ...]) -> None:
        self.invalid.append(self.document.error(f"{rule}, got {got!r:.40}", steps))


def _name(window: Any) -> str | None:
    name = window.get("name") if isinstance(window, dict) else None
    return name if isinstance(name, str) and name else None
