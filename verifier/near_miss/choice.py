"""Which number of a scenario is turned: what a person names, or the only one there is.

Called by the front door before anything runs. A mistake is an `InputError` with a way out. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake
from verifier.near_miss.knobs import DURATION, FRACTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from verifier.near_miss.knobs import Knob

NO_NUMBERS: Final = ("name", "fault", "start", "ramp", "targets", "tiers", "hosts", "sandboxes")
"""Keys of a fault that hold no number to turn."""


def chosen_knob(
    scenario: Scenario,
    knobs: Sequence[Knob],
    alert: str,
    *,
    fault: str | None,
    parameter: str | None,
) -> Knob:
    """Return the knob that `fault` and `parameter` name; raise `InputError`."""
    of_load = [knob for knob in knobs if knob.fault is None]
    if parameter is not None and fault is None:
        for knob in of_load:
            if knob.name == parameter:
                return knob
    name = _chosen_fault(scenario, alert, fault, of_load)
    own = [knob for knob in knobs if knob.fault == name]
    if parameter is None:
        numbers = [knob for knob in own if knob.name not in (DURATION, FRACTION)]
        if len(numbers) == 1:
            return numbers[0]
        raise InputError(f"--parameter must be one of {_listed(own)}: {name} has no single one")
    for knob in own:
        if knob.name == parameter:
            return knob
    known = (*(knob.name for knob in own), *(knob.name for knob in of_load))
    if parameter in NO_NUMBERS:
        raise InputError(f"--parameter {parameter} is not a number to search; {name} has"
                         f" {_listed(own)}")  # fmt: skip
    raise InputError(Mistake(UnknownName(f"parameter of {name}", parameter, known)))


def _chosen_fault(
    scenario: Scenario, alert: str, fault: str | None, of_load: Sequence[Knob]
) -> str:
    """Return the fault that is named, the cause of the alert, or the only one."""
    names = tuple(each.name for each in scenario.plan.faults)
    if fault is not None:
        if fault not in names:
            raise InputError(Mistake(UnknownName("fault", fault, names)))
        return fault
    causes = {e.cause for e in scenario.expectations if e.alert == alert and e.cause in names}
    chosen = [name for name in names if name in causes] or list(names)
    if len(chosen) == 1:
        return chosen[0]
    if not names:
        raise InputError(f"{scenario.name} has no fault: --parameter must be {_listed(of_load)}")
    raise InputError(f"--fault must be one of {', '.join(chosen)}")


def _listed(knobs: Sequence[Knob]) -> str:
    return ", ".join(knob.name for knob in knobs)
