"""The Prometheus program as a child: its start, its port, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from tests.verifier.servers.processes import is_running
from verifier.errors import JudgeError
from verifier.servers import binaries, loopback_server
from verifier.servers.binaries import require
from verifier.servers.child import free_port
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator

A = labels("a", host="1")


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Give a running server."""
    with Prometheus() as running:
        yield running


def test_the_version_is_the_engines_own(server: Prometheus) -> None:
    """Every verdict carries it."""
    command = [require("prometheus"), "--version"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert server.version
    assert f"version {server.version} " in run.stdout + run.stderr


def test_a_missing_program_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 3, and how to install it."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv(binaries.TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", Path("/nonexistent"))
    with pytest.raises(JudgeError, match="apt-get install prometheus"), Prometheus():
        pass


def test_a_program_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    """The end of its log is in the message; its directory is gone."""
    impostor = tmp_path / "prometheus"
    impostor.write_text("#!/bin/sh\necho I am no server; exit 4\n")
    impostor.chmod(0o755)
    running = Prometheus(binary=impostor, parent_directory=tmp_path)
    with pytest.raises(JudgeError, match=r"did not start.*status 4.*I am no server"), running:
        pass
    assert list(tmp_path.iterdir()) == [impostor]


def test_a_port_that_was_taken_in_the_meantime_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Prometheus does not report which port it took: ours is chosen before, and may be taken."""
    with Prometheus() as first:
        taken = urlsplit(first.url).port
        ports = iter([taken, free_port()])
        monkeypatch.setattr(loopback_server, "free_port", lambda: next(ports))
        with Prometheus() as second:
            assert urlsplit(second.url).port != taken
            second.push(history({A: row("1")}))
            assert first.query("a", EPOCH_S) == []


def test_it_listens_on_loopback_only(server: Prometheus) -> None:
    """Nobody outside can read or write."""
    port = urlsplit(server.url).port
    listening = Path("/proc/net/tcp")
    if not listening.exists():
        pytest.skip("needs Linux's /proc/net/tcp")
    lines = [line.split() for line in listening.read_text().splitlines()[1:]]
    lines += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    addresses = [line[1].split(":")[0] for line in lines if line[1].endswith(f":{port:04X}")]
    assert "0100007F" in addresses
    assert not any(set(address) == {"0"} for address in addresses)


HELPER = textwrap.dedent(
    """
    import signal, sys, time
    from pathlib import Path
    from verifier.servers.prometheus import Prometheus
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with Prometheus(parent_directory=Path(sys.argv[1])) as running:
        print(running.pid, flush=True)
        if sys.argv[2] == "raise":
            raise SystemExit(7)
        for _ in range(600):
            time.sleep(0.1)
    """
)
"""It naps: a signal that comes just before a long sleep begins would be seen only at its end.

`nohup`, and a shell that starts the tests in the background, leave signals ignored: not here.
"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "SIGKILL", "SIGHUP", "raise"])
def test_nothing_is_left_behind_however_the_parent_ends(tmp_path: Path, end: str) -> None:
    """Neither the server nor its directory, not even after kill -9 of the parent."""
    helper = subprocess.Popen(
        [sys.executable, "-c", HELPER, str(tmp_path), end],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[4],
        text=True,
    )
    assert helper.stdout is not None
    pid = int(helper.stdout.readline())
    if end != "raise":
        assert list(tmp_path.iterdir()), "the data is not where the test expects it"
        assert is_running(pid)
        helper.send_signal(getattr(signal, end))
    helper.wait(20)
    deadline = time.monotonic() + 10
    while (is_running(pid) or list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
    assert list(tmp_path.iterdir()) == []
