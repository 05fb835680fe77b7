"""The throwaway server: what goes in comes out, failures are told, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S, Block, History
from tests.verifier.histories import history, labels, row
from tests.verifier.servers.processes import is_running
from verifier.errors import JudgeError
from verifier.servers import binaries, loopback_server
from verifier.servers.binaries import require
from verifier.servers.child import free_port
from verifier.servers.prometheus import Prometheus, QueryError, RangeQuery, client
from verifier.servers.prometheus.remote_write import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

A = labels("a", host="1")


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Give a server that holds one series for 60,000 scrapes and one that ends."""
    with Prometheus() as running:
        running.push(history({labels("long"): list(range(60_000))}, step_s=1))
        running.push(history({A: row("1 2 3 x . ."), labels("b"): row("1 . . 4 . .")}))
        yield running


def test_the_version_is_the_engines_own(server: Prometheus) -> None:
    """Every verdict carries it."""
    command = [require("prometheus"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert server.version
    assert f"version {server.version} " in said.stdout + said.stderr


def test_a_range_longer_than_one_answer_may_be_is_joined(server: Prometheus) -> None:
    """The server allows 11,000 points; nothing is lost or repeated at the seams."""
    query = RangeQuery("long", EPOCH_S, EPOCH_S + 59_999, 1)
    (found,) = server.query_range(query)
    assert np.array_equal(found.values, np.arange(60_000))
    assert np.array_equal(found.times_s, EPOCH_S + np.arange(60_000))


def test_a_stale_marker_ends_a_series_at_once_and_a_gap_does_not(server: Prometheus) -> None:
    """Without the marker the last sample is taken for five more minutes."""
    (ended,) = server.query_range(RangeQuery("a", EPOCH_S, EPOCH_S + 75, 15))
    assert ended.values.tolist() == [1, 2, 3]
    (gapped,) = server.query_range(RangeQuery("b", EPOCH_S, EPOCH_S + 75, 15))
    assert gapped.values.tolist() == [1, 1, 1, 4, 4, 4]
    assert gapped.labels == {"__name__": "b"}


def test_an_instant_query_gives_vectors_and_scalars(server: Prometheus) -> None:
    """A scalar has no labels."""
    (found,) = server.query("a", EPOCH_S + 15)
    assert (dict(found.labels), found.values.tolist()) == (dict(A), [2.0])
    assert server.query("3 * 2", EPOCH_S)[0].values.tolist() == [6.0]
    assert server.query("nothing", EPOCH_S) == []


def test_a_refused_expression_is_a_query_error_beside_good_answers(server: Prometheus) -> None:
    """One bad panel spoils no other."""
    bad, good = server.query_ranges(
        [RangeQuery(expr, EPOCH_S, EPOCH_S, 15) for expr in ("a +", "a")]
    )
    assert isinstance(bad, QueryError)
    assert "parse error" in str(bad)
    assert isinstance(good, list)
    with pytest.raises(QueryError, match="must give a vector"):
        server.query("a[5m]", EPOCH_S)


def test_a_series_born_late_may_reach_far_back() -> None:
    """Recording rules are pushed after the history they were computed from."""
    with Prometheus() as running:
        month = {"start_s": -30 * 86400, "step_s": 3600}
        running.push(history({A: [1.0] * 720}, **month))
        running.push(history({labels("late"): [2.0] * 720}, **month))
        (found,) = running.query("count_over_time(late[31d])", EPOCH_S)
        assert found.values.tolist() == [720]


def test_a_sample_that_is_refused_is_a_judge_error() -> None:
    """The same moment with another value is out of order; the server is then given up."""
    with Prometheus() as running:
        running.push(history({A: row("1 2 3")}))
        with pytest.raises(JudgeError, match=r"Prometheus refused samples \(400\).*out of order"):
            running.push(history({A: row("1 9 3")}))
        with pytest.raises(JudgeError, match="given up"):
            running.query("a", EPOCH_S)


def test_samples_that_got_lost_silently_are_a_judge_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that drops a request is found out by the server's own count."""
    with Prometheus() as running:

        def lossy(*arguments: object) -> Iterator[tuple[bytes, int]]:
            for body, count in requests(*arguments):  # type: ignore[arg-type]
                yield body, count + 1

        monkeypatch.setattr(client, "requests", lossy)
        with pytest.raises(JudgeError, match="Prometheus stored 3 of 4 samples"):
            running.push(history({A: row("1 2 3")}))


def test_a_server_killed_in_the_middle_is_a_judge_error() -> None:
    """The message says that it ended, and what to do."""
    with Prometheus() as running:
        running.push(history({A: row("1 2 3")}))
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        with pytest.raises(
            JudgeError, match=r"does not answer.*ended with status -9.*run it again"
        ):
            running.query_ranges([RangeQuery("a", EPOCH_S, EPOCH_S, 15)])


def test_a_missing_program_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 3, and the way out."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv(binaries.TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", Path("/nonexistent"))
    with pytest.raises(JudgeError, match="apt-get install prometheus"), Prometheus():
        pass


def test_a_program_that_ends_at_once_is_told_with_its_words(tmp_path: Path) -> None:
    """Whatever it said last is in the message; its directory is gone."""
    impostor = tmp_path / "prometheus"
    impostor.write_text("#!/bin/sh\necho I am no server; exit 4\n")
    impostor.chmod(0o755)
    running = Prometheus(binary=impostor, parent_directory=tmp_path)
    with pytest.raises(JudgeError, match=r"did not start.*status 4.*I am no server"), running:
        pass
    assert list(tmp_path.iterdir()) == [impostor]


def test_a_port_that_was_taken_meanwhile_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 0 is not reported back by Prometheus, so a race is possible and another port tried."""
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
    """Prometheus itself goes on answering that all is well; the push must not."""
    noise = np.random.default_rng(1).random((100, 4000))
    times = np.rint((EPOCH_S + 15 * np.arange(4000)) * 1000).astype(np.int64)
    series = [labels("a", i=str(i)) for i in range(100)]
    with (
        pytest.raises(JudgeError, match=r"(?s)no space left.*disk of .*tiny.* is full"),
        Prometheus(parent_directory=tiny_disk) as running,
    ):
        running.push(History(series, [Block(times, np.arange(100), noise)]))
    assert list(tiny_disk.iterdir()) == []


HELPER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from verifier.servers.prometheus import Prometheus
    with Prometheus(parent_directory=Path(sys.argv[1])) as running:
        print(running.pid, flush=True)
        if sys.argv[2] == "raise":
            raise SystemExit(7)
        time.sleep(60)
    """
)


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
        assert list(tmp_path.iterdir()), "the data was not where the test looks for it"
        assert is_running(pid)
        helper.send_signal(getattr(signal, end))
    helper.wait(20)
    deadline = time.monotonic() + 10
    while (is_running(pid) or list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
    assert list(tmp_path.iterdir()) == []
