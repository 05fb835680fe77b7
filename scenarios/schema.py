"""The scenario file's form: its keys, their types, and the JSON Schema that editors read.

The words are k6's (stages, target) and Chaos Toolkit's where they exist. Topology and fault
parameters are not typed here a second time: their models are derived from the simulator's own
dataclasses by one rule, a field `x_s` (but not `x_per_s`) is the key `x` and holds a duration.
Whether values fit together is for `scenarios.loader` to say.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from documents.durations import PATTERN, format_duration, parse_duration
from documents.mistakes import InputError, Mistake
from documents.problems import BrokenRule
from simulator.faults.catalogue import FAULTS
from simulator.topology import Topology

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
INJECTION_S, INJECTION_MAX_S = 300.0, 3600.0
"""How long a fault injected by hand lasts, unless told otherwise and at most."""
NAMED_PARTS = ("tiers", "classes", "priorities", "sandboxes")
"""Parts of a topology that are written as a mapping from name to what differs."""


def _depth(value: object) -> float | None:
    return None if value == "auto" else parse_duration(value)


def _text_or_mapping(value: object) -> object:
    if not isinstance(value, str | dict):
        raise InputError(Mistake(BrokenRule("", "be a mapping or a file's path", value)))
    return value


_DURATION_SCHEMA = {"type": "string", "pattern": PATTERN, "examples": ["1h30m", "200ms", "0s"]}
Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA, mode="validation")
]
Depth = Annotated[
    float | None,
    BeforeValidator(_depth),
    WithJsonSchema({"anyOf": [{"const": "auto"}, _DURATION_SCHEMA]}, mode="validation"),
]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]


class Model(BaseModel):
    """Strict: unknown keys are refused and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


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

    rate: float | None = Field(default=None, description="Tasks a second; 10300 by default.")
    stages: list[StageModel] = Field(
        default=[], description="Ramps, one after the other, as in k6."
    )
    burst: BurstModel | None = None
    daily: DailyModel | None = None
    trace: str | None = Field(
        default=None, description="File of arrival times, one a line, in seconds from the start."
    )


class TargetsModel(Model):
    """Which part of the system a fault strikes; what is not given means all."""

    tiers: list[str] = []
    hosts: list[int] = []
    sandboxes: list[Literal["A", "B", "C"]] = []
    fraction: float = Field(default=1.0, description="Share of those, above 0 and at most 1.")


