"""A webhook receiver of our own: a child process that stores what Alertmanager delivers.

Its ledger file is all that a verdict in real time trusts about notifications: every delivery that
was answered 200 is in it, however the receiver ended, and each notification counts once (see
`verifier.servers.ledger`).
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from verifier.errors import JudgeError
from verifier.servers.child import Child
from verifier.servers.ledger import Ledger
from verifier.servers.loopback_server import POLL_S, READY_TIMEOUT_S, RETRY_S, START_ATTEMPTS

if TYPE_CHECKING:
    from verifier.servers.ledger import Notification

LEDGER: Final = "ledger.jsonl"
NOT_STORED: Final = "level=error a delivery could not be stored"
"""How the program logs a delivery that it refused; Alertmanager sends it again."""
_NO_CERTIFICATES: Final = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""It asks nobody for anything; reading the certificates of a system is a fifth of its start."""
_PROGRAM: Final = Path(__file__).with_name("webhook.py")


class Receiver:
    """A running receiver inside a `with` block; nothing of it is left after the block."""

    def __init__(
        self, *, parent_directory: Path | None = None, port: int = 0, prefix: str | None = None
    ) -> None:
        """Start nothing; without `port` it takes a free one, without `prefix` a random path.

        Both are given where an Alertmanager of the user is configured with them beforehand.
        """
        self._parent_directory = parent_directory
        self._child: Child | None = None
        self._ledger: Ledger | None = None
        self._port = port
        # Secret: another program that posts to the port does not know it.
        self._prefix = prefix or f"/{secrets.token_hex(8)}"

    def __enter__(self) -> Self:
        """Start the receiver on a free port; raise JudgeError when it does not start."""
        self._child = Child("agentaskit-receiver-", parent_directory=self._parent_directory)
        self._ledger = Ledger(self._child.directory / LEDGER)
        try:
            self._start(self._child)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the receiver and remove its directory, the ledger with it."""
        if self._child is not None:
            self._child.stop()

    @property
    def url(self) -> str:
        """Address below which every receiver of the routing has its own path."""
        return f"http://127.0.0.1:{self._port}{self._prefix}"

    @property
    def pid(self) -> int | None:
        """Process id of the receiver."""
        return self._child.pid if self._child else None

    def exit_status(self) -> int | None:
        """Return the exit status (negative: a signal's number), None while it runs."""
        return self._running().exit_status()

    def check(self) -> None:
        """Raise JudgeError when it could not store a delivery, as with a full disk."""
        child = self._running()
        if any(line.startswith(NOT_STORED) for line in list(child.log)):
            raise JudgeError(
                f"the webhook receiver cannot store deliveries: {child.last_log(1)};"
                f" {child.way_out()}"
            )

    def last_log(self) -> str:
        """Return the last lines the receiver wrote."""
        return self._running().last_log()

    def notifications(self) -> tuple[Notification, ...]:
        """Return all notifications so far, in order of first arrival; cheap when nothing is new.

        It needs no running receiver. Raises JudgeError when the ledger cannot be read.
        """
        self._running()
        return self._ledger.read() if self._ledger else ()

    def restart(self) -> None:
        """Start it again, dead or alive, on the same port with the same ledger.

        Raises JudgeError when it does not start.
        """
        self._start(self._running())

    def _start(self, child: Child) -> None:
        port_file = child.directory / "port"
        for attempt in range(START_ATTEMPTS):
            time.sleep(RETRY_S * attempt)
            port_file.unlink(missing_ok=True)
            # -P: a module beside it must not be taken for one of the standard library.
            program: list[str | Path] = [sys.executable, "-P", _PROGRAM]
            arguments = child.directory, LEDGER, str(self._port), self._prefix
            child.start([*program, *arguments], **_NO_CERTIFICATES)
            if _wait_for(port_file, child):
                self._port = int(port_file.read_text(encoding="ascii"))
                return
            if not child.port_was_taken():
                break
        raise JudgeError(
            "; ".join(
                ("the webhook receiver did not start", *child.how_it_ended(), child.way_out())
            )
        )

    def _running(self) -> Child:
        if self._child is None:
            raise JudgeError("the webhook receiver was not started: use it in a with block")
        return self._child


def _wait_for(file: Path, child: Child) -> bool:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline and child.exit_status() is None:
        if file.exists():
            return True
        time.sleep(POLL_S)
    return False
