"""Faults injected by hand: their JSON documents, read and written.

The fault API reads injections and changes here; the same words, units and mistakes as in a scenario
file. Everything is checked before anything happens: a document that is refused changes nothing.
It holds no world and knows no HTTP.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from documents.durations import format_duration
from documents.mistakes import InputError
from scenarios.fault_fields import construct_parameters, read_fault, target_keys
from scenarios.form_documents import FormWalker, check_duration, parse_body
from scenarios.schema.derived import (
    describe,
    field_names,
    field_values,
    key_of,
    parameter_bounds,
    parameters_model,
)
from scenarios.schema.json_schema import tidy
from scenarios.schema.models import ChangeModel, InjectionModel
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.faults.fault import Fault
    from simulator.faults.parameters import Parameters
    from simulator.topology import Topology

PARAMETERS = ("parameters",)


class FaultForm:
    """Faults of one system as JSON documents; `at_s` counts from the start of the world's plan."""

    def __init__(self, topology: Topology) -> None:
        """Check targets against `topology`."""
        self._topology = topology

    def catalogue(self, *, any_system: bool = False) -> dict[str, object]:
        """Every fault with its parameters as JSON Schema, and the forms of what may be sent.

        Targets are those of this system, or all that `any_system` can have.
        """
        topology = None if any_system else self._topology
        return {
            "faults": [
                {
                    "fault": fault,
                    "what": describe(kind),
                    "aims_at": kind.facts.aims_at,
                    "targets": list(target_keys(kind, topology)),
                    "effect_unit": kind.facts.effect_unit,
                    "parameters": tidy(parameters_model(fault).model_json_schema()),
                    "bounds": parameter_bounds(kind),
                }
                for fault, kind in FAULTS.items()
            ],
            "system": {
                "cells": self._topology.cells,
                "tiers": [tier.name for tier in self._topology.tiers],
                "hosts": self._topology.hosts,
                "sandboxes": [pool.name for pool in self._topology.sandboxes],
            },
            "injection": tidy(InjectionModel.model_json_schema()),
            "change": tidy(ChangeModel.model_json_schema()),
        }

    def read_injection(self, body: bytes, at_s: float) -> Fault:
        """Return the fault that `body` asks for, starting at `at_s`; raises `InputError`."""
        walker = FormWalker(parse_body(body))
        model = walker.finish(walker.validate(InjectionModel, walker.document.data, ()))
        if not model.name:
            model = model.model_copy(update={"name": model.fault.replace("_", "-")})
        walker.validate(parameters_model(model.fault), model.parameters, PARAMETERS)
        check_duration(walker, model.duration)
        walker.raise_mistakes()
        return walker.finish(read_fault(walker, model, (), self._topology, start_s=at_s))

    def read_change(self, body: bytes, fault: Fault, at_s: float) -> Fault:
        """Return `fault` with what `body` changes; a duration counts from `at_s`.

        Raises `InputError`.
        """
        walker = FormWalker(parse_body(body))
        model = walker.finish(walker.validate(ChangeModel, walker.document.data, ()))
        if not model.model_fields_set:
            raise InputError("a change needs parameters, duration or both, got neither")
        check_duration(walker, model.duration)
        parameters = self._change_parameters(walker, model.parameters, fault)
        walker.raise_mistakes()
        duration_s = fault.duration_s
        if model.duration is not None:
            duration_s = at_s - fault.start_s + model.duration
        changed = walker.attempt(
            lambda: replace(fault, parameters=parameters, duration_s=duration_s), ()
        )
        return walker.finish(changed)

    def _change_parameters(
        self, walker: FormWalker, changes: Mapping[str, object], fault: Fault
    ) -> Parameters:
        """Return a fault's parameters with `changes`; the others stay to the last digit."""
        if not changes:
            return fault.parameters
        whole = {**_write_parameters(fault), **changes}
        model = walker.finish(walker.validate(parameters_model(fault.kind), whole, PARAMETERS))
        kind = type(fault.parameters)
        changed = field_values(kind, model)
        # What is not changed is taken from the fault: written as a duration it was rounded.
        values = {
            name: changed[name] if key_of(name) in changes else getattr(fault.parameters, name)
            for name in field_names(kind)
        }
        parameters = walker.finish(construct_parameters(walker, kind, values, PARAMETERS))
        walker.attempt(lambda: parameters.require_fit(self._topology), PARAMETERS)
        return parameters

    def write(self, fault: Fault) -> dict[str, object]:
        """Return a fault as it could have been sent."""
        targets = {
            key: list(value) if isinstance(value, tuple) else value
            for key in target_keys(type(fault.parameters), self._topology)
            if (value := getattr(fault.targets, key)) != getattr(Targets(), key)
        }
        return {
            "name": fault.name,
            "fault": fault.kind,
            "parameters": _write_parameters(fault),
            "targets": targets,
            "ramp": format_duration(fault.ramp_s),
            "duration": format_duration(fault.duration_s),
        }


def _write_parameters(fault: Fault) -> dict[str, object]:
    """Return a fault's parameters by their keys, times as durations."""
    values = {name: getattr(fault.parameters, name) for name in field_names(type(fault.parameters))}
    return {
        key_of(name): value if key_of(name) == name else format_duration(value)
        for name, value in values.items()
    }
