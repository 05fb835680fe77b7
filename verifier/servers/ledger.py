"""The ledger of a webhook receiver: deliveries, read as notifications that each count once.

The file is written by `verifier.servers.webhook`: one JSON line for each delivery it answered.
Alertmanager delivers the same notification again after a retry, a restart or a `repeat_interval`;
here it is one notification with a number of deliveries. Reading is safe while the file grows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from verifier.errors import JudgeError

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.labels import Labels

_ZERO_TIME: Final = "0001-01-01"
"""How Go writes a time that is not known, such as the end of an alert that is still firing."""

_Key: TypeAlias = tuple[str, str, str, float, str]
"""Receiver, group key, fingerprint, start, status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One alert in one receiver's deliveries, firing or resolved; all times are Unix seconds.

    `labels` and `annotations` are sorted by name. `received_s` is that of the first delivery,
    `deliveries` how often the same (receiver, group key, fingerprint, start, status) arrived.
    """

    receiver: str
    status: Literal["firing", "resolved"]
    group_key: str
    fingerprint: str
    labels: Labels
    annotations: Labels
    starts_at_s: float
    ends_at_s: float | None
    received_s: float
    deliveries: int = 1


class Ledger:
    """A ledger file and what was read of it so far; each call reads only what is new."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet: the file need not exist."""
        self._path = path
        self._offset = 0
        self._lines = 0
        self._by_key: dict[_Key, Notification] = {}
        self._notifications: tuple[Notification, ...] = ()

    def read(self) -> tuple[Notification, ...]:
        """Return every notification so far, in order of first arrival.

        A last line without its end is being written, or was cut off: it was never answered and is
        left out. Raises JudgeError when the file cannot be read or a line is no delivery.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                added = file.read()
        except FileNotFoundError:
            return self._notifications
        except OSError as error:
            raise JudgeError(f"the ledger {self._path} cannot be read ({error})") from error
        whole = added[: added.rfind(b"\n") + 1]
        if whole:
            for line in whole.splitlines():
                self._lines += 1
                self._take(line)
            self._offset += len(whole)
            self._notifications = tuple(self._by_key.values())
        return self._notifications

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            notifications = read_delivery(record["body"], float(record["received_s"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise JudgeError(
                f"delivery {self._lines} in the ledger {self._path} is not what Alertmanager sends"
                f" ({error!r}): run it again"
            ) from error
        for new in notifications:
            key = (new.receiver, new.group_key, new.fingerprint, new.starts_at_s, new.status)
            known = self._by_key.get(key)
            self._by_key[key] = replace(known, deliveries=known.deliveries + 1) if known else new


def read_ledger(path: Path) -> tuple[Notification, ...]:
    """Return every notification of a ledger file, as `Ledger.read` does."""
    return Ledger(path).read()


def parse_time_s(text: str) -> float | None:
    """Return the Unix seconds of an RFC 3339 time, None for Go's zero time; else a ValueError."""
    if text.startswith(_ZERO_TIME):
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"a time must name its zone, got {text!r}")
    return time.timestamp()


# Any: a body is whatever arrived; whatever is wrong with it is one ValueError.
def read_delivery(body: Any, received_s: float) -> list[Notification]:
    """Return the alerts of one delivery: Alertmanager's webhook JSON, version 4.

    The receiver reads each delivery so before it keeps it: what is in a ledger can be read. Raises
    `ValueError` with the reason for anything that Alertmanager does not send.
    """
    try:
        return [_read_alert(body, alert, received_s) for alert in body["alerts"]]
    except KeyError as error:
        raise ValueError(f"{error} is missing") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"a value is of the wrong type ({error})") from error


def _read_alert(body: Any, alert: Any, received_s: float) -> Notification:
    status: Literal["firing", "resolved"] = alert["status"]
    if status not in ("firing", "resolved"):
        raise ValueError(f"unknown status {status!r}")
    starts_at_s = parse_time_s(alert["startsAt"])
    if starts_at_s is None:
        raise ValueError("an alert without a start")
    return Notification(
        receiver=_text(body["receiver"]),
        status=status,
        group_key=_text(body["groupKey"]),
        fingerprint=_text(alert["fingerprint"]),
        labels=_read_labels(alert["labels"]),
        annotations=_read_labels(alert["annotations"]),
        starts_at_s=starts_at_s,
        ends_at_s=parse_time_s(alert["endsAt"]) if status == "resolved" else None,
        received_s=received_s,
    )


def _read_labels(labels: Any) -> Labels:
    return tuple(sorted((_text(name), _text(value)) for name, value in labels.items()))


def _text(value: Any) -> str:
    """Return `value` if it is a text that can be written, too: JSON can hold half a character."""
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {type(value).__name__}")
    value.encode()
    return value
