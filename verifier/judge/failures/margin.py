"""How near an alert that did as expected came to its threshold, from what is known already.

Called by `explanation` for verdicts that are ok. It asks the server nothing: drawing has asked for
every condition, at every evaluation or, of a long silence, at every n-th. Times are scenario
seconds.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.evidence.comparison import comparisons, furthest, holds, opened, scores
from verifier.evidence.measurement import ComparisonNumbers, DecisiveValue
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import promql_parser as promql
    from numpy.typing import NDArray

    from verifier.evidence.measurement import AlertView
    from verifier.evidence.silence import WatchedRun
    from verifier.pack.rules import AlertRule, RuleGroup
    from verifier.servers.prometheus import Series

PARTS_MAX: Final = 4
"""Comparisons of one condition that are named: as many as are drawn."""
SERIES_MAX: Final = 1000
"""Series of one condition that are looked through for an alert."""


def margin(
    run: WatchedRun, group: RuleGroup, rule: AlertRule, view: AlertView
) -> tuple[ComparisonNumbers, ...]:
    """Return the comparisons of a rule's condition in numbers, as far as they are known."""
    try:
        tree = parse(rule.expr)
    except ValueError:
        return ()
    span = run.span(group, rule).scenario
    known = (
        _compared(run, node, view, run.stock.known(opened(node).expr, span))
        for node in islice(comparisons(tree), PARTS_MAX)
    )
    return tuple(each for each in known if each is not None)


def _compared(
    run: WatchedRun,
    node: promql.BinaryExpr,
    view: AlertView,
    known: tuple[float, list[Series]] | None,
) -> ComparisonNumbers | None:
    """Return one comparison in numbers; None where nothing is known of it."""
    open_ = opened(node)
    if known is None or open_.literal is None:
        return None
    step_s, answer = known
    if len(answer) > SERIES_MAX:
        return None
    labels, limit, operator = dict(view.labels), open_.literal, open_.operator
    series = [
        each
        for each in answer
        if all(labels.get(name, text) == text for name, text in each.labels.items())
        and not np.isnan(each.values).all()
    ]
    if not series:
        return None
    nearness = [float(np.nanmax(scores(each.values, operator, limit))) for each in series]
    best = series[nearness.index(max(nearness))]
    times_s = (best.times_s - run.epoch_s) * run.factor
    readings = tuple(_readings(view, times_s, best.values, 1.5 * step_s * run.factor))
    is_there = ~np.isnan(best.values)
    points = list(zip(times_s[is_there], best.values[is_there], strict=True))
    at_s, value = furthest(points, operator, limit, held=True)
    last_s = (run.end_s - step_s) * run.factor
    return ComparisonNumbers(
        condition=text_of(node, run.factor),
        operator=operator,
        threshold=None if open_.constant is None else limit,
        nearest=float(value),
        at_s=float(at_s),
        labels=tuple(sorted((k, v) for k, v in best.labels.items() if k != "__name__")),
        held_s=_held_s(times_s, holds(best.values, operator, limit), 1.5 * step_s * run.factor),
        last=float(points[-1][1]) if points[-1][0] >= last_s else None,
        readings=readings,
    )


def _readings(
    view: AlertView, times_s: NDArray[np.float64], values: NDArray[np.float64], apart_s: float
) -> Iterator[DecisiveValue]:
    """Yield the value at the last known evaluation up to each decisive instant of the scenario."""
    for instant in view.instants:
        place = int(np.searchsorted(times_s, instant.at_s + 1e-3, side="right")) - 1
        if place < 0:
            continue  # before the scenario nothing was drawn
        there = instant.at_s - times_s[place] < apart_s and not np.isnan(values[place])
        yield DecisiveValue(instant.moment, instant.at_s, float(values[place]) if there else None)


def _held_s(times_s: NDArray[np.float64], held: NDArray[np.bool_], apart_s: float) -> float | None:
    """Return for how long a comparison held at the longest; None where it never did."""
    at_s = times_s[held]
    if not len(at_s):
        return None
    parts = np.split(at_s, np.flatnonzero(np.diff(at_s) > apart_s) + 1)
    return max(float(part[-1] - part[0]) for part in parts)
