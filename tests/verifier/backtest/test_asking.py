"""How a server is asked, and what is concluded from its answers, with servers that are planted."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tests.verifier.histories import rules
from verifier.backtest import history_server, slices
from verifier.backtest.history_server import (
    HistoryServer,
    HistoryUnavailable,
    Politeness,
    SliceTooLong,
)
from verifier.backtest.replay import Replay, ReplayRequest
from verifier.backtest.sample_gaps import sample_gaps
from verifier.backtest.silence import SilenceCheck
from verifier.backtest.slices import SlicedQuery
from verifier.errors import JudgeError
from verifier.evaluation.timeline import Grid
from verifier.servers.foreign_server import AnswerTooLong
from verifier.servers.prometheus import QueryError, RangeQuery, RefusedQueryError, Series

QUERY = RangeQuery("level", 0.0, 60.0, 15.0)
FROM_S = 1_772_442_000.0


def answer(status=200, data=(), retry_after_s=0.0, **document):
    """Return an answer of the API."""
    body = json.dumps({"data": data, **document} if document or status == 200 else "").encode()
    return SimpleNamespace(status=status, body=body, retry_after_s=retry_after_s)


@pytest.fixture
def asking(monkeypatch):
    """Return a function that makes a client of these answers, and for how long it slept."""
    slept = []
    monkeypatch.setattr(history_server.time, "sleep", slept.append)

    def make(*answers, attempts=5):
        left = list(answers)

        def request(*_):
            reply = left.pop(0)
            if isinstance(reply, Exception):
                raise reply
            return reply

        server = SimpleNamespace(name="it", url="http://there", request=request)
        said = []
        client = HistoryServer(server, pace=Politeness(attempts=attempts), say=said.append)
        return client, slept, said

    return make


@pytest.mark.parametrize(
    ("retry_after_s", "pause_s"), [(0.0, 1.0), (0.5, 1.0), (7.0, 7.0), (60.0, 60.0), (500.0, 60.0)]
)
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks_within_a_minute(
    asking, retry_after_s, pause_s
):
    """And at least for a second; then twice as long."""
    busy = answer(503, retry_after_s=retry_after_s)
    client, slept, said = asking(busy, answer(503), answer(data={"result": []}))
    assert client.query_range(QUERY) == []
    assert slept == [pause_s, 2.0]
    assert said[0] == f"it at http://there is busy (status 503): trying again in {pause_s:g} s"
    assert client.requests == 3


def test_nobody_waits_after_the_last_attempt(asking):
    """There is nothing to wait for."""
    client, slept, said = asking(answer(429), answer(429), attempts=2)
    with pytest.raises(HistoryUnavailable, match="2 times in a row: try again later"):
        client.query_range(QUERY)
    assert (slept, len(said)) == ([1.0], 1)


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (400, "parse error", RefusedQueryError),
        (400, "", JudgeError),
        (422, "many-to-many", QueryError),
        (422, "", JudgeError),
        (503, "", HistoryUnavailable),
    ],
)
def test_only_the_words_of_an_engine_are_about_a_query(asking, status, words, error):
    """A proxy that refuses says nothing of the rule."""
    document = {"error": words} if words else {}
    client, *_ = asking(answer(status, **document), attempts=1)
    with pytest.raises(error) as caught:
        client.query_range(QUERY)
    assert type(caught.value) is error


def test_what_takes_the_server_too_long_is_asked_in_parts(asking):
    """It says so itself, or its answer has no end."""
    late = answer(503, error="timed out", errorType="timeout")
    for reply in (late, AnswerTooLong()):
        client, slept, _ = asking(reply)
        with pytest.raises(SliceTooLong):
            client.query_range(QUERY)
        assert slept == []
    client, *_ = asking(AnswerTooLong(), answer(data=[]), answer(data=[{"a": "b"}]))
    assert [client.has_series("x", 0.0, 1.0) for _ in range(3)] == [True, False, True]


def test_the_instants_of_a_group_are_known_by_a_name_that_is_its_own(asking):
    """Of two groups of a name nobody knows which is meant, nor of one that was never evaluated."""
    at = "2026-03-02T09:00:07Z"
    groups = [
        {"name": "own", "interval": 30, "lastEvaluation": at},
        {"name": "twice", "interval": 30, "lastEvaluation": at},
        {"name": "twice", "interval": 60, "lastEvaluation": at},
        {"name": "thrice", "interval": 1, "lastEvaluation": at},
        {"name": "thrice", "interval": 1, "lastEvaluation": at},
        {"name": "thrice", "interval": 1, "lastEvaluation": at},
        {"name": "never", "interval": 30, "lastEvaluation": "0001-01-01T00:00:00Z"},
    ]
    client, *_ = asking(answer(data={"groups": groups}))
    assert client.group_instants() == {"own": (30.0, FROM_S + 7.0)}
    client, *_ = asking(answer(404))
    assert client.group_instants() == {}


class PlantedServer:
    """Answers range queries by a function of their instants; keeps what it was asked."""

    def __init__(self, reply, stored=()):
        """Reply so; `stored` are the selectors of which there are series."""
        self.reply, self.stored = reply, stored
        self.asked, self.looked_up = [], []

    def query_range(self, query):
        """Return what is replied."""
        count = round((query.end_s - query.start_s) / query.step_s) + 1
        self.asked.append((query.expr, query.start_s, query.step_s, count))
        return self.reply(query.start_s + query.step_s * np.arange(count))

    def has_series(self, selector, start_s, end_s):
        """Return whether it is stored."""
        self.looked_up.append((selector, start_s, end_s))
        return selector in self.stored


def test_evaluations_that_fail_now_and_then_end_nothing(monkeypatch):
    """Only so many in a row do."""
    monkeypatch.setattr(slices, "FAILURES_MAX", 3)
    monkeypatch.setattr(slices, "POINTS_FIRST", 1)

    def reply(times_s):
        if any(at_s % 3 for at_s in times_s):
            raise QueryError("no")
        return [Series({}, times_s, times_s)]

    parts = list(SlicedQuery(PlantedServer(reply), "x", Grid(0.0, 20.0, 1.0), epoch_s=0.0).slices())
    assert sum(len(part.failed) for part in parts) == 14


def test_what_was_too_long_once_is_not_asked_for_again():
    """Half of it is, from then on."""

    def reply(times_s):
        if len(times_s) > 200:
            raise SliceTooLong
        return [Series({}, times_s, times_s)]

    server = PlantedServer(reply)
    list(SlicedQuery(server, "x", Grid(0.0, 499.0, 1.0), epoch_s=0.0).slices())
    assert [count for *_, count in server.asked] == [250, 125, 125, 125, 125]


def replayed(tmp_path, expr, hours=1.0):
    """Return a request of an alert with this expression, and the alert."""
    rule_files = rules(tmp_path, {"alert": "A", "expr": expr})
    request = ReplayRequest(
        rules=rule_files, against=None, from_s=FROM_S, to_s=FROM_S + 3600.0 * hours
    )
    (alert,) = Replay(None, request).alerts
    return request, alert


def silence(tmp_path, expr, server, hours=1.0, **noise):
    """Return what is said of the silence of an alert."""
    request, alert = replayed(tmp_path, expr, hours)
    for name, count in noise.items():
        setattr(alert.record.noise, name, count)
    return [each.message for each in SilenceCheck(server, request).findings(alert, request.rules)]


def nothing(_):
    """Answer with no series."""
    return []


@pytest.mark.parametrize("noise", [{"pending": 1}, {"firing": 1}])
def test_an_alert_that_was_active_at_all_is_not_asked_about(tmp_path, noise):
    """It spoke."""
    server = PlantedServer(nothing)
    assert silence(tmp_path, "level > 5", server, **noise) == []
    assert server.asked == []


def test_an_alert_that_could_speak_at_any_time_is_not_asked_about(tmp_path):
    """It needs no series."""
    server = PlantedServer(nothing)
    assert silence(tmp_path, "absent(level)", server) == []
    assert server.asked == []


def test_a_condition_without_a_value_is_asked_at_every_evaluation_in_the_end(tmp_path):
    """First at some of them; and what it reads is looked up as far back as it reads."""
    server = PlantedServer(nothing, stored=("other",))
    expr = "max_over_time(level[2h]) > 5 and other > 1"
    (message,) = silence(tmp_path, expr, server, hours=5.0)
    assert message == "nothing is stored of level"
    assert {step_s for _, _, step_s, _ in server.asked} == {15.0, 30.0}
    ends_s = {at_s + step_s * (count - 1) for _, at_s, step_s, count in server.asked}
    assert max(ends_s) == FROM_S + 18_000.0
    assert server.looked_up == [
        (name, FROM_S - 7200.0, FROM_S + 18_000.0) for name in ("level", "other")
    ]
    server = PlantedServer(nothing, stored=("level", "other"))
    (message,) = silence(tmp_path, expr, server)
    assert message.endswith("never had a value, though all it reads is stored")


def failing(_):
    """Fail as an engine does that met values."""
    raise QueryError("many-to-many")


def test_a_condition_that_fails_had_values(tmp_path):
    """They meet no partner, which is not the same as nothing."""
    assert silence(tmp_path, "a / b > 1", PlantedServer(failing)) == []


@pytest.mark.parametrize(
    ("hours", "step_s", "count"),
    [(0.5, 15.0, 121), (1.0, 15.0, 241), (2.0, 30.0, 241), (20.0, 300.0, 241), (40.0, 300.0, 481)],
)
def test_how_often_it_is_asked_what_is_stored(tmp_path, hours, step_s, count):
    """Every few minutes, but a short range more often."""
    request, _ = replayed(tmp_path, "level > 5", hours)
    server = PlantedServer(nothing)
    assert sample_gaps(server, request).is_whole
    assert {each[2] for each in server.asked} == {step_s}
    assert sum(each[3] for each in server.asked) == count


@pytest.mark.parametrize(("until_s", "gaps"), [(600.0, 0), (615.0, 1)])
def test_a_gap_of_ten_minutes_is_not_said(tmp_path, until_s, gaps):
    """Metrics that are scraped every ten minutes are there all the time."""

    def reply(times_s):
        there = times_s[times_s - FROM_S >= until_s]
        return [Series({}, there, there)] if len(there) else []

    request, _ = replayed(tmp_path, "level > 5")
    spans = sample_gaps(PlantedServer(reply), request).spans
    assert spans == ((FROM_S, FROM_S + until_s),) * gaps


def test_where_the_engine_fails_there_are_samples(tmp_path):
    """Or nobody knows: it is no gap."""
    request, _ = replayed(tmp_path, "level > 5", hours=0.5)
    assert sample_gaps(PlantedServer(failing), request).spans == ()
