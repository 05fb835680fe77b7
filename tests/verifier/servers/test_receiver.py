"""The receiver of deliveries: every delivery it answered is stored, whatever happens to it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.verifier.deliveries import alert, delivery, post, wait_until
from tests.verifier.servers.processes import leaves_nothing
from verifier.errors import JudgeError
from verifier.servers import receiver as module
from verifier.servers import webhook
from verifier.servers.ledger import read_ledger
from verifier.servers.receiver import LEDGER, Receiver
from verifier.servers.webhook import LedgerFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Give a running receiver."""
    with Receiver() as running:
        yield running


def kill(running: Receiver) -> None:
    """End the receiver as a machine out of memory would, and wait until it has ended."""
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    assert wait_until(lambda: running.exit_status() == -signal.SIGKILL)


def test_a_delivery_is_in_the_ledger_once_it_was_answered(receiver: Receiver) -> None:
    """Any name of a receiver may stand in the path."""
    assert receiver.notifications() == ()
    before_s = time.time()
    assert post(f"{receiver.url}/on%20call%2F%C3%A4", delivery(receiver="on call/ä")) == 200
    (notification,) = receiver.notifications()
    assert notification.receiver == "on call/ä"
    assert before_s <= notification.received_s <= time.time()


@pytest.mark.parametrize(
    ("path", "body", "kind", "status"),
    [
        ("/page", b"{", "application/json", 400),
        ("/page", b"\xff", "application/json", 400),
        ("/page", b"[" * 100_000, "application/json", 400),
        ("/page", [], "application/json", 400),
        ("/page", delivery(version="3"), "application/json", 400),
        ("/page", delivery(alerts=["one"]), "application/json", 400),
        ("/page", delivery(receiver=None), "application/json", 400),
        ("/page", delivery(alert(startsAt="yesterday")), "application/json", 400),
        ("/page", delivery(alert(startsAt="2026-01-02T03:04:05")), "application/json", 400),
        ("/page", delivery(alert(startsAt="0001-01-01T00:00:00Z")), "application/json", 400),
        ("/page", delivery(alert(startsAt=7)), "application/json", 400),
        ("/page", delivery(alert(status="resolved", endsAt="soon")), "application/json", 400),
        ("/page", delivery(alert(status="unknown")), "application/json", 400),
        ("/page", delivery(alert(labels=["a"])), "application/json", 400),
        ("/page", delivery(alert(labels={"a": 1})), "application/json", 400),
        ("/page", delivery(alert(annotations={"a": "\ud800"})), "application/json", 400),
        ("/page", delivery(alert(fingerprint=["a"])), "application/json", 400),
        ("/page", b'{"version": ' + b"9" * 5000 + b"}", "application/json", 400),
        ("/page", delivery(), "text/plain", 415),
        ("/page", b"x" * (webhook.BODY_BYTES_MAX + 1), "application/json", 413),
        ("/", delivery(), "application/json", 404),
        ("", delivery(), "application/json", 404),
    ],
)
def test_anything_but_a_delivery_is_refused_and_not_stored(
    receiver: Receiver, *, path: str, body: object, kind: str, status: int
) -> None:
    """Neither broken nor endless bodies, nor anything but JSON; the path is secret."""
    before = receiver.notifications()
    assert post(receiver.url + path, body, kind) == status
    assert receiver.notifications() == before
    assert receiver.exit_status() is None


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("192.0.2.7", 403),
        ("127.0.0.1:x", 400),
        ("a@127.0.0.1", 400),
        ("127.0.0.1:1", 200),
        ("localhost", 200),
    ],
)
def test_only_who_names_this_machine_can_deliver(
    receiver: Receiver, host: str, status: int
) -> None:
    """As at the fault API: the owner of any other name could have pointed it here."""
    before = len(receiver.notifications())
    assert post(f"{receiver.url}/page", delivery(receiver=f"at {host}"), host=host) == status
    assert len(receiver.notifications()) - before == (status == 200)


def test_any_path_but_the_secret_one_is_answered_404(receiver: Receiver) -> None:
    """Say from the Alertmanager of another run, which had the port before."""
    base = receiver.url.rpartition("/")[0]
    assert post(f"{base}/page", delivery()) == 404
    assert post(f"{base}/0123456789abcdef/page", delivery()) == 404
    assert post(f"{receiver.url}/page", delivery(), method="PUT") == 405


def test_after_a_restart_it_is_the_same_receiver_with_the_same_ledger() -> None:
    """Alertmanager keeps sending to the address that it is configured with.

    A line that was cut off was never answered; left in place, it would spoil the next.
    """
    with Receiver() as running:
        url = running.url
        assert post(f"{url}/page", delivery()) == 200
        kill(running)
        assert post(f"{url}/page", delivery()) is None
        path = running._running().directory / LEDGER
        with path.open("ab") as file:
            file.write(b'{"received_s": 12.5, "body": {"vers')
        assert len(running.notifications()) == 1
        running.restart()
        assert (running.url, running.exit_status()) == (url, None)
        assert post(f"{url}/page", delivery()) == 200
        assert post(f"{url}/page", delivery(alert("Slow"))) == 200
        notifications = running.notifications()
        assert [(each.fingerprint, each.deliveries) for each in notifications] == [
            ("down", 2),
            ("slow", 1),
        ]
        assert len(read_ledger(path)) == 2


