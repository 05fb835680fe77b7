"""Which number of a scenario is turned: what a person names, or the only one there is.

Called by the front door before anything runs. A mistake is an `InputError` with a way out. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake
from verifier.coverage.value_cells import has_threshold
from verifier.near_miss.knobs import DURATION, FRACTION, RATE, knobs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from verifier.coverage.cells import MissedCell
    from verifier.near_miss.knobs import Knob
    from verifier.pack.rules import RuleFiles

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
        if len(own) == 1:
            load = f", or without --fault one of {_listed(of_load)}" if of_load else ""
            raise InputError(
                f"--parameter must be {own[0].name}, which searches the `for`{load}: {name} has no"
                " other number to search"
            )
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
    chosen = _likely_faults(scenario, alert)
    if len(chosen) == 1:
        return chosen[0]
    if not names:
        raise InputError(f"{scenario.name} has no fault: --parameter must be {_listed(of_load)}")
    raise InputError(f"--fault must be one of {', '.join(chosen)}")


def _likely_faults(scenario: Scenario, alert: str) -> list[str]:
    """Return the faults that an alert is expected of, else all."""
    names = [each.name for each in scenario.plan.faults]
    causes = {each.cause for each in scenario.expectations if each.alert == alert}
    return [name for name in names if name in causes] or names


def search_words(scenario: Scenario, alert: str, cell: MissedCell) -> tuple[str, ...] | None:
    """Return the options with which a search of a scenario is unambiguous; None without a number.

    Of several faults and numbers the first is taken, as the file has them.
    """
    faults = _likely_faults(scenario, alert)
    own = [knob for knob in knobs_of(scenario, {}) if faults and knob.fault == faults[0]]
    fault = ("--fault", faults[0]) if len(faults) > 1 else ()
    if cell == "near_for":
        return (*fault, "--parameter", DURATION) if faults else None
    numbers = [knob.name for knob in own if knob.name not in (DURATION, FRACTION)]
    if len(numbers) == 1:
        return fault
    if numbers or any(knob.name == FRACTION for knob in own):
        return (*fault, "--parameter", (*numbers, FRACTION)[0])
    return ("--parameter", RATE) if scenario.plan.load.trace_s is None else None


def threshold_refusal(rules: RuleFiles, alert: str) -> str | None:
    """Return why no value can be near a threshold of an alert; None where one can."""
    own = [rule for _, rule in rules.alerts if rule.alert == alert]
    if any(has_threshold(rule.expr) for rule in own):
        return None
    way_out = "; --parameter duration searches the `for`" if any(r.for_s for r in own) else ""
    return (
        f"the condition of {alert} is not one comparison with a number, so no value is near its"
        f" threshold{way_out}"
    )


def _listed(knobs: Sequence[Knob]) -> str:
    return ", ".join(knob.name for knob in knobs)
