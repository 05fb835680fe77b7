"""What a server holds of a run, as a report may name it."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

from verifier.evidence.stock import EvaluationSpan, Stock
from verifier.servers.prometheus import QueryError, RangeQuery, Series

SPAN = EvaluationSpan(first_s=0.0, start_s=0.0, end_s=60.0, interval_s=15.0)


@pytest.mark.parametrize("order", [*permutations(("high", "low", "normal"))])
@pytest.mark.parametrize("question", ["answer", "over"])
def test_series_have_the_same_order_whatever_the_engine_answers(question, order) -> None:
    """A report names the first of them, and must name the same one each time."""
    series = [SimpleNamespace(labels={"priority": name}, values=[1.0]) for name in order]
    server = SimpleNamespace(version="3.5.3", query=lambda *_: series, query_range=lambda _: series)
    answer = getattr(Stock(server), question)("queue_depth", SPAN)
    assert [each.labels["priority"] for each in answer.series] == ["high", "low", "normal"]


class CountingServer:
    """Holds one range that has ended at 45 s and one that goes on; counts its instants."""

    version = "3.5.3"

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.instants: list[str] = []
        self.ranges = 0

    def query(self, expr: str, _: float) -> list[Series]:
        """Answer an instant."""
        self.instants.append(expr)
        return [series("instant", 60.0)]

    def query_ranges(self, queries: list[RangeQuery]) -> list[list[Series] | QueryError]:
        """Answer ranges; one that is called `refused` is refused."""
        self.ranges += len(queries)
        answer = [series("goes on", 45.0, 60.0), series("ended", 30.0, 45.0)]
        return [QueryError("no") if q.expr == "refused" else answer for q in queries]


def series(name: str, *times_s: float) -> Series:
    """Return a series whose values are its times."""
    return Series({"name": name}, np.array(times_s), np.array(times_s))


def primed(expr: str, end_s: float = 60.0) -> tuple[CountingServer, Stock]:
    """Return a stock that asked for a range of `expr`, every 15 s up to `end_s`."""
    server = CountingServer()
    stock = Stock(server)
    query = RangeQuery(expr, 0.0, end_s, 15.0)
    stock.ranges([query, query])
    stock.ranges([query])
    return server, stock


def test_what_a_range_says_of_its_end_is_not_asked_again() -> None:
    """Only series that have a value there are in it; each range is asked once."""
    server, stock = primed("depth", end_s=70.0)
    (known,) = stock.answer("depth", SPAN).series
    assert (known.labels, known.times_s.tolist(), known.values.tolist()) == (
        {"name": "goes on"}, [60.0], [60.0],
    )  # fmt: skip
    assert (server.instants, server.ranges) == ([], 1)


@pytest.mark.parametrize(
    ("expr", "end_s"), [("depth", 45.0), ("depth", 75.0), ("refused", 60.0), ("a @ start()", 60.0)]
)
def test_what_a_range_does_not_say_is_asked(expr: str, end_s: float) -> None:
    """Another end, a refusal, and what depends on where a range begins."""
    server, stock = primed(expr, end_s)
    assert stock.answer(expr, SPAN).series[0].labels == {"name": "instant"}
    assert server.instants == [expr]


def test_an_older_engine_is_asked_by_its_own_names() -> None:
    """Answers are known by the names of the caller."""
    server = CountingServer()
    server.version = "2.42.0"
    names: list[str] = []
    server.query_ranges = lambda queries: [names.append(q.expr) or [] for q in queries]
    query = RangeQuery("double_exponential_smoothing(a[5m], 0.5, 0.5)", 0.0, 60.0, 15.0)
    assert query in Stock(server).ranges([query])
    assert names == ["holt_winters(a[5m], 0.5, 0.5)"]
