"""`agentaskit-sim slo check`: checks a pack in ten steps and writes a compliance report.

Standard output carries the table, or with `--json` one document. The report is written whole or
not at all, and appended to the summary of a GitHub workflow when run in a workflow. Exit status: 0
all steps hold, 1 one fails, 2 bad input or usage, 3 promtool is missing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from documents.files import write_whole
from documents.mistakes import InputError
from verifier.slo.check import check as check_pack
from verifier.slo.compliance import REPORT, Compliance, Step, outcome, skipped
from verifier.slo.report import MARKS, budget_lines, document, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.slo.measurement.burns import Burn

BUNDLED: Final = Path(__file__).resolve().parents[2] / "observability"
SUMMARY_VARIABLE: Final = "GITHUB_STEP_SUMMARY"
PLAIN_WIDTH: Final = 140
"""Columns where no terminal says how many."""
_STYLES = {"ok": "green", "fail": "bold red", "not seen": "yellow", "skipped": "dim"}

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim slo check
  agentaskit-sim slo check my-pack/ --report compliance.md
  agentaskit-sim slo check --json | jq .budget
  agentaskit-sim slo check --measure
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _front() -> None:
    """Check SLO policies, rules and dashboards against one another."""


@app.command(epilog=EXAMPLES)
def check(
    pack: Annotated[
        Path | None,
        typer.Argument(
            metavar="PACK_DIR",
            help="Folder with slo/policies.yaml, alerts/ and dashboards/; by default the"
            " bundled pack.",
            show_default=False,
        ),
    ] = None,
    *,
    report: Annotated[
        Path, typer.Option(metavar="FILE", help="File for the compliance report (Markdown).")
    ] = Path("results/slo-compliance.md"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON document.")
    ] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Simulate burns at known rates too: which alert fires, after how long, with how"
            " much of the budget spent, and which never does.",
        ),
    ] = False,
) -> None:
    """Compare policy, alert rules and dashboards, and write a compliance report.

    Ten named steps. They catch a policy without a field, a target below 99.9, a missing window, a
    threshold on which policy, rules and dashboards differ, a file that is no YAML, JSON or PromQL.
    With --measure an eleventh: how the alerts behave when the budget burns.
    """
    if report.is_dir():
        raise InputError("a report must be a file, this is a folder", path=str(report))
    folder = BUNDLED if pack is None else pack
    checked = check_pack(_relative_to_here(folder), checked_at=datetime.now(UTC))
    measured = measure_burns(checked) if measure else MeasuredBurns()
    if measured.step is not None:
        checked = checked.with_further(measured.step)
    compliance = write_report(checked, report, measured.markdown)
    if as_json:
        whole = document(compliance) | ({"measurement": measured.document} if measure else {})
        typer.echo(json.dumps(whole, indent=2, allow_nan=False))
    else:
        print_outcome(Console(highlight=False), compliance, report, measured.lines)
    raise typer.Exit(0 if compliance.passed else 1)


@dataclass(frozen=True, slots=True)
class MeasuredBurns:
    """What `--measure` adds: a step, and the measurement as text, Markdown and a document."""

    step: Step | None = None
    lines: tuple[str, ...] = ()
    markdown: str = ""
    document: dict[str, Any] | None = None


def measure_burns(compliance: Compliance) -> MeasuredBurns:
    """Measure how the alerts of a pack behave; say on standard error how far that is."""
    from verifier.slo.measurement import measure, promises, report  # noqa: PLC0415 - numba is slow

    policy, rules = compliance.policy, compliance.rules
    if policy is None or rules is None:
        return MeasuredBurns(skipped(report.MEASURED, "policy or alerts could not be read"))
    if policy.budget is None:
        return MeasuredBurns(skipped(report.MEASURED, "the policy has no usable target"))
    typer.echo("Preparing a healthy world ...", err=True)
    try:
        measurement = measure.measure(policy, rules, _say_burn)
    except InputError as error:
        return MeasuredBurns(outcome(report.MEASURED, str(error).splitlines()))
    except measure.NothingToMeasureError as error:
        return MeasuredBurns(skipped(report.MEASURED, str(error)))
    measured = measure.measured_rules(rules)
    broken = promises.broken_promises(policy, measured, measurement)
    bounds = promises.bounds(policy, measured, measurement)
    return MeasuredBurns(
        report.measured_step(measurement, broken),
        tuple(report.measurement_lines(measurement, bounds)),
        report.measurement_markdown(measurement, bounds),
        report.measurement_document(measurement, broken, bounds),
    )


def _say_burn(number: int, count: int, burn: Burn) -> None:
    typer.echo(f"[{number}/{count}] measuring a burn: {burn.name}", err=True)


def write_report(compliance: Compliance, report: Path, measured: str = "") -> Compliance:
    """Write the report; return the outcome with that step in it, failed if it cannot be written."""
    summary = os.environ.get(SUMMARY_VARIABLE)
    where = f"{report}, and the summary of the workflow" if summary else str(report)
    whole = compliance.with_step(Step(REPORT, "ok", (where,)))
    path = report
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        text = markdown(whole) + measured
        write_whole(report, text)
        if summary:
            path = Path(summary)
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        reason = f"{path}: cannot be written: {error.strerror}"
        return compliance.with_step(Step(REPORT, "fail", (reason,)))
    return whole


def print_outcome(
    console: Console, compliance: Compliance, report: Path, measured: Sequence[str] = ()
) -> None:
    """Print the steps, the budget and the verdict; plain text when `console` is no terminal."""
    if not console.is_terminal:
        console = Console(file=console.file, width=PLAIN_WIDTH, no_color=True, highlight=False)
    table = Table("", "Step", "Outcome", "Reason", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, step in enumerate(compliance.steps, 1):
        mark = Text(MARKS[step.status], style=_STYLES[step.status])
        table.add_row(str(number), step.name, mark, Text("\n".join(step.reasons)))
    console.print(table)
    for title, lines in (
        ("Error budget", budget_lines(compliance.policy)),
        ("Burns as measured", measured),
        ("Findings (for information; none fails the check)", list(map(str, compliance.findings))),
    ):
        if lines:
            console.print(Text(title, style="bold"))
            console.print(Text("\n".join(f"  {line}" for line in lines) + "\n"), soft_wrap=True)
    failed = [step.name for step in compliance.steps if step.status == "fail"]
    verdict = "FAIL: " + ", ".join(failed) if failed else "PASS"
    console.print(Text(f"Report: {report}"), soft_wrap=True)
    console.print(Text(verdict, style="bold red" if failed else "bold green"), soft_wrap=True)


def _relative_to_here(folder: Path) -> Path:
    """Return a folder below the current one as a relative path, so that places are short."""
    try:
        return folder.relative_to(Path.cwd())
    except ValueError:
        return folder
