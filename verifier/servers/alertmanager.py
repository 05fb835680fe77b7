"""A throwaway Alertmanager: alone, on loopback, restarted in place when it dies, removed.

It gossips with nobody. What it keeps between two starts is what it wrote to its directory: silences
and the log of notifications, both every second; alerts it is sent again by Prometheus.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final, Self

from verifier.errors import JudgeError
from verifier.servers.binaries import require
from verifier.servers.child import Child, free_port

if TYPE_CHECKING:
    from pathlib import Path

START_ATTEMPTS: Final = 5
READY_TIMEOUT_S: Final = 30.0
READY: Final = b"OK"
"""The whole answer; whoever else had the port first may answer 200 to anything."""
ANSWER_TIMEOUT_S: Final = 10.0
MAINTENANCE: Final = "1s"
"""How often the log of notifications is saved. By default every 15 minutes: after a `kill -9`,
whatever was told before is told again, and what ended meanwhile is never said to have ended."""


class Alertmanager:
    """A server inside a `with` block; nothing of it is left after the block."""

    def __init__(self, *, binary: Path | None = None, parent_directory: Path | None = None) -> None:
        """Only note where the program is and where its temporary directory may be."""
        self._binary = binary
        self._parent_directory = parent_directory
        self._child: Child | None = None
        self._port = 0
        self.path_prefix = f"/{secrets.token_hex(8)}"
        """As in Prometheus' `alertmanagers` list; nobody else knows it."""

    def __enter__(self) -> Self:
        """Make the directory; the server waits for its configuration."""
        self._binary = self._binary or require("alertmanager")
        self._child = Child("agentaskit-alertmanager-", parent_directory=self._parent_directory)
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the server and remove its directory."""
        if self._child is not None:
            self._child.stop()

    def start(self, config: str) -> None:
        """Start with a configuration file of this text, on a free port, and wait until ready.

        Raises JudgeError when it does not start; the message holds its last words.
        """
        child = self._running()
        try:
            (child.directory / "alertmanager.yml").write_text(config, encoding="utf-8")
        except OSError as error:
            raise self._failure(
                f"Alertmanager's configuration cannot be written ({error})"
            ) from error
        for _ in range(START_ATTEMPTS):
            self._port = free_port()
            if self._serve(child):
                return
            if not _port_was_taken(child):
                break
        raise self._failure("Alertmanager did not start")

    def restart(self) -> None:
        """Start it again, dead or alive (alive: as after `kill -9`), where and as it was.

        Same port, same configuration, same data. Raises JudgeError when it does not start.
        """
        child = self._running()
        for attempt in range(START_ATTEMPTS):
            time.sleep(0.2 * attempt)
            if self._serve(child):
                return
            if not _port_was_taken(child):
                break
        raise self._failure("Alertmanager did not start again")

    @property
    def target(self) -> str:
        """`host:port`, as in Prometheus' `alertmanagers` list."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Address of the server once it was started."""
        return f"http://{self.target}{self.path_prefix}"

    @property
    def pid(self) -> int | None:
        """Process id of the server, None before `start`."""
        return self._child.pid if self._child else None

    def exit_status(self) -> int | None:
        """Return the exit status (negative: a signal's number), None while it runs."""
        return self._running().exit_status()

    def last_log(self) -> str:
        """Return the last lines the server wrote, errors preferred."""
        return self._running().last_log()

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts it knows, silenced and inhibited ones too, as its API v2 does.

        Raises JudgeError when it does not answer.
        """
        answer: list[dict[str, Any]] = json.loads(self._get("/api/v2/alerts"))
        return answer

    def metric(self, name: str) -> float:
        """Return the sum of all its series of this name, 0 when there is none.

        Raises JudgeError when it does not answer.
        """
        lines = self._get("/metrics").decode().splitlines()
        named = (line for line in lines if line.partition(" ")[0].partition("{")[0] == name)
        return sum(float(line.rsplit(" ", 1)[1]) for line in named)

    def _serve(self, child: Child) -> bool:
        """Start the process; return whether it became ready."""
        assert self._binary is not None  # noqa: S101 - found on entry
        child.start(
            [
                self._binary,
                f"--config.file={child.directory / 'alertmanager.yml'}",
                f"--storage.path={child.directory / 'data'}",
                f"--data.maintenance-interval={MAINTENANCE}",
                f"--web.listen-address={self.target}",
                f"--web.external-url={self.url}",
                f"--web.route-prefix={self.path_prefix}",
                "--cluster.listen-address=",
                "--log.level=warn",
            ]
        )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and child.exit_status() is None:
            try:
                if self._ask("/-/ready", timeout_s=1.0) == (200, READY):
                    return True
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.01)
        return False

    def _get(self, path: str) -> bytes:
        self._running()
        try:
            status, answer = self._ask(path, timeout_s=ANSWER_TIMEOUT_S)
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(f"Alertmanager does not answer ({error!r})") from error
        if status != 200:
            raise self._failure(f"Alertmanager answered {status}: {answer.decode()[:500]}")
        return answer

    def _ask(self, path: str, *, timeout_s: float) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout_s)
        try:
            connection.request("GET", self.path_prefix + path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _running(self) -> Child:
        if self._child is None:
            raise JudgeError("Alertmanager has no directory: use it in a with block")
        return self._child

    def _failure(self, what: str) -> JudgeError:
        """Return the error that tells what happened, why as far as known, and the way out."""
        child = self._running()
        time.sleep(0.05)  # a dying server still has a last line to say
        return JudgeError("; ".join((what.strip(), *child.fate(), child.way_out(what))))


def _port_was_taken(child: Child) -> bool:
    return "address already in use" in "\n".join(child.log)
