"""`agentaskit-sim coverage`: for each alert, which scenario proves which of its seven cells.

Standard output carries the table, the open cells and the score, or with `--json` one document;
progress goes to standard error. Exit status: 0 the score is not below `--fail-under`, 1 it is, 2
bad input, 3 a scenario could not be judged, or does not accept an alert as it is.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentaskit_sim.front.pack_files import PACK, PACK_ROUTING
from agentaskit_sim.front.typed import command_line
from agentaskit_sim.inputs import InputPaths, read_inputs
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Cluster,
    EverySeed,
    Jobs,
    MappingFile,
    OverlayFiles,
    ResultPageFile,
    RoutingFile,
    RulePaths,
    ScenarioArguments,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.suite_runs import judge_all, opened, watcher_of, with_seed
from agentaskit_sim.terminal.tables import print_table
from agentaskit_sim.verdict_output import check_places, write_result_page
from documents.amounts import amount
from scenarios.library.files import library
from verifier.coverage.cells import CELLS, TITLES
from verifier.coverage.observing import CoverageJudge
from verifier.coverage.reasons import load_reasons
from verifier.coverage.score import (
    SEARCHED,
    coverage_document,
    coverage_lines,
    coverage_of,
    table_rows,
)
from verifier.near_miss.choice import search_words
from verifier.pack.routes.routing import load_routing
from verifier.report.pages.coverage import coverage_page
from verifier.servers.binaries import require
from verifier.servers.child import require_room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from verifier.coverage.cells import Cell
    from verifier.coverage.reasons import Reasons
    from verifier.coverage.score import Coverage
    from verifier.judge.verdict import ScenarioOutcome
    from verifier.pack.rules import RuleFiles

PACK_REASONS: Final = PACK / "alerts" / "coverage" / "reasons.yaml"
"""Why cells of the bundled alerts cannot be proven."""
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim coverage
  agentaskit-sim coverage traffic-drop exporter-down
  agentaskit-sim coverage my-outage.yaml --rules my-alerts/ --fail-under 80
  agentaskit-sim coverage --json > coverage.json
"""


def coverage(  # noqa: PLR0913 - typer declares options as parameters
    scenario: ScenarioArguments = None,
    *,
    rules: RulePaths = None,
    overlay: OverlayFiles = None,
    mapping: MappingFile = None,
    routing: RoutingFile = None,
    reasons: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Why cells of your alerts cannot be proven."),
    ] = None,
    seed: EverySeed = None,
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, metavar="PERCENT", help="Status 1 when fewer cells are proven."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the coverage as one JSON document.")
    ] = False,
    report_file: ResultPageFile = None,
    jobs: Jobs = None,
    cluster: Cluster = None,
) -> None:
    """Show for each alert which scenario proves what of it, and which of its cells are open."""
    check_places(report_file)
    paths = opened(InputPaths(scenario or (), rules, None, overlay or (), mapping=mapping))
    inputs, run = with_seed(read_inputs(paths), seed), record(paths, routing)
    known = _reasons(inputs.rules, reasons, own_rules=bool(paths.rules))
    judge = CoverageJudge(inputs.rules, load_routing(routing or PACK_ROUTING))
    require("prometheus")
    require_room()
    saying = f"{len(CELLS)} cells of {amount(len(judge.rules.alerts), 'alerts')} ..."
    shown = watcher_of(inputs.scenarios)
    outcomes = judge_all(inputs.scenarios, judge, shown, saying=saying, jobs=jobs, cluster=cluster)
    result = coverage_of(inputs.rules, outcomes, known)
    result = replace(result, searches=_searches(inputs.scenarios, inputs.rules))
    if as_json:
        typer.echo(json.dumps(coverage_document(result), indent=2, allow_nan=False))
    else:
        print_table(("Alert", *TITLES.values()), list(map(list, table_rows(result))))
        for line in coverage_lines(result):
            typer.echo(line)
    status = _status(result, outcomes, fail_under)
    if report_file is not None:
        page = coverage_page(result, status=status, fail_under=fail_under)
        write_result_page(report_file, page, run)
    raise typer.Exit(status)


def _searches(scenarios: Sequence[Scenario], rules: RuleFiles) -> dict[tuple[str, str, Cell], str]:
    """Return the command of each search of a near miss, by scenario, alert and cell."""
    searches: dict[tuple[str, str, Cell], str] = {}
    for scenario in scenarios:
        is_bundled = Path(scenario.path) in library()
        name = scenario.name if is_bundled else str(scenario.path)
        for alert in dict.fromkeys(rule.alert for _, rule in rules.alerts):
            for cell in SEARCHED:
                words = search_words(scenario, alert, cell)
                if words is not None:
                    line = command_line("scenarios", "near-miss", name, "--alert", alert, *words)
                    searches[scenario.name, alert, cell] = line
    return searches


def _reasons(rules: RuleFiles, path: Path | None, *, own_rules: bool) -> Reasons:
    """Return the reasons of a file; those of the pack for its own alerts."""
    if path is None and not own_rules and PACK_REASONS.exists():
        path = PACK_REASONS
    if path is None:
        return {}
    return load_reasons(path, tuple(dict.fromkeys(rule.alert for _, rule in rules.alerts)))


def _status(result: Coverage, outcomes: Sequence[ScenarioOutcome], fail_under: float | None) -> int:
    """Return the exit status."""
    if result.unjudged or result.failing or not outcomes:
        return 3
    return int(fail_under is not None and 100 * result.share < fail_under)
