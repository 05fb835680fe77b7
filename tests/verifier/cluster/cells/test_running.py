"""One scenario of several cells on a cluster of real processes: the same bytes, whatever ends."""

from __future__ import annotations

import pytest
from distributed import Client, LocalCluster

from scenarios.loader import load_scenario
from tests.verifier.cluster.cells.judges import Keeper, kill_workers
from tests.verifier.test_suite import Notes
from verifier.cluster import machine
from verifier.cluster.cells import running
from verifier.cluster.cells.running import LOSSES_MAX, run_cells_on_cluster
from verifier.errors import JudgeError
from verifier.virtual_time.healthy_world import HealthyWorlds

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def started():
    """Return the address of a scheduler with two workers, on loopback."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as running_cluster:
        yield running_cluster.scheduler_address


@pytest.fixture
def cluster(started):
    """Return its address once there are two: those that were killed come again."""
    with Client(started, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    return started


@pytest.fixture(scope="module")
def scenario(repository):
    """Return four cells of which one goes dark, and another is slow before."""
    return load_scenario(repository / "scenarios/library/cell-failover.yaml")


@pytest.fixture(scope="module")
def here(scenario):
    """Return the bytes on this machine alone."""
    keeper = Keeper()
    keeper(HealthyWorlds(), scenario, None)
    return keeper.fingerprints


def run(address, scenario, keeper):
    """Return the outcome, and what was said."""
    said = []
    (outcome,) = run_cells_on_cluster(scenario, keeper, Notes(), address, say=said.append)
    return outcome, said


def held(address):
    """Return how many actors each worker holds."""
    with Client(address, set_as_default=False) as client:
        return client.run(lambda dask_worker: len(dask_worker.state.actors)).values()


def test_the_bytes_of_one_machine(cluster, scenario, here):
    """With cells on two workers, which hold nothing afterwards."""
    keeper = Keeper()
    outcome, said = run(cluster, scenario, keeper)
    assert (outcome.verdict, said) == ("pass", [])
    assert keeper.fingerprints == here
    assert not any(held(cluster))


def test_a_scenario_begins_anew_when_a_worker_is_lost(cluster, scenario, here):
    """Nothing of the first attempt is in the second, and it is said."""
    with Client(cluster, set_as_default=False) as client:
        keeper = Keeper(lambda: kill_workers(client, 1))
        outcome, said = run(cluster, scenario, keeper)
    assert outcome.verdict == "pass"
    assert (keeper.runs, keeper.fingerprints) == (2, here)
    assert [line.endswith("cell-failover begins anew") for line in said] == [True]


def test_the_fourth_loss_is_no_accident(cluster, scenario):
    """The scenario is invalid, with the reason."""
    with Client(cluster, set_as_default=False) as client:
        keeper = Keeper(lambda: kill_workers(client, 2), times=9, at_s=15.0)
        outcome, _ = run(cluster, scenario, keeper)
    assert (outcome.verdict, keeper.runs) == ("invalid", LOSSES_MAX + 1)
    assert "(4 times): out of memory?" in outcome.invalid[0]


def test_ctrl_c_leaves_nothing_on_the_workers(cluster, scenario):
    """The interrupt is passed on; the actors are gone."""

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cluster, scenario, Keeper(interrupt, at_s=15.0))
    assert not any(held(cluster))


def test_a_worker_of_another_version_is_refused(cluster, scenario, monkeypatch):
    """In one line with the way out, before anything is simulated."""
    monkeypatch.setattr(machine, "code_checksum", lambda: "0123456789ab")
    keeper = Keeper()
    with pytest.raises(JudgeError, match=r"its code is \w{12} there and 0123456789ab here; inst"):
        run(cluster, scenario, keeper)
    assert keeper.runs == 0


def test_a_cluster_whose_last_worker_is_lost_cannot_simulate(scenario, monkeypatch):
    """After a minute without any it is said: here after half a second."""
    monkeypatch.setattr(running, "NO_WORKERS_S", 0.5)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as alone:
        keeper = Keeper(lambda: alone.scale(0), at_s=15.0)
        outcome, _ = run(alone.scheduler_address, scenario, keeper)
    assert outcome.verdict == "invalid"
    assert "the cluster has had no worker for 0.5 s" in outcome.invalid[0]
