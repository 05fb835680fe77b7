"""`--cluster` on the command line: what it refuses, in one line, before anything runs."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from agentaskit_sim.__main__ import app
from agentaskit_sim.suite_runs import judge_all, watcher_of
from documents.mistakes import InputError
from scenarios.library.files import LIBRARY
from scenarios.loader import load_scenario

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
    ("names", "shared"),
    [
        (["cell-failover"], "cells"),
        (["traffic-drop"], "scenarios"),
        (["cell-failover", "cell-cascade"], "scenarios"),
    ],
)
def test_workers_share_the_cells_of_one_system_and_else_the_scenarios(names, shared, monkeypatch):
    """Several scenarios keep all workers busy by themselves; one cell cannot be shared."""
    went = []
    places = {"cells": "cells.running.run_cells_on_cluster", "scenarios": "running.run_on_cluster"}
    for kind, place in places.items():
        monkeypatch.setattr(
            f"verifier.cluster.{place}", lambda *_, kind=kind, **__: went.append(kind) or []
        )
    scenarios = [load_scenario(LIBRARY / f"{name}.yaml") for name in names]
    judge_all(scenarios, print, watcher_of(scenarios), cluster=ADDRESS)
    assert went == [shared]
