"""Reading a ledger: each notification once, whole lines only, nothing guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.deliveries import END, END_S, START_S, ZERO, alert, delivery
from verifier.errors import JudgeError
from verifier.servers.ledger import Ledger, parse_time_s, read_ledger

if TYPE_CHECKING:
    from pathlib import Path


def line(received_s: float, body: dict[str, Any]) -> bytes:
    """Return a line of a ledger."""
    return json.dumps({"received_s": received_s, "body": body}).encode() + b"\n"


def test_an_alert_is_read_with_all_its_data(tmp_path: Path) -> None:
    """Labels and annotations sorted by name, times in Unix seconds, no end while it fires."""
    path = tmp_path / "ledger"
    path.write_bytes(line(7, delivery(alert(), alert("Up", "resolved"))))
    firing, resolved = read_ledger(path)
    assert firing.labels == (("alertname", "Down"), ("severity", "critical"))
    assert firing.annotations == (("summary", "the system is down"),)
    assert (firing.receiver, firing.status, firing.group_key) == ("page", "firing", "{}:{}")
    assert (firing.fingerprint, firing.received_s, firing.deliveries) == ("down", 7, 1)
    assert firing.starts_at_s == pytest.approx(START_S, abs=1e-5)
    assert firing.ends_at_s is None
    assert (resolved.status, resolved.ends_at_s) == ("resolved", END_S)
    path.write_bytes(line(7, delivery(alert(endsAt=END))))
    assert read_ledger(path)[0].ends_at_s is None, "it only would end then"


def test_a_repeated_notification_counts_once_and_a_different_one_anew(tmp_path: Path) -> None:
    """The key is receiver, group, fingerprint, start and status; the first arrival is kept."""
    path = tmp_path / "ledger"
    later = alert(startsAt="2026-01-02T03:04:05.124Z")
    bodies = [
        delivery(alert()),
        delivery(alert(annotations={}), alert("Slow")),
        delivery(alert()),
        delivery(later),
        delivery(alert(), receiver="mail"),
        delivery(alert(), groupKey="{}:{a}"),
        delivery(alert(status="resolved")),
    ]
    path.write_bytes(b"".join(line(number, body) for number, body in enumerate(bodies)))
    notifications = read_ledger(path)
    assert [(each.fingerprint, each.received_s, each.deliveries) for each in notifications] == [
        ("down", 0, 3), ("slow", 1, 1), ("down", 3, 1), ("down", 4, 1), ("down", 5, 1),
        ("down", 6, 1),
    ]  # fmt: skip
    assert notifications[0].annotations == (("summary", "the system is down"),)


def test_a_line_that_is_still_being_written_is_left_for_the_next_reading(tmp_path: Path) -> None:
    """At whatever byte it is cut, also within a character of several bytes."""
    path = tmp_path / "ledger"
    whole = line(1, delivery(alert())) + line(2, delivery(alert("Größe")))
    raw = json.dumps({"received_s": 3, "body": delivery(alert("ß"))}, ensure_ascii=False).encode()
    first = whole.index(b"\n") + 1
    for cut in (0, 1, first - 1, first, first + 9, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:cut])
        ledger = Ledger(path)
        assert len(ledger.read()) == (cut >= first) + (cut >= len(whole))
        path.write_bytes(whole)
        assert len(ledger.read()) == 2
    path.write_bytes(whole + raw[: raw.index("ß".encode()) + 1])
    assert len(ledger.read()) == 2
    path.write_bytes(whole + raw + b"\n")
    assert [each.fingerprint for each in ledger.read()] == ["down", "grösse", "ss"]


def test_only_new_lines_are_read(tmp_path: Path) -> None:
    """It is read twice a second for as long as a run takes."""
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    assert ledger.read() == ()
    path.write_bytes(line(1, delivery()))
    first = ledger.read()
    assert ledger.read() is first
    path.write_bytes(b"X" * len(line(1, delivery())) + line(2, delivery(alert("Slow"))))
    assert [each.fingerprint for each in ledger.read()] == ["down", "slow"]
    with path.open("ab") as file:
        file.write(line(3, delivery(alert("Late"))))
    third = ledger.read()
    assert [(each.fingerprint, each.deliveries) for each in third] == [
        ("down", 1), ("slow", 1), ("late", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        b"{\n",
        b"[]\n",
        b"{}\n",
        line(1, delivery(alert(status="unknown"))),
        line(1, delivery(alert(startsAt="yesterday"))),
        line(1, delivery(alert(startsAt=ZERO))),
        line(1, delivery(alert(startsAt="2026-01-02T03:04:05"))),
        line(1, delivery(alert(labels=None))),
    ],
)
def test_a_whole_line_that_is_no_delivery_is_a_judge_error(tmp_path: Path, broken: bytes) -> None:
    """No verdict rests on a line that cannot be understood."""
    path = tmp_path / "ledger"
    path.write_bytes(line(1, delivery()) + broken)
    with pytest.raises(JudgeError, match=r"delivery 2 in the ledger .* is not what Alertmanager"):
        read_ledger(path)


def test_a_ledger_that_cannot_be_read_is_a_judge_error(tmp_path: Path) -> None:
    """A file that does not exist yet is empty."""
    assert read_ledger(tmp_path / "none") == ()
    with pytest.raises(JudgeError, match="cannot be read"):
        read_ledger(tmp_path)


def test_times_are_read_to_the_microsecond_in_any_zone() -> None:
    """Go writes as many digits as there are, and the year 1 for never."""
    assert parse_time_s("1970-01-01T00:00:01Z") == 1
    assert parse_time_s("1970-01-01T00:00:01.5Z") == 1.5
    assert parse_time_s("1970-01-01T02:00:01.000001999+02:00") == pytest.approx(1.000001, abs=2e-6)
    assert parse_time_s(ZERO) is None
