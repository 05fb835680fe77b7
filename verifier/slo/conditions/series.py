"""Which series an expression has, by their labels, and whether two expressions meet.

Called by the readers of quantities and of branches. Prometheus pairs series by equal labels: two
sides whose labels can never be equal have no result, ever, and no error says so. Pure; what is read
here is syntax, not what some server stores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.slo.conditions.unreadable import UnreadableConditionError

if TYPE_CHECKING:
    from verifier.labels import Labels


@dataclass(frozen=True, slots=True)
class SeriesLabels:
    """The labels of an expression's series.

    `varying` names those of which there may be several values, None for all that the series have
    but those that were `dropped`; `fixed` are sorted pairs that every series has.
    """

    varying: frozenset[str] | None
    fixed: Labels = ()
    dropped: frozenset[str] = frozenset()

    @property
    def is_single(self) -> bool:
        """Whether there is one series at most."""
        return self.varying == frozenset()

    def grouped(self, modifier: promql.AggModifier | None) -> SeriesLabels:
        """Return the labels that an aggregation leaves."""
        if modifier is None:
            return NO_LABELS
        names = frozenset(modifier.labels)
        if modifier.type != promql.AggModifierType.By:
            return self.without(names)
        fixed = tuple(pair for pair in self.fixed if pair[0] in names)
        kept = names - self.dropped if self.varying is None else names & self.varying
        return SeriesLabels(kept - {name for name, _ in fixed}, fixed)

    def without(self, names: frozenset[str]) -> SeriesLabels:
        """Return the labels without those of these names."""
        fixed = tuple(pair for pair in self.fixed if pair[0] not in names)
        if self.varying is None:
            return SeriesLabels(None, fixed, self.dropped | names)
        return SeriesLabels(self.varying - names, fixed)

    def may_vary(self, name: str) -> bool:
        """Whether there may be several values of a label."""
        return name not in self.dropped if self.varying is None else name in self.varying

    def with_fixed(self, labels: Labels) -> SeriesLabels:
        """Return the labels after `labels` were set on every series, as a recording rule does."""
        fixed = dict(self.fixed) | dict(labels)
        varying = None if self.varying is None else self.varying - set(fixed)
        return SeriesLabels(varying, tuple(sorted(fixed.items())), self.dropped - set(fixed))

    def in_words(self) -> str:
        """Say which labels the series have."""
        if self.varying is None:
            return "all labels of its series"
        names = sorted(self.varying | {name for name, _ in self.fixed})
        return f"the labels {', '.join(names)}" if names else "no labels"


SCRAPED: Final = frozenset({"job", "instance"})
"""Labels that every scraped series has, whatever its own."""
NO_LABELS: Final = SeriesLabels(frozenset())
ALL_LABELS: Final = SeriesLabels(None)


def pair(
    left: SeriesLabels, right: SeriesLabels, modifier: promql.BinModifier | None, sign: str
) -> SeriesLabels:
    """Return the labels of an arithmetic result or comparison of two vectors.

    Raises UnreadableConditionError when no series of one side ever meets one of the other.
    """
    check_meeting(left, right, modifier, sign)
    card = modifier.card if modifier is not None else None
    if card == promql.VectorMatchCardinality.OneToMany:
        return right
    if card == promql.VectorMatchCardinality.ManyToOne or not (left.is_single and right.is_single):
        return left
    matched, _ = _matched(left, modifier)
    return replace(left, fixed=matched)


def check_meeting(
    left: SeriesLabels, right: SeriesLabels, modifier: promql.BinModifier | None, sign: str
) -> None:
    """Raise UnreadableConditionError when no series of one side ever meets one of the other."""
    (own_fixed, own_varying), (other_fixed, other_varying) = (
        _matched(side, modifier) for side in (left, right)
    )
    own, other = dict(own_fixed), dict(other_fixed)
    apart = any(
        (own.get(name, "") != other.get(name, ""))
        and not _varies(name, own, own_varying)
        and not _varies(name, other, other_varying)
        for name in {*own, *other}
    )
    if apart or not _same_names(own_varying, other_varying, {*own, *other}):
        raise UnreadableConditionError(
            f"the sides of {sign!r} never meet: the left has {left.in_words()}, the right"
            f" {right.in_words()}"
        )


def _varies(name: str, fixed: dict[str, str], varying: frozenset[str] | None) -> bool:
    return name not in fixed and (varying is None or name in varying)


def _same_names(own: frozenset[str] | None, other: frozenset[str] | None, fixed: set[str]) -> bool:
    """Whether both sides may have the same label names; every scraped series has `SCRAPED`."""
    if own is None or other is None:
        known = other if own is None else own
        return known is None or (known | fixed) >= SCRAPED
    return not (own ^ other) - fixed


def _matched(
    side: SeriesLabels, modifier: promql.BinModifier | None
) -> tuple[Labels, frozenset[str] | None]:
    """Return the fixed and the varying labels by which a side is matched."""
    matching = modifier.matching if modifier is not None else None
    if matching is None:
        return side.fixed, side.varying
    names = frozenset(matching.labels)
    if matching.type == promql.LabelModifierType.Include:
        fixed = tuple(each for each in side.fixed if each[0] in names)
        known = {name for name, _ in fixed}
        varying = names - side.dropped if side.varying is None else names & side.varying
        return fixed, varying - known
    fixed = tuple(each for each in side.fixed if each[0] not in names)
    return fixed, None if side.varying is None else side.varying - names
