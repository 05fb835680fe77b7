"""`agentaskit-sim check`: rules and dashboards against what is exported, and against the traps.

Nothing runs and nothing is stored. Standard output carries the findings. Exit status: 0 no error
and no warning stands, 1 one does, 2 bad input, 3 a rule could not be followed, nothing was there to
check, or an exporter did not answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentaskit_sim.front.named_files import distinct_files
from agentaskit_sim.inputs import (
    PACK,
    PACK_RULES,
    RULE_PATTERNS,
    MistakeCollector,
    expand,
    left_out,
)
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    DashboardPaths,
    RulePaths,
)
from verifier.check.checking import Surroundings, check_pack
from verifier.check.exports.sources import read_exports
from verifier.check.outcome import CheckOutcome
from verifier.check.output.text import text_lines
from verifier.dashboards.reader import load_dashboards
from verifier.pack.panels import Dashboards
from verifier.pack.rules import RuleFiles, load_rules
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.binaries import find

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim check
  agentaskit-sim check --rules my-alerts/ --dashboards boards/
  agentaskit-sim check --rules node.rules --metrics http://localhost:9100/metrics
"""


def check(
    *,
    rules: RulePaths = None,
    dashboards: DashboardPaths = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL|FILE",
            help="A /metrics page, instead of our own catalogue; may be repeated.",
        ),
    ] = None,
    target_label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A label that your server gives to every series, beside job and instance; may be"
            " repeated.",
        ),
    ] = None,
) -> None:
    """Hold rules and dashboards against what is exported, and against known traps."""
    rule_paths, notes = distinct_files(rules, "--rules")
    board_paths, more = distinct_files(dashboards, "--dashboards")
    for note in (*notes, *more):
        typer.echo(note, err=True)
    bundled = rule_paths is None and board_paths is None
    if bundled:
        rule_paths, board_paths = _here(PACK_RULES), _here([PACK / "dashboards"])
    collector = MistakeCollector()
    rule_files = collector.read(_read_rules, rule_paths or ())
    boards = collector.read(load_dashboards, board_paths) if board_paths else None
    exports = collector.read(read_exports, metrics or (), target_label or ())
    collector.finish()
    panels = boards.value if boards is not None else Dashboards(())
    surroundings = Surroundings(exports.value)
    outcome = CheckOutcome(
        surroundings.exports.source,
        rules=sum(len(group.rules) for group in rule_files.value.groups),
        queries=sum(len(panel.queries) for panel in panels.panels),
        findings=check_pack(rule_files.value, panels, surroundings),
        not_checked=rule_files.value.not_judged,
        notes=(*rule_files.value.findings, *panels.findings, *panels.not_judged),
    )
    for line in text_lines(outcome):
        typer.echo(line)
    raise typer.Exit(outcome.status)


def _read_rules(paths: Sequence[Path]) -> RuleFiles:
    """Read rule files and folders; the engine says what is valid, where there is one to ask."""
    if not paths:
        return RuleFiles(())
    files = list(expand(paths, *RULE_PATTERNS))
    rules = load_checked_rules(files) if find("promtool") is not None else load_rules(files)
    others = left_out(paths, *RULE_PATTERNS)
    return RuleFiles(rules.groups, (*rules.findings, *others), rules.not_judged)


def _here(paths: Sequence[Path]) -> list[Path]:
    """Return paths below the current folder as relative ones, so that places are short."""
    here = Path.cwd()
    return [path.relative_to(here) if path.is_relative_to(here) else path for path in paths]
