"""Scenarios and rules as a command line names them, and one judge over all the scenarios.

Used by every command that runs scenarios in virtual time or real time: what they read, what they
say of it and how they show progress is the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console

from agentaskit_sim.front.named_files import distinct_files, scenario_names
from agentaskit_sim.terminal.progress import ProgressConsole
from documents.mistakes import InputError
from verifier.suite import cores, run_suite
from verifier.suite_order import expected_costs_s
from verifier.time_compression import TimeCompression
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentaskit_sim.inputs import InputPaths, Inputs
    from scenarios.scenario import Scenario
    from verifier.judge.verdict import Progress, ScenarioOutcome
    from verifier.suite_order import Cost

    SuiteJudge = Callable[[HealthyWorlds, Scenario, Callable[[Progress], None]], ScenarioOutcome]

UNCOMPRESSED: Final = TimeCompression()
SHARED_FROM_S: Final = 60.0
"""What a scenario must cost until its cells are shared among workers, in seconds of a core.

Talk with all of them after each second of the router, and their start, took 29 s more than one
worker alone for `cell-failover`; two workers save half of the rest at most.
"""
BASELINE: Final = "Preparing a healthy baseline (the first run also compiles the simulator) ..."


def opened(paths: InputPaths) -> InputPaths:
    """Return what is to be read with folders of scenarios opened, and nothing in it twice."""
    names, notes = scenario_names(paths.scenarios)
    rules, twice = distinct_files(paths.rules, "--rules")
    dashboards, again = distinct_files(paths.dashboards, "--dashboards")
    for note in (*notes, *twice, *again):
        typer.echo(note, err=True)
    return replace(paths, scenarios=names, rules=rules, dashboards=dashboards)


def with_seed(inputs: Inputs, seed: int | None) -> Inputs:
    """Return what was read, with another seed in every scenario if there is one."""
    if seed is None:
        return inputs
    return replace(inputs, scenarios=tuple(replace(s, seed=seed) for s in inputs.scenarios))


def watcher_of(scenarios: Sequence[Scenario]) -> ProgressConsole:
    """Return what shows on standard error how far some scenarios are."""
    return ProgressConsole(len(scenarios), Console(stderr=True, highlight=False))


def judge_all(  # noqa: PLR0913 - what to judge, how, and what shows it
    scenarios: Sequence[Scenario],
    judge: SuiteJudge,
    watcher: ProgressConsole,
    *,
    saying: str = BASELINE,
    jobs: int | None = None,
    compression: TimeCompression = UNCOMPRESSED,
    cluster: str | None = None,
    cost_s: Cost | None = None,
) -> list[ScenarioOutcome]:
    """Judge every scenario, `jobs` at once, by default one a core; `saying` comes first.

    The dearest by `cost_s` begins first; None: what virtual time is expected to take.

    With a `cluster`, the address of its scheduler, its workers judge them instead; of one scenario
    of several cells, if these are dear, they simulate the cells. Raises `InputError` for `jobs`
    with it.
    """
    if cluster is not None and jobs is not None:
        raise InputError("--jobs cannot be used with --cluster: its workers judge")
    with watcher:
        if cluster is not None:
            from verifier.cluster.cells.running import (  # noqa: PLC0415 - asyncio for one
                run_cells_on_cluster,
            )
            from verifier.cluster.running import run_on_cluster  # noqa: PLC0415 - asyncio for one

            if len(scenarios) == 1 and _is_worth_sharing(scenarios[0]):
                watcher.say(f"Simulating its cells on the cluster at {cluster} ...")
                return run_cells_on_cluster(scenarios[0], judge, watcher, cluster, say=watcher.say)
            watcher.say(f"Judging on the cluster at {cluster} ...")
            return run_on_cluster(scenarios, partial(judge, HealthyWorlds()), watcher, cluster)
        watcher.say(saying)
        jobs = jobs or cores()
        # What scenarios at once leave of the cores is for the cells of each.
        healthy_worlds = HealthyWorlds(max(1, cores() // min(jobs, max(1, len(scenarios)))))
        healthy_worlds.prepare(scenarios, compression, jobs=min(jobs, cores()))
        bound = partial(judge, healthy_worlds)
        return run_suite(scenarios, bound, watcher, jobs=jobs, cost_s=cost_s)


def _is_worth_sharing(scenario: Scenario) -> bool:
    """Whether its cells are simulated sooner by several workers than by one, by an estimate."""
    return scenario.topology.cells > 1 and expected_costs_s([scenario])[0] >= SHARED_FROM_S
