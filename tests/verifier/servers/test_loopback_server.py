"""Servers of ours on loopback: strangers on their ports are not taken for them."""

from __future__ import annotations

import http.server
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from verifier.errors import JudgeError
from verifier.servers import loopback_server
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.child import free_port
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator

EMPTY = "route: {receiver: a}\nreceivers: [{name: a}]\n"


class AnsweringServer(http.server.BaseHTTPRequestHandler):
    """A server that answers 200 to anything, as some development servers do."""

    def do_GET(self) -> None:
        """Answer with the same page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def stranger() -> Iterator[int]:
    """Serve on a port of loopback; return the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), AnsweringServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_stranger_that_answers_anything_is_not_taken_for_our_prometheus(
    stranger: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was quicker than ours to take the port; ours gets another."""
    ports = iter([stranger, free_port()])
    monkeypatch.setattr(loopback_server, "free_port", lambda: next(ports))
    with Prometheus() as server:
        assert urlsplit(server.url).port != stranger
        assert server.version


def test_a_stranger_that_answers_anything_is_not_taken_for_our_alertmanager(
    stranger: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at the start, nor when ours is started again."""
    ports = iter([stranger, free_port()])
    monkeypatch.setattr(loopback_server, "free_port", lambda: next(ports))
    monkeypatch.setattr(loopback_server, "START_ATTEMPTS", 2)
    with Alertmanager() as server:
        server.start(EMPTY)
        assert server.target != f"127.0.0.1:{stranger}"
        server._server.port = stranger
        with pytest.raises(JudgeError, match=r"did not start again;.*address already in use"):
            server.restart()


@pytest.mark.parametrize("program", [Prometheus, Alertmanager])
def test_with_all_ports_taken_nothing_starts_and_the_error_says_so(
    stranger: int, monkeypatch: pytest.MonkeyPatch, program: type
) -> None:
    """Within ten seconds."""
    monkeypatch.setattr(loopback_server, "free_port", lambda: stranger)
    start_s = time.monotonic()
    with (
        pytest.raises(JudgeError, match=r"did not start;.*address already in use"),
        program() as server,
    ):
        server.start(EMPTY)
    assert time.monotonic() - start_s < 10
