"""Two engines compared: every scenario judged by both, and what differs printed.

Called by `verify` when two engines are named. Exit status: 0 no alert differs, 1 one does, 3 a
scenario could not be judged.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from agentaskit_sim.terminal.progress import ProgressConsole
from documents.mistakes import InputError
from verifier.engines.comparison import compare_engines, comparison_document, comparison_lines
from verifier.engines.judge import EnginesJudge
from verifier.servers.child import require_room
from verifier.suite import cores, run_suite
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentaskit_sim.inputs import Inputs
    from verifier.engines.choice import EngineChoice


def refuse_files(junit_file: Path | None, report_file: Path | None, out: Path | None) -> None:
    """Raise `InputError` for files that a comparison does not write."""
    for name, path in (("junit", junit_file), ("report", report_file), ("out", out)):
        if path is not None:
            raise InputError(f"--{name} cannot be used with two engines: print --json instead")


def compare(
    inputs: Inputs,
    engines: Sequence[EngineChoice],
    *,
    exact: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Judge every scenario by both engines, print what differs, and return the exit status."""
    for choice in engines:
        choice.check()
    require_room()
    judge = EnginesJudge(inputs.rules, tuple(engines), exact)
    watcher = ProgressConsole(len(inputs.scenarios), Console(stderr=True, highlight=False))
    with watcher:
        watcher.say("Preparing a healthy baseline (the first run also compiles the simulator) ...")
        healthy_worlds = HealthyWorlds()
        healthy_worlds.prepare(inputs.scenarios)
        outcomes = run_suite(
            inputs.scenarios, partial(judge, healthy_worlds), watcher, jobs=jobs or cores()
        )
    comparison = compare_engines(outcomes)
    if as_json:
        typer.echo(json.dumps(comparison_document(comparison), indent=2, allow_nan=False))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line in comparison_lines(comparison):
            console.print(line, markup=False)
    if comparison.unjudged or not comparison.scenarios:
        return 3
    return 0 if comparison.is_same else 1
