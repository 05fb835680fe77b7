"""The scenario file's form: its keys and their types.

The words are k6's (stages, target) and Chaos Toolkit's where they exist. Called by the loader and
by the fault API's form; topology and fault parameters are not typed here, see `derived`. Whether
values fit together is for `scenarios.build` to say.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from documents.dates import DATE_PATTERN, parse_date
from documents.durations import PATTERN, parse_duration
from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake
from simulator.faults.kinds.catalogue import FAULTS

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
STAGES_MAX = 100
"""Of a load that is changed by hand: each is an edge of the whole world."""
INJECTION_S, INJECTION_MAX_S = 300.0, 3600.0
"""How long a fault injected by hand lasts: unless the injection says it, and at most."""


def _read_depth(value: object) -> float | None:
    return None if value == "auto" else parse_duration(value)


def _text_or_mapping(value: object) -> object:
    if not isinstance(value, str | dict):
        raise InputError(Mistake(BrokenRule("", "be a mapping or a file's path", value)))
    return value


def _require_some(value: object) -> object:
    if value == []:
        rule = "name at least one, or be left out, which means all"
        raise InputError(Mistake(BrokenRule("", rule)))
    return value


_DURATION_SCHEMA = {"type": "string", "pattern": PATTERN, "examples": ["1h30m", "200ms", "0s"]}
Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA, mode="validation")
]
Depth = Annotated[
    float | None,
    BeforeValidator(_read_depth),
    WithJsonSchema({"anyOf": [{"const": "auto"}, _DURATION_SCHEMA]}, mode="validation"),
]
Date = Annotated[
    float | None,
    BeforeValidator(parse_date),
    WithJsonSchema(
        {"type": "string", "pattern": DATE_PATTERN, "examples": ["2026-03-02T09:00"]},
        mode="validation",
    ),
]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]


class Model(BaseModel):
    """Strict: unknown keys are refused and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class StageModel(Model):
    """Reach `target` tasks a second, linearly, in `duration`; 0s jumps (k6)."""

    duration: Duration
    target: float


class BurstModel(Model):
    """Now and then `factor` times the load: on average every `every`, for `last`."""

    factor: float
    every: Duration
    last: Duration


class DailyModel(Model):
    """A daily curve: the load times 1 + amplitude x cos(2 pi (t - peak) / 24h)."""

    amplitude: float
    peak: Duration = 0.0


class LoadModel(Model):
    """Arrivals: tasks a second, shaped; or a recorded trace."""

    rate: float | None = Field(
        default=None, description="Tasks a second, for each cell; 10300 by default."
    )
    stages: list[StageModel] = Field(
        default=[], description="Ramps, one after the other, as in k6."
    )
    burst: BurstModel | None = None
    daily: DailyModel | None = None
    trace: str | None = Field(
        default=None, description="File of arrival times, one a line, in seconds from the start."
    )


_SOME, _ONE_ITEM = BeforeValidator(_require_some), dict[str, JsonValue](minItems=1)
"""Of targets: an empty list would look like nothing, and mean everything."""


class TargetsModel(Model):
    """Which part of the system a fault targets; what is left out means all."""

    cells: Annotated[list[int], _SOME] = Field(
        default=[], description="Of several cells, which; from 0.", json_schema_extra=_ONE_ITEM
    )
    tiers: Annotated[list[str], _SOME] = Field(default=[], json_schema_extra=_ONE_ITEM)
    hosts: Annotated[list[int], _SOME] = Field(default=[], json_schema_extra=_ONE_ITEM)
    sandboxes: Annotated[list[Literal["A", "B", "C"]], _SOME] = Field(
        default=[], json_schema_extra=_ONE_ITEM
    )
    fraction: float = Field(default=1.0, description="Share of those, above 0 and at most 1.")


class FaultFields(Model):
    """What every fault has, whenever it starts."""

    name: Name = Field(description="A name of its own, by which expectations call it.")
    fault: Literal[tuple(FAULTS)]  # type: ignore[valid-type]  # known to pydantic when it runs
    duration: Duration
    ramp: Duration = Field(default=0.0, description="How long it takes to reach its full strength.")
    targets: TargetsModel | None = None
    parameters: dict[str, object] = {}


