"""A server at a URL of the user's, and the alerts that are active at a Prometheus.

Used by `up` while it runs, for a Prometheus of ours and one of the user's alike. Only that URL is
requested: no proxy, no redirect. Time and size of an answer are bounded.
"""

from __future__ import annotations

import http.client
import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from verifier.servers.ledger import parse_time_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from verifier.labels import Labels

ANSWER_TIMEOUT_S: Final = 2.0
"""A person watches: a server that answers later is shown as unreachable, and asked again."""
ANSWER_BYTES_MAX: Final = 16 << 20
CHUNK_BYTES: Final = 64 << 10
"""Read at a time, so that a slow or endless answer is noticed in the middle."""
_RULES: Final = "/api/v1/rules?type=alert"


class ServerUnreachable(OSError):  # noqa: N818 - "unreachable" says that it is an error
    """A server that did not answer; the message is a sentence with its name, URL and the reason."""


class AnswerTooLong(ServerUnreachable):
    """An answer of more bytes than are read."""


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """A server's answer, of any status; `retry_after_s` is how long it asks to be left alone."""

    status: int
    body: bytes
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlert:
    """An alert that is pending or firing. Times are Unix seconds.

    `series` are the labels that distinguish it from others of its rule, sorted; `rule` those that
    its rule gives to all of them. `since_s` is when its state began, `active_s` when it became
    pending.
    """

    alert: str
    state: Literal["pending", "firing"]
    series: Labels
    rule: Labels
    active_s: float
    since_s: float


class ForeignServer:
    """A server at a URL; `name` is what sentences call it."""

    def __init__(self, name: str, url: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Raise ValueError, with the rule, for anything but an HTTP URL of a server."""
        try:
            parts = urlsplit(url)
            self.host, self.port = parts.hostname or "", parts.port
        except ValueError:
            parts = urlsplit("")
            self.host, self.port = "", None
        if "@" in url:  # with a password in it, perhaps: it is not repeated
            raise ValueError("must be like http://127.0.0.1:9090, without a user name or password")
        beyond_path = parts.query or parts.fragment
        if parts.scheme not in {"http", "https"} or not self.host or beyond_path:
            raise ValueError(f"must be like http://127.0.0.1:9090, got {url!r}")
        self.name, self.url, self.scheme = name, url.rstrip("/"), parts.scheme
        self.target, self.path_prefix = parts.netloc, parts.path.rstrip("/")
        self._timeout_s = timeout_s

    def get(self, path: str) -> bytes:
        """Return the body of an answer 200; raise ServerUnreachable for anything else."""
        answer = self.request("GET", path)
        if answer.status != http.client.OK:
            raise self._unreachable(f"status {answer.status}")
        return answer.body

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ForeignAnswer:
        """Return the answer, of whatever status; raise ServerUnreachable where there is none."""
        https = self.scheme == "https"
        connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = connect(self.host, self.port, timeout=self._timeout_s)
        until_s = time.monotonic() + self._timeout_s
        try:
            sent = {**(headers or {}), "Connection": "close"}
            connection.request(method, self.path_prefix + path, body=body, headers=sent)
            answer = connection.getresponse()
            wait = answer.getheader("Retry-After") or ""
            return ForeignAnswer(
                answer.status,
                b"".join(self._read(answer, until_s)),
                float(wait) if wait.isdecimal() else 0.0,
            )
        except ServerUnreachable:
            raise
        except TimeoutError:
            raise self._unreachable(f"no answer within {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise self._unreachable(reason.lower()) from None
        finally:
            connection.close()

    def active_alerts(self) -> tuple[ActiveAlert, ...]:
        """Return the pending and firing alerts of this Prometheus, in the order of its rules.

        Raises ServerUnreachable when it does not answer as a Prometheus does.
        """
        try:
            return tuple(_active(json.loads(self.get(_RULES))))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._unreachable("it does not answer as a Prometheus does") from None

    def check(self) -> None:
        """Raise ServerUnreachable unless the server says that it is ready."""
        self.get("/-/ready")

    def _read(self, answer: http.client.HTTPResponse, until_s: float) -> Iterator[bytes]:
        left = ANSWER_BYTES_MAX
        while chunk := answer.read1(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                longer = f"its answer is longer than {ANSWER_BYTES_MAX >> 20} MiB"
                raise AnswerTooLong(str(self._unreachable(longer)))
            if time.monotonic() > until_s:
                raise TimeoutError
            yield chunk

    def _unreachable(self, reason: str) -> ServerUnreachable:
        return ServerUnreachable(f"{self.name} at {self.url} cannot be reached ({reason})")


# Any: the answer of a server that may be none of ours; a wrong shape raises, once, above.
def _active(document: Any) -> Iterator[ActiveAlert]:
    for group in document["data"]["groups"]:
        for rule in group["rules"]:
            common = rule["labels"]
            for alert in rule["alerts"]:
                state: Literal["pending", "firing"] = alert["state"]
                active_s = parse_time_s(alert["activeAt"])
                if state not in ("pending", "firing") or active_s is None:
                    continue
                own = {k: v for k, v in alert["labels"].items() if k not in {"alertname", *common}}
                pending_s = _pending_s(float(rule["duration"]), float(group["interval"]))
                yield ActiveAlert(
                    alert=str(rule["name"]),
                    state=state,
                    series=tuple(sorted(own.items())),
                    rule=tuple(sorted(common.items())),
                    active_s=active_s,
                    since_s=active_s + (pending_s if state == "firing" else 0.0),
                )


def _pending_s(for_s: float, interval_s: float) -> float:
    """How long an alert is pending: it fires at the first evaluation at which `for` has passed."""
    # The subtrahend keeps a `for` of whole intervals whole, whatever the division rounds.
    return math.ceil(for_s / interval_s - 1e-6) * interval_s if interval_s > 0 else for_s
