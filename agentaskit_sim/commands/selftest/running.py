"""`agentaskit-sim selftest`: runs that must fail, judged as `verify` judges any other.

Each is read and judged by what `verify` uses: readers of files, judge, statuses. Standard output
carries what came of each, or with `--json` one document; progress goes to standard error. Exit
status: 0 each ended as it must, 1 one passed or failed for another reason, 3 nothing could be
judged on this machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentaskit_sim.inputs import InputPaths, read_inputs
from agentaskit_sim.judges import VirtualTimeJudge
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Jobs,
    ResultPageFile,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.verdict_output import STATUSES, check_places, write_result_page
from documents.amounts import amount
from documents.mistakes import InputError
from verifier.controls.control import FILES, read_controls
from verifier.controls.control_result import (
    ControlResult,
    holds,
    reasons_of,
    result_lines,
    selftest_document,
)
from verifier.errors import JudgeError
from verifier.judge.verdict import engine_of, overall
from verifier.report.pages.selftest import selftest_page
from verifier.servers.binaries import require
from verifier.servers.child import require_room
from verifier.suite import cores, run_suite
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentaskit_sim.inputs import Inputs
    from scenarios.scenario import Scenario
    from verifier.controls.control import Control
    from verifier.judge.verdict import Progress, ScenarioOutcome

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim selftest
  agentaskit-sim selftest --json > selftest.json
"""
BAD_INPUT: Final = 2
"""The status of a mistake in a file."""


@dataclass(frozen=True, slots=True)
class ControlJudge:
    """Judges the scenario of a control, by its name, as `verify` judges one of a user."""

    inputs: Mapping[str, Inputs]

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ScenarioOutcome:
        """Judge it in this process; a mistake that only the engine notices is invalid."""
        judge = VirtualTimeJudge(self.inputs[scenario.name], exact=False)
        try:
            return judge(healthy_worlds, scenario, report)
        except InputError as error:
            raise JudgeError(str(error)) from error


class _ControlsDone:
    """Says on standard error which controls are done."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0

    def progress(self, progress: Progress) -> None:
        """Say nothing: a control takes a second or two."""

    def done(self, outcome: ScenarioOutcome) -> None:
        """Say that a control was judged, not how: most of them must fail."""
        self._done += 1
        typer.echo(f"[{self._done}/{self._total}] {outcome.name}", err=True)


def selftest(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON document.")
    ] = False,
    report_file: ResultPageFile = None,
    jobs: Jobs = None,
) -> None:
    """Run what must fail, and see that each fails for its own reason."""
    check_places(report_file)
    require("prometheus")
    require_room()
    controls, run = read_controls(), record(InputPaths())
    typer.echo(f"{amount(len(controls), 'controls')}, with files of {FILES} ...", err=True)
    results, engine = _run(controls, jobs or cores())
    if as_json:
        typer.echo(json.dumps(selftest_document(results, engine), indent=2, allow_nan=False))
    else:
        for line in result_lines(results):
            typer.echo(line)
    if report_file is not None:
        write_result_page(report_file, selftest_page(results, engine), run)
    raise typer.Exit(0 if holds(results) else 1)


def _run(controls: Sequence[Control], jobs: int) -> tuple[list[ControlResult], str]:
    """Return what came of the controls, in their order, and the engine that judged."""
    results: dict[str, ControlResult] = {}
    inputs: dict[str, Inputs] = {}
    for control in controls:
        scenario, rules, dashboards, truth = control.files
        try:
            read = read_inputs(InputPaths((scenario,), rules, dashboards, panel_truth=truth))
        except InputError as error:
            reasons = tuple(str(each).replace(f"{FILES}/", "") for each in error.mistakes)
            results[control.name] = ControlResult(control, BAD_INPUT, reasons)
        else:
            named = tuple(replace(each, name=control.name) for each in read.scenarios)
            inputs[control.name] = replace(read, scenarios=named)
    judged = [control for control in controls if control.name in inputs]
    scenarios = [scenario for each in inputs.values() for scenario in each.scenarios]
    healthy_worlds = HealthyWorlds()
    healthy_worlds.prepare(scenarios, jobs=min(jobs, cores()))
    judge = partial(ControlJudge(inputs), healthy_worlds)
    outcomes = run_suite(scenarios, judge, _ControlsDone(len(scenarios)), jobs=jobs)
    for control, outcome in zip(judged, outcomes, strict=True):
        status = STATUSES[overall([outcome])]
        results[control.name] = ControlResult(control, status, reasons_of(outcome))
    engine = engine_of(outcomes)
    return [results[control.name] for control in controls], f"{engine.name} {engine.version}"
