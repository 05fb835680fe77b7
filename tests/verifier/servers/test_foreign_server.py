"""Alerts as a Prometheus shows them, and servers that do not answer as they should."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from verifier.servers.foreign_server import (
    ANSWER_BYTES_MAX,
    ActiveAlert,
    ForeignServer,
    ServerUnreachable,
)


def rules(*alerts, duration=12, interval=5.0, labels=None):
    """Return the answer of the rules API for one rule with these (state, activeAt)."""
    given = {"severity": "warning"} if labels is None else labels
    found = [
        {
            "state": state,
            "activeAt": at,
            "labels": {"alertname": "Full", "sandbox_type": "B", **given},
        }
        for state, at in alerts
    ]
    rule = {"name": "Full", "duration": duration, "labels": given, "alerts": found}
    return {"status": "success", "data": {"groups": [{"interval": interval, "rules": [rule]}]}}


@contextmanager
def answering(*parts, status="200 OK", wait_s=0.0):
    """Serve one connection after another with these bytes, a pause before each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(65536).decode())
                    try:
                        connection.sendall(
                            f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode()
                        )
                        for part in parts:
                            time.sleep(wait_s)
                            connection.sendall(part)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            server.shutdown(socket.SHUT_RDWR)


def test_the_state_and_its_beginning_are_those_of_the_rule():
    """Firing begins at the first evaluation at which `for` has passed: 12 s on a grid of 5 s."""
    document = rules(("pending", "2026-01-01T00:00:00Z"), ("firing", "2026-01-01T00:00:00Z"))
    with answering(json.dumps(document).encode()) as (url, asked):
        pending, firing = ForeignServer("Prometheus", f"{url}/prefix/").active_alerts()
    assert asked[0].startswith("GET /prefix/api/v1/rules?type=alert HTTP/1.1\r\n")
    assert pending == ActiveAlert(
        alert="Full",
        state="pending",
        series=(("sandbox_type", "B"),),
        rule=(("severity", "warning"),),
        active_s=1767225600.0,
        since_s=1767225600.0,
    )
    assert (firing.state, firing.since_s) == ("firing", 1767225615.0)


def test_a_rule_without_for_fires_at_once():
    """Nothing pends."""
    document = rules(("firing", "2026-01-01T00:00:00Z"), duration=0)
    with answering(json.dumps(document).encode()) as (url, _):
        [firing] = ForeignServer("Prometheus", url).active_alerts()
    assert firing.since_s == firing.active_s


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"data": null}', b'{"data": {"groups": [{"rules": [{}]}]}}']
)
def test_what_is_no_prometheus_is_told(body):
    """Whatever answers there."""
    with (
        answering(body) as (url, _),
        pytest.raises(ServerUnreachable, match="does not answer as a Prometheus"),
    ):
        ForeignServer("your Prometheus", url).active_alerts()


def test_a_refusal_is_told_with_its_status():
    """A proxy with a login, say."""
    with (
        answering(b"no", status="401 Unauthorized") as (url, _),
        pytest.raises(ServerUnreachable, match=rf"your Prometheus at {url} .*\(status 401\)"),
    ):
        ForeignServer("your Prometheus", url).check()


@pytest.mark.parametrize("parts", [[], [b"x"] * 100])
def test_whoever_is_silent_or_never_done_is_not_waited_for(parts):
    """Neither no answer nor one that comes byte by byte holds anybody up."""
    began_s = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        if not parts:
            with pytest.raises(ServerUnreachable, match=r"no answer within 0.3 s"):
                ForeignServer("p", url, timeout_s=0.3).check()
        else:
            with (
                answering(*parts, wait_s=0.1) as (url, _),
                pytest.raises(ServerUnreachable, match=r"no answer within 0.3 s"),
            ):
                ForeignServer("p", url, timeout_s=0.3).check()
    assert time.monotonic() - began_s < 5


def test_an_endless_answer_is_cut_off():
    """Memory is bounded."""
    with (
        answering(b"x" * (ANSWER_BYTES_MAX + 1)) as (url, _),
        pytest.raises(ServerUnreachable, match="longer than 16 MiB"),
    ):
        ForeignServer("p", url, timeout_s=30).check()


def test_nobody_there_is_told_and_no_proxy_is_asked(monkeypatch):
    """The URL that was given is the only one spoken to."""
    with answering(b"{}") as (proxy, asked):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(
            ServerUnreachable, match=r"http://127.0.0.1:1 cannot be reached \(.*refused"
        ):
            ForeignServer("p", "http://127.0.0.1:1").check()
        assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "9090",
        "localhost:9090",
        "ftp://x",
        "http://",
        "http://x:y",
        "http://u:p@x",
        "http://x?q",
    ],
)
def test_what_is_no_url_is_refused(url):
    """With what one looks like."""
    with pytest.raises(ValueError, match=r"must be like http://127\.0\.0\.1:9090, got"):
        ForeignServer("p", url)
