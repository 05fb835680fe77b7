"""A condition as the ways in which it fires: `or` of branches, each an `and` of comparisons.

Called by the SLO check for every alert of an objective. A branch fires when all of its comparisons
hold; guards that read the clock alone say for which share of the time it can. What is not one of
these raises `UnreadableConditionError` with its reason, so that it is never praised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.conditions import COMPARISONS
from verifier.promql.parsing import parse
from verifier.slo.conditions.clock import open_share, reads_clock_alone
from verifier.slo.conditions.quantities import LinearReading
from verifier.slo.conditions.reader import EQUALITIES, Reader, text_of
from verifier.slo.conditions.series import NO_LABELS, SeriesLabels, check_meeting, pair
from verifier.slo.conditions.unreadable import UnreadableConditionError

if TYPE_CHECKING:
    from verifier.slo.conditions.recordings import Recordings

JOINED: Final = ("and", "unless")
BRANCHES_MAX: Final = 64
"""`and` of many `or` multiplies; no rule that a person wrote has as many."""


@dataclass(frozen=True, slots=True)
class StrictComparison:
    """A measured quantity compared with a number; `text` is the comparison as it stands."""

    reading: LinearReading
    operator: str
    threshold: float
    text: str

    @property
    def core_threshold(self) -> float:
        """The core's value at which the comparison turns."""
        return self.reading.core_at(self.threshold)

    @property
    def core_operator(self) -> str:
        """The comparison as it reads for the core."""
        return self.operator if self.reading.slope > 0 else COMPARISONS[self.operator]


@dataclass(frozen=True, slots=True)
class ClockGuard:
    """A part of a condition that reads the clock: it lets `open_share` of the time pass."""

    text: str
    open_share: float


@dataclass(frozen=True, slots=True)
class Branch:
    """What must hold at once for an alert to fire."""

    comparisons: tuple[StrictComparison, ...] = ()
    guards: tuple[ClockGuard, ...] = ()
    labels: SeriesLabels = NO_LABELS

    def joined(self, other: Branch) -> Branch:
        """Return the branch in which both hold; its series are those of this one."""
        return Branch(self.comparisons + other.comparisons, self.guards + other.guards, self.labels)


def branches_of(expr: str, recordings: Recordings) -> tuple[Branch, ...]:
    """Return the ways in which `expr` has a result.

    Raises UnreadableConditionError when it always has, never has, or is not understood.
    """
    try:
        tree = parse(expr)
    except ValueError as error:
        raise UnreadableConditionError(f"it cannot be parsed here: {error}") from error
    return _branches(tree, Reader(recordings))


def _branches(node: promql.Expr, reader: Reader) -> tuple[Branch, ...]:
    node = _bare(node)
    if isinstance(node, promql.BinaryExpr):
        sign = str(node.op)
        if sign == "or":
            return _branches(node.lhs, reader) + _branches(node.rhs, reader)
        if sign in JOINED:
            return _both(node, reader) if sign == "and" else _unless(node, reader)
        if sign in COMPARISONS:
            comparison = _comparison(node, reader)
            return (Branch((comparison,), labels=comparison.reading.labels),)
        if sign in EQUALITIES:
            raise UnreadableConditionError(f"{text_of(node)!r} is no threshold")
    raise UnreadableConditionError(
        f"{text_of(node)!r} is compared with nothing: it fires whenever it has a value"
    )


def _both(node: promql.BinaryExpr, reader: Reader) -> tuple[Branch, ...]:
    """Return the branches of `left and right`, in which either side may be a guard."""
    sides = (node.lhs, node.rhs)
    guards = [reads_clock_alone(side) for side in sides]
    if all(guards):
        raise UnreadableConditionError(f"{text_of(node)!r} reads the clock alone")
    parts = [
        (_guard(side, prevents=False),) if guard else _branches(side, reader)
        for side, guard in zip(sides, guards, strict=True)
    ]
    joined = []
    for left in parts[0]:
        for right in parts[1]:
            check_meeting(left.labels, right.labels, node.modifier, "and")
            joined.append(left.joined(right))
    if len(joined) > BRANCHES_MAX:
        raise UnreadableConditionError(f"it has more than {BRANCHES_MAX} ways to fire")
    return tuple(joined)


def _unless(node: promql.BinaryExpr, reader: Reader) -> tuple[Branch, ...]:
    if not reads_clock_alone(node.rhs):
        raise UnreadableConditionError(
            f"whether {text_of(node.rhs)!r} ever lets it fire is not to be seen here"
        )
    guard = _guard(node.rhs, prevents=True)
    branches = _branches(node.lhs, reader)
    for branch in branches:
        check_meeting(branch.labels, guard.labels, node.modifier, "unless")
    return tuple(branch.joined(guard) for branch in branches)


def _guard(node: promql.Expr, *, prevents: bool) -> Branch:
    share = open_share(node)
    passing = 1 - share if prevents else share
    text = f"{'unless' if prevents else 'and'} {text_of(_bare(node))}"
    if not passing:
        raise UnreadableConditionError(f"{text!r} lets it fire at no hour")
    return Branch(guards=(ClockGuard(text, passing),))


def _comparison(node: promql.BinaryExpr, reader: Reader) -> StrictComparison:
    text = text_of(node)
    if node.modifier is not None and node.modifier.return_bool:
        raise UnreadableConditionError(
            f"{str(node.op) + ' bool'!r} gives 0 or 1 and always has a value: it always fires"
        )
    left, right, sign = reader.read(node.lhs), reader.read(node.rhs), str(node.op)
    if left.core is not None and right.core is not None:
        raise UnreadableConditionError(f"{text!r} compares with no number")
    if left.core is None and right.core is None:
        raise UnreadableConditionError(f"{text!r} reads no series")
    labels = left.labels if right.series is None else right.labels
    if left.series is not None and right.series is not None:
        labels = pair(left.series, right.series, node.modifier, sign)
    measured, limit = (left, right) if left.core is not None else (right, left)
    if measured is right:
        sign = COMPARISONS[sign]
    absent = measured.when_absent
    if absent is not None and _holds(absent, sign, limit.offset):
        raise UnreadableConditionError(
            f"without series it counts as {absent:g}, and fires for that"
        )
    kept = LinearReading(measured.slope, measured.offset, measured.core, labels)
    return StrictComparison(kept, sign, limit.offset, text)


def _holds(value: float, sign: str, limit: float) -> bool:
    if value == limit:
        return "=" in sign
    return value > limit if sign[0] == ">" else value < limit


def _bare(node: promql.Expr) -> promql.Expr:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node
