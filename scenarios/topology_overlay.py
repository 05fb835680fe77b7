"""A topology file, or the topology part of a scenario, laid over the built-in system.

Called by the scenario loader and by whoever takes a topology file. Parts are named: `tiers: {micro:
{agents: 700}}` changes one number of one tier; a tier of a new name is added below the others.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from documents.mistakes import did_you_mean
from documents.yaml_reader import load
from scenarios.schema import NAMED_PARTS, key_of, topology_model
from scenarios.validation import Mistakes
from simulator.topology import Tier, Topology

if TYPE_CHECKING:
    from pathlib import Path

    from documents.yaml_reader import Step


def load_topology(path: str | Path) -> Topology:
    """Read a topology file; raise `InputError` with every mistake in it."""
    document = load(path)
    mistakes = Mistakes(document)
    topology = overlay(mistakes, document.data if document.data is not None else {}, ())
    mistakes.refuse()
    return topology or Topology()


def overlay(mistakes: Mistakes, data: object, steps: tuple[Step, ...]) -> Topology | None:
    """Return the built-in topology with `data`, which stands at `steps`, laid over it."""
    found_before = len(mistakes.found)
    model = mistakes.validate(topology_model(), data, steps)
    if model is None:
        return None
    changes = _by_field(Topology, model.model_dump(exclude_unset=True))
    base = Topology()
    for part in NAMED_PARTS:
        if part in changes:
            named = {one.name: one for one in getattr(base, part)}
            changes[part] = _parts(mistakes, named, changes[part], (*steps, part))
    if len(mistakes.found) > found_before:
        return None
    return mistakes.build(Topology, changes, steps)


def _parts(
    mistakes: Mistakes,
    named: dict[str, Any],
    changes: dict[str, dict[str, Any]],
    steps: tuple[Step, ...],
) -> tuple[Any, ...]:
    merged: dict[str, Any] = dict(named)
    for name, values in changes.items():
        where = (*steps, name)
        if name in named:
            old = named[name]
            new = _by_field(type(old), values)
            made = mistakes.build(type(old), {**_values(old), **new}, where)
        elif {"agents", "takes"} <= values.keys():
            made = mistakes.build(Tier, {"name": name, **_by_field(Tier, values)}, where)
        else:
            near = did_you_mean(name, named)
            message = f"tier {name!r} is new and needs the keys 'agents' and 'takes'{near}"
            mistakes.add(message, where, at_key=True)
            continue
        merged[name] = made
    return tuple(merged.values())


def _by_field(cls: Any, values: dict[str, Any]) -> dict[str, Any]:
    names = {key_of(one.name): one.name for one in fields(cls)}
    return {
        names[key]: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
    }


def _values(part: Any) -> dict[str, Any]:
    return {one.name: getattr(part, one.name) for one in fields(part)}
