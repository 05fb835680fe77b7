"""The selectors that decide an alert, through the recording rules between, and series for each.

A selector of what a recording rule records stands for the selectors of that rule. Every series gets
every label that the expression names, with the same text wherever a matcher does not ask for
another: so whatever is joined, matches. Beside the series that a selector reads stand *decoys*, one
for each of its matchers, which differ from them in that label alone. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import promql_parser as promql

from verifier.derive.series.label_values import accepted_value, matchers_of, refused_value
from verifier.promql.parsing import parse
from verifier.promql.printing import selector_text
from verifier.promql.reads import NAME
from verifier.promql.walker import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from verifier.derive.series.label_values import SelectorMatcher
    from verifier.pack.rules import RecordingRule

    Recordings: TypeAlias = Mapping[str, tuple[RecordingRule, ...]]

SeriesLabels: TypeAlias = dict[str, str]
DEPTH_MAX: Final = 8
"""Recording rules that read recording rules."""
OWN: Final = ("instance", "job")
"""Labels that every scraped series has."""
APART: Final = ("instance", "pod", "device", "replica")
"""Labels in which the series of a sum may differ, the first that it does not keep."""
JOINING: Final = ("label_replace", "label_join")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A selector of series that nothing records, with what is around it, the outermost first."""

    selector: promql.VectorSelector
    parents: tuple[promql.Expr, ...]

    @property
    def key(self) -> str:
        """What the selector reads, the same for each selector that reads the same."""
        return selector_text(self.selector)


@dataclass(slots=True)
class LeafSeries:
    """The series of one selector: those it reads, decoys, and other selectors that it also reads.

    `counted` says that it is the number of the series that matters.
    """

    name: str
    rows: list[SeriesLabels]
    decoys: list[SeriesLabels]
    counted: bool
    inside: list[str] = field(default_factory=list)


def recorded_trees(
    selector: promql.VectorSelector, recordings: Recordings
) -> tuple[promql.Expr, ...]:
    """Return the expression that a selector reads the result of; nothing if none records it."""
    rules = recordings.get(selector.name or "", ())
    matchers = matchers_of(selector)
    for rule in rules:
        labels = dict(rule.labels)
        if all(m.accepts(labels[m.label]) for m in matchers if m.label in labels):
            try:
                return (parse(rule.expr),)
            except ValueError:
                return ()
    return ()


def leaves_of(
    tree: promql.Expr, recordings: Recordings, parents: tuple[promql.Expr, ...] = (), depth: int = 0
) -> Iterator[Leaf]:
    """Yield the selectors of `tree` that nothing records, and those of what is recorded."""
    if isinstance(tree, promql.VectorSelector):
        below = recorded_trees(tree, recordings) if depth < DEPTH_MAX else ()
        for recorded in below:
            yield from leaves_of(recorded, recordings, (*parents, tree), depth + 1)
        if not below:
            yield Leaf(tree, parents)
        return
    for child in children(tree):
        yield from leaves_of(child, recordings, (*parents, tree), depth)


@dataclass(frozen=True, slots=True)
class Layout:
    """How many series there are where they are summed, and where they are counted.

    `lean` series have no label but those that their own selector, or what is around it, names.
    """

    rows: int = 1
    counted_rows: int = 1
    lean: bool = False


def plan_series(leaves: Sequence[Leaf], layout: Layout) -> dict[str, LeafSeries]:
    """Return the series of each selector by its key."""
    universe = _universe(leaves)
    planned: dict[str, LeafSeries] = {}
    for leaf in leaves:
        if leaf.key in planned:
            planned[leaf.key].counted |= _is_counted(leaf)
            continue
        labels = _labels(leaf, _around(leaf, universe) if layout.lean else universe)
        if labels is None:
            continue
        counted = _is_counted(leaf)
        planned[leaf.key] = LeafSeries(_name(leaf.selector), [labels], [], counted)
    by_key = {leaf.key: leaf for leaf in leaves if leaf.key in planned}
    _part_overlaps(planned, by_key)
    for key, series in planned.items():
        leaf = by_key[key]
        count = layout.counted_rows if series.counted else layout.rows if _aggregation(leaf) else 1
        series.rows = _multiplied(leaf, series.rows[0], count)
    for key, series in planned.items():
        series.decoys = list(_decoys(by_key[key], series, planned, by_key))
    return planned


def reads_series(leaf: Leaf, name: str, labels: Mapping[str, str]) -> bool:
    """Return whether a selector reads a series of this metric and these labels."""
    matchers = matchers_of(leaf.selector)
    if leaf.selector.name and leaf.selector.name != name:
        return False
    return all(m.accepts(name if m.label == NAME else labels.get(m.label, "")) for m in matchers)


def _name(selector: promql.VectorSelector) -> str:
    if selector.name:
        return selector.name
    matchers = [m for m in matchers_of(selector) if m.label == NAME]
    return accepted_value(matchers, ("some_metric",)) or "some_metric"


def _universe(leaves: Sequence[Leaf]) -> dict[str, str]:
    """Return every label that is named around the selectors, each with its usual text."""
    names: dict[str, None] = dict.fromkeys(OWN)
    texts: dict[str, str] = {}
    for leaf in leaves:
        for node in leaf.parents:
            names |= dict.fromkeys(_named_labels(node))
        matchers = matchers_of(leaf.selector)
        for matcher in matchers:
            names[matcher.label] = None
            own = [m for m in matchers if m.label == matcher.label]
            if any(m.sign[0] == "=" for m in own) and (text := accepted_value(own)):
                texts.setdefault(matcher.label, text)
    return {name: texts.get(name, f"{name}-1") for name in names if name not in (NAME, "le")}