class FaultFields(Model):
    """What every fault is given, whenever it begins."""

    name: Name = Field(description="A name of its own, by which expectations call it.")
    fault: Literal[tuple(FAULTS)]  # type: ignore[valid-type]
    duration: Duration
    ramp: Duration = Field(default=0.0, description="How long it takes to reach its full strength.")
    targets: TargetsModel | None = None
    parameters: dict[str, Any] = {}


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
    """What can be changed of a fault in effect; what is not given stays."""

    parameters: dict[str, Any] = {}
    duration: Duration | None = Field(
        default=None, description="When the world ends it by itself, counted from now; at most 1h."
    )


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
    cause: str | None = Field(default=None, description="Name of the fault or incident behind it.")
    fires_within: Duration | None = Field(default=None, description="From the cause's onset.")
    resolves_within: Duration | None = Field(default=None, description="From the cause's end.")
    receivers: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None,
        description="Who must be notified, and nobody else; []: nobody. Judged live only.",
    )
    notifies_resolved: bool | None = Field(
        default=None,
        description="Whether they must be told that it resolved; as a rule with resolves_within.",
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
    topology: Annotated[Any, BeforeValidator(_text_or_mapping)] = Field(
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


def key_of(field_name: str) -> str:
    """Return the key under which a dataclass field is written: `alive_s` -> `alive`."""
    if field_name.endswith("_s") and not field_name.endswith("_per_s"):
        return field_name.removesuffix("_s")
    return field_name


def field_names(cls: type) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass, as the simulator calls them."""
    return tuple(field.name for field in fields(cls))


def field_values(cls: type, model: BaseModel) -> dict[str, object]:
    """Return what a model derived from `cls` was given, by the names of the fields of `cls`."""
    keys = {key_of(name): name for name in field_names(cls)}
    return {
        keys[key]: tuple(value) if isinstance(value, list) else value
        for key in model.model_fields_set
        for value in (getattr(model, key),)
    }


@cache
def parameters_model(fault: str) -> type[BaseModel]:
    """Return the model of the `parameters` of one fault of the catalogue."""
    return _derived(FAULTS[fault], partial=False)


@cache
def topology_model() -> type[BaseModel]:
    """Return the model of a topology's overrides: every key is optional."""
    return _derived(Topology, partial=True)


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file, parameters of each fault included."""
    schema = ScenarioModel.model_json_schema()
    definitions = schema["$defs"]
    overrides = topology_model().model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(overrides.pop("$defs"))
    definitions["Topology"] = overrides
    described = schema["properties"]["topology"]["description"]
    schema["properties"]["topology"] = {
        "description": described,
        "anyOf": [{"$ref": "#/$defs/Topology"}, {"type": "string"}],
    }
    for fault in FAULTS:
        model = parameters_model(fault)
        definitions[model.__name__] = model.model_json_schema()
    for strike in ("FaultModel", "IncidentModel"):
        definitions[strike]["allOf"] = [_parameters_rule(fault) for fault in FAULTS]
    return {"$schema": DIALECT, **tidy(schema)}


def tidy(schema: Any) -> Any:
    """Drop what only repeats key names, and defaults, which stand there in seconds."""
    if isinstance(schema, list):
        return [tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: tidy(one) for key, one in schema.items() if key not in ("title", "default")}


def _parameters_rule(fault: str) -> dict[str, Any]:
    model = parameters_model(fault)
    needed = any(field.is_required() for field in model.model_fields.values())
    then: dict[str, Any] = {"properties": {"parameters": {"$ref": f"#/$defs/{model.__name__}"}}}
    if needed:
        then["required"] = ["parameters"]
    return {"if": {"properties": {"fault": {"const": fault}}, "required": ["fault"]}, "then": then}


def _derived(cls: Any, *, partial: bool) -> type[BaseModel]:
    hints = get_type_hints(cls)
    members: dict[str, Any] = {}
    for one in fields(cls):
        kind, default = _kind(hints[one.name], partial=partial), one.default
        if partial and one.name == "name":
            continue
        if cls is Topology and one.name in NAMED_PARTS:
            kind, default = _by_name(hints[one.name]), None
        elif key_of(one.name) != one.name:
            kind = Duration
        default_text = _default_text(default, in_seconds=kind is Duration)
        described = Field(default=None, description=default_text)
        if default is MISSING and not partial:
            described = Field()
        members[key_of(one.name)] = (kind, described)
    return create_model(cls.__name__, __base__=Model, __doc__=describe(cls), **members)


def describe(cls: type) -> str:
    """Return the first line of a class's documentation, in the words of the file."""
    doc = (cls.__doc__ or "").splitlines()[0]
    return re.sub(r"`(\w+)`", lambda found: f"`{key_of(found[1])}`", doc)


def _default_text(default: Any, *, in_seconds: bool) -> str | None:
    if not isinstance(default, str | int | float):
        return None
    return f"Default: {format_duration(default) if in_seconds else default}."  # type: ignore[arg-type]


def _by_name(kind: Any) -> Any:
    part = get_args(kind)[0]
    names = get_type_hints(part)["name"]
    return dict[names, _derived(part, partial=True)]  # type: ignore[misc,valid-type]


def _kind(kind: Any, *, partial: bool) -> Any:
    if get_origin(kind) is tuple:
        return list[_kind(get_args(kind)[0], partial=partial)]  # type: ignore[misc]
    return _derived(kind, partial=partial) if is_dataclass(kind) else kind
