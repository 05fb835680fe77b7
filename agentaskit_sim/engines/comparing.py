"""Two engines compared: every scenario judged by both, and what differs printed.

Called by `verify` when two engines are named. Exit status: 0 no alert differs, 1 one does, 3 a
scenario could not be judged.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from agentaskit_sim.suite_runs import judge_all, watcher_of
from agentaskit_sim.verdict_output import write_result_page
from verifier.engines.comparison import compare_engines, comparison_document, comparison_lines
from verifier.engines.judge import EnginesJudge
from verifier.report.pages.engines import engines_page
from verifier.servers.child import require_room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentaskit_sim.inputs import Inputs
    from verifier.engines.choice import EngineChoice
    from verifier.engines.comparison import EngineComparison
    from verifier.run_record import RunRecord


def compare(  # noqa: PLR0913 - what to compare, how, and where it is said
    inputs: Inputs,
    engines: Sequence[EngineChoice],
    page_to: tuple[Path | None, RunRecord],
    *,
    exact: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Judge every scenario by both engines, say what differs, and return the exit status.

    `page_to` is where a page of it is written, if anywhere, and what is being run.
    """
    for choice in engines:
        choice.check()
    require_room()
    judge = EnginesJudge(inputs.rules, tuple(engines), exact)
    scenarios = inputs.scenarios
    comparison = compare_engines(judge_all(scenarios, judge, watcher_of(scenarios), jobs=jobs))
    if as_json:
        typer.echo(json.dumps(comparison_document(comparison), indent=2, allow_nan=False))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line in comparison_lines(comparison):
            console.print(line, markup=False)
    status = _status(comparison)
    path, run = page_to
    if path is not None:
        write_result_page(path, engines_page(comparison, status=status), run)
    return status


def _status(comparison: EngineComparison) -> int:
    if comparison.unjudged or not comparison.scenarios:
        return 3
    return 0 if comparison.is_same else 1
