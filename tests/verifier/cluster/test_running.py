"""A suite on a Dask cluster of real processes and sockets: the same outcomes, each once."""

from __future__ import annotations

import socket
import sys

import pytest
from distributed import LocalCluster

from documents.mistakes import InputError
from tests.verifier.cluster.judges import WorkerKiller
from tests.verifier.judges import Scripted
from tests.verifier.test_suite import Notes, is_gone, scenario
from verifier.cluster import machine
from verifier.cluster.connection import check_address, connect
from verifier.cluster.running import run_on_cluster
from verifier.errors import JudgeError


@pytest.fixture(scope="module")
def cluster():
    """Return the address of a scheduler with two workers, on loopback."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as running:
        yield running.scheduler_address


def run(address, judge, *names):
    """Run scenarios of these names; return outcomes and notes."""
    notes = Notes()
    outcomes = run_on_cluster([scenario(name) for name in names], judge, notes, address)
    return outcomes, notes


@pytest.mark.ci
def test_outcomes_come_in_order_with_their_progress(cluster, tmp_path):
    """What a judge raises is an invalid outcome, and each scenario is counted once."""
    names = ["a", "broken-b", "bug-c", "d"]
    outcomes, notes = run(cluster, Scripted(tmp_path), *names)
    assert [each.name for each in outcomes] == names
    assert [each.verdict for each in outcomes] == ["pass", "invalid", "invalid", "pass"]
    assert outcomes[1].invalid == ("no Prometheus",)
    assert sorted(name for name, _ in notes.judged) == sorted(names)
    assert ("a", "going") in notes.phases
    assert all(is_gone(int(path.read_text())) for path in tmp_path.glob("*.pid"))


@pytest.mark.long
def test_a_mistake_of_the_user_ends_the_run(cluster, tmp_path):
    """With the place in the user's file, as on one machine."""
    with pytest.raises(InputError, match=r"rules\.yaml:1:2: planted"):
        run(cluster, Scripted(tmp_path), "a", "mistake-b")


@pytest.mark.long
def test_a_process_that_dies_again_and_again_is_said_to(cluster, tmp_path):
    """It is replaced twice; the others are judged."""
    outcomes, _ = run(cluster, Scripted(tmp_path), "die-a", "b")
    assert [each.verdict for each in outcomes] == ["invalid", "pass"]
    assert "ended with status -9: out of memory? (3 times)" in outcomes[0].invalid[0]


@pytest.mark.ci
def test_the_work_of_a_lost_worker_is_done_again(cluster, tmp_path):
    """Its scenario passes on another worker, and nothing is counted twice."""
    names = ["a", "fatal", "c", "d"]
    outcomes, notes = run(cluster, WorkerKiller(tmp_path), *names)
    assert [(each.name, each.verdict) for each in outcomes] == [(n, "pass") for n in names]
    assert sorted(name for name, _ in notes.judged) == sorted(names)
    assert (tmp_path / "fatal").read_text() == "xx"


@pytest.mark.ci
def test_an_interrupted_run_leaves_nothing_on_the_workers(cluster, tmp_path):
    """The judging process ends, and takes its server and its folder along."""

    class Interrupting(Notes):
        """Presses Ctrl-C once the server of a scenario runs."""

        def done(self, _):
            """Interrupt."""
            raise KeyboardInterrupt

    scenarios = [scenario("sleep-a", 20), scenario("b")]
    with pytest.raises(KeyboardInterrupt):
        run_on_cluster(scenarios, Scripted(tmp_path), Interrupting(), cluster)
    assert is_gone(int((tmp_path / "sleep-a.pid").read_text()))
    assert all(is_gone(int(path.read_text())) for path in tmp_path.glob("*.child"))
    assert list(tmp_path.glob("suite-test-*")) == []


@pytest.mark.ci
def test_a_worker_of_another_version_is_refused(cluster, tmp_path, monkeypatch):
    """In one line with the way out, before anything is judged."""
    monkeypatch.setattr(machine, "code_checksum", lambda: "0123456789ab")
    with pytest.raises(JudgeError, match=r"its code is \w{12} there and 0123456789ab here; inst"):
        run(cluster, Scripted(tmp_path), "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.ci
def test_a_worker_that_came_later_is_refused_by_its_task(cluster, tmp_path, monkeypatch):
    """Each task looks again: the first look may have been at others."""
    monkeypatch.setattr(
        "verifier.cluster.running.require_same_machines",
        lambda _: {**machine.this_machine(), "prometheus": "9.9.9"},
    )
    with pytest.raises(JudgeError, match=r"prometheus is .* there and 9\.9\.9 here"):
        run(cluster, Scripted(tmp_path), "a")


@pytest.mark.parametrize(
    "address", ["scheduler:8786", "http://a:1", "tcp://a", "tcp://a:0", "tcp://a:70000", ""]
)
def test_what_is_no_address_of_a_scheduler_is_a_mistake(address):
    """Exit status 2."""
    with pytest.raises(InputError, match="--cluster must be the address of a Dask scheduler"):
        check_address(address)


def test_no_scheduler_at_an_address(monkeypatch, tmp_path):
    """Exit status 3, in one line."""
    monkeypatch.setattr("verifier.cluster.connection.CONNECT_S", 0.5)
    with pytest.raises(JudgeError, match=r"no Dask scheduler answers at tcp://127\.") as said:
        run("tcp://127.0.0.1:9", Scripted(tmp_path), "a")
    assert "\n" not in str(said.value)


@pytest.mark.ci
def test_a_server_of_another_kind_is_no_scheduler(cluster, monkeypatch, tmp_path):
    """One that says nothing to it, as most do, and a worker: refused within seconds."""
    monkeypatch.setattr("verifier.cluster.connection.CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(JudgeError, match=rf"no Dask scheduler answers at {address}"):
            run(address, Scripted(tmp_path), "a")
    monkeypatch.setattr("verifier.cluster.connection.CONNECT_S", 5.0)
    with connect(cluster) as client:
        worker = next(iter(client.scheduler_info()["workers"]))
    with pytest.raises(JudgeError, match=r"\(a worker does\): start one by `dask scheduler`"):
        run(worker, Scripted(tmp_path), "a")


def test_without_dask_the_extra_is_named(monkeypatch):
    """Exit status 3."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(JudgeError, match=r"pip install 'agentaskit-sim\[cluster\]'"):
        check_address("tcp://scheduler:8786")