def _around(leaf: Leaf, universe: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that stand around one selector."""
    named = {*OWN, *(name for node in leaf.parents for name in _named_labels(node))}
    return {name: text for name, text in universe.items() if name in named}


def _named_labels(node: promql.Expr) -> list[str]:
    if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
        return list(node.modifier.labels)
    if isinstance(node, promql.BinaryExpr) and node.modifier is not None:
        matching = node.modifier.matching
        named = list(matching.labels) if matching is not None else []
        return [*named, *(node.modifier.group_labels or ())]
    if isinstance(node, promql.Call) and node.func.name in JOINING:
        texts = [a.val for a in list(node.args)[1:] if isinstance(a, promql.StringLiteral)]
        return texts[2:3] if node.func.name == "label_replace" else texts[2:]
    return []


def _labels(leaf: Leaf, universe: Mapping[str, str]) -> SeriesLabels | None:
    """Return labels of a series that the selector reads; None if it can read none."""
    matchers = matchers_of(leaf.selector)
    labels: SeriesLabels = {}
    for name in [*universe, *(m.label for m in matchers if m.label not in (*universe, NAME))]:
        own = [m for m in matchers if m.label == name]
        usual = [universe[name]] if name in universe else []
        text = accepted_value(own, usual)
        if text is None:
            return None
        if text:
            labels[name] = text
    return labels


def _aggregation(leaf: Leaf) -> promql.AggregateExpr | None:
    """Return the innermost aggregation around a selector."""
    inner = [node for node in leaf.parents if isinstance(node, promql.AggregateExpr)]
    return inner[-1] if inner else None


def _is_counted(leaf: Leaf) -> bool:
    """Return whether series are counted, or those that pass a comparison are."""
    for number, node in enumerate(leaf.parents):
        if not isinstance(node, promql.AggregateExpr):
            continue
        inside = (each for each in leaf.parents[number:] if isinstance(each, promql.BinaryExpr))
        compares = any(str(each.op) in ("==", "!=", ">", "<", ">=", "<=") for each in inside)
        if str(node.op) == "count" or (compares and str(node.op) in ("sum", "avg")):
            return True
    return False


def _part_overlaps(planned: dict[str, LeafSeries], leaves: Mapping[str, Leaf]) -> None:
    """Give what reads all of another selector's series one of its own beside them."""
    for key, series in planned.items():
        for other, inner in planned.items():
            if key == other or inner.name != series.name:
                continue
            if not reads_series(leaves[key], inner.name, inner.rows[0]):
                continue
            if reads_series(leaves[other], series.name, series.rows[0]):
                apart = _broken(leaves[other], series.rows[0], leaves[key])
                if apart is None:
                    continue
                series.rows = [apart]
            series.inside.append(other)


def _broken(leaf: Leaf, labels: SeriesLabels, within: Leaf) -> SeriesLabels | None:
    """Return labels with one changed, that `leaf` no longer reads but `within` still does."""
    for matcher in matchers_of(leaf.selector):
        own = [m for m in matchers_of(within.selector) if m.label == matcher.label]
        text = refused_value(matcher, own)
        if matcher.label != NAME and text is not None:
            changed = _with(labels, matcher.label, text)
            if reads_series(within, _name(within.selector), changed):
                return changed
    return None


def _with(labels: SeriesLabels, name: str, text: str) -> SeriesLabels:
    changed = {**labels, name: text}
    if not text:
        del changed[name]
    return changed


def _multiplied(leaf: Leaf, labels: SeriesLabels, count: int) -> list[SeriesLabels]:
    """Return `count` series that differ in a label that the aggregation around them drops."""
    if count == 1:
        return [labels]
    name = _apart(leaf)
    return [labels] + [_with(labels, name, f"{name}-{n}") for n in range(2, count + 1)]


def _apart(leaf: Leaf) -> str:
    node = _aggregation(leaf)
    constrained = {m.label for m in matchers_of(leaf.selector)}
    modifier = node.modifier if node is not None else None
    if modifier is not None and str(modifier.type).endswith("Without"):
        free = [name for name in modifier.labels if name not in constrained and name != "le"]
        return free[0] if free else "replica"
    kept = constrained.union(*map(_named_labels, leaf.parents))
    return next((name for name in APART if name not in kept), "replica")


def _decoys(
    leaf: Leaf,
    series: LeafSeries,
    planned: Mapping[str, LeafSeries],
    leaves: Mapping[str, Leaf],
) -> Iterator[SeriesLabels]:
    """Yield series that only one matcher keeps out, and that no other selector reads."""
    matchers: Sequence[SelectorMatcher] = matchers_of(leaf.selector)
    for matcher in matchers:
        others = [m for m in matchers if m.label == matcher.label and m is not matcher]
        text = refused_value(matcher, others)
        if matcher.label in (NAME, "le") or text is None:
            continue
        labels = _with(series.rows[0], matcher.label, text)
        same = (each for each in planned if planned[each].name == series.name)
        if not any(reads_series(leaves[each], series.name, labels) for each in same):
            yield labels
