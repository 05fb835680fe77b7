"""A topology file, or the topology part of a scenario, laid over the built-in system.

Called by the scenario loader and by every command that takes a topology file. Parts are named:
`tiers: {micro: {agents: 700}}` changes one number of one tier; a tier of a new name is added
below the others.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from documents.mistake_kinds import UnknownName
from documents.yaml_reader import load
from scenarios.schema.derived import NAMED_PARTS, field_values, topology_model
from scenarios.validation import ModelWalker
from simulator.topology import Priority, SandboxPool, TaskClass, Tier, Topology

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from documents.document import Steps

Part: TypeAlias = Tier | TaskClass | Priority | SandboxPool


def load_topology(path: str | Path) -> Topology:
    """Read a topology file; raise `InputError` with every mistake in it."""
    document = load(path)
    walker = ModelWalker(document)
    topology = overlay(walker, document.data if document.data is not None else {}, ())
    walker.raise_mistakes()
    return topology or Topology()


def overlay(walker: ModelWalker, data: object, steps: Steps) -> Topology | None:
    """Return the built-in topology with `data`, which stands at `steps`, laid over it."""
    mistakes_before = len(walker.mistakes)
    model = walker.validate(topology_model(), data, steps)
    if model is None:
        return None
    base = Topology()
    changes = field_values(Topology, model)
    for part in NAMED_PARTS:
        if part in changes:
            models: Mapping[str, BaseModel] = getattr(model, part)
            changes[part] = _overlay_parts(walker, getattr(base, part), models, (*steps, part))
    if len(walker.mistakes) > mistakes_before:
        return None
    return walker.construct(partial(replace, base), changes, steps)


def _overlay_parts(
    walker: ModelWalker, base: tuple[Part, ...], models: Mapping[str, BaseModel], steps: Steps
) -> tuple[Part, ...]:
    """Return the parts of `base`, each with what its model changes, and new tiers after them."""
    parts = {part.name: part for part in base}
    for name, model in models.items():
        where = (*steps, name)
        part: Part | None
        if name in parts:
            old = parts[name]
            part = walker.construct(partial(replace, old), field_values(type(old), model), where)
        elif {"agents", "takes"} <= model.model_fields_set:
            values = {"name": name, **field_values(Tier, model)}
            part = walker.construct(Tier, values, where)
        else:
            hint = ", a new tier must have the keys 'agents' and 'takes'"
            walker.reject(UnknownName("tier", name, tuple(parts), hint), where, at_key=True)
            continue
        if part is not None:
            parts[name] = part
    return tuple(parts.values())
