"""A server that answers as a test says, and notes what it is asked and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.servers.prometheus import QueryError, RangeQuery, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exporter.history.samples import History

    Answer = Callable[[RangeQuery], list[Series]]

SCRAPED = history({labels("a"): row("1*11")})


def always(value: float = 1.0, **own: str) -> Answer:
    """Answer with one series that has this value at every evaluation."""
    return lambda query: [series(query, [value] * steps_of(query), **own)]


def series(query: RangeQuery, values: Sequence[float], **own: str) -> Series:
    """Return a series of a query's grid, without the steps where its value is none."""
    times_s = query.start_s + query.step_s * np.arange(len(values))
    there = ~np.isnan(values)
    return Series(own, times_s[there], np.array(values)[there])


def steps_of(query: RangeQuery) -> int:
    """Return how many evaluations a query asks for."""
    return round((query.end_s - query.start_s) / query.step_s) + 1


class StandInServer:
    """Answers as it is set up, fails at the steps that it is set up to, and notes what it is sent.

    `asked` are expressions with the seconds from which and up to which they are asked, `pushed` the
    samples of each series, in the order in which it was sent them.
    """

    version = "3.0"

    def __init__(self, answers: Mapping[str, Answer], *, failing_s: Sequence[float] = ()) -> None:
        """Hold one series that was scraped."""
        self.histories = [SCRAPED]
        self.answers, self.failing_s = answers, failing_s
        self.asked: list[tuple[str, float, float]] = []
        self.pushed: list[tuple[str, list[float]]] = []

    def push(self, *some: History) -> None:
        """Note what is sent, and hold it."""
        self.histories += some
        for each in some:
            for block in each.blocks:
                for number, values in zip(block.series, block.values, strict=True):
                    times_s = block.timestamps_ms / 1000 - EPOCH_S
                    own = dict(each.series[number])
                    name = own.pop("__name__")
                    texts = "".join(f" {text}" for _, text in sorted(own.items()))
                    self.pushed.append((name + texts, times_s[~np.isnan(values)].tolist()))

    def query_ranges(self, queries: Sequence[RangeQuery]) -> list[Any]:
        """Answer each query, or say why not."""
        return [self._tried(query) for query in queries]

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Answer a query; fail as a whole where one of its steps does."""
        first_s, last_s = query.start_s - EPOCH_S, query.end_s - EPOCH_S
        self.asked.append((query.expr, first_s, last_s))
        failing = [at_s for at_s in self.failing_s if first_s <= at_s <= last_s]
        if failing:
            raise QueryError(f"it fails at {failing[0]:g}")
        return self.answers[query.expr](query)

    def fresh(self) -> StandInServer:
        """Return a server for what is evaluated step by step."""
        return self

    def _tried(self, query: RangeQuery) -> list[Series] | QueryError:
        try:
            return self.query_range(query)
        except QueryError as error:
            return error


def answering(**answers: Answer) -> StandInServer:
    """Return a server that answers a metric's name so, and fails nowhere."""
    return StandInServer(answers)
