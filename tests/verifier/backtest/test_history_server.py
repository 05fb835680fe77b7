"""A server of the user is asked politely: again when it is busy, no more when it refuses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from verifier.backtest import history_server
from verifier.backtest.history_server import HistoryServer, Politeness, SliceTooLong
from verifier.backtest.slices import FAILURES_MAX, GivenUp, SlicedQuery
from verifier.errors import JudgeError
from verifier.evaluation.timeline import Grid
from verifier.servers.foreign_server import ForeignServer
from verifier.servers.prometheus import QueryError, RangeQuery, RefusedQueryError, Series

QUERY = RangeQuery("level", 0.0, 60.0, 15.0)
EMPTY = (200, {"status": "success", "data": {"resultType": "matrix", "result": []}})


class ScriptedServer(HTTPServer):
    """Answers with one of `script` after the other, the last one again and again."""

    def __init__(self):
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.script, self.seen = [EMPTY], []


class ScriptedHandler(BaseHTTPRequestHandler):
    """Answers what the server's script says next."""

    def do_POST(self):
        """Answer, and remember what was asked."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body.decode()))
        script = self.server.script
        status, document, *headers = script.pop(0) if len(script) > 1 else script[0]
        text = document if isinstance(document, str) else json.dumps(document)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Write nothing."""


@pytest.fixture(scope="module")
def scripted():
    """Return the server, running."""
    server = ScriptedServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def asked(scripted, monkeypatch):
    """Return a function that makes a client for a script; and how long it slept."""
    slept, said = [], []
    monkeypatch.setattr(history_server.time, "sleep", slept.append)

    def make(*script, **options):
        scripted.script, scripted.seen = list(script), []
        address = f"http://127.0.0.1:{scripted.server_port}/prometheus"
        server = ForeignServer("Prometheus", address, timeout_s=5.0)
        return HistoryServer(server, say=said.append, **options)

    make.slept, make.said = slept, said
    return make


def test_a_busy_server_is_asked_again_ever_later(asked):
    """And as late as it asks for, within a minute."""
    server = asked((503, ""), (429, "", ("Retry-After", "7")), (502, ""), EMPTY)
    assert server.query_range(QUERY) == []
    assert asked.slept == [1.0, 7.0, 4.0]
    assert asked.said[0].endswith("is busy (status 503): trying again in 1 s")


def test_a_server_that_stays_busy_ends_the_run(asked):
    """After so many attempts, and no more."""
    server = asked((503, ""))
    with pytest.raises(JudgeError, match=r"busy \(status 503\), 5 times in a row: try again later"):
        server.query_range(QUERY)
    assert server.requests == 5


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "--token-file"), (403, "refuses this token"), (404, "check its path"), (418, "teapot")],
)
def test_any_other_refusal_ends_the_run_at_once(asked, status, said):
    """With a way out, or what the server said."""
    server = asked((status, "teapot"))
    with pytest.raises(JudgeError, match=f"status {status}: .*{said}"):
        server.query_range(QUERY)
    assert (server.requests, asked.slept) == (1, [])


@pytest.mark.parametrize(
    "document", ["<html>", "[]", '{"data": 3}', '{"data": {"result": [{}]}}', '{"data": null}']
)
def test_an_answer_of_something_else_ends_the_run(asked, document):
    """A page of a proxy, say."""
    with pytest.raises(JudgeError, match="does not answer as a Prometheus does"):
        asked((200, document)).query_range(QUERY)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"errorType": "bad_data", "error": "parse error"}), RefusedQueryError),
        ((422, {"errorType": "execution", "error": "many-to-many"}), QueryError),
        ((503, {"errorType": "timeout", "error": "query timed out"}), SliceTooLong),
        ((200, "x" * (17 << 20)), SliceTooLong),
    ],
)
def test_what_the_engine_says_of_a_query_is_no_end_of_the_run(asked, answer, error):
    """The caller goes on with a shorter slice, or another rule."""
    with pytest.raises(error):
        asked(answer).query_range(QUERY)


