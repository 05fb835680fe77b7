"""A server program of ours on a loopback port, below a secret path.

Holds what Prometheus and Alertmanager have in common: start on a free port, wait until ready, start
again in place, and the error that says why a server failed. It has neither their flags nor their
APIs.
"""

from __future__ import annotations

import http.client
import secrets
import time
from typing import TYPE_CHECKING, Final

from verifier.errors import JudgeError
from verifier.servers.child import Child, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

START_ATTEMPTS: Final = 5
RETRY_S: Final = 0.2
"""A port in use is often one that the kernel has not released yet; the wait grows by this."""
READY_TIMEOUT_S: Final = 30.0
READY_ANSWER_TIMEOUT_S: Final = 1.0
POLL_S: Final = 0.01
LAST_LOG_S: Final = 0.05
"""A server that is dying still writes a last line, which is the reason that a person needs."""


class LoopbackServer:
    """One server program: its directory, its port, its process.

    `path_prefix` is part of every address: another program that took the port, or another server
    of ours that was given it later, does not know it.
    """

    def __init__(
        self,
        name: str,
        *,
        is_ready: Callable[[bytes], bool],
        parent_directory: Path | None = None,
    ) -> None:
        """Start nothing. `is_ready` recognises our server by its ready page."""
        self.name = name
        self.path_prefix = f"/{secrets.token_hex(8)}"
        self.port = 0
        self._is_ready = is_ready
        self._parent_directory = parent_directory
        self._child: Child | None = None

    def make_directory(self) -> None:
        """Make the directory that the server works in; raise JudgeError when that fails."""
        prefix = f"agentaskit-{self.name.lower()}-"
        self._child = Child(prefix, parent_directory=self._parent_directory)

    def stop(self) -> None:
        """Kill the server and remove its directory. May be called twice, and before any start."""
        if self._child is not None:
            self._child.stop()

    @property
    def directory(self) -> Path:
        """The server's own directory, removed with it."""
        return self.child.directory

    @property
    def child(self) -> Child:
        """The process and its directory; raise JudgeError when there is none yet."""
        if self._child is None:
            raise JudgeError(f"{self.name} is not running: use it in a with block")
        return self._child

    @property
    def target(self) -> str:
        """`host:port`, as Prometheus' configuration names a server."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Address of the server once it has started."""
        return f"http://{self.target}{self.path_prefix}"

    @property
    def pid(self) -> int | None:
        """Process id, None before the start."""
        return self._child.pid if self._child else None

    def exit_status(self) -> int | None:
        """Return the exit status (negative: a signal's number), None while it runs."""
        return self.child.exit_status()

    def start(self, command: Callable[[], Sequence[str | Path]]) -> None:
        """Start on a free port; `command` is asked again for each port.

        Raises JudgeError, with the end of the server's log, when it does not start.
        """
        for _ in range(START_ATTEMPTS):
            self.port = free_port()
            if self._serves(command()):
                return
            if not self.child.port_was_taken():
                break
        raise self.failure(f"{self.name} did not start")

    def restart(self, command: Callable[[], Sequence[str | Path]]) -> None:
        """Start again, dead or alive (alive: as after `kill -9`), on the same port.

        Raises JudgeError when it does not start: what connects to it knows no other port.
        """
        for attempt in range(START_ATTEMPTS):
            time.sleep(RETRY_S * attempt)
            if self._serves(command()):
                return
            if not self.child.port_was_taken():
                break
        raise self.failure(f"{self.name} did not start again")

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        """Return a connection, which connects when it is used."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def get(self, path: str, *, timeout_s: float) -> tuple[int, bytes]:
        """Return status and body of a GET over a connection of its own; raises what it raises."""
        return self.request("GET", path, timeout_s=timeout_s)

    def request(self, method: str, path: str, *, timeout_s: float) -> tuple[int, bytes]:
        """Return status and body of a request without a body, as `get` does."""
        connection = self.connect(timeout_s)
        try:
            connection.request(method, self.path_prefix + path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def failure(self, what: str, *, reason: str = "") -> JudgeError:
        """Return the error that says what happened, why as far as known, and the way out.

        `reason` is what the server or the system said; a full disk shows there or in the log.
        """
        if self._child is None:
            return JudgeError(f"{what}: use it in a with block")
        time.sleep(LAST_LOG_S)
        child = self._child
        return JudgeError("; ".join((what.strip(), *child.how_it_ended(), child.way_out(reason))))

    def _serves(self, command: Sequence[str | Path]) -> bool:
        """Start the process; return whether it became ready."""
        self.child.start(command)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self.exit_status() is None:
            try:
                status, page = self.get("/-/ready", timeout_s=READY_ANSWER_TIMEOUT_S)
                if status == http.client.OK and self._is_ready(page):
                    return True
            except (OSError, http.client.HTTPException):
                pass  # not listening yet
            time.sleep(POLL_S)
        return False
