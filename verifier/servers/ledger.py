"""What a webhook receiver was told: its ledger file, read as notifications that each count once.

The file is written by `verifier.servers.webhook`: one JSON line for each delivery it answered.
Alertmanager delivers the same notification again after a retry, a restart or a `repeat_interval`;
here it is one notification with a number of deliveries. Reading is safe while the file is written
to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from verifier.errors import JudgeError

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.labels import Labels

_ZERO_TIME: Final = "0001-01-01"
"""How Go writes a moment that is not known, such as the end of what is still firing."""

_Key = tuple[str, str, str, float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One alert that one receiver was told of; all times are Unix seconds.

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
    """A ledger file and what was read of it so far; each call reads only what was added."""

    def __init__(self, path: Path) -> None:
        """Note where the file is, or will be."""
        self._path = path
        self._offset = 0
        self._lines = 0
        self._found: dict[_Key, Notification] = {}
        self._notifications: tuple[Notification, ...] = ()

    def read(self) -> tuple[Notification, ...]:
        """Return every notification so far, in order of first arrival.

        A last line without its end is being written, or was torn: it was never answered and is left
        out. Raises JudgeError when the file cannot be read or holds what is no delivery.
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
            self._notifications = tuple(self._found.values())
        return self._notifications

    def _take(self, line: bytes) -> None:
        try:
            told = _notifications(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise JudgeError(
                f"delivery {self._lines} in the ledger {self._path} is not what Alertmanager sends"
                f" ({error!r}): run it again"
            ) from error
        for one in told:
            key = (one.receiver, one.group_key, one.fingerprint, one.starts_at_s, one.status)
            known = self._found.get(key)
            self._found[key] = replace(known, deliveries=known.deliveries + 1) if known else one


def read_ledger(path: Path) -> tuple[Notification, ...]:
    """Return every notification of a ledger file, as `Ledger.read` does."""
    return Ledger(path).read()


def parse_time_s(text: str) -> float | None:
    """Return the Unix seconds of an RFC 3339 time, None for Go's zero time; else a ValueError."""
    if text.startswith(_ZERO_TIME):
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time must name its zone, got {text!r}")
    return moment.timestamp()


def _notifications(line: Any) -> list[Notification]:
    """Return the alerts of one delivery: Alertmanager's webhook JSON, version 4."""
    body = line["body"]
    found = []
    for alert in body["alerts"]:
        status: Literal["firing", "resolved"] = alert["status"]
        if status not in ("firing", "resolved"):
            raise ValueError(f"unknown status {status!r}")
        starts_at_s = parse_time_s(alert["startsAt"])
        if starts_at_s is None:
            raise ValueError("an alert without a start")
        found.append(
            Notification(
                receiver=body["receiver"],
                status=status,
                group_key=body["groupKey"],
                fingerprint=alert["fingerprint"],
                labels=tuple(sorted(alert["labels"].items())),
                annotations=tuple(sorted(alert["annotations"].items())),
                starts_at_s=starts_at_s,
                ends_at_s=parse_time_s(alert["endsAt"]) if status == "resolved" else None,
                received_s=float(line["received_s"]),
            )
        )
    return found
