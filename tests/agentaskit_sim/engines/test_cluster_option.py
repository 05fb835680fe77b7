"""`--cluster` on the command line: what it refuses, in one line, before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

from agentaskit_sim import suite_runs
from agentaskit_sim.__main__ import app
from agentaskit_sim.inputs import InputPaths, read_inputs
from agentaskit_sim.judges import VirtualTimeJudge
from agentaskit_sim.suite_runs import judge_all, watcher_of
from documents.mistakes import InputError
from scenarios.library.files import LIBRARY
from scenarios.loader import load_scenario
from verifier.judge.verdict_document import document

ADDRESS = "tcp://127.0.0.1:9"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--cluster", "scheduler:8786"], "must be the address of a Dask scheduler"),
        (["--cluster", ADDRESS, "--jobs", "2"], "--jobs cannot be used with --cluster"),
        (["--cluster", ADDRESS, "--live"], "--cluster cannot be used with --live"),
        (["--cluster", ADDRESS, "--engine", "prometheus"], "--engine cannot be used with"),
    ],
    ids=["no address", "jobs", "live", "engine"],
)
def test_what_does_not_go_together_is_refused(options, complaint):
    """Exit status 2 at the front door."""
    result = CliRunner().invoke(app("verify"), ["verify", "traffic-drop", *options])
    assert isinstance(result.exception, InputError)
    assert complaint in str(result.exception)


@pytest.mark.parametrize(
    ("names", "cells", "shared"),
    [
        (["cell-failover"], 400, "cells"),
        (["cell-failover"], 4, "scenarios"),
        (["traffic-drop"], 1, "scenarios"),
        (["cell-failover", "cell-cascade"], 400, "scenarios"),
    ],
    ids=["many cells", "few small cells", "one cell", "several scenarios"],
)
def test_workers_share_the_cells_of_one_large_system_and_else_the_scenarios(
    names, cells, shared, monkeypatch
):
    """Several scenarios keep all workers busy by themselves; few small cells cost more to share."""
    went = []
    places = {"cells": "cells.running.run_cells_on_cluster", "scenarios": "running.run_on_cluster"}
    for kind, place in places.items():
        monkeypatch.setattr(
            f"verifier.cluster.{place}", lambda *_, kind=kind, **__: went.append(kind) or []
        )
    read = [load_scenario(LIBRARY / f"{name}.yaml") for name in names]
    scenarios = [replace(each, topology=replace(each.topology, cells=cells)) for each in read]
    judge_all(scenarios, print, watcher_of(scenarios), cluster=ADDRESS)
    assert went == [shared]


def verdict_of(inputs, capfd, **where):
    """Return the verdict as a document, but for the times that it took, and what was said."""
    judge = VirtualTimeJudge(inputs, exact=False)
    scenarios = inputs.scenarios
    values = document(judge_all(scenarios, judge, watcher_of(scenarios), **where))
    for scenario in values["scenarios"]:
        del scenario["wall_s"], scenario["times_real_time"]
    return json.dumps(values), capfd.readouterr().err


@pytest.mark.long
def test_few_small_cells_are_judged_whole_by_one_worker(capfd, monkeypatch):
    """The same bytes as here, and as when its cells are shared all the same."""
    inputs = read_inputs(InputPaths(["cell-failover"]))
    here, _ = verdict_of(inputs, capfd, jobs=1)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address = cluster.scheduler_address
        whole, said = verdict_of(inputs, capfd, cluster=address)
        assert said.startswith(f"Judging on the cluster at {address}")
        monkeypatch.setattr(suite_runs, "SHARED_FROM_S", 0.0)
        shared, said = verdict_of(inputs, capfd, cluster=address)
        assert said.startswith(f"Simulating its cells on the cluster at {address}")
    assert whole == here
    assert shared == here
