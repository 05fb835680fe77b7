"""`agentaskit-sim check`: rules and dashboards against what is exported, and against the traps.

Nothing runs and nothing is stored. Standard output carries the findings, in the form that is asked
for. Exit status: 0 no error and no warning stands, 1 one does, 2 bad input, 3 a rule could not be
followed, nothing was there to check, or an exporter did not answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentaskit_sim.front.mistake_collector import MistakeCollector
from agentaskit_sim.front.named_files import distinct_files
from agentaskit_sim.front.pack_files import PACK, PACK_ROUTING, PACK_RULES
from agentaskit_sim.inputs import RULE_PATTERNS, InputPaths, expand, left_out, seen_from_here
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    DashboardPaths,
    MappingFile,
    ResultPageFile,
    RulePaths,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.verdict_output import check_places, write_result_page
from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake
from verifier.check.checking import (
    RETENTION_S,
    SCRAPE_INTERVAL_S,
    CheckedPack,
    Surroundings,
    check_pack,
)
from verifier.check.exports.sources import read_exports
from verifier.check.findings.outcome import CheckOutcome
from verifier.check.findings.rule_texts import files_to_read, rule_texts
from verifier.check.findings.silences import apply_silences, load_silences
from verifier.check.output.document import check_document
from verifier.check.output.github import github_lines
from verifier.check.output.sarif import sarif_document
from verifier.check.output.text import text_lines
from verifier.dashboards.reader import load_dashboards
from verifier.pack.durations import parse_duration_s
from verifier.pack.panels import Dashboards
from verifier.pack.routes.routing import load_routing
from verifier.pack.rules import RuleFiles, load_rules
from verifier.report.pages.check import check_page
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.binaries import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exporter.mapping.metric_mapping import MetricMapping

MAPPING_ALONE: Final = (
    "--mapping needs --rules or --dashboards: the bundled ones are written against our own metrics"
)
PACK_SILENCES: Final = PACK / "check-silences.yaml"
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim check
  agentaskit-sim check --rules my-alerts/ --dashboards boards/ --silence accepted.yaml
  agentaskit-sim check --rules node.rules --metrics http://localhost:9100/metrics
  agentaskit-sim check --rules my-alerts/ --mapping mapping.yaml
  agentaskit-sim check --rules my-alerts/ --format sarif > check.sarif
"""


RoutingPath = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Alertmanager's configuration, to be checked as well."),
]
MetricsPages = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL|FILE",
        help="A /metrics page, instead of our own catalogue; may be repeated.",
    ),
]
TargetLabels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A label that your server gives to every series, beside job and instance; may be"
        " repeated.",
    ),
]
ScrapeInterval = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="How often your server scrapes; 15s by default."),
]
Retention = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="How long your server keeps data; 15d by default."),
]
SilenceFiles = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="Findings that may stand, each with its reason; may be repeated."
    ),
]


class OutputForm(StrEnum):
    """Forms of the output."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class CheckPaths:
    """What is read: nothing of rules and dashboards stands for the bundled pack."""

    rules: Sequence[Path] | None
    dashboards: Sequence[Path] | None
    routing: Path | None
    silences: Sequence[Path]

    def or_bundled(self) -> CheckPaths:
        """Return the bundled pack where neither rules nor dashboards are named, else itself."""
        if self.rules is not None or self.dashboards is not None:
            return self
        return CheckPaths(
            seen_from_here(PACK_RULES),
            seen_from_here([PACK / "dashboards"]),
            self.routing or seen_from_here([PACK_ROUTING])[0],
            self.silences or seen_from_here([PACK_SILENCES]),
        )


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What is said of the server and of what it scrapes, as it was typed."""

    metrics: Sequence[str]
    mapping: Path | None
    target_labels: Sequence[str]
    scrape_interval: str | None
    retention: str | None

    def surroundings(self) -> Surroundings:
        """Read it; raises InputError, and JudgeError for an exporter that does not answer."""
        return Surroundings(
            read_exports(self.metrics, self.target_labels, self._mapped()),
            _seconds(self.scrape_interval, "--scrape-interval", SCRAPE_INTERVAL_S),
            _seconds(self.retention, "--retention", RETENTION_S),
        )

    def _mapped(self) -> tuple[MetricMapping, str] | None:
        if self.mapping is None:
            return None
        from verifier.mapping.reader import load_mapping  # noqa: PLC0415 - seldom needed

        return load_mapping(self.mapping).mapping, str(self.mapping)


