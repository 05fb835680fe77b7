"""Each scenario on many seeds: what is judged, and the command that judges one of them again.

Used by `verify`. Every run is a scenario of its own with its seed in its name, so that one machine
and a cluster judge it as any other. Few have a chart: each scenario on its first seed, and
the first seeds that do not pass.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentaskit_sim.front.typed import NAME
from agentaskit_sim.seeds.seeds_option import check_runs, read_seeds
from documents.mistakes import InputError
from scenarios.library.files import LIBRARY
from verifier.seeds.naming import is_of_seeds, on_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentaskit_sim.inputs import InputPaths, Inputs
    from agentaskit_sim.suite_runs import SuiteJudge
    from scenarios.scenario import Scenario
    from verifier.judge.verdict import Progress, ScenarioOutcome
    from verifier.virtual_time.healthy_world import HealthyWorlds

CHARTS_MAX: Final = 20
"""Runs on many seeds of which the report has a chart."""


def refuse_seeds(
    seeds: str | None, *, seed: int | None, live: bool, engines: Sequence[str] | None
) -> None:
    """Raise `InputError` for many seeds beside what has no room for them."""
    if seeds is None:
        return
    if seed is not None:
        raise InputError("--seed cannot be used with --seeds: it names one of them")
    if live:
        raise InputError("--seeds cannot be used with --live: real time runs each scenario once")
    if len(engines or ()) > 1:
        raise InputError("--seeds cannot be used with two --engine: compare them on one --seed")


def with_seeds(inputs: Inputs, seeds: str | None) -> Inputs:
    """Return what was read, with every scenario once for each seed if many are asked for."""
    if seeds is None:
        return inputs
    numbers = read_seeds(seeds)
    check_runs(len(inputs.scenarios), len(numbers))
    runs = (on_seed(scenario, number) for number in numbers for scenario in inputs.scenarios)
    return replace(inputs, scenarios=tuple(runs))


@dataclass(frozen=True, slots=True)
class SparingJudge:
    """Judges as another does, and keeps the charts of few: a run on many seeds has many."""

    judge: SuiteJudge
    drawn_seed: int

    @staticmethod
    def of(judge: SuiteJudge, scenarios: Sequence[Scenario]) -> SuiteJudge:
        """Return a judge of such scenarios that keeps few charts, where they are of many seeds."""
        if any(map(is_of_seeds, scenarios)):
            return SparingJudge(judge, scenarios[0].seed)
        return judge

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ScenarioOutcome:
        """Judge, and let go of the chart of a seed that passes, unless it is the first."""
        outcome = self.judge(healthy_worlds, scenario, report)
        if outcome.verdict == "pass" and scenario.seed != self.drawn_seed:
            return replace(outcome, chart=b"")
        return outcome


def finished(
    outcomes: Sequence[ScenarioOutcome], scenarios: Sequence[Scenario], options: Sequence[str]
) -> list[ScenarioOutcome]:
    """Return outcomes as they are published: few with charts, each with its command."""
    if not any(map(is_of_seeds, scenarios)):
        return list(outcomes)
    by_name = {scenario.name: scenario for scenario in scenarios}
    charts = 0
    published = []
    for outcome in outcomes:
        charts += bool(outcome.chart)
        chart = outcome.chart if charts <= CHARTS_MAX else b""
        command = replay_command(by_name[outcome.name], options)
        published.append(replace(outcome, chart=chart, replay=command))
    return published


def replay_command(scenario: Scenario, options: Sequence[str]) -> str:
    """Return the command that judges a run on one of many seeds again, alone."""
    words = (NAME, "verify", _written(scenario), "--seed", str(scenario.seed), *options)
    return shlex.join(words)


def replay_options(paths: InputPaths, *, exact: bool, engine: Sequence[str] | None) -> list[str]:
    """Return the words that a replay of one seed needs beside its scenario."""

    def words() -> Iterator[str]:
        for option, files in (("--rules", paths.rules), ("--dashboards", paths.dashboards)):
            if files:
                yield from (option, *map(str, files))
        for option, values in (
            ("--overlay", paths.overlays),
            ("--accept", paths.accept),
            ("--mapping", [paths.mapping] if paths.mapping else []),
            ("--panel-truth", [paths.panel_truth] if paths.panel_truth else []),
            ("--engine", engine or ()),
        ):
            for value in values:
                yield from (option, str(value))
        if exact:
            yield "--exact"

    return list(words())


def _written(scenario: Scenario) -> str:
    """Return a scenario as a command line names it: the name of a bundled one, or a file."""
    path = Path(scenario.path)
    return path.stem if path.parent == LIBRARY else str(path)
