"""What a server holds of a run, as a report may name it."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace

import pytest

from verifier.evidence.stock import EvaluationSpan, Stock

SPAN = EvaluationSpan(first_s=0.0, start_s=0.0, end_s=60.0, interval_s=15.0)


@pytest.mark.parametrize("order", [*permutations(("high", "low", "normal"))])
@pytest.mark.parametrize("question", ["answer", "over"])
def test_series_have_the_same_order_whatever_the_engine_answers(question, order) -> None:
    """A report names the first of them, and must name the same one each time."""
    series = [SimpleNamespace(labels={"priority": name}, values=[1.0]) for name in order]
    server = SimpleNamespace(version="3.5.3", query=lambda *_: series, query_range=lambda _: series)
    answer = getattr(Stock(server), question)("queue_depth", SPAN)
    assert [each.labels["priority"] for each in answer.series] == ["high", "low", "normal"]
