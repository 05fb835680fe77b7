"""One connection to a store, and how long one goes on trying.

Used by one thread at a time. It tells apart what was certainly not taken, what may have been, and
what is refused for good; only the latter ends a run at once.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, TypeVar

from documents.durations import format_duration
from verifier.errors import JudgeError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from verifier.stores.address import StoreAddress, StoreUrl

T = TypeVar("T")
ANSWER_TIMEOUT_S: Final = 60.0
IDLE_MAX_S: Final = 20.0
"""A connection that was idle for longer is made anew: servers close theirs after a minute."""
BACK_OFF_S: Final = 0.1
BACK_OFF_MAX_S: Final = 10.0
ANSWER_CHARS_MAX: Final = 300
BUSY: Final = (429, 529)
"""Whoever answers so has taken nothing; the latter is Mimir's where it is told to."""
_REASONS: Final = {
    401: "it asks who you are: see `headers` and `authorization` in docs/send.md",
    403: "it refuses who you are: check headers and authorization",
    404: "nothing is at this path: check the URL",
    413: "it takes no request of 4 MB: raise its limit",
}
_REMOTE_WRITE: Final = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


class TryAgain(Exception):  # noqa: N818 - not an error yet
    """A request that did not succeed and may later; `after_s` is how long the store asks to wait.

    `taken` says that the store may have taken what was sent, all of it or a part.
    """

    def __init__(self, reason: str, *, after_s: float = 0.0, taken: bool = False) -> None:
        """Say what happened."""
        super().__init__(reason)
        self.after_s, self.taken = after_s, taken


class Abandoned(Exception):  # noqa: N818 - how a thread ends, no error
    """The run ended meanwhile."""


@dataclass(slots=True)
class Patience:
    """For how long something is tried again, ever later, until it succeeds or the run has ended.

    `say` hears of the first failure of each; `draw` spreads the waits of several threads.
    """

    ended: threading.Event
    give_up_s: float = 300.0
    say: Callable[[str], None] = lambda _: None
    draw: Callable[[], float] = field(default_factory=lambda: random.Random().random)  # noqa: S311 - spreads waits, keeps no secret

    def persist(self, attempt: Callable[[], T], *, retried: Callable[[], object] = bool) -> T:
        """Return what `attempt` returns in the end.

        Raises JudgeError when it has failed for `give_up_s`, Abandoned when the run has ended;
        `retried` is called before each further attempt.
        """
        until_s, back_off_s, said = time.monotonic() + self.give_up_s, BACK_OFF_S, False
        while True:
            try:
                return attempt()
            except TryAgain as failure:
                pause_s = max(failure.after_s, back_off_s * (0.5 + self.draw() / 2))
                if time.monotonic() + pause_s > until_s:
                    raise JudgeError(
                        f"{failure}; tried again for {format_duration(self.give_up_s)}: see to the"
                        " store, or give it longer by --retry-for"
                    ) from None
                if not said:
                    self.say(f"{failure}; trying again ...")
                    said = True
                if self.ended.wait(pause_s):
                    raise Abandoned from None
                back_off_s = min(2 * back_off_s, BACK_OFF_MAX_S)
                retried()

    def pause(self, seconds: float) -> None:
        """Wait so long; raise Abandoned when the run has ended."""
        if self.ended.wait(seconds):
            raise Abandoned


class StoreConnection:
    """Connections to the two URLs of a store, kept open between requests."""

    def __init__(self, address: StoreAddress, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Connect to nothing yet."""
        self._address, self._timeout_s = address, timeout_s
        self._open: dict[str, tuple[http.client.HTTPConnection, float]] = {}

    def close(self) -> None:
        """Close what is open; a request of another thread fails by it."""
        for connection, _ in list(self._open.values()):
            with contextlib.suppress(OSError):
                if connection.sock is not None:
                    connection.sock.shutdown(socket.SHUT_RDWR)  # wakes who waits for an answer
            connection.close()
        self._open.clear()

    def write(self, body: bytes) -> None:
        """Send one remote-write request; raise TryAgain, or JudgeError where it is refused."""
        self._request(self._address.write, "", body, _REMOTE_WRITE)

    def ask(self, path: str, body: bytes) -> bytes:
        """Return the answer to a query; raise TryAgain, or JudgeError where it is refused."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request(self._address.ask, path, body, form)

    def _request(self, url: StoreUrl, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        connection = self._connected(url)
        try:
            sent = {**headers, **dict(self._address.headers)}
            connection.request("POST", (url.path + path) or "/", body=body, headers=sent)
            response = connection.getresponse()
            status, answer = response.status, response.read()
            after = response.getheader("Retry-After") or ""
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._forget(url, connection)
            reason = str(error) or type(error).__name__
            raise TryAgain(f"{url.text} broke off ({reason})", taken=True) from None
        self._open[url.text] = connection, time.monotonic()
        if http.client.OK <= status < http.client.MULTIPLE_CHOICES:
            return answer
        said = _said(answer)
        if status in BUSY:
            raise TryAgain(f"{url.text} is busy ({status}{said})", after_s=_after_s(after))
        if status >= http.client.INTERNAL_SERVER_ERROR:
            raise TryAgain(
                f"{url.text} fails ({status}{said})", after_s=_after_s(after), taken=True
            )
        reason = f"; {_REASONS[status]}" if status in _REASONS else ""
        raise JudgeError(f"{url.text} refused a request ({status}{said}){reason}")

    def _connected(self, url: StoreUrl) -> http.client.HTTPConnection:
        """Return an open connection; raise TryAgain where none can be had, nothing being sent."""
        connection, used_s = self._open.get(url.text, (None, 0.0))
        if connection is not None and connection.sock is not None:
            if time.monotonic() - used_s < IDLE_MAX_S:
                return connection
            connection.close()
        connection = self._new(url)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise JudgeError(
                f"{url.text} has a certificate that is not trusted ({error.verify_message}): name"
                " who signed it, `tls_config: {ca_file: ...}`"
            ) from None
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise TryAgain(f"{url.text} cannot be reached ({reason})") from None
        self._open[url.text] = connection, time.monotonic()
        return connection

    def _new(self, url: StoreUrl) -> http.client.HTTPConnection:
        if url.scheme == "https":
            return http.client.HTTPSConnection(
                url.host, url.port, timeout=self._timeout_s, context=self._address.tls
            )
        return http.client.HTTPConnection(url.host, url.port, timeout=self._timeout_s)

    def _forget(self, url: StoreUrl, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._open.pop(url.text, None)


def _said(answer: bytes) -> str:
    """Return what a store said, in one short line."""
    text = " ".join(answer[: 4 * ANSWER_CHARS_MAX].decode(errors="replace").split())
    text = "".join(letter for letter in text if letter.isprintable())
    if text.lower().startswith(("<!doctype html", "<html")):
        # A proxy's, or a web server's that is no store: nobody reads its tags.
        title = re.search("<title>([^<]+)</title>", text, re.IGNORECASE)
        text = f"a web page, {title[1].strip()!r}" if title else "a web page"
    return f": {text[:ANSWER_CHARS_MAX]}" if text else ""


def _after_s(header: str) -> float:
    """Return how many seconds `Retry-After` says, as a number or as a date; 0 for neither."""
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, IndexError):
        return 0.0
