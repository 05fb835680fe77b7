"""`agentaskit-sim derive`: a promtool unit-test file for any alert rules, solved from the rules.

Standard output carries the file, or what `--json` prints; with `--out` it carries what could not be
solved and the count, which else go to standard error. Exit status: 0 the share of solved alerts is
not below `--fail-under`, 1 it is, 2 bad input, 3 promtool cannot be run, or the search for an alert
ended by an error: the tests of the others are written all the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentaskit_sim.front.named_files import distinct_files
from agentaskit_sim.front.pack_files import PACK_RULES
from agentaskit_sim.inputs import RULE_PATTERNS, InputPaths, expand, read_rules, seen_from_here
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    ResultPageFile,
    RulePaths,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.verdict_output import check_places, write_result_page
from documents.files import write_whole
from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake, gather
from verifier.derive.result import Derived, derived_document, derived_lines
from verifier.derive.solving import evaluation_s, solve_alerts
from verifier.derive.suite import HEADLINE, SuiteFile, confirm, relative_rule_files
from verifier.pack.rule_sources import read_source
from verifier.report.pages.derived import derived_page
from verifier.servers.binaries import require
from verifier.servers.child import require_room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.pack.rules import AlertRule, RuleFiles

EXIT_UNABLE: Final = 3
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim derive --rules my-alerts.yaml --out my-alerts.test.yaml
  agentaskit-sim derive --rules my-alerts/ --alert PoolNearlyEmpty
  agentaskit-sim derive --rules my-alerts/ --json --fail-under 80 > derived.json
"""


def derive(  # noqa: PLR0913 - typer declares options as parameters
    *,
    rules: RulePaths = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the tests here, not to standard output."),
    ] = None,
    alert: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Derive tests of this alert alone; may be repeated."),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, metavar="PERCENT", help="Status 1 when fewer alerts are solved."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document.")
    ] = False,
    report_file: ResultPageFile = None,
) -> None:
    """Derive unit tests of alert rules: series that fire them, nearly fire them, resolve them."""
    check_places(report_file)
    files, notes = distinct_files(rules, "--rules")
    for note in notes:
        typer.echo(note, err=True)
    rule_files = read_rules(files)
    paths = list(expand(files or seen_from_here(PACK_RULES), *RULE_PATTERNS))
    _refuse_resources(paths)
    _check_out(out, paths)
    chosen = _chosen(rule_files, alert or ())
    run = record(InputPaths(rules=files))
    require("promtool")
    require_room()
    derived = _derive(rule_files, chosen, paths, out)
    if out is not None:
        _write(out, derived.suite)
    if as_json:
        typer.echo(json.dumps(derived_document(derived), indent=2, allow_nan=False))
    elif out is None:
        typer.echo(derived.suite, nl=False)
    for line in derived_lines(derived):
        typer.echo(line, err=as_json or out is None)
    status = _status(derived, fail_under)
    if report_file is not None:
        page = derived_page(derived, status=status, fail_under=fail_under)
        write_result_page(report_file, page, run)
    raise typer.Exit(status)


def _status(derived: Derived, fail_under: float | None) -> int:
    """Return the exit status."""
    if derived.has_errors:
        return EXIT_UNABLE
    return int(fail_under is not None and 100 * derived.share < fail_under)


def _derive(
    rules: RuleFiles, chosen: Sequence[AlertRule], paths: Sequence[Path], out: Path | None
) -> Derived:
    """Solve the alerts, and keep the tests with which promtool agrees."""
    step_s = evaluation_s(rules)
    solutions = solve_alerts(rules, chosen, _say)
    _say(f"promtool runs {sum(len(each.tests) for each in solutions):,} tests ...")
    absolute = relative_rule_files(paths, Path("/"))
    confirmed = confirm(solutions, SuiteFile(tuple(f"/{each}" for each in absolute), step_s))
    folder = out.parent if out is not None else Path()
    suite = SuiteFile(relative_rule_files(paths, folder), step_s).text(confirmed)
    unread = tuple(each for each in rules.not_judged if each.subject.startswith("alert "))
    return Derived(tuple(confirmed), unread, suite)


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _chosen(rules: RuleFiles, alerts: Sequence[str]) -> list[AlertRule]:
    """Return the alerts that are solved: those that are named, or all."""
    known = tuple(dict.fromkeys(rule.alert for _, rule in rules.alerts))
    unknown = [name for name in alerts if name not in known]
    if unknown:
        raise gather([InputError(Mistake(UnknownName("alert", each, known))) for each in unknown])
    return [rule for _, rule in rules.alerts if not alerts or rule.alert in alerts]


def _refuse_resources(paths: Sequence[Path]) -> None:
    """Raise `InputError` for files that promtool cannot load as rule files."""
    resources = [
        path for path in paths if any(unit.is_resource for unit in read_source(path).units)
    ]
    if resources:
        sentence = "promtool loads no resource of an operator: write its groups to a rule file"
        raise gather([InputError(sentence, path=str(path)) for path in resources])


def _check_out(out: Path | None, rules: Sequence[Path]) -> None:
    """Raise `InputError` where writing would replace a file that was not derived, or cannot be."""
    if out is None:
        return
    if not out.parent.is_dir():
        raise InputError("--out must be in a folder that is there", path=str(out))
    if out.resolve() in {path.resolve() for path in rules}:
        raise InputError("--out must not be one of the rule files", path=str(out))
    if out.is_dir():
        raise InputError("--out must be a file, this is a directory", path=str(out))
    if out.exists() and not out.read_text(encoding="utf-8", errors="replace").startswith(HEADLINE):
        sentence = "--out must not replace a file that was not derived: remove it or name another"
        raise InputError(sentence, path=str(out))


def _write(out: Path, text: str) -> None:
    try:
        write_whole(out, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=str(out)) from None
