"""What evaluating a rule leaves in the store: its samples, and a marker wherever a series ends.

Prometheus's rule manager writes both at each evaluation that succeeds; one that fails writes
nothing, and its series live on for the five minutes of their lookback. Called by the engine, for
rules that are evaluated step by step and for range answers alike. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from exporter.history.samples import NAN_SAMPLE, STALE, Block, History, sample_mask
from verifier.evaluation.alert_states import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exporter.history.samples import LabelSet
    from verifier.evaluation.timeline import Grid
    from verifier.pack.rules import RecordingRule
    from verifier.servers.prometheus import Series


class SampleLog:
    """The samples of one rule, evaluation after evaluation, at Unix milliseconds."""

    def __init__(self) -> None:
        """Start without a sample."""
        self._times_ms: list[int] = []
        self._columns: list[Mapping[LabelSet, float]] = []
        self._previous: Mapping[LabelSet, float] = {}

    def write(self, at_ms: int, samples: Sequence[tuple[LabelSet, float]]) -> History | None:
        """Store the samples of a successful evaluation, and end the series that are gone.

        Returns what was stored, None if that is nothing.
        """
        current = {labels: NAN_SAMPLE if math.isnan(value) else value for labels, value in samples}
        ended = {labels: STALE for labels in self._previous if labels not in current}
        self._previous = current
        column = {**current, **ended}
        if not column:
            return None
        self._times_ms.append(at_ms)
        self._columns.append(column)
        return _history([at_ms], [column])

    def history(self) -> History | None:
        """Return all that was stored, None if that is nothing."""
        return _history(self._times_ms, self._columns) if self._columns else None


def recorded_samples(
    rule: RecordingRule, answer: Sequence[tuple[Mapping[str, str], float]], *, limit: int = 0
) -> list[tuple[LabelSet, float]]:
    """Return what `rule` records of one answer: (labels of a series, value) each.

    Raises EvaluationError when two series end up with the same labels, or above `limit` series.
    """
    samples = [(recorded_labels(rule, labels), value) for labels, value in answer]
    if len({labels for labels, _ in samples}) < len(samples):
        raise EvaluationError(
            "vector contains metrics with the same labelset after applying rule labels"
        )
    if 0 < limit < len(samples):
        raise EvaluationError(f"exceeded limit of {limit} with {len(samples)} series")
    return samples


def recorded_labels(rule: RecordingRule, labels: Mapping[str, str]) -> LabelSet:
    """Return the labels of what `rule` records of a series with `labels`."""
    named = dict(labels) | dict(rule.labels) | {"__name__": rule.record}
    return tuple(sorted((name, text) for name, text in named.items() if text))


def recorded(
    rule: RecordingRule, answer: Sequence[Series], grid: Grid, *, epoch_s: float
) -> History:
    """Return what a recording rule writes at all evaluations of `grid`, none of which failed.

    `answer` has Unix times, `epoch_s` is that of the grid's second 0. Raises EvaluationError when
    two series ever end up with the same labels.
    """
    rows: dict[LabelSet, int] = {}
    values = np.full((len(answer), grid.count), np.nan)
    for series in answer:
        labels = recorded_labels(rule, series.labels)
        row = rows.setdefault(labels, len(rows))
        steps = np.rint((series.times_s - epoch_s - grid.start_s) / grid.interval_s)
        columns = steps.astype(np.int64)
        if sample_mask(values[row, columns]).any():
            raise EvaluationError(
                "vector contains metrics with the same labelset after applying rule labels"
            )
        values[row, columns] = np.where(np.isnan(series.values), NAN_SAMPLE, series.values)
    values = values[: len(rows)]
    present = sample_mask(values)
    ends = np.zeros_like(present)
    ends[:, 1:] = present[:, :-1] & ~present[:, 1:]
    values[ends] = STALE
    timestamps_ms = np.rint((epoch_s + grid.times_s) * 1000).astype(np.int64)
    return History(list(rows), [Block(timestamps_ms, np.arange(len(rows)), values)])


def without_repetition(histories: Sequence[History]) -> list[History]:
    """Return `histories` with each series in one of them, its samples in order of time.

    Several rules may store the same series. A server takes what comes later than the last sample
    of a series and discards the rest, so of two samples at one millisecond the first one stays.
    """
    count = Counter(labels for history in histories for labels in history.series)
    if len(count) == count.total():
        return list(histories)
    alone = [chosen_series(history, lambda labels: count[labels] == 1) for history in histories]
    samples: dict[LabelSet, dict[int, float]] = {}
    for history in histories:
        for block in history.blocks:
            mask = sample_mask(block.values)
            for row, series in enumerate(block.series.tolist()):
                labels = history.series[series]
                if count[labels] > 1:
                    stamps = block.timestamps_ms[mask[row]].tolist()
                    of_series = samples.setdefault(labels, {})
                    for at_ms, value in zip(stamps, block.values[row, mask[row]], strict=True):
                        of_series.setdefault(at_ms, value)
    columns: dict[int, dict[LabelSet, float]] = {}
    for labels, of_series in samples.items():
        for at_ms, value in of_series.items():
            columns.setdefault(at_ms, {})[labels] = value
    times_ms = sorted(columns)
    shared = _history(times_ms, [columns[at_ms] for at_ms in times_ms])
    return [history for history in (*alone, shared) if history.series]


def after_known(history: History, last_ms: Mapping[LabelSet, int]) -> History:
    """Return `history` without the series that have a sample as late, at `last_ms`, already.

    What a rule records goes on where its past ends; what is scraped is not recorded as well.
    """
    stamps = [block.timestamps_ms[0] for block in history.blocks if len(block.timestamps_ms)]
    first_ms = int(min(stamps, default=0))
    return chosen_series(history, lambda labels: last_ms.get(labels, -1) < first_ms)


def last_samples_ms(histories: Sequence[History]) -> dict[LabelSet, int]:
    """Return the Unix time of the last sample of every series."""
    last_ms: dict[LabelSet, int] = {}
    for history in histories:
        for block in history.blocks:
            mask = sample_mask(block.values)
            for row, series in enumerate(block.series.tolist()):
                columns = np.flatnonzero(mask[row])
                if len(columns):
                    labels = history.series[series]
                    at_ms = int(block.timestamps_ms[columns[-1]])
                    last_ms[labels] = max(last_ms.get(labels, at_ms), at_ms)
    return last_ms


def chosen_series(history: History, choose: Callable[[LabelSet], bool]) -> History:
    """Return those series of `history` that are chosen."""
    rows = [row for row, labels in enumerate(history.series) if choose(labels)]
    if len(rows) == len(history.series):
        return history
    kept = np.full(len(history.series), -1)
    kept[rows] = np.arange(len(rows))
    blocks = []
    for block in history.blocks:
        mask = kept[block.series] >= 0
        if mask.any():
            blocks.append(Block(block.timestamps_ms, kept[block.series[mask]], block.values[mask]))
    return History([history.series[row] for row in rows], blocks)


def _history(times_ms: Sequence[int], columns: Sequence[Mapping[LabelSet, float]]) -> History:
    rows: dict[LabelSet, int] = {}
    for column in columns:
        for labels in column:
            rows.setdefault(labels, len(rows))
    values = np.full((len(rows), len(columns)), np.nan)
    for number, column in enumerate(columns):
        for labels, value in column.items():
            values[rows[labels], number] = value
    stamps = np.array(times_ms, dtype=np.int64)
    return History(list(rows), [Block(stamps, np.arange(len(rows)), values)])