def lost_by_kills(
    names: list[str], running: Receiver, shares: Sequence[float] = (0.2, 0.7)
) -> set[str]:
    """Return the alerts that were answered 200 and not stored, over kills under load.

    The sender repeats, as Alertmanager does, until each alert is answered 200. A kill comes once
    such a share of all was.
    """
    address, answered = f"{running.url}/page", list[str]()
    lost: set[str] = set()

    def send() -> None:
        for name in names:
            while post(address, delivery(alert(name))) != 200:
                time.sleep(0.03)
            answered.append(name)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    for share in shares:
        assert wait_until(lambda share=share: len(answered) >= share * len(names), 60)
        kill(running)
        known = set(answered)
        lost |= known - {dict(each.labels)["alertname"] for each in running.notifications()}
        running.restart()
    sender.join(60)
    return lost


def test_killed_at_any_moment_it_loses_nothing_answered_and_counts_nothing_twice() -> None:
    """A delivery that was stored but not answered arrives again and counts as one more."""
    names = [f"Alert{number}" for number in range(60)]
    with Receiver() as running:
        assert lost_by_kills(names, running) == set()
        notifications = running.notifications()
        assert [dict(each.labels)["alertname"] for each in notifications] == names
        assert sum(each.deliveries for each in notifications) <= len(names) + 2


def test_a_receiver_that_acknowledges_before_it_stores_is_detected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the line is written a moment after the answer."""
    right = "            self._ledger.append("
    text = module._PROGRAM.read_text()
    assert right in text
    late = "            asyncio.get_running_loop().call_later(0.3, self._ledger.append, "
    program = tmp_path / "program.py"
    program.write_text(text.replace(right, late))
    monkeypatch.setattr(module, "_PROGRAM", program)
    with Receiver() as running:
        assert lost_by_kills([f"Alert{number}" for number in range(20)], running, [0.7])


def test_a_line_that_could_not_be_written_whole_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full in the middle of a line; once there is room, the next is a whole one."""
    path = tmp_path / "ledger"
    ledger = LedgerFile(path)
    record = {"received_s": 1.0, "body": delivery()}
    ledger.append(record)
    write = os.write

    def half(file: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left"):
        ledger.append(record)
    assert not path.read_bytes().endswith(b"\n")
    assert read_ledger(path)[0].deliveries == 1
    monkeypatch.undo()
    ledger.append(record)
    assert read_ledger(path)[0].deliveries == 2


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 256 KiB, where that is allowed."""
    mount = tmp_path / "tiny"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def test_a_full_disk_is_answered_500_until_there_is_room_again(tiny_disk: Path) -> None:
    """Alertmanager tries again after a 500; what was answered 200 is all there."""
    with Receiver(parent_directory=tiny_disk) as running:
        big = delivery(alert(annotations={"summary": "x" * 50_000}))
        statuses = [post(f"{running.url}/page", big) for _ in range(8)]
        stored = statuses.count(200)
        assert 0 < stored < 8
        assert set(statuses) == {200, 500}
        assert running.notifications()[0].deliveries == stored
        # The answer and the log come by different ways: the log may be read a moment later.
        deadline_s = time.monotonic() + 5
        while "could not be stored" not in running.last_log() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert "could not be stored" in running.last_log()
        subprocess.run(["mount", "-o", "remount,size=2m", str(tiny_disk)], check=True)
        assert post(f"{running.url}/page", big) == 200
        assert running.notifications()[0].deliveries == stored + 1


def test_a_program_that_does_not_start_is_reported_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its directory is gone afterwards."""
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit('out of order')")
    monkeypatch.setattr(module, "_PROGRAM", program)
    running = Receiver(parent_directory=tmp_path)
    with pytest.raises(JudgeError, match=r"receiver did not start.*out of order"), running:
        pass
    assert list(tmp_path.iterdir()) == [program]


def test_a_port_that_is_taken_at_the_restart_is_a_judge_error(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other would do: Alertmanager is configured with this one."""
    monkeypatch.setattr(module, "START_ATTEMPTS", 2)
    with Receiver() as second:
        second._port = receiver._port
        with pytest.raises(JudgeError, match=r"did not start.*already in use"):
            second.restart()


def test_outside_a_with_block_it_says_what_to_do() -> None:
    """Neither a traceback nor an empty list of notifications."""
    with pytest.raises(JudgeError, match="use it in a with block"):
        Receiver().notifications()


def test_the_program_imports_only_a_few_modules_of_this_project() -> None:
    """It starts at once; nor does it take a module beside it for one of the standard library."""
    code = "import sys; sys.argv = ['x']; import runpy; runpy.run_path(sys.orig_argv[-1])"
    rooms = ("verifier", "exporter", "simulator", "scenarios", "documents", "numba", "numpy")
    code += f"; print(*(m for m in sys.modules if m.partition('.')[0] in {rooms}))"
    command = [sys.executable, "-P", "-c", code, module._PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert set(run.stdout.split()) == {
        "exporter", "exporter.server", "exporter.server.connection_limits",
        "exporter.server.answer_pieces",
        "exporter.server.kernel_queue",
        "exporter.server.host_check", "verifier", "verifier.errors", "verifier.servers",
        "verifier.servers.ledger",
    }  # fmt: skip


HELPER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from verifier.servers.receiver import Receiver
    with Receiver(parent_directory=Path(sys.argv[1])) as running:
        running.restart()
        print(running.pid, flush=True)
        time.sleep(60)
    """
)


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_nothing_is_left_behind_however_the_parent_ends(tmp_path: Path, end: str) -> None:
    """Even when the process is not the first in its directory."""
    assert leaves_nothing(HELPER, tmp_path, end)
