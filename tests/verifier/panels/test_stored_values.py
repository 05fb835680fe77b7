"""What variables ask of a server: each question once, and none when it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.panels.stored_values import ANY_SERIES, ServerValues
from verifier.servers.prometheus import QueryError, Series

SERIES = [
    {"__name__": "b", "queue": "low", "zone": "z"},
    {"__name__": "a", "queue": "high"},
    {"__name__": "a"},
]


class RefusingServer:
    """A Prometheus that refuses what is called `refused`."""

    def __init__(self):
        """Begin with nothing asked."""
        self.asked = []

    def label_sets(self, selector, start_s, end_s):
        """Return the labels of every series."""
        return self._answered((selector, start_s, end_s), SERIES)

    def query(self, expr, at_s):
        """Return three series at an instant."""
        values = {"1": 5.0, "2": 0.25, "3": -3.0}
        series = [
            Series({"__name__": "x", "n": name}, np.array([at_s]), np.array([value]))
            for name, value in values.items()
        ]
        return self._answered((expr, at_s), series)

    def _answered(self, question, answer):
        self.asked.append(question)
        if question[0] == "refused":
            raise QueryError("no")
        return answer


@pytest.fixture
def values():
    """Return the values of a run from 100 s to 160 s."""
    return ServerValues(RefusingServer(), 100.0, 160.0)


def test_the_values_of_a_label_are_sorted_and_each_there_once(values):
    """Series without it have none; without a selector those of all series."""
    assert values.label_values("queue", "x") == ["high", "low"]
    assert values.label_values("__name__", "x") == ["a", "b"]
    assert values.label_values("gone", "") == []
    assert values.label_names("x") == ["__name__", "queue", "zone"]
    assert values._server.asked == [("x", 100.0, 160.0), (ANY_SERIES, 100.0, 160.0)]


def test_series_are_written_as_selectors(values):
    """In the order of the server."""
    assert values.series("x") == ['b{queue="low",zone="z"}', 'a{queue="high"}', "a{}"]


def test_results_are_written_with_value_and_time(values):
    """At the end; a whole number without its point, the time in milliseconds."""
    assert values.results("x") == [
        'x{n="1"} 5 160000',
        'x{n="2"} 0.25 160000',
        'x{n="3"} -3 160000',
    ]
    assert values._server.asked == [("x", 160.0)]


def test_a_question_that_is_refused_has_no_answer(values):
    """As in Grafana; it is asked once, too."""
    assert [*values.series("refused"), *values.label_values("a", "refused")] == []
    assert [*values.label_names("refused"), *values.results("refused")] == []
    assert len(values._server.asked) == 2