class FaultModel(FaultFields):
    """A fault: a cause in the world, in effect from `start` for `duration`."""

    start: Duration


class IncidentModel(FaultFields):
    """A fault of the past, over before the scenario starts."""

    ago: Duration = Field(description="How long before the scenario's start it began.")


class InjectionModel(FaultFields):
    """A fault injected by hand: in effect at once, ended by the world after `duration`."""

    name: Name = Field(default="", description="A name of its own; the fault's, if left out.")
    duration: Duration = Field(
        default=INJECTION_S, description="When the world ends it by itself: 5m, at most 1h."
    )


class ChangeModel(Model):
    """What can be changed of a fault in effect; what is left out stays."""

    parameters: dict[str, object] = {}
    duration: Duration | None = Field(
        default=None, description="When the world ends it by itself, counted from now; at most 1h."
    )


class LoadChangeModel(Model):
    """Another load for a while: stages one after the other, as in k6, at most 1h together.

    The first climbs from the load of now; after the last the scenario's load is back.
    """

    stages: Annotated[list[StageModel], Field(min_length=1, max_length=STAGES_MAX)]


class HistoryModel(Model):
    """What Prometheus knows when the scenario starts."""

    depth: Depth = Field(
        default=None,
        description="auto: as far back as the longest range any rule or panel asks for.",
    )
    incidents: list[IncidentModel] = []


class ExpectationModel(Model):
    """What an alert has to do: one of `fires_within`, `silent` and `explained`."""

    alert: str = Field(min_length=1)
    labels: dict[str, str] = Field(
        default={}, description="Labels that it must carry; it may have more."
    )
    no_other_labels: Literal[True] | None = Field(
        default=None,
        description="It may have no label but `labels`; those of its target count, not its name.",
    )
    cause: str | None = Field(default=None, description="Name of the fault or incident behind it.")
    fires_within: Duration | None = Field(default=None, description="From the cause's onset.")
    resolves_within: Duration | None = Field(default=None, description="From the cause's end.")
    pends_for: Duration | None = Field(
        default=None,
        description="How long it must be pending before it fires. Judged in virtual time only.",
    )
    fires_after: Duration | None = Field(
        default=None,
        description="From the cause's onset: it cannot fire earlier. Judged in virtual time only.",
    )
    resolves_after: Duration | None = Field(
        default=None,
        description="From the cause's end: it cannot resolve earlier. Judged in virtual time only.",
    )
    receivers: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None,
        description="Who must be notified, and nobody else; []: nobody. Judged in real time only.",
    )
    notifies_resolved: bool | None = Field(
        default=None,
        description="Whether they are notified of its end too; by default with resolves_within.",
    )
    silent: Literal[True] | None = None
    explained: str | None = Field(
        default=None, min_length=1, description="Why it may fire as well."
    )


class ScenarioModel(Model):
    """A scenario: what happens to the simulated system, and what each alert must do about it."""

    name: Name = Field(description="The file's name without .yaml.")
    story: str = Field(min_length=1, description="What happens, and why the alerts follow.")
    seed: int = Field(ge=0, lt=1 << 63)
    duration: Duration
    starts_at: Date = Field(
        default=None,
        description="Date and time of day of the start, in UTC, for rules that read the clock.",
    )
    topology: Annotated[str | dict[str, object], BeforeValidator(_text_or_mapping)] = Field(
        default={},
        description="What differs from the built-in system, or the path of a file with it.",
    )
    load: LoadModel = LoadModel()
    faults: list[FaultModel] = []
    history: HistoryModel = HistoryModel()
    pending: Literal["allowed", "forbidden"] = Field(
        default="allowed",
        description="forbidden: an alert nobody expects must not even be pending.",
    )
    expectations: list[ExpectationModel] = Field(
        default=[], description="An alert that is not named here must stay silent."
    )
