"""What a store holds of the series that were written: how many samples of each, and which.

Asked metric by metric, for a function of a range drops the metric's name. Counts are of a closed
interval in milliseconds. Labels that a store adds of its own are passed over.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import numpy as np

from exporter.history.samples import Block
from verifier.errors import JudgeError
from verifier.stores.slices import countable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet
    from verifier.stores.connection import Patience, StoreConnection

    Key = tuple[str, ...]

NAME: Final = "__name__"
AGREEMENT: Final = 1e-10
"""VictoriaMetrics keeps decimals of twelve digits or so, not the very float that was sent."""


class _Metric:
    """One metric of the run: its series by the values of their labels."""

    def __init__(self, name: str, series: Sequence[tuple[int, dict[str, str]]]) -> None:
        self.name = name
        self._labels = sorted({label for _, labels in series for label in labels} - {NAME})
        self.numbers = {self.key(labels): number for number, labels in series}

    def key(self, labels: dict[str, str]) -> Key:
        """Return the values of its labels, empty where there is none."""
        return tuple(labels.get(label, "") for label in self._labels)


class StoredSamples:
    """Asks a store about the series of one run. Used by one thread at a time."""

    def __init__(
        self, connection: StoreConnection, labels: Sequence[LabelSet], patience: Patience
    ) -> None:
        """Ask nothing yet."""
        self._connection, self._patience = connection, patience
        self._size = len(labels)
        by_name: dict[str, list[tuple[int, dict[str, str]]]] = {}
        for number, each in enumerate(labels):
            pairs = dict(each)
            by_name.setdefault(pairs[NAME], []).append((number, pairs))
        self._metrics = {name: _Metric(name, each) for name, each in by_name.items()}
        shared = Counter(pair for each in labels for pair in each)
        self._shared = {name: value for (name, value), n in shared.items() if n == self._size}
        self.labels = tuple(labels)

    def counts(
        self, first_ms: int, last_ms: int, series: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return how many samples of each series of the run are held, 0 for those not asked for."""
        counts = np.zeros(self._size, np.int64)
        for metric in self._asked(series):
            window = f"[{last_ms - first_ms + 1}ms]"
            selector = _selector(self._shared | {NAME: metric.name})
            expr = f"count_over_time({selector}{window})"
            for labels, item in self._answers(expr, last_ms):
                number = metric.numbers.get(metric.key(labels))
                if number is not None:
                    counts[number] += int(float(item["value"][1]))
        return counts

    def counts_each(self, first_ms: int, step_ms: int, windows: int) -> NDArray[np.int64]:
        """Return how many samples of each series are held in each of some windows in a row.

        Shape (windows, series). Each begins at a scrape, `first_ms` and so much later.
        """
        counts = np.zeros((windows, self._size), np.int64)
        end_ms = first_ms + step_ms - 1  # no scrape is there: whether it would count differs
        for metric in self._metrics.values():
            expr = f"count_over_time({_selector(self._shared | {NAME: metric.name})}[{step_ms}ms])"
            form = {
                "query": expr,
                "start": f"{end_ms / 1000:.3f}",
                "end": f"{(end_ms + step_ms * (windows - 1)) / 1000:.3f}",
                "step": f"{step_ms / 1000:.3f}",
            }
            for labels, item in self._results("/api/v1/query_range", form):
                number = metric.numbers.get(metric.key(labels))
                if number is not None:
                    for at_s, count in item.get("values") or ():
                        window = round((float(at_s) * 1000 - end_ms) / step_ms)
                        counts[window, number] += int(float(count))
        return counts

    def samples(
        self, number: int, first_ms: int, last_ms: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the times in milliseconds and the values of one series, as they are held."""
        pairs_of = dict(self.labels[number])
        metric = self._metrics[pairs_of[NAME]]
        expr = f"{_selector(pairs_of)}[{last_ms - first_ms + 1}ms]"
        pairs = [
            pair
            for labels, item in self._answers(expr, last_ms)
            if metric.numbers.get(metric.key(labels)) == number
            for pair in item.get("values") or ()
        ]
        times_ms = np.array([round(float(at_s) * 1000) for at_s, _ in pairs], np.int64)
        return times_ms, np.array([float(value) for _, value in pairs], np.float64)

    def missing_of(self, block: Block) -> Block:
        """Return what of a block is not held, with the rows of those series alone.

        The end of a series cannot be counted: it is taken for missing where other samples of its
        series are, or where it is all there is and something of the block is missing.
        """
        first_ms, last_ms = int(block.timestamps_ms[0]), int(block.timestamps_ms[-1])
        expected = countable(block.values).sum(axis=1)
        held = self.counts(first_ms, last_ms, block.series)[block.series]
        lacking = held < expected
        if lacking.any():
            lacking |= expected == 0
        rows = np.flatnonzero(lacking)
        values = block.values[rows].copy()
        for row, number in enumerate(block.series[rows].tolist()):
            if held[rows[row]]:
                times_ms, _ = self.samples(number, first_ms, last_ms)
                values[row, np.isin(block.timestamps_ms, times_ms)] = np.nan
        return Block(block.timestamps_ms, block.series[rows], values)

    def differs(self, block: Block, row: int) -> bool:
        """Whether the very samples of one series of a block are not those that are held."""
        first_ms, last_ms = int(block.timestamps_ms[0]), int(block.timestamps_ms[-1])
        times_ms, values = self.samples(int(block.series[row]), first_ms, last_ms)
        there = countable(block.values[row : row + 1])[0]
        # VictoriaMetrics shows where the end of a series is marked, Prometheus does not.
        ends = np.isin(times_ms, block.timestamps_ms[~there]) & np.isnan(values)
        times_ms, values = times_ms[~ends], values[~ends]
        return not (
            np.array_equal(times_ms, block.timestamps_ms[there])
            and np.allclose(values, block.values[row, there], AGREEMENT, 0.0, equal_nan=True)
        )

    def _asked(self, series: NDArray[np.int64] | None) -> Iterable[_Metric]:
        if series is None:
            return self._metrics.values()
        names = {dict(self.labels[number])[NAME] for number in series.tolist()}
        return (self._metrics[name] for name in sorted(names))

    # Any: an item of an answer; a wrong shape is refused once, here.
    def _answers(self, expr: str, at_ms: int) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
        form = {"query": expr, "time": f"{at_ms / 1000:.3f}"}
        yield from self._results("/api/v1/query", form)

    def _results(
        self, path: str, form: dict[str, str]
    ) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
        # Without it VictoriaMetrics moves times, and answers what it answered before.
        body = urlencode({**form, "nocache": "1"}).encode()
        answer = self._patience.persist(lambda: self._connection.ask(path, body))
        try:
            for item in json.loads(answer)["data"]["result"]:
                yield dict(item["metric"]), item
        except (ValueError, KeyError, TypeError, AttributeError):
            raise JudgeError(
                "the store does not answer as a Prometheus does: check the URL it is asked at"
            ) from None


def _selector(labels: dict[str, str]) -> str:
    """Return the selector of what has all these labels."""
    pairs = (
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(labels.items())
    )
    return "{" + ", ".join(pairs) + "}"
