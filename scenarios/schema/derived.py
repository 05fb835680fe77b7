"""Models of topology and fault parameters, derived from the simulator's own dataclasses.

By one rule: a field `x_s` (but not `x_per_s`) is the key `x` and holds a duration. So a number that
the simulator gains is a key of the files at once, and nothing is typed twice. Called by all that
reads or describes a topology or a fault's parameters.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import GenericAlias
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

from documents.durations import format_duration
from scenarios.schema.models import Duration, Model
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts
from simulator.topology import Topology

if TYPE_CHECKING:
    from simulator.faults.parameters import ParameterFacts, Parameters

NAMED_PARTS = ("tiers", "classes", "priorities", "sandboxes")
"""Parts of a topology that are written as a mapping from name to what differs."""


def key_of(field_name: str) -> str:
    """Return the key under which a dataclass field is written: `alive_s` -> `alive`."""
    if field_name.endswith("_s") and not field_name.endswith("_per_s"):
        return field_name.removesuffix("_s")
    return field_name


def field_names(cls: type) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass, as the simulator calls them."""
    return tuple(field.name for field in fields(cls))


def field_values(cls: type, model: BaseModel) -> dict[str, object]:
    """Return what a file gave to a model derived from `cls`, by the field names of `cls`."""
    names = {key_of(name): name for name in field_names(cls)}
    values = {names[key]: getattr(model, key) for key in model.model_fields_set}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }


@cache
def parameters_model(fault: str) -> type[BaseModel]:
    """Return the model of the `parameters` of one fault of the catalogue."""
    return _derive(FAULTS[fault], partial=False)


def parameter_bounds(kind: type[Parameters]) -> dict[str, str]:
    """Return what each parameter of a kind must be, by its key: `above 0 and at most 1`."""
    return {key_of(facts.field): worded_bound(facts) for facts in parameter_facts(kind)}


def worded_bound(facts: ParameterFacts) -> str:
    """Return what a parameter must be, in the words of the file."""
    return facts.bound.worded(format_duration if key_of(facts.field) != facts.field else plain)


def plain(number: float) -> str:
    """Return a number as people write it."""
    return f"{number:,.0f}" if number >= 1 else f"{number:g}"


@cache
def topology_model() -> type[BaseModel]:
    """Return the model of a topology's overrides: every key is optional."""
    return _derive(Topology, partial=True)


def describe(cls: type) -> str:
    """Return the first line of a class's documentation, in the words of the file."""
    doc = (cls.__doc__ or "").splitlines()[0]
    return re.sub(r"`(\w+)`", lambda match: f"`{key_of(match[1])}`", doc)


def _derive(cls: type, *, partial: bool) -> type[BaseModel]:
    """Return the model of a dataclass; `partial`: without its name, every key optional."""
    hints = get_type_hints(cls)
    members: dict[str, Any] = {}  # pydantic's own type for the fields of a model to be made
    for field in fields(cls):
        if partial and field.name == "name":
            continue
        kind, default = _file_type(hints[field.name], partial=partial), field.default
        if cls is Topology and field.name in NAMED_PARTS:
            kind, default = _mapping_by_name(hints[field.name]), None
        elif key_of(field.name) != field.name:
            kind = Duration
        text = _default_text(default, in_seconds=kind is Duration)
        required = default is MISSING and not partial
        info = Field() if required else Field(default=None, description=text)
        members[key_of(field.name)] = (kind, info)
    return create_model(cls.__name__, __base__=Model, __doc__=describe(cls), **members)


def _default_text(default: object, *, in_seconds: bool) -> str | None:
    if in_seconds and isinstance(default, int | float):
        return f"Default: {format_duration(default)}."
    return f"Default: {default}." if isinstance(default, str | int | float) else None


def _mapping_by_name(hint: object) -> object:
    """Return the type of a mapping from the names of parts to what differs in each."""
    part = get_args(hint)[0]
    names = get_type_hints(part)["name"]
    return GenericAlias(dict, (names, _derive(part, partial=True)))


def _file_type(hint: object, *, partial: bool) -> object:
    """Return the type that a file has for a field's: lists for tuples, models for dataclasses."""
    if get_origin(hint) is tuple:
        return GenericAlias(list, (_file_type(get_args(hint)[0], partial=partial),))
    if isinstance(hint, type) and is_dataclass(hint):
        return _derive(hint, partial=partial)
    return hint
