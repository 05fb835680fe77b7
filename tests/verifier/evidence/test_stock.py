"""What a server holds of a run, as a report may name it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

from verifier.evidence.stock import Answer, EvaluationSpan, Stock
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


class RecordedAnswers:
    """Answers `at_end` at an instant and `whole` over a range; None is a refusal."""

    version = "3.5.3"

    def __init__(self, at_end: list[Series] | None, whole: list[Series] | None) -> None:
        """Begin with nothing asked."""
        self.at_end, self.whole = at_end, whole
        self.asked: list[object] = []

    def query(self, _: str, at_s: float) -> list[Series]:
        """Answer an instant."""
        return self._answered(at_s, self.at_end)

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Answer a range."""
        return self._answered((query.start_s, query.end_s), self.whole)

    def _answered(self, question: object, answer: list[Series] | None) -> list[Series]:
        self.asked.append(question)
        if answer is None:
            raise QueryError("no")
        return answer


def valued(*values: float) -> Series:
    """Return a series with these values, every 15 s up to 60 s."""
    return Series({}, 60.0 - 15.0 * np.arange(len(values))[::-1], np.array(values))


NAN = float("nan")
NUMBERS_ONCE = [valued(1.0, 2.0, NAN)]


@pytest.mark.parametrize(
    ("at_end", "whole", "expected"),
    [
        ([valued(7.0)], [valued(1.0, 7.0)], "end"),
        ([valued(NAN), valued(7.0)], [valued(1.0)], "end"),
        ([valued(NAN)], NUMBERS_ONCE, "whole"),
        ([valued(NAN), valued(NAN)], NUMBERS_ONCE, "whole"),
        ([valued(NAN)], [valued(NAN, NAN)], "whole"),
        ([], NUMBERS_ONCE, "whole"),
        ([], [], "whole"),
        ([], None, "refused"),
        (None, NUMBERS_ONCE, "refused"),
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_what_has_no_number_at_the_end_is_looked_for_in_the_whole_span(
    at_end: list[Series] | None, whole: list[Series] | None, expected: str, *, is_known: bool
) -> None:
    """Nothing and NaN alike; a refusal is an answer, and each question is asked once."""
    server = RecordedAnswers(at_end, whole)
    stock = Stock(server)
    if is_known and at_end is not None:  # another question asked for the end before
        server.query_ranges = lambda _: [at_end]
        stock.ranges([RangeQuery("x", 60.0, 60.0, 15.0)])
    answer = stock.answer("x", SPAN)
    assert stock.answer("x", SPAN) is answer
    of_expected = {"end": at_end, "whole": whole, "refused": []}[expected]
    shown, known = (
        [each.values.tolist() for each in some] for some in (answer.series, of_expected or ())
    )
    assert str(shown) == str(known), "NaN is not equal to itself"
    assert bool(answer.refusal) == (expected == "refused")
    asks_end = not is_known or at_end is None
    asks_whole = expected == "whole" or whole is None
    assert server.asked == [60.0] * asks_end + [(0.0, 60.0)] * asks_whole


@pytest.mark.parametrize(
    ("series_of_answer", "refusal", "is_empty", "is_nan"),
    [
        ((), "", True, False),
        ((), "no", False, False),
        ((valued(NAN, NAN),), "", False, True),
        ((valued(NAN, 1.0),), "", False, False),
        ((valued(NAN), valued(1.0)), "", False, False),
        ((valued(NAN), valued(NAN)), "", False, True),
    ],
)
def test_an_answer_is_empty_or_nan_only_when_all_of_it_is(
    series_of_answer: tuple[Series, ...], refusal: str, *, is_empty: bool, is_nan: bool
) -> None:
    """What was refused is neither."""
    answer = Answer(series_of_answer, refusal)
    assert (answer.is_empty, answer.is_nan) == (is_empty, is_nan)


@pytest.mark.parametrize(
    ("span", "last_s", "scenario_first_s", "points"),
    [
        (EvaluationSpan(0.0, 0.0, 60.0, 15.0), 60.0, 0.0, 5),
        (EvaluationSpan(0.0, 0.0, 59.9, 15.0), 45.0, 0.0, 4),
        (EvaluationSpan(-100.0, 7.0, 62.0, 30.0), 50.0, 20.0, 6),
        (EvaluationSpan(5.0, 0.0, 64.0, 15.0), 50.0, 5.0, 4),
        (EvaluationSpan(0.1, 0.3, 0.7, 0.1), 0.7, 0.3, 7),
        (EvaluationSpan(0.0, 0.0, 150_000.0, 15.0), 150_000.0, 0.0, 10_001),
        (EvaluationSpan(0.0, 0.0, 150_015.0, 15.0), 150_015.0, 0.0, 5001),
    ],
)
def test_a_span_is_asked_at_its_evaluations(
    span: EvaluationSpan, last_s: float, scenario_first_s: float, points: int
) -> None:
    """None before its first or after its last; of very many every n-th."""
    assert (span.last_s, span.scenario_first_s) == pytest.approx((last_s, scenario_first_s))
    query = span.query("x")
    assert (query.expr, query.start_s, query.end_s) == ("x", span.first_s, span.end_s)
    assert int((query.end_s - query.start_s) / query.step_s + 1e-9) + 1 == points
    assert query.step_s % span.interval_s == 0
    assert span.scenario.first_s == span.scenario_first_s
    assert replace(span.scenario, first_s=span.first_s) == span


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


def test_what_is_known_of_a_span_is_none_of_another() -> None:
    """Neither with other evaluations, nor of what lies beyond it."""
    server = RecordedAnswers([valued(7.0)], [])
    stock = Stock(server)
    stock.answer("x", SPAN)
    stock.answer("x", replace(SPAN, interval_s=25.0))
    stock.answer("x", replace(SPAN, first_s=5.0))
    stock.answer("y", SPAN)
    assert server.asked == [60.0, 50.0, 50.0, 60.0]
    _, stock = primed("depth")
    assert stock.known("depth", SPAN) is not None
    assert stock.known("depth", replace(SPAN, end_s=45.0)) is None
    assert stock.known("depth", replace(SPAN, first_s=15.0)) is None
    assert stock.known("other", SPAN) is None


def test_the_series_that_were_stored_are_asked_for_each_end() -> None:
    """Once; a later end may have more."""
    asked: list[tuple[str, float, float]] = []

    def label_sets(selector: str, start_s: float, end_s: float) -> list[dict[str, str]]:
        asked.append((selector, start_s, end_s))
        return [{"end": f"{end_s:g}"}]

    stock = Stock(SimpleNamespace(version="3.5.3", label_sets=label_sets))
    late = replace(SPAN, first_s=30.0, start_s=30.0, end_s=90.0)
    for span in (SPAN, SPAN, late):
        assert [*stock.label_sets("up", span)] == [{"end": f"{span.end_s:g}"}]
    assert asked == [("up", 0.0, 60.0), ("up", 0.0, 90.0)], "also what was there before"