def check(  # noqa: PLR0913 - typer declares options as parameters
    *,
    rules: RulePaths = None,
    dashboards: DashboardPaths = None,
    routing: RoutingPath = None,
    metrics: MetricsPages = None,
    mapping: MappingFile = None,
    target_label: TargetLabels = None,
    scrape_interval: ScrapeInterval = None,
    retention: Retention = None,
    silence: SilenceFiles = None,
    form: Annotated[
        OutputForm, typer.Option("--format", help="Form of the output.")
    ] = OutputForm.TEXT,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON document.")
    ] = False,
    silenced: Annotated[
        bool, typer.Option("--silenced", help="Print silenced findings too, with their reasons.")
    ] = False,
    report_file: ResultPageFile = None,
) -> None:
    """Hold rules and dashboards against what is exported, and against known traps."""
    check_places(report_file)
    rule_paths, notes = distinct_files(rules, "--rules")
    board_paths, more = distinct_files(dashboards, "--dashboards")
    for note in (*notes, *more):
        typer.echo(note, err=True)
    if mapping is not None and rule_paths is None and board_paths is None:
        raise InputError(MAPPING_ALONE)
    paths = CheckPaths(rule_paths, board_paths, routing, silence or ()).or_bundled()
    against = ServerOptions(metrics or (), mapping, target_label or (), scrape_interval, retention)
    outcome = _outcome(paths, against)
    run = record(InputPaths(rules=rule_paths, dashboards=board_paths, mapping=mapping), routing)
    for line in _lines(outcome, OutputForm.JSON if as_json else form, silenced=silenced):
        typer.echo(line)
    if report_file is not None:
        write_result_page(report_file, check_page(outcome), run)
    raise typer.Exit(outcome.status)


def _outcome(paths: CheckPaths, against: ServerOptions) -> CheckOutcome:
    """Read everything, with the mistakes of all files at once, and check it."""
    collector = MistakeCollector()
    around = collector.read(against.surroundings)
    rules = collector.read(_read_rules, paths.rules or ())
    boards = collector.read(_read_boards, paths.dashboards or ())
    routing = collector.read(load_routing, paths.routing) if paths.routing else None
    silences = [collector.read(load_silences, path) for path in paths.silences]
    collector.finish()
    texts = rule_texts(files_to_read(rules.value))
    pack = CheckedPack(
        rules.value,
        boards.value,
        paths.dashboards or (),
        texts,
        routing.value if routing else None,
    )
    findings, silenced = apply_silences(
        check_pack(pack, around.value), [each for read in silences for each in read.value]
    )
    said = {each.place for each in findings} | {each.finding.place for each in silenced}
    notes = (*rules.value.findings, *boards.value.findings)
    return CheckOutcome(
        around.value.exports.source,
        rules=sum(len(group.rules) for group in rules.value.groups),
        queries=sum(len(panel.queries) for panel in boards.value.panels),
        findings=findings,
        silenced=silenced,
        not_checked=rules.value.not_judged,
        notes=(
            *(note for note in notes if note.position not in said),
            *boards.value.not_judged,
        ),
    )


def _lines(outcome: CheckOutcome, form: OutputForm, *, silenced: bool) -> Iterable[str]:
    match form:
        case OutputForm.JSON:
            return [json.dumps(check_document(outcome), indent=2, allow_nan=False)]
        case OutputForm.SARIF:
            return [json.dumps(sarif_document(outcome), indent=2, allow_nan=False)]
        case OutputForm.GITHUB:
            return github_lines(outcome)
    return text_lines(outcome, silenced=silenced)


def _read_boards(paths: Sequence[Path]) -> Dashboards:
    return load_dashboards(paths) if paths else Dashboards(())


def _read_rules(paths: Sequence[Path]) -> RuleFiles:
    """Read rule files and folders; the engine says what is valid, where there is one to ask."""
    if not paths:
        return RuleFiles(())
    files = list(expand(paths, *RULE_PATTERNS))
    rules = load_checked_rules(files) if find("promtool") is not None else load_rules(files)
    others = left_out(paths, *RULE_PATTERNS)
    return RuleFiles(rules.groups, (*rules.findings, *others), rules.not_judged)


def _seconds(text: str | None, option: str, default_s: float) -> float:
    """Return the seconds of an option, above 0."""
    seconds = default_s if text is None else parse_duration_s(text, field=option)
    if not seconds > 0:
        raise InputError(Mistake(BrokenRule(option, "be above 0", text)))
    return seconds
