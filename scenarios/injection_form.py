"""Faults at the push of a button: their JSON documents, read and written.

The fault API reads injections and changes here; the same words, units and mistakes as in a scenario
file. Everything is checked before anything happens: a document that is refused changes nothing.
It holds no world and knows no HTTP.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from documents.durations import format_duration
from documents.mistakes import InputError, gather
from documents.yaml_reader import parse_json
from scenarios.fault_fields import AIMS, check_fleet, field_names, read_parameters, read_strike
from scenarios.schema import (
    INJECTION_MAX_S,
    ChangeModel,
    InjectionModel,
    Model,
    describe,
    key_of,
    parameters_model,
    tidy,
)
from scenarios.validation import Mistakes
from simulator.faults.catalogue import FAULTS, Fault, Targets

if TYPE_CHECKING:
    from simulator.faults.catalogue import Parameters
    from simulator.topology import Topology

M = TypeVar("M", bound=Model)
PARAMETERS = ("parameters",)


class FaultForm:
    """Faults of one system as JSON documents; `at_s` counts from the start of the world's plan."""

    def __init__(self, topology: Topology) -> None:
        """Check targets against `topology`."""
        self._topology = topology

    def catalogue(self) -> dict[str, Any]:
        """Every fault with its parameters as JSON Schema, and the forms of what may be sent."""
        return {
            "faults": [
                {
                    "fault": fault,
                    "what": describe(kind),
                    "aims_at": kind.aims_at,
                    "targets": list(AIMS[kind.aims_at]),
                    "effect_unit": kind.effect_unit,
                    "parameters": tidy(parameters_model(fault).model_json_schema()),
                }
                for fault, kind in FAULTS.items()
            ],
            "system": {
                "tiers": [tier.name for tier in self._topology.tiers],
                "hosts": self._topology.hosts,
                "sandboxes": [pool.name for pool in self._topology.sandboxes],
            },
            "injection": tidy(InjectionModel.model_json_schema()),
            "change": tidy(ChangeModel.model_json_schema()),
        }

    def read_injection(self, body: bytes, at_s: float) -> Fault:
        """Return the fault that `body` asks for, beginning at `at_s`; raises `InputError`."""
        mistakes = _read(body)
        model = _validate(mistakes, InjectionModel)
        given = parameters_model(model.fault)
        mistakes.validate(given, model.parameters, PARAMETERS)
        _check_duration(mistakes, model.duration)
        _refuse(mistakes)
        values = read_strike(mistakes, model, (), self._topology)
        _refuse(mistakes)
        assert values is not None  # noqa: S101 - or mistakes would have been refused
        name = model.name or model.fault.replace("_", "-")
        fault = mistakes.build(Fault, {**values, "name": name, "start_s": at_s}, ())
        _refuse(mistakes)
        assert fault is not None  # noqa: S101 - idem
        return fault

    def read_change(self, body: bytes, fault: Fault, at_s: float) -> Fault:
        """Return `fault` with what `body` changes; a duration counts from `at_s`.

        Raises `InputError`.
        """
        mistakes = _read(body)
        model = _validate(mistakes, ChangeModel)
        if not model.model_fields_set:
            raise InputError("a change must give parameters, duration or both, got neither")
        _check_duration(mistakes, model.duration)
        parameters = self._change_parameters(mistakes, model.parameters, fault)
        _refuse(mistakes)
        duration_s = fault.duration_s
        if model.duration is not None:
            duration_s = at_s - fault.start_s + model.duration
        values = {one.name: getattr(fault, one.name) for one in fields(fault)}
        values |= {"parameters": parameters, "duration_s": duration_s}
        changed = mistakes.build(Fault, values, ())
        _refuse(mistakes)
        assert changed is not None  # noqa: S101 - idem
        return changed

    def _change_parameters(
        self, mistakes: Mistakes, given: dict[str, Any], fault: Fault
    ) -> Parameters:
        """Return a fault's numbers with those of `given`; the others stay to the last digit."""
        if not given:
            return fault.parameters
        whole = {**_write_parameters(fault), **given}
        mistakes.validate(parameters_model(fault.kind), whole, PARAMETERS)
        _refuse(mistakes)
        read = read_parameters(mistakes, fault.kind, whole, PARAMETERS)
        _refuse(mistakes)
        assert read is not None  # noqa: S101 - idem
        check_fleet(mistakes, read, PARAMETERS, self._topology)
        kept = [name for name in field_names(type(read)) if key_of(name) not in given]
        return replace(read, **{name: getattr(fault.parameters, name) for name in kept})  # type: ignore[type-var]

    def write(self, fault: Fault) -> dict[str, Any]:
        """Return a fault as it could have been sent."""
        targets = {
            key: list(value) if isinstance(value, tuple) else value
            for key in AIMS[fault.parameters.aims_at]
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


def _write_parameters(fault: Fault) -> dict[str, Any]:
    values = {name: getattr(fault.parameters, name) for name in field_names(type(fault.parameters))}
    return {
        key_of(name): value if key_of(name) == name else format_duration(value)
        for name, value in values.items()
    }


def _read(body: bytes) -> Mistakes:
    """Return the document, a mapping, without any mistake yet; a mistake in JSON has its place."""
    try:
        document = parse_json(body.decode("utf-8"), "body")
    except InputError as error:
        raise InputError(str(error)) from None
    except UnicodeDecodeError:
        raise InputError("the body must be UTF-8 text") from None
    except ValueError:  # a number of thousands of digits
        raise InputError("the body must hold no number that long") from None
    if not isinstance(document.data, dict):
        raise InputError("the body must be a JSON object")
    return Mistakes(document)


def _validate(mistakes: Mistakes, model: type[M]) -> M:
    read = mistakes.validate(model, mistakes.document.data, ())
    _refuse(mistakes)
    assert read is not None  # noqa: S101 - or mistakes would have been refused
    return read


def _check_duration(mistakes: Mistakes, duration_s: float | None) -> None:
    if duration_s is not None and not 0 < duration_s <= INJECTION_MAX_S:
        rule = f"above 0s and at most {format_duration(INJECTION_MAX_S)}"
        message = f"duration must be {rule}, got {format_duration(duration_s)}"
        mistakes.add(message, ("duration",))


def _refuse(mistakes: Mistakes) -> None:
    """Raise every mistake found as one line: a sender has no need of lines and columns."""
    if mistakes.found:
        messages = dict.fromkeys(one.message for one in gather(mistakes.found).all)
        raise InputError("; ".join(messages))
