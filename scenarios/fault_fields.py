"""What every fault has in common, in a plan, in the past or at the push of a button: its strike.

Called by `scenarios.build` for a file's faults and incidents and by `scenarios.injection_form` for
those of the fault API. Turns numbers and targets into the simulator's values, checked against a
topology.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from documents.mistakes import did_you_mean
from scenarios.schema import key_of, parameters_model
from simulator.faults.catalogue import FAULTS, CapacityDemand, Parameters, Targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documents.yaml_reader import Step
    from scenarios.schema import FaultFields, TargetsModel
    from scenarios.validation import Mistakes
    from simulator.topology import Topology

    Steps = tuple[Step, ...]

AIMS = {
    "agents": ("tiers", "hosts", "fraction"),
    "hosts": ("hosts",),
    "sandboxes": ("sandboxes",),
    "nothing": (),
}
"""The targets that a fault may be given, by what it aims at."""


def read_strike(
    mistakes: Mistakes, model: FaultFields, steps: Steps, topology: Topology | None
) -> dict[str, Any] | None:
    """Return what a `Fault` is made of, but for its start; or None after keeping mistakes.

    The document holds `model` at `steps`; its parameters are well-formed.
    """
    where = (*steps, "parameters")
    parameters = read_parameters(mistakes, model.fault, model.parameters, where)
    targets = _read_targets(mistakes, model, (*steps, "targets"), topology)
    if parameters is None or targets is None:
        return None
    if topology:
        check_fleet(mistakes, parameters, where, topology)
    return {
        "name": model.name,
        "parameters": parameters,
        "duration_s": model.duration,
        "ramp_s": model.ramp,
        "targets": targets,
    }


def read_parameters(
    mistakes: Mistakes, fault: str, given: Mapping[str, Any], steps: Steps
) -> Parameters | None:
    """Return the numbers of one kind of fault; or None after keeping mistakes."""
    kind = FAULTS[fault]
    read = parameters_model(fault).model_validate(given)
    values = {
        name: getattr(read, key_of(name))
        for name in field_names(kind)
        if key_of(name) in read.model_fields_set
    }
    return mistakes.build(kind, values, steps)


def check_fleet(
    mistakes: Mistakes, parameters: Parameters, steps: Steps, topology: Topology
) -> None:
    """Keep a mistake when more agents are asked for than there are."""
    if isinstance(parameters, CapacityDemand) and parameters.agents > topology.fleet:
        rule = f"at most the fleet of {topology.fleet}"
        message = f"capacity_demand: agents must be {rule}, got {parameters.agents}"
        mistakes.add(message, (*steps, "agents"))


def field_names(parameters: type[Parameters]) -> tuple[str, ...]:
    """Return the names of a fault's numbers, as the simulator calls them."""
    return tuple(one.name for one in fields(parameters))  # type: ignore[arg-type]


def _read_targets(
    mistakes: Mistakes, model: FaultFields, steps: Steps, topology: Topology | None
) -> Targets | None:
    if model.targets is None:
        return Targets()
    kind: type[Parameters] = FAULTS[model.fault]
    usable = AIMS[kind.aims_at]
    for key in sorted(model.targets.model_fields_set - set(usable)):
        rule = f"takes the targets {', '.join(usable)}" if usable else "must have no targets"
        aim = f"aims at {kind.aims_at}"
        mistakes.add(f"{model.fault} {aim} and {rule}, got {key}", (*steps, key), at_key=True)
    if topology:
        _check_targets(mistakes, model.targets, steps, topology)
    values = {
        "tiers": tuple(model.targets.tiers),
        "hosts": tuple(model.targets.hosts),
        "sandboxes": tuple(model.targets.sandboxes),
        "fraction": model.targets.fraction,
    }
    return mistakes.build(Targets, values, steps)


def _check_targets(
    mistakes: Mistakes, targets: TargetsModel, steps: Steps, topology: Topology
) -> None:
    tiers = [tier.name for tier in topology.tiers]
    for i, name in enumerate(targets.tiers):
        if name not in tiers:
            near = did_you_mean(name, tiers) or f", the tiers are {', '.join(tiers)}"
            mistakes.add(f"no tier is called {name!r}{near}", (*steps, "tiers", i))
    for i, host in enumerate(targets.hosts):
        if not 0 <= host < topology.hosts:
            message = f"hosts must be 0 to {topology.hosts - 1}, got {host}"
            mistakes.add(message, (*steps, "hosts", i))
