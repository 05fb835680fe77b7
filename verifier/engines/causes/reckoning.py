"""What an engine with certain traits makes of an expression at some evaluations, recomputed.

The leaves are computed here from the samples of the history; what is above them, sums and quotients
and quantiles, a Prometheus of its own does, which holds nothing else. So nothing of an engine's
answer enters what it is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import numpy as np

from exporter.history.samples import STALE, STALE_BITS, Block, History, sample_mask
from verifier.engines.causes.leaves import functions_of, leaves_of, with_named_leaves
from verifier.engines.causes.traits import INSTANT, acting
from verifier.engines.causes.windows import (
    AskedRange,
    SeriesSamples,
    WindowView,
    instant_values,
    range_values,
)
from verifier.promql.reads import NAME
from verifier.servers.prometheus import Prometheus, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet
    from verifier.engines.causes.leaves import ExpressionLeaf
    from verifier.engines.causes.traits import Traits
    from verifier.labels import Labels
    from verifier.servers.prometheus import Series

_PREFIX: Final = "reckoned_"

Values: TypeAlias = "dict[Labels, dict[int, float]]"
"""By labels, without the name, and by the number of the evaluation; a NaN is a value here."""


def values_of(answer: Sequence[Series], query: RangeQuery) -> Values:
    """Return an answer to `query` by labels and by evaluation."""
    values: Values = {}
    for series in answer:
        labels = tuple(sorted((k, v) for k, v in series.labels.items() if k != NAME))
        steps = np.rint((series.times_s - query.start_s) / query.step_s).astype(np.int64)
        own = values.setdefault(labels, {})
        own |= dict(zip(steps.tolist(), series.values.tolist(), strict=True))
    return values


@dataclass(slots=True)
class Reckoning:
    """Recomputes expressions on what each of two engines holds, inside a `with` block.

    That is the same but for what rules recorded.
    """

    histories: tuple[Sequence[History], Sequence[History]]
    _server: Prometheus = field(default_factory=Prometheus)
    _known: dict[tuple[RangeQuery, Traits, tuple[int, ...], int], Values] = field(
        default_factory=dict
    )
    _asked: int = 0
    _samples: dict[tuple[int, LabelSet], SeriesSamples] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Start the server."""
        self._server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        """End the server."""
        self._server.__exit__(*exception)

    def values(
        self, query: RangeQuery, steps: Iterable[int], traits: Traits, *, held_by: int
    ) -> Values:
        """Return what an engine with these traits answers to `query` at these `steps` of its grid.

        It reads what the first engine holds, or the second, by `held_by`. Raises
        `NotReckonedError` for an expression that is not known here, and `QueryError` where the
        server refuses what became of it.
        """
        at_steps = tuple(sorted(set(steps)))
        own = acting(traits, (*functions_of(query.expr), ""))
        key = (query, own, at_steps, held_by)
        if key not in self._known:
            self._known[key] = self._reckoned(query, at_steps, own, held_by)
        return self._known[key]

    def _reckoned(
        self, query: RangeQuery, steps: tuple[int, ...], traits: Traits, held_by: int
    ) -> Values:
        prefix = f"{_PREFIX}{self._asked}_"
        self._asked += 1
        start_ms, step_ms = round(query.start_s * 1000), round(query.step_s * 1000)
        at_ms = start_ms + step_ms * np.array(steps, dtype=np.int64)
        asked = AskedRange(start_ms, round(query.end_s * 1000), step_ms)
        rows: dict[LabelSet, NDArray[np.float64]] = {}
        for number, leaf in enumerate(leaves_of(query.expr)):
            view = WindowView(leaf.window_ms, asked.moved(leaf.offset_ms), traits, leaf.argument)
            for labels in self._selected(leaf, held_by):
                samples = self._samples_of(labels, held_by)
                row = leaf.labels(labels, f"{prefix}{number}")
                rows[row] = _leaf_values(leaf, samples, at_ms, view)
        self._push(rows, at_ms)
        changed = with_named_leaves(query.expr, traits, prefix)
        grid = RangeQuery(changed, query.start_s, query.end_s, query.step_s)
        answer = values_of(self._server.query_range(grid), grid)
        return {
            labels: {step: own[step] for step in steps if step in own}
            for labels, own in answer.items()
        }

    def _push(self, rows: dict[LabelSet, NDArray[np.float64]], at_ms: NDArray[np.int64]) -> None:
        """Store each value at its instant alone: a millisecond later its series has ended."""
        if not rows or not len(at_ms):
            return
        stamps = np.stack([at_ms, at_ms + 1], axis=1).ravel()
        values = np.full((len(rows), len(stamps)), np.nan)
        for row, own in zip(values, rows.values(), strict=True):
            row[::2] = own
            row[1::2] = np.where(np.isnan(own), np.nan, STALE)
        history = History(list(rows), [Block(stamps, np.arange(len(rows)), values)])
        self._server.push(history)

    def _selected(self, leaf: ExpressionLeaf, held_by: int) -> list[LabelSet]:
        histories = self.histories[held_by]
        names = dict.fromkeys(labels for history in histories for labels in history.series)
        return [labels for labels in names if leaf.selects(labels)]

    def _samples_of(self, labels: LabelSet, held_by: int) -> SeriesSamples:
        """Return the samples of a series in all histories."""
        if (held_by, labels) not in self._samples:
            pieces = [
                (block.timestamps_ms, block.values[row])
                for history in self.histories[held_by]
                if labels in history.series
                for block in history.blocks
                for row in np.flatnonzero(block.series == history.series.index(labels))
            ]
            times = np.concatenate([times for times, _ in pieces] or [np.empty(0, np.int64)])
            values = np.concatenate([values for _, values in pieces] or [np.empty(0)])
            order = np.argsort(times, kind="stable")
            times, values = times[order], np.ascontiguousarray(values[order])
            stale = values.view(np.uint64) == STALE_BITS
            kept = sample_mask(values) & ~stale
            own = SeriesSamples(times[kept], values[kept], times[stale])
            self._samples[held_by, labels] = own
        return self._samples[held_by, labels]


def _leaf_values(
    leaf: ExpressionLeaf, samples: SeriesSamples, at_ms: NDArray[np.int64], view: WindowView
) -> NDArray[np.float64]:
    """Return the value of a leaf for one series, at each instant."""
    moved_ms = at_ms - leaf.offset_ms
    if leaf.function == INSTANT:
        return instant_values(samples, moved_ms, view.asked, view.traits)
    return range_values(leaf.function, samples, moved_ms, view)
