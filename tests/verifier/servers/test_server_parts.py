"""Clients, checks and deliveries in their parts: each answer, limit and boundary, no server."""

from __future__ import annotations

import http.client
import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.verifier.deliveries import alert, delivery
from tests.verifier.servers.test_binaries import program
from tests.verifier.servers.test_foreign_server import answering, rules
from verifier.errors import JudgeError
from verifier.servers import foreign_server
from verifier.servers.binaries import describe
from verifier.servers.foreign_server import AnswerTooLong, ForeignServer
from verifier.servers.prometheus import QueryError, RangeQuery
from verifier.servers.prometheus.client import (
    POINTS_MAX,
    EvaluatedRule,
    PrometheusClient,
    RefusedQueryError,
    _chunks,
)
from verifier.servers.prometheus.dialect import Dialect
from verifier.servers.prometheus.health import check_running
from verifier.servers.prometheus.process import PrometheusProcess
from verifier.servers.webhook import find_mistake


class ScriptedEndpoint:
    """An endpoint, and the one connection to it, which answers as it is told."""

    path_prefix = "/secret"

    def __init__(self, *answers: tuple[int, object]) -> None:
        """Begin with nothing asked."""
        self.answers, self.asked, self.connected = list(answers), [], 0

    def connect(self, timeout_s: float) -> ScriptedEndpoint:
        """Return itself; count how often."""
        assert timeout_s == 130.0
        self.connected += 1
        return self

    def request(self, method: str, url: str, *, body: object, headers: dict[str, str]) -> None:
        """Note a request."""
        self.asked.append((method, url, body, headers))

    def getresponse(self) -> SimpleNamespace:
        """Return the next answer, or fail."""
        status, answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return SimpleNamespace(status=status, read=lambda: text)

    def close(self) -> None:
        """Count it."""
        self.connected -= 10

    def failure(self, what: str, *, reason: str = "") -> JudgeError:
        """Return the error."""
        return JudgeError(f"{what} | {reason}")


DIALECT = Dialect("E", {"more": "1"}, "?all=1", {"X": "y"}, "/write")


def asked(*answers: tuple[int, object]) -> tuple[PrometheusClient, ScriptedEndpoint]:
    """Return a client, and its server."""
    server = ScriptedEndpoint(*answers)
    return PrometheusClient(server, DIALECT), server  # type: ignore[arg-type]  # as an endpoint is


def data(value: object) -> tuple[int, object]:
    """Return an answer 200."""
    return 200, {"data": value}


def test_every_question_has_its_path_form_and_headers() -> None:
    """Over one connection; those of the dialect go with it."""
    series = [{"metric": {"a": "b"}, "values": [[1, "2"], [16, "NaN"]]}]
    client, server = asked(
        data({"result": series}), data({"resultType": "vector", "result": []}),
        data({"result": series}), data([{"a": "b"}]), data(["m"]), data({"version": "v"}),
    )  # fmt: skip
    (only,) = client.query_range(RangeQuery("up", 1.0004, 31.0004, 15.0))
    assert (only.labels, only.times_s.tolist()) == ({"a": "b"}, [1.0, 16.0])
    assert np.array_equal(only.values, [2.0, math.nan], equal_nan=True)
    assert client.query("up", 5.0) == []
    assert len(client.stored("up", 10.0, 40.0)) == 1
    assert client.label_sets("{a=~'.'}", 1.0, 2.0) == [{"a": "b"}]
    assert client.metric_names() == ["m"]
    assert client.version() == "v"
    form = {"Content-Type": "application/x-www-form-urlencoded", "X": "y"}
    assert server.asked == [
        ("POST", "/secret/api/v1/query_range",
         b"query=up&step=15.000&start=1.000&end=31.000&more=1", form),
        ("POST", "/secret/api/v1/query", b"query=up&time=5.000&more=1", form),
        ("POST", "/secret/api/v1/query", b"query=up%5B29999ms%5D&time=40.000&more=1", form),
        ("POST", "/secret/api/v1/series",
         b"match%5B%5D=%7Ba%3D~%27.%27%7D&start=1.000&end=2.000", form),
        ("GET", "/secret/api/v1/label/__name__/values?all=1", None, {"X": "y"}),
        ("GET", "/secret/api/v1/status/buildinfo", None, {"X": "y"}),
    ]  # fmt: skip
    assert server.connected == 1
    client.close()
    assert server.connected == -9