def test_headers_go_with_every_request_and_pauses_between_them(asked, scripted):
    """The first one waits for nothing."""
    server = asked(EMPTY, headers={"X-Scope-OrgID": "team"}, pace=Politeness(pause_s=0.2))
    server.query_range(QUERY)
    server.query_range(QUERY)
    assert asked.slept == [0.2]
    (path, headers, body), _ = scripted.seen
    assert (path, headers["X-Scope-OrgID"]) == ("/prometheus/api/v1/query_range", "team")
    assert body == "query=level&step=15.000&start=0.000&end=60.000"


class FailingServer:
    """Fails for every range that holds one of some instants, or is longer than `points_max`."""

    def __init__(self, failing=(), points_max=10_000):
        """Count what is asked."""
        self.failing, self.points_max, self.asked = failing, points_max, 0

    def query_range(self, query):
        """Return nothing, or fail."""
        self.asked += 1
        if (query.end_s - query.start_s) / query.step_s >= self.points_max:
            raise SliceTooLong
        if any(query.start_s <= at_s <= query.end_s for at_s in self.failing):
            raise QueryError("many-to-many")
        return []


def steps_of(server, grid):
    """Return which evaluations were answered and which failed, each of them once."""
    answered, failed = [], []
    for part in SlicedQuery(server, "x", grid, epoch_s=0.0).slices():
        (failed if part.failed else answered).extend(part.steps)
    return answered, failed


def test_an_evaluation_that_fails_is_told_apart_from_its_neighbours():
    """By halves; what does not fail is answered, and nothing twice."""
    answered, failed = steps_of(FailingServer(failing=(300.0, 4500.0)), Grid(0.0, 9000.0, 15.0))
    assert failed == [20, 300]
    assert sorted(answered + failed) == list(range(601))


def test_a_slice_that_is_too_long_is_halved():
    """And the next ones are no longer than what went well, twice at most."""
    server = FailingServer(points_max=40)
    answered, failed = steps_of(server, Grid(0.0, 9000.0, 15.0))
    assert (answered, failed) == (list(range(601)), [])
    assert server.asked < 60


def test_a_single_evaluation_that_is_too_long_ends_the_run():
    """There is nothing left to halve."""
    with pytest.raises(JudgeError, match="narrow the expression x"):
        steps_of(FailingServer(points_max=0), Grid(0.0, 9000.0, 15.0))


def test_an_expression_that_always_fails_is_given_up():
    """So that a server is not asked for each of a million evaluations."""
    count = FAILURES_MAX + 200
    server = FailingServer(failing=[15.0 * step for step in range(count)])
    with pytest.raises(GivenUp, match="500 evaluations in a row fail: many-to-many"):
        steps_of(server, Grid(0.0, 15.0 * count, 15.0))


class FullServer:
    """Answers with so many series at every evaluation, and keeps how many of these were asked."""

    def __init__(self, series):
        """Begin with nothing asked."""
        self.series, self.points = series, []

    def query_range(self, query):
        """Return all series at every evaluation."""
        points = round((query.end_s - query.start_s) / query.step_s) + 1
        self.points.append(points)
        times_s = query.start_s + query.step_s * np.arange(points)
        return [Series({}, times_s, np.zeros(points))] * self.series


@pytest.mark.parametrize(
    ("series", "points"),
    [
        (0, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]),
        (100, [250, 500, 1000, 1000]),
        (300, [250, 500, 500]),
        (301, [250, 250, 250]),
        (600, [250, 250, 250]),
        (601, [250, 125, 125, 125]),
    ],
)
def test_slices_grow_until_an_answer_is_half_full_and_shrink_where_it_is_too_full(series, points):
    """None is longer than an answer may be."""
    server = FullServer(series)
    answered, failed = steps_of(server, Grid(0.0, 15.0 * (sum(points) - 1), 15.0))
    assert server.points == points
    assert (answered, failed) == (list(range(sum(points))), [])
