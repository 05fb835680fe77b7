"""What every fault has in common, in a plan, in the past or injected by hand.

Called by `scenarios.build` for a file's faults and incidents and by `scenarios.injection_form` for
those of the fault API. Turns parameters and targets into the simulator's values, checked against a
topology.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.durations import format_duration
from documents.mistake_kinds import BrokenRule, RefusedKey, UnknownName
from scenarios.schema.derived import field_values, key_of, parameters_model
from simulator.faults.fault import Fault
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts
from simulator.faults.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documents.document import Steps
    from documents.mistake_kinds import Problem
    from scenarios.schema.models import FaultFields, TargetsModel
    from scenarios.validation import ModelWalker
    from simulator.faults.parameters import Parameters
    from simulator.topology import Topology

TARGET_KEYS = {
    "agents": ("cells", "tiers", "hosts", "fraction"),
    "hosts": ("cells", "hosts"),
    "sandboxes": ("cells", "sandboxes"),
    "nothing": ("cells",),
    "cells": ("cells",),
    "router": (),
}
"""The keys of `targets` that a fault may have, by what its kind targets."""


def target_keys(kind: type[Parameters], topology: Topology | None) -> tuple[str, ...]:
    """Return the keys of `targets` that a fault of a kind may have: cells only where there are."""
    keys = TARGET_KEYS[kind.facts.aims_at]
    several = topology is None or topology.cells > 1
    return keys if several else tuple(key for key in keys if key != "cells")


def read_fault(
    walker: ModelWalker,
    model: FaultFields,
    steps: Steps,
    topology: Topology | None,
    *,
    start_s: float,
) -> Fault | None:
    """Return the fault that starts at `start_s`; or None after noting mistakes.

    The document holds `model` at `steps`; its parameters are well-formed. Without a topology
    targets are not checked against it.
    """
    where = (*steps, "parameters")
    parameters = read_parameters(walker, model.fault, model.parameters, where)
    targets = _read_targets(walker, model, (*steps, "targets"), topology)
    if parameters is None or targets is None:
        return None
    if topology:
        walker.attempt(lambda: parameters.require_fit(topology), where)
    return walker.attempt(
        lambda: Fault(
            name=model.name,
            parameters=parameters,
            start_s=start_s,
            duration_s=model.duration,
            ramp_s=model.ramp,
            targets=targets,
        ),
        steps,
    )


def read_parameters(
    walker: ModelWalker, fault: str, raw: Mapping[str, object], steps: Steps
) -> Parameters | None:
    """Return the parameters of one kind of fault; or None after noting mistakes."""
    kind = FAULTS[fault]
    values = field_values(kind, parameters_model(fault).model_validate(raw))
    return construct_parameters(walker, kind, values, steps)


def construct_parameters(
    walker: ModelWalker, kind: type[Parameters], values: Mapping[str, object], steps: Steps
) -> Parameters | None:
    """Return parameters from the values of their fields; or None after noting mistakes."""
    rules = {
        facts.field: facts.bound.worded(format_duration)
        for facts in parameter_facts(kind)
        if key_of(facts.field) != facts.field
    }
    return walker.construct(kind, values, steps, rules)


def _read_targets(
    walker: ModelWalker, model: FaultFields, steps: Steps, topology: Topology | None
) -> Targets | None:
    targets = model.targets
    if targets is None:
        return Targets()
    kind = FAULTS[model.fault]
    usable = target_keys(kind, topology)
    for key in sorted(targets.model_fields_set - set(usable)):
        problem: Problem = RefusedKey(model.fault, "targets", key, usable)
        if key in target_keys(kind, None):
            problem = BrokenRule(key, "not be named: this system has one cell")
        walker.reject(problem, (*steps, key), at_key=True)
    if topology:
        _check_targets(walker, targets, steps, topology)
    return walker.attempt(
        lambda: Targets(
            tiers=tuple(targets.tiers),
            hosts=tuple(targets.hosts),
            sandboxes=tuple(targets.sandboxes),
            fraction=targets.fraction,
            cells=tuple(targets.cells),
        ),
        steps,
    )


def _check_targets(
    walker: ModelWalker, targets: TargetsModel, steps: Steps, topology: Topology
) -> None:
    tiers = tuple(tier.name for tier in topology.tiers)
    for i, name in enumerate(targets.tiers):
        if name not in tiers:
            walker.reject(UnknownName("tier", name, tiers), (*steps, "tiers", i))
    for key, numbers, count in (
        ("cells", targets.cells, topology.cells),
        ("hosts", targets.hosts, topology.hosts),
    ):
        for i, number in enumerate(numbers if (key, count) != ("cells", 1) else ()):
            if not 0 <= number < count:
                rule = f"be 0 to {count - 1}" if count > 1 else "be 0"
                walker.reject(BrokenRule(key, rule, number), (*steps, key, i))