@pytest.mark.parametrize(
    ("status", "answer", "kind", "said"),
    [
        (400, {"error": "no"}, RefusedQueryError, "no"),
        (422, {"error": "no"}, QueryError, "no"),
        (503, b"x" * 600, JudgeError, f"E answered 503: {'x' * 500} | {'x' * 500}"),
        (201, b"y", JudgeError, "E answered 201: y | y"),
        (0, OSError("gone"), JudgeError, "E does not answer (OSError('gone')) | gone"),
        (0, http.client.BadStatusLine("z"), JudgeError, "E does not answer (BadStatusLine('z')"),
    ],
)
def test_an_answer_that_is_none_is_the_mistake_of_whoever_made_it(
    status: int, answer: object, kind: type[Exception], said: str
) -> None:
    """Of the question, whatever it is asked of; of this evaluation; or of the server."""
    client, _ = asked((status, answer))
    with pytest.raises(kind) as raised:
        client.query("up", 0.0)
    assert type(raised.value) is kind
    assert str(raised.value).startswith(said)


def test_instants_are_vectors_or_scalars() -> None:
    """A scalar is a series without labels; anything else is refused."""
    client, _ = asked(
        data({"resultType": "scalar", "result": [7, "3"]}),
        data({"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [7, "4"]}]}),
        data({"resultType": "string", "result": [7, "s"]}),
    )
    for labels, value in (({}, 3.0), ({"a": "b"}, 4.0)):
        (series,) = client.query("x", 7.0)
        assert (series.labels, series.times_s.tolist(), series.values.tolist()) == (
            labels, [7.0], [value],
        )  # fmt: skip
    with pytest.raises(QueryError, match="must give a vector, got a string"):
        client.query("x", 7.0)


def test_a_long_range_is_asked_in_parts_that_follow_each_other() -> None:
    """As many points as are allowed in each; the last may have one."""
    long = RangeQuery("x", 100.0, 100.0 + 0.1 * 2 * POINTS_MAX, 0.1)
    assert [(round(a, 6), round(b, 6)) for a, b in _chunks(long)] == [
        (100.0, 1099.9), (1100.0, 2099.9), (2100.0, 2100.0),
    ]  # fmt: skip
    assert list(_chunks(RangeQuery("x", 0.0, 0.3, 0.1))) == [(0.0, pytest.approx(0.3))]
    assert list(_chunks(RangeQuery("x", 0.0, 29.0, 15.0))) == [(0.0, 15.0)]
    early, middle, late = ([[at, str(at)]] for at in (100, 1100, 2100))
    client, _ = asked(
        data(
            {"result": [{"metric": {"a": "b"}, "values": early}, {"metric": {}, "values": early}]}
        ),
        data({"result": []}),
        data(
            {"result": [{"metric": {}, "values": late}, {"metric": {"a": "b"}, "values": middle}]}
        ),
    )
    joined = [(series.labels, series.values.tolist()) for series in client.query_range(long)]
    assert joined == [({"a": "b"}, [100.0, 1100.0]), ({}, [100.0, 2100.0])]


def test_rules_are_shown_with_their_alerts_and_why_they_failed() -> None:
    """In the order of the groups."""
    shown = {"labels": {"a": "b"}}
    groups = [
        {"rules": [{"alerts": [shown, shown]}, {"alerts": [], "lastError": "bad"}]},
        {"rules": [{"alerts": [], "lastError": None}]},
    ]
    client, server = asked(data({"groups": groups}))
    assert client.alerting_rules() == [
        EvaluatedRule(({"a": "b"}, {"a": "b"}), ""), EvaluatedRule((), "bad"),
        EvaluatedRule((), ""),
    ]  # fmt: skip
    assert server.asked[0][1] == "/secret/api/v1/rules?type=alert"


def test_metrics_and_reloads_are_asked_for_plainly() -> None:
    """A page that is none is a failure; a refusal is repeated."""
    client, server = asked(
        (200, b"a 1\na 2\n"), (404, b""), (200, b""), (500, b"bad"), (500, b"no")
    )
    assert client.metric("a") == 3
    with pytest.raises(JudgeError, match=r"^E does not show its metrics \(404\)"):
        client.metrics_page()
    assert client.refused_reload() is None
    assert client.refused_reload() == "bad"
    with pytest.raises(JudgeError, match=r"refused its configuration: no \| no$"):
        client.reload()
    assert [each[:2] for each in server.asked[1:3]] == [
        ("GET", "/secret/metrics"), ("POST", "/secret/-/reload"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "failed", "newest_s", "since_s", "said"),
    [
        (None, 0, 100.0, 100.0, ""),
        (None, 0, 99.9, 100.0, "Prometheus stores no sample any more"),
        (None, 0, -math.inf, -math.inf, ""),
        (None, 1, 200.0, 100.0, "Prometheus cannot write its samples"),
        (0, 0, 200.0, 100.0, "Prometheus ended in mid-run"),
        (-9, 0, 200.0, 100.0, "Prometheus ended in mid-run"),
    ],
)
def test_a_prometheus_runs_writes_and_stores(
    status: int | None, failed: int, newest_s: float, since_s: float, said: str
) -> None:
    """As its own counters say."""
    counters = {
        "prometheus_tsdb_wal_writes_failed_total": failed,
        "prometheus_tsdb_head_max_time_seconds": newest_s,
    }
    server: Any = SimpleNamespace(exit_status=lambda: status, failure=JudgeError)
    client: Any = SimpleNamespace(metric=counters.__getitem__)
    if not said:
        check_running(server, client, since_s)
        return
    with pytest.raises(JudgeError, match=f"^{said}$"):
        check_running(server, client, since_s)


def test_a_prometheus_that_stored_nothing_yet_is_not_asked_when() -> None:
    """Its newest sample is that of no time, which need not be a number that can be compared."""
    asked_for: list[str] = []
    server: Any = SimpleNamespace(exit_status=lambda: None)
    client: Any = SimpleNamespace(metric=lambda name: asked_for.append(name) or 0)
    check_running(server, client, -math.inf)
    assert asked_for == ["prometheus_tsdb_wal_writes_failed_total"]


@pytest.mark.parametrize(
    ("factor", "resend_ms", "lookback_ms"),
    [(1.0, 60_000, 300_000), (7.0, 8572, 42_858), (60.0, 1000, 5000)],
)
def test_the_servers_own_times_are_divided_by_the_factor(
    tmp_path: Any, factor: float, resend_ms: int, lookback_ms: int
) -> None:
    """Rounded up to whole milliseconds."""
    process = PrometheusProcess(parent_directory=tmp_path, factor=factor)
    process.server.port = 5
    flags = process._web_flags()
    assert f"--rules.alert.resend-delay={resend_ms}ms" in flags
    assert f"--query.lookback-delta={lookback_ms}ms" in flags
    assert "--web.listen-address=127.0.0.1:5" in flags
    assert f"--web.route-prefix={process.server.path_prefix}" in flags
    assert f"--web.external-url=http://127.0.0.1:5{process.server.path_prefix}" in flags


@pytest.mark.parametrize(("header", "wait_s"), [("30", 30.0), ("soon", 0.0), ("", 0.0)])
def test_an_answer_says_how_long_to_wait(header: str, wait_s: float) -> None:
    """Of any status, in whole seconds."""
    status = f"503 Busy\r\nRetry-After: {header}"
    with answering(b"body", status=status) as (url, received):
        answer = ForeignServer("p", f"{url}/x/").request("PUT", "/y", headers={"A": "b"})
    assert (answer.status, answer.body, answer.retry_after_s) == (503, b"body", wait_s)
    assert received[0].startswith("PUT /x/y HTTP/1.1\r\n")
    assert "A: b\r\n" in received[0]
    assert "Connection: close\r\n" in received[0]


def test_an_answer_of_just_as_many_bytes_as_are_read_is_read(monkeypatch: Any) -> None:
    """One more is too long, and says so by its kind."""
    monkeypatch.setattr(foreign_server, "ANSWER_BYTES_MAX", 100)
    with answering(b"x" * 100) as (url, _):
        assert ForeignServer("p", url).get("/") == b"x" * 100
    with answering(b"x" * 101) as (url, _), pytest.raises(AnswerTooLong):
        ForeignServer("p", url).get("/")


@pytest.mark.parametrize(
    ("duration", "interval", "pending_s"),
    [(60, 15, 60), (61, 15, 75), (2.1, 0.7, 2.1), (5, 15, 15), (0, 15, 0), (7, 0, 7)],
)
def test_an_alert_fires_at_the_first_evaluation_after_its_for(
    duration: float, interval: float, pending_s: float
) -> None:
    """A `for` of whole intervals is whole, whatever the division rounds."""
    at = "2026-01-01T00:00:00Z"
    own = {"severity": "page", "sandbox_type": "B"}
    document = rules(("firing", at), ("inactive", at), duration=duration, interval=interval,
                     labels=own)  # fmt: skip
    (active,) = foreign_server._active(document)
    assert active.since_s - active.active_s == pytest.approx(pending_s)
    assert (active.series, active.rule) == ((), tuple(sorted(own.items())))


@pytest.mark.parametrize("url", ["http://x#f", "http://x/#", "https://:80", "//x"])
def test_a_url_beyond_its_path_is_refused(url: str) -> None:
    """A fragment is none of a server's."""
    if url == "http://x/#":
        assert ForeignServer("p", url).host == "x"
        return
    with pytest.raises(ValueError, match="must be like"):
        ForeignServer("p", url)


@pytest.mark.parametrize(
    ("output", "version"),
    [("prometheus, version 2.42.0, build", "2.42.0"), ("x version 3.0-rc.1 (y)", "3.0-rc.1")],
)
def test_a_version_is_what_follows_the_word(tmp_path: Any, monkeypatch: Any, output: str,
                                            version: str) -> None:  # fmt: skip
    """Without a comma, on either output."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AGENTASKIT_SIM_TOOLS", str(tmp_path))
    path = program(tmp_path, "promtool", output)
    described = describe("promtool")
    assert described is not None
    assert (described.path, described.version) == (path, version)
    path.write_text(f"#!/bin/sh\necho '{output} on another output' >&2\n")
    described = describe("promtool")
    assert described is not None
    assert described.version == version


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"version": "5"}, "a delivery must be webhook JSON, version 4"),
        ({"version": 4}, "a delivery must be webhook JSON, version 4"),
        ({"alerts": {}}, "a delivery must have a list of alerts"),
        ({"receiver": 3}, "a delivery must name its receiver and its group"),
        ({"groupKey": None}, "a delivery must name its receiver and its group"),
        (
            {"alerts": [alert(status="open")]},
            'a delivery must be what Alertmanager sends: "unknown',
        ),
        ({"alerts": []}, ""),
    ],
)
def test_a_delivery_is_what_alertmanager_sends(changes: dict[str, object], said: str) -> None:
    """The first thing that it is not is said."""
    assert find_mistake(delivery() | changes, 1.0).startswith(said)
    assert bool(find_mistake(delivery() | changes, 1.0)) == bool(said)
    assert find_mistake([], 1.0)
