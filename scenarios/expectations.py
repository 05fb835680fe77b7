"""The expectations of a scenario: who causes which alert, and until when it must have happened.

Called by the builder of scenarios. Checks what can be checked without the rules: that a cause
exists, that a bound ends within the scenario, that no two expectations say the same. Whether the
alert exists is for the judge, who has the rules.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from documents.durations import format_duration
from documents.mistakes import Place, did_you_mean
from scenarios.scenario import Expectation

if TYPE_CHECKING:
    from documents.yaml_reader import Step
    from scenarios.scenario import Expected
    from scenarios.schema import ExpectationModel, ScenarioModel
    from scenarios.validation import Mistakes

_START = (0.0, 0.0, -inf)
_Times = tuple[float, float, float]
"""Onset and end of a cause as bounds count them, and its true beginning."""


def read_expectations(mistakes: Mistakes, model: ScenarioModel) -> tuple[Expectation, ...]:
    """Return the expectations that are sound; mistakes of the others go to `mistakes`."""
    causes: dict[str, _Times] = {
        fault.name: (fault.start, fault.start + fault.duration, fault.start)
        for fault in model.faults
    }
    causes |= {incident.name: (0.0, 0.0, -incident.ago) for incident in model.history.incidents}
    sound: list[Expectation] = []
    for index, one in enumerate(model.expectations):
        steps: tuple[Step, ...] = ("expectations", index)
        expected = _expected(mistakes, one, steps)
        if expected is None:
            continue
        _check_receivers(mistakes, one, steps)
        sound_cause, cause = _cause(mistakes, one, causes, steps)
        if not sound_cause:
            continue
        onset_s, end_s, not_before_s = causes[cause] if cause else _START
        _check_bounds(mistakes, one, (onset_s, end_s, model.duration), steps)
        sound.append(
            Expectation(
                alert=one.alert,
                expected=expected,
                place=Place(mistakes.document.path, *mistakes.document.position((*steps, "alert"))),
                labels=tuple(sorted(one.labels.items())),
                cause=cause,
                onset_s=onset_s,
                end_s=end_s,
                not_before_s=not_before_s,
                fires_within_s=one.fires_within,
                resolves_within_s=one.resolves_within,
                receivers=None if one.receivers is None else tuple(one.receivers),
                notifies_resolved=one.notifies_resolved,
                why=one.explained or "",
            )
        )
    _check_unique(mistakes, sound)
    return tuple(sound)


def _expected(
    mistakes: Mistakes, one: ExpectationModel, steps: tuple[Step, ...]
) -> Expected | None:
    said: list[Expected] = []
    if one.fires_within is not None:
        said.append("fires")
    if one.silent:
        said.append("silent")
    if one.explained is not None:
        said.append("explained")
    if len(said) != 1:
        rule = "exactly one of the keys 'fires_within', 'silent' and 'explained'"
        mistakes.add(f"an expectation must have {rule}, got {len(said) or 'none'}", steps)
        return None
    if one.resolves_within is not None and said != ["fires"]:
        message = "resolves_within needs fires_within beside it"
        mistakes.add(message, (*steps, "resolves_within"), at_key=True)
        return None
    if one.cause is not None and said == ["silent"]:
        mistakes.add("a silent alert must have no cause", (*steps, "cause"), at_key=True)
        return None
    return said[0]


def _check_receivers(mistakes: Mistakes, one: ExpectationModel, steps: tuple[Step, ...]) -> None:
    """Refuse receivers of an alert that never fires, twins, and an end nobody can be told of."""
    if one.silent:
        for key in ("receivers", "notifies_resolved"):
            if getattr(one, key) is not None:
                mistakes.add(f"a silent alert must have no {key}", (*steps, key), at_key=True)
        return
    receivers = one.receivers or []
    for index, name in enumerate(receivers):
        if name in receivers[:index]:
            mistakes.add(f"the receiver {name!r} is named twice", (*steps, "receivers", index))
    if one.receivers == [] and one.notifies_resolved:
        message = "notifies_resolved needs receivers: nobody is told of this alert"
        mistakes.add(message, (*steps, "notifies_resolved"), at_key=True)


def _cause(
    mistakes: Mistakes,
    one: ExpectationModel,
    causes: dict[str, _Times],
    steps: tuple[Step, ...],
) -> tuple[bool, str | None]:
    """Return whether there is no mistake, and the cause's name, None for the scenario's start."""
    if one.cause is not None:
        if one.cause in causes:
            return True, one.cause
        near = did_you_mean(one.cause, causes) or f", there is {_listed(causes)}"
        mistakes.add(f"no fault or incident is called {one.cause!r}{near}", (*steps, "cause"))
        return False, None
    if one.fires_within is None or not causes:
        return True, None
    if len(causes) == 1:
        return True, next(iter(causes))
    mistakes.add(f"the key 'cause' is missing: name one of {_listed(causes)}", steps)
    return False, None


def _check_unique(mistakes: Mistakes, expectations: list[Expectation]) -> None:
    """Refuse two expectations of the same alerts, unless they have different causes."""
    first: dict[tuple[object, ...], list[Expectation]] = {}
    for one in expectations:
        others = first.setdefault((one.alert, one.labels), [])
        for other in others:
            if one.cause == other.cause or "silent" in (one.expected, other.expected):
                message = f"{one.alert} is expected twice, first in line {other.place.line}"
                mistakes.found.append(one.place.error(message))
                break
        others.append(one)


def _check_bounds(
    mistakes: Mistakes,
    one: ExpectationModel,
    times_s: tuple[float, float, float],
    steps: tuple[Step, ...],
) -> None:
    onset_s, end_s, duration_s = times_s
    for key, bound_s, from_s in (
        ("fires_within", one.fires_within, onset_s),
        ("resolves_within", one.resolves_within, end_s),
    ):
        if bound_s is None:
            continue
        if bound_s <= 0:
            mistakes.add(f"{key} must be above 0s, got 0s", (*steps, key))
        elif from_s + bound_s > duration_s:
            ends, limit = format_duration(from_s + bound_s), format_duration(duration_s)
            rule = f"end in the scenario, within {limit}"
            mistakes.add(f"{key} must {rule}, got an end at {ends}", (*steps, key))


def _listed(names: dict[str, _Times]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
