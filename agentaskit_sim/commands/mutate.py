"""`agentaskit-sim mutate`: how many rules with one edit the scenarios notice.

Every alert, and every recording that alerts read, is edited in one place at a time; an edit under
which no scenario fails is one that nobody would notice. Standard output carries the survivors and
the score, or with `--json` one document; progress goes to standard error. Exit status: 0 the score
is not below `--fail-under`, 1 it is, 2 bad input, 3 a scenario could not be judged, or an alert
fails without any edit.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from agentaskit_sim.inputs import InputPaths, read_inputs
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Cluster,
    EverySeed,
    Jobs,
    MappingFile,
    OverlayFiles,
    ResultPageFile,
    RulePaths,
    ScenarioArguments,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.suite_runs import judge_all, opened, watcher_of, with_seed
from agentaskit_sim.verdict_output import check_places, write_result_page
from documents.amounts import amount
from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake, gather
from verifier.mutation.equivalence import ScrapedTargets, exported_names
from verifier.mutation.killing import MutationJudge
from verifier.mutation.mutants import mutants_of, unedited_recordings
from verifier.mutation.score import MutationScore, score_document, score_lines, score_of
from verifier.report.pages.mutation import mutation_page
from verifier.servers.binaries import require
from verifier.servers.child import require_room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.pack.rules import RuleFiles

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim mutate
  agentaskit-sim mutate traffic-drop --alert TaskThroughputBelowTarget
  agentaskit-sim mutate my-outage.yaml --rules my-alerts/ --fail-under 80
  agentaskit-sim mutate --json > score.json
"""


def mutate(  # noqa: PLR0913 - typer declares options as parameters
    scenario: ScenarioArguments = None,
    *,
    rules: RulePaths = None,
    overlay: OverlayFiles = None,
    mapping: MappingFile = None,
    alert: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Edit this alert alone; may be repeated."),
    ] = None,
    seed: EverySeed = None,
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, metavar="PERCENT", help="Status 1 when fewer mutants are killed."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the score as one JSON document.")
    ] = False,
    report_file: ResultPageFile = None,
    jobs: Jobs = None,
    cluster: Cluster = None,
) -> None:
    """Edit every alert and what it reads, one place at a time, and count what scenarios notice."""
    check_places(report_file)
    paths = opened(InputPaths(scenario or (), rules, None, overlay or (), mapping=mapping))
    inputs, run = with_seed(read_inputs(paths), seed), record(paths)
    chosen = _chosen(inputs.rules, alert or ())
    require("prometheus")
    require_room()
    exported = exported_names(inputs.rules.metrics)
    judge = MutationJudge(inputs.rules, mutants := mutants_of(inputs.rules, chosen, exported))
    saying = f"{amount(len(mutants), 'mutants')} of {amount(len(chosen), 'alerts')} ..."
    shown = watcher_of(inputs.scenarios)
    outcomes = judge_all(inputs.scenarios, judge, shown, saying=saying, jobs=jobs, cluster=cluster)
    targets = ScrapedTargets.of(inputs.scenarios)
    score = replace(
        score_of(mutants, outcomes, inputs.rules.metrics, targets=targets),
        unedited=unedited_recordings(inputs.rules, chosen, exported),
    )
    if as_json:
        typer.echo(json.dumps(score_document(score), indent=2, allow_nan=False))
    else:
        _print(Console(highlight=False, soft_wrap=True), score)
    status = _status(score, outcomes, fail_under)
    if report_file is not None:
        page = mutation_page(score, status=status, fail_under=fail_under)
        write_result_page(report_file, page, run)
    raise typer.Exit(status)


def _chosen(rules: RuleFiles, alerts: Sequence[str]) -> tuple[str, ...]:
    """Return the alerts that are edited: those that are named, or all."""
    known = tuple(dict.fromkeys(rule.alert for _, rule in rules.alerts))
    unknown = [name for name in alerts if name not in known]
    if unknown:
        raise gather([InputError(Mistake(UnknownName("alert", each, known))) for each in unknown])
    return tuple(dict.fromkeys(alerts)) or known


def _print(console: Console, score: MutationScore) -> None:
    """Print how many of each kind of edit are killed, then what survived."""
    table = Table("Edit", "Killed", "Of", "Score", box=box.SIMPLE_HEAD)
    for kind, (killed, of) in score.by_kind().items():
        table.add_row(kind, f"{killed:,}", f"{of:,}", f"{killed / of:.0%}")
    console.print(table)
    for line in score_lines(score):
        console.print(line, markup=False)


def _status(
    score: MutationScore, outcomes: Sequence[ScenarioOutcome], fail_under: float | None
) -> int:
    """Return the exit status."""
    if score.unjudged or score.failing or not outcomes:
        return 3
    return int(fail_under is not None and 100 * score.share < fail_under)
