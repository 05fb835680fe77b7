"""The client of a Prometheus: queries of any length, writes, and errors with their way out."""

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.errors import JudgeError
from verifier.servers.prometheus import Prometheus, QueryError, RangeQuery, client
from verifier.servers.prometheus.client import PrometheusClient

if TYPE_CHECKING:
    from collections.abc import Iterator

A = labels("a", host="1")
ACCEPTED = "net_conntrack_listener_conn_accepted_total"


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Give a server that holds one series for 60,000 scrapes and one that ends."""
    with Prometheus() as running:
        running.push(history({labels("long"): list(range(60_000))}, step_s=1))
        running.push(history({A: row("1 2 3 x . ."), labels("b"): row("1 . . 4 . .")}))
        yield running


def test_a_range_longer_than_an_answer_may_be_is_joined(server: Prometheus) -> None:
    """The server allows 11,000 points; nothing is lost or repeated at the seams."""
    query = RangeQuery("long", EPOCH_S, EPOCH_S + 59_999, 1)
    (series,) = server.query_range(query)
    assert np.array_equal(series.values, np.arange(60_000))
    assert np.array_equal(series.times_s, EPOCH_S + np.arange(60_000))


def test_a_stale_marker_ends_a_series_at_once_and_a_gap_does_not(server: Prometheus) -> None:
    """Without the marker the last sample is taken for five more minutes."""
    (ended,) = server.query_range(RangeQuery("a", EPOCH_S, EPOCH_S + 75, 15))
    assert ended.values.tolist() == [1, 2, 3]
    (gapped,) = server.query_range(RangeQuery("b", EPOCH_S, EPOCH_S + 75, 15))
    assert gapped.values.tolist() == [1, 1, 1, 4, 4, 4]
    assert gapped.labels == {"__name__": "b"}


def test_an_instant_query_gives_vectors_and_scalars(server: Prometheus) -> None:
    """A scalar has no labels."""
    (series,) = server.query("a", EPOCH_S + 15)
    assert (dict(series.labels), series.values.tolist()) == (dict(A), [2.0])
    assert server.query("a", EPOCH_S + 14.999)[0].values.tolist() == [1.0]
    assert server.query("3 * 2", EPOCH_S)[0].values.tolist() == [6.0]
    assert server.query("nothing", EPOCH_S) == []


def test_a_refused_expression_is_a_query_error_beside_good_answers(server: Prometheus) -> None:
    """One bad panel spoils no other."""
    bad, good = server.query_ranges(
        [RangeQuery(expr, EPOCH_S, EPOCH_S, 15) for expr in ("a +", "a")]
    )
    assert isinstance(bad, QueryError)
    assert "parse error" in str(bad)
    assert isinstance(good, list)
    with pytest.raises(QueryError, match="must give a vector"):
        server.query("a[5m]", EPOCH_S)


def test_a_series_that_is_pushed_late_may_reach_far_back() -> None:
    """Recording rules are pushed after the history they were computed from."""
    with Prometheus() as running:
        month = {"start_s": -30 * 86400, "step_s": 3600}
        running.push(history({A: [1.0] * 720}, **month))
        running.push(history({labels("late"): [2.0] * 720}, **month))
        (series,) = running.query("count_over_time(late[31d])", EPOCH_S)
        assert series.values.tolist() == [720]


def test_a_sample_that_is_refused_is_a_judge_error() -> None:
    """A second value for the same time is out of order; the server is then given up."""
    with Prometheus() as running:
        running.push(history({A: row("1 2 3")}))
        with pytest.raises(JudgeError, match=r"Prometheus refused samples \(400\).*out of order"):
            running.push(history({A: row("1 9 3")}))
        with pytest.raises(JudgeError, match="given up"):
            running.query("a", EPOCH_S)


def test_the_first_request_into_an_empty_server_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prometheus refuses who writes while it takes its very first sample."""
    client = PrometheusClient(SimpleNamespace(failure=lambda text, **_: JudgeError(text)))
    steps: list[str] = []

    def request(*_: object) -> tuple[int, bytes]:
        if steps:
            return (200, b"") if "taken" in steps else (400, b"out of bounds")
        steps.append("least time")
        time.sleep(0.05)
        steps.append("taken")
        return 200, b""

    monkeypatch.setattr(client, "_request", request)
    assert client.write([history({A: row("1 2 3"), labels("b"): row("1 2 3")})]) == 6


def test_a_server_killed_in_the_middle_is_a_judge_error() -> None:
    """The message says that the server ended, and what to do."""
    with Prometheus() as running:
        running.push(history({A: row("1 2 3")}))
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        with pytest.raises(
            JudgeError, match=r"does not answer.*ended with status -9.*run it again"
        ):
            running.query_ranges([RangeQuery("a", EPOCH_S, EPOCH_S, 15)])


def test_many_calls_share_a_few_connections(server: Prometheus) -> None:
    """A server takes 512 connections and lets the next wait for ever: each call has threads."""
    query = RangeQuery("a", EPOCH_S, EPOCH_S + 60, 15)
    before = server.metric(ACCEPTED)
    for _ in range(30):
        server.query_ranges([query] * 4)
    assert server.metric(ACCEPTED) - before <= 3


def test_every_request_of_a_history_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an answer that is neither a success nor an error is no success."""
    scripted = PrometheusClient(SimpleNamespace(failure=lambda text, **_: JudgeError(text)))
    monkeypatch.setattr(client, "requests", lambda _: iter([(b"", 3), (b"", 4)]))
    monkeypatch.setattr(scripted, "_request", lambda *_: (204, b""))
    assert scripted.append(history({A: row("1")})) == 7
    monkeypatch.setattr(scripted, "_request", lambda *_: (302, b"moved"))
    with pytest.raises(JudgeError, match=r"refused samples \(302\): moved"):
        scripted.append(history({A: row("1")}))


def test_a_sample_at_the_start_of_a_range_is_not_of_the_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Prometheus 2.42 would include it: it is asked for a millisecond less."""
    scripted = PrometheusClient(SimpleNamespace())
    forms: list[dict[str, str]] = []

    def ask(_: str, form: dict[str, str]) -> dict[str, list[object]]:
        forms.append(form)
        return {"result": []}

    monkeypatch.setattr(scripted, "_ask", ask)
    assert scripted.stored("a", EPOCH_S, EPOCH_S + 30) == []
    assert forms[0]["query"] == "a[29999ms]"
    assert float(forms[0]["time"]) == EPOCH_S + 30
