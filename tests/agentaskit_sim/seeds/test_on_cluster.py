"""Many seeds on a Dask cluster, by the real judge: the same verdicts as on one machine."""

from __future__ import annotations

import json
import os
import signal
from functools import partial

import pytest
from distributed import LocalCluster

from agentaskit_sim.inputs import InputPaths, read_inputs
from agentaskit_sim.judges import VirtualTimeJudge
from agentaskit_sim.seeds.seed_runs import SparingJudge, finished, with_seeds
from tests.verifier.test_suite import Notes
from verifier.cluster.running import run_on_cluster
from verifier.judge.verdict_document import document
from verifier.servers.binaries import PROJECT
from verifier.suite import run_suite
from verifier.virtual_time.healthy_world import HealthyWorlds

BOUNDARY = PROJECT / "benchmarks/scale"
SEEDS = "33..38"
"""Among them one that fails."""


@pytest.fixture(scope="module")
def inputs():
    """Return what `verify --seeds` would read."""
    scenario, rules, board = (
        BOUNDARY / f"near-boundary{suffix}" for suffix in (".yaml", ".rules.yaml", ".board.json")
    )
    return with_seeds(read_inputs(InputPaths([str(scenario)], [rules], [board])), SEEDS)


@pytest.fixture(scope="module")
def judge(inputs):
    """Return the judge, as `verify` makes it."""
    sparing = SparingJudge.of(VirtualTimeJudge(inputs, exact=False), inputs.scenarios)
    return partial(sparing, HealthyWorlds())


def verdict(outcomes, inputs):
    """Return the verdict as a document, but for the times that it took."""
    values = document(finished(outcomes, inputs.scenarios, []))
    for scenario in values["scenarios"]:
        del scenario["wall_s"], scenario["times_real_time"]
    return json.dumps(values)


@pytest.fixture(scope="module")
def by_jobs(inputs, judge):
    """Return the verdict of two processes of one machine."""
    return verdict(run_suite(inputs.scenarios, judge, Notes(), jobs=2), inputs)


class Killing(Notes):
    """Kills a worker of a cluster, with all that it holds, once the first seed is judged."""

    def __init__(self, cluster):
        """Take the cluster whose worker is to be killed."""
        super().__init__()
        self.cluster = cluster
        self.killed = []

    def done(self, outcome):
        """Kill, in the middle of what the worker judges."""
        super().done(outcome)
        if not self.killed:
            self.killed = [next(iter(self.cluster.workers.values())).pid]
            os.kill(self.killed[0], signal.SIGKILL)


def cluster_of(workers):
    """Return a cluster on loopback."""
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
    )


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_verdict(inputs, judge, by_jobs, workers):
    """Byte for byte, as two processes of one machine."""
    with cluster_of(workers) as cluster:
        outcomes = run_on_cluster(inputs.scenarios, judge, Notes(), cluster.scheduler_address)
    assert verdict(outcomes, inputs) == by_jobs
    assert [each["verdict"] for each in json.loads(by_jobs)["scenarios"]].count("fail") == 1


@pytest.mark.long
def test_a_killed_worker_changes_no_verdict(inputs, judge, by_jobs):
    """Its seed is judged again, by another worker or its successor; each is counted once."""
    with cluster_of(2) as cluster:
        notes = Killing(cluster)
        outcomes = run_on_cluster(inputs.scenarios, judge, notes, cluster.scheduler_address)
    assert notes.killed
    assert verdict(outcomes, inputs) == by_jobs
    assert sorted(name for name, _ in notes.judged) == sorted(
        each.name for each in inputs.scenarios
    )


@pytest.mark.long
def test_another_seed_is_seen_to_give_another_verdict(inputs, judge, by_jobs):
    """The planted difference: were seeds mixed up on the way, the comparison would say so."""
    outcomes = run_suite(inputs.scenarios, judge, Notes(), jobs=2)
    outcomes[0], outcomes[1] = outcomes[1], outcomes[0]
    assert verdict(outcomes, inputs) != by_jobs
