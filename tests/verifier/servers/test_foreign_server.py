"""Alerts as a Prometheus reports them, and servers that do not answer as they should."""

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
    common = {"severity": "warning"} if labels is None else labels
    instances = [
        {
            "state": state,
            "activeAt": at,
            "labels": {"alertname": "Full", "sandbox_type": "B", **common},
        }
        for state, at in alerts
    ]
    rule = {"name": "Full", "duration": duration, "labels": common, "alerts": instances}
    return {"status": "success", "data": {"groups": [{"interval": interval, "rules": [rule]}]}}


@contextmanager
def answering(*parts, status="200 OK", wait_s=0.0):
    """Serve one connection after another with these bytes, a pause before each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        received = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(65536).decode())
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
            yield f"http://127.0.0.1:{server.getsockname()[1]}", received
        finally:
            server.shutdown(socket.SHUT_RDWR)


def test_the_state_and_its_start_are_those_of_the_rule():
    """Firing starts at the first evaluation at which `for` has passed: 12 s on a grid of 5 s."""
    document = rules(("pending", "2026-01-01T00:00:00Z"), ("firing", "2026-01-01T00:00:00Z"))
    with answering(json.dumps(document).encode()) as (url, received):
        pending, firing = ForeignServer("Prometheus", f"{url}/prefix/").active_alerts()
    assert received[0].startswith("GET /prefix/api/v1/rules?type=alert HTTP/1.1\r\n")
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
    """It is never pending."""
    document = rules(("firing", "2026-01-01T00:00:00Z"), duration=0)
    with answering(json.dumps(document).encode()) as (url, _):
        [firing] = ForeignServer("Prometheus", url).active_alerts()
    assert firing.since_s == firing.active_s


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"data": null}', b'{"data": {"groups": [{"rules": [{}]}]}}']
)
def test_anything_but_a_prometheus_is_reported(body):
    """Whatever it answers."""
    with (
        answering(body) as (url, _),
        pytest.raises(ServerUnreachable, match="does not answer as a Prometheus"),
    ):
        ForeignServer("your Prometheus", url).active_alerts()


def test_a_refusal_is_reported_with_its_status():
    """Such as a proxy with a login."""
    with (
        answering(b"no", status="401 Unauthorized") as (url, _),
        pytest.raises(ServerUnreachable, match=rf"your Prometheus at {url} .*\(status 401\)"),
    ):
        ForeignServer("your Prometheus", url).check()


@pytest.mark.parametrize("parts", [[], [b"x"] * 100])
def test_a_server_that_never_finishes_its_answer_is_not_waited_for(parts):
    """Neither silence nor an answer byte by byte takes longer than the timeout."""
    started_s = time.monotonic()
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
    assert time.monotonic() - started_s < 5


def test_an_endless_answer_is_cut_off():
    """Memory is bounded."""
    with (
        answering(b"x" * (ANSWER_BYTES_MAX + 1)) as (url, _),
        pytest.raises(ServerUnreachable, match="longer than 16 MiB"),
    ):
        ForeignServer("p", url, timeout_s=30).check()


def test_a_refused_connection_is_reported_and_no_proxy_is_used(monkeypatch):
    """The URL of the user is the only one that is requested."""
    with answering(b"{}") as (proxy, received):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(
            ServerUnreachable, match=r"http://127.0.0.1:1 cannot be reached \(.*refused"
        ):
            ForeignServer("p", "http://127.0.0.1:1").check()
        assert received == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "9090",
        "localhost:9090",
        "ftp://x",
        "http://",
        "http://x:y",
        "http://x?q",
    ],
)
def test_anything_but_a_url_is_refused(url):
    """The error shows the form of a URL."""
    with pytest.raises(ValueError, match=r"must be like http://127\.0\.0\.1:9090, got"):
        ForeignServer("p", url)


def test_a_url_with_a_password_is_refused_and_not_repeated():
    """It would stand in a log."""
    with pytest.raises(ValueError, match="without a user name or password") as refusal:
        ForeignServer("p", "http://u:s3cret@x")
    assert "s3cret" not in str(refusal.value)
