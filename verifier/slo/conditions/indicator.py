"""Which events a share counts: failed requests, good ones, or something else.

Called by the comparison of policy and rules. A policy may state its events as selectors
(`availability.errors`, `availability.requests`). Without them an error is an answer with an HTTP
status of 5xx, and rules that tell errors by anything else are not compared: nothing is taken on
trust. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import promql_parser as promql

from verifier.promql.parsing import parse
from verifier.slo.conditions.quantities import selector_text
from verifier.slo.conditions.reader import selected
from verifier.slo.conditions.recordings import matches
from verifier.slo.conditions.unreadable import UnreadableConditionError

if TYPE_CHECKING:
    from verifier.slo.conditions.quantities import EventCount, Matcher, Share

Counts: TypeAlias = Literal["errors", "good"]

CODES: Final = tuple(map(str, range(200, 600)))
"""Every status that a request can end with."""
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")
"""The same, as exporters write it that count by class."""
STATUS_LABEL: Final = re.compile("status|code|class")
"""How labels that hold an HTTP status are called; a port may match 5.. as well."""
OPPOSITES: Final = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
SHOWN_CODES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Events:
    """The series of a counter: a metric and matchers."""

    metric: str
    matchers: frozenset[Matcher]

    def in_words(self) -> str:
        """Write the selector."""
        return selector_text(self.metric, self.matchers)


@dataclass(frozen=True, slots=True)
class StatedEvents:
    """What the policy says: which requests count, and which of them are errors."""

    requests: Events
    errors: Events


class WrongEventsError(ValueError):
    """A share counts other events than the policy; its text says which, for a person."""


def read_events(selector: str) -> Events:
    """Return the events that a selector names; raise ValueError for anything else."""
    tree = parse(selector)
    if not isinstance(tree, promql.VectorSelector):
        raise UnreadableConditionError("it is no selector")
    return Events(*selected(tree))


def counted(share: Share, stated: StatedEvents | None) -> Counts:
    """Return whether a share is that of the errors or of the good requests.

    Raises WrongEventsError when it is neither.
    """
    numerator, denominator = (_events(side) for side in (share.numerator, share.denominator))
    if stated is None:
        if numerator.metric != denominator.metric:
            raise WrongEventsError(
                f"{numerator.in_words()} over {denominator.in_words()}: which of them are errors"
                " must be stated in the policy (availability.errors, availability.requests)"
            )
        errors = None
    else:
        if not _equal(denominator, stated.requests):
            raise WrongEventsError(
                f"it divides by {denominator.in_words()}, the policy's requests are"
                f" {stated.requests.in_words()}"
            )
        if _equal(numerator, stated.errors):
            return "errors"
        if numerator in _all_but(stated):
            return "good"
        errors = stated.errors
    return _by_label(numerator, denominator, errors)


def requests_of(share: Share) -> Events:
    """Return the requests of which a share is taken."""
    return _events(share.denominator)


def _events(count: EventCount) -> Events:
    return Events(count.metric, count.matchers)


def _all_but(stated: StatedEvents) -> list[Events]:
    """Return the good requests as a selector: those with the errors' own matcher turned round."""
    own = stated.errors.matchers - stated.requests.matchers
    if stated.errors.metric != stated.requests.metric or len(own) != 1:
        return []
    [(name, sign, value)] = own
    good = stated.requests.matchers | {(name, OPPOSITES[sign], value)}
    return [Events(stated.requests.metric, good)]


def _by_label(numerator: Events, denominator: Events, errors: Events | None) -> Counts:
    """Compare by the values of the only label that tells errors from good requests."""
    apart = numerator.matchers ^ denominator.matchers
    labels = sorted({name for name, _, _ in apart})
    if not labels:
        raise WrongEventsError(
            f"it divides {numerator.in_words()} by itself: the ratio is always 1"
        )
    if len(labels) > 1:
        raise WrongEventsError(
            f"{numerator.in_words()} and {denominator.in_words()} differ in"
            f" {' and '.join(labels)}: they count different requests"
        )
    [label] = labels
    values = _values(label, numerator, denominator)
    own, whole = _passing(numerator, label, values), _passing(denominator, label, values)
    if errors is not None and not _is_told_by(label, errors, numerator):
        raise WrongEventsError(f"it counts {numerator.in_words()}, not {errors.in_words()}")
    failing = (
        {value for value in values if value[0] == "5"}
        if errors is None
        else _passing(errors, label, values)
    )
    if errors is not None and not failing:
        raise WrongEventsError(
            f"it counts {numerator.in_words()}, the policy's errors are {errors.in_words()}"
        )
    named = errors is not None or STATUS_LABEL.search(label)
    if not own or not named or own == whole == set(values):
        raise WrongEventsError(
            f"{label} is no HTTP status here: which requests are errors must be stated in the"
            " policy (availability.errors, availability.requests)"
        )
    if errors is None and whole != set(values):
        raise WrongEventsError(
            f"it divides by {denominator.in_words()}, which leaves out"
            f" {_shown(set(values) - whole)}, not by all requests"
        )
    if own == failing:
        return "errors"
    if own == whole - failing:
        return "good"
    raise WrongEventsError(f"it counts {numerator.in_words()}: {_mistaken(own, failing)}")


def _is_told_by(label: str, errors: Events, numerator: Events) -> bool:
    """Whether `label` alone tells the stated errors from the requests that are counted."""
    others = {each for each in errors.matchers if each[0] != label}
    return errors.metric == numerator.metric and others <= numerator.matchers


def _mistaken(own: set[str], failing: set[str]) -> str:
    """Say how the events that are counted differ from the errors."""
    if not own & failing:
        return f"{_shown(own)} are no errors"
    parts = []
    if failing - own:
        parts.append(f"of the errors it leaves out {_shown(failing - own)}")
    if own - failing:
        parts.append(f"it counts {_shown(own - failing)} too")
    return ", ".join(parts)


def _values(label: str, *sides: Events) -> tuple[str, ...]:
    """Return the values that the label may have: codes, or classes where the matchers name them."""
    named = "".join(value for side in sides for name, _, value in side.matchers if name == label)
    if "XX" in named:
        return tuple(map(str.upper, CLASSES))
    return CLASSES if "xx" in named else CODES


def _passing(events: Events, label: str, values: tuple[str, ...]) -> set[str]:
    own = [(sign, value) for name, sign, value in events.matchers if name == label]
    return {text for text in values if all(matches(*each, text) for each in own)}


def _equal(own: Events, other: Events) -> bool:
    return own == other


def _shown(values: set[str]) -> str:
    """Write statuses: whole classes as 5xx, else the first few codes."""
    parts: list[str] = []
    for first in sorted({value[0] for value in values}):
        members = sorted(value for value in values if value[0] == first)
        if len(members) in (1, 100) or members[0].lower().endswith("xx"):
            parts.append(f"{first}xx" if len(members) == 100 else members[0])
            continue
        more = len(members) - SHOWN_CODES_MAX
        parts += members[:SHOWN_CODES_MAX]
        parts += [f"{more} more {first}xx"] if more > 0 else []
    return ", ".join(parts)
