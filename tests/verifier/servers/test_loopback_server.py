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
from verifier.servers.loopback_server import LoopbackServer
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


class ScriptedChild:
    """A process that ends at once, or runs; its port was taken so often."""

    def __init__(self, taken: int) -> None:
        """Begin with nothing started."""
        self.taken, self.started = taken, 0

    def start(self, _: object) -> None:
        """Count it."""
        self.started += 1

    def exit_status(self) -> int | None:
        """It has ended where its port was taken."""
        return 1 if self.started <= self.taken else None

    def port_was_taken(self) -> bool:
        """Return whether it was."""
        return self.started <= self.taken


def test_a_port_in_use_is_waited_for_longer_each_time_and_a_page_must_be_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer that is no success is none, whatever is on its page."""
    pages = [(503, b"ours"), (200, b"other"), (200, b"ours")]
    slept: list[float] = []
    monkeypatch.setattr(loopback_server.time, "sleep", slept.append)
    server = LoopbackServer("Server", is_ready=lambda page: page == b"ours")
    child = ScriptedChild(3)
    monkeypatch.setattr(server, "_child", child)
    monkeypatch.setattr(server, "get", lambda *_, **__: pages.pop(0))
    server.restart(lambda: ["program"])
    assert (child.started, pages) == (4, [])
    assert slept == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.01, 0.01])


def test_alertmanager_keeps_its_log_as_often_as_is_said_and_repeats_a_part_of_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Five hundred letters of it."""
    binary = tmp_path / "alertmanager"
    own = Alertmanager(binary=binary, parent_directory=tmp_path, maintenance="7s")
    monkeypatch.setattr(LoopbackServer, "directory", tmp_path)
    assert "--data.maintenance-interval=7s" in own._command()
    assert own._command()[:3] == ["env", f"ZONEINFO={tmp_path}", binary]
    monkeypatch.setattr(LoopbackServer, "request", lambda *_, **__: (500, b"x" * 600))
    monkeypatch.setattr(
        LoopbackServer, "failure", lambda _, what, reason: JudgeError(what + reason)
    )
    with pytest.raises(JudgeError) as raised:
        own.alerts()
    assert str(raised.value) == f"Alertmanager answered 500: {'x' * 500}{'x' * 500}"
