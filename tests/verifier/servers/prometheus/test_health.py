"""The health of a Prometheus: samples that are lost, a disk that is full, a server that ended."""

from __future__ import annotations

import math
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S, Block, History
from tests.verifier.deliveries import wait_until
from tests.verifier.histories import history, labels, row
from verifier.errors import JudgeError
from verifier.servers.prometheus import Prometheus, client
from verifier.servers.prometheus.health import check_running, check_stored
from verifier.servers.prometheus.remote_write import joined_requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A = labels("a", host="1")


def test_samples_that_are_lost_silently_are_a_judge_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that drops a request is noticed by the server's own count."""
    with Prometheus() as running:

        def lossy(*arguments: object) -> Iterator[tuple[bytes, int]]:
            for body, count in joined_requests(*arguments):  # type: ignore[arg-type] - passed on as they are
                yield body, count + 1

        monkeypatch.setattr(client, "joined_requests", lossy)
        with pytest.raises(JudgeError, match="Prometheus stored 3 of 4 samples"):
            running.push(history({A: row("1 2 3")}))


class ServerThatCounts:
    """A server that counts so many samples and failed writes."""

    def __init__(self, stored: int, failed: int) -> None:
        """Count them."""
        self.stored, self.failed = stored, failed

    def metrics_page(self) -> str:
        """Show both."""
        return (
            f'prometheus_tsdb_head_samples_appended_total{{type="float"}} {self.stored}\n'
            f"prometheus_tsdb_wal_writes_failed_total {self.failed}\n"
        )

    def failure(self, words: str) -> JudgeError:
        """Return an error of these words."""
        return JudgeError(words)


@pytest.mark.parametrize(("stored", "failed"), [(3, 0), (5, 0), (4, 1)])
def test_a_count_that_differs_or_a_write_that_failed_is_a_judge_error(
    stored: int, failed: int
) -> None:
    """Too many are as wrong as too few, and right ones are no comfort when writes failed."""
    sound: Any = ServerThatCounts(4, 0)
    check_stored(sound, sound, 4)
    server: Any = ServerThatCounts(stored, failed)
    with pytest.raises(JudgeError, match=f"stored {stored} of 4 samples, failed writes: {failed}"):
        check_stored(server, server, 4)


@pytest.mark.parametrize("status", [0, 1, -9])
def test_a_server_that_ended_is_a_judge_error_however_it_ended(status: int) -> None:
    """Without an error, too: it stores nothing any more."""
    server: Any = ServerThatCounts(4, 0)
    server.exit_status = lambda: status
    server.metric = lambda _: 0.0
    with pytest.raises(JudgeError, match="Prometheus ended in mid-run"):
        check_running(server, server, -math.inf)
    server.exit_status = lambda: None
    check_running(server, server, -math.inf)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 2 MiB, where that is allowed."""
    mount = tmp_path / "tiny"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def test_a_full_disk_is_a_judge_error_that_names_the_disk(tiny_disk: Path) -> None:
    """Prometheus itself still calls itself healthy; the push must not succeed."""
    noise = np.random.default_rng(1).random((100, 4000))
    times = np.rint((EPOCH_S + 15 * np.arange(4000)) * 1000).astype(np.int64)
    series = [labels("a", i=str(i)) for i in range(100)]
    with (
        pytest.raises(JudgeError, match=r"(?s)no space left.*disk of .*tiny.* is full"),
        Prometheus(parent_directory=tiny_disk) as running,
    ):
        running.push(History(series, [Block(times, np.arange(100), noise)]))
    assert list(tiny_disk.iterdir()) == []


def test_a_server_that_ended_fails_its_check() -> None:
    """With its exit status; a healthy one passes, and with samples stored since a time too."""
    with Prometheus() as running:
        running.push(history({A: row("1 2 3")}))
        running.check()
        running.check(since_s=EPOCH_S + 30)
        with pytest.raises(JudgeError, match="stores no sample any more"):
            running.check(since_s=EPOCH_S + 31)
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        assert wait_until(lambda: check_fails(running, "ended in mid-run; it ended with status -9"))


def check_fails(running: Prometheus, message: str) -> bool:
    """Return whether the check fails with this message."""
    try:
        running.check()
    except JudgeError as error:
        return message in str(error)
    return False
