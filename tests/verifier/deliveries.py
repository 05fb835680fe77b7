"""Webhook deliveries as Alertmanager sends them, for tests of the receiver and its ledger."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

ZERO = "0001-01-01T00:00:00Z"
START = "2026-01-02T03:04:05.123456789Z"
START_S = 1767323045.123456
END = "2026-01-02T04:04:05.5+01:00"
END_S = 1767323045.5


def alert(name: str = "Down", status: str = "firing", **changes: Any) -> dict[str, Any]:
    """Return an alert of a delivery, in Alertmanager's own format."""
    return {
        "status": status,
        "labels": {"severity": "critical", "alertname": name},
        "annotations": {"summary": "the system is down"},
        "startsAt": START,
        "endsAt": ZERO if status == "firing" else END,
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": name.casefold(),
        **changes,
    }


def delivery(*alerts: dict[str, Any], receiver: str = "page", **changes: Any) -> dict[str, Any]:
    """Return a webhook message, version 4."""
    return {
        "version": "4",
        "receiver": receiver,
        "status": "firing",
        "alerts": list(alerts or [alert()]),
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
        **changes,
    }


def post(
    url: str,
    body: Any,
    kind: str = "application/json",
    method: str = "POST",
    *,
    host: str | None = None,
) -> int | None:
    """Send a JSON value (bytes as they are); return the HTTP status, None without an answer."""
    headers = {"Content-Type": kind} | ({} if host is None else {"Host": host})
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, urlsplit(url).path, data, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait_until(condition: Callable[[], object], timeout_s: float = 20.0) -> bool:
    """Return whether a condition became true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
