"""`agentaskit-sim slo check`: checks a pack in ten steps and writes a compliance report.

Standard output carries the table, or with `--json` one document. The report is written whole or
not at all, and appended to the summary of a GitHub workflow when run in a workflow. Exit status: 0
all steps hold, 1 one fails, 2 bad input or usage, 3 promtool is missing.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from documents.files import write_whole
from documents.mistakes import InputError
from verifier.slo.check import check as check_pack
from verifier.slo.compliance import REPORT, Compliance, Step
from verifier.slo.report import MARKS, budget_lines, document, markdown

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
) -> None:
    """Compare policy, alert rules and dashboards, and write a compliance report.

    Ten named steps. They catch a policy without a field, a target below 99.9, a missing window, a
    threshold on which policy, rules and dashboards differ, a file that is no YAML, JSON or PromQL.
    """
    if report.is_dir():
        raise InputError("a report must be a file, this is a folder", path=str(report))
    folder = BUNDLED if pack is None else pack
    checked = check_pack(_relative_to_here(folder), checked_at=datetime.now(UTC))
    compliance = write_report(checked, report)
    if as_json:
        typer.echo(json.dumps(document(compliance), indent=2, allow_nan=False))
    else:
        print_outcome(Console(highlight=False), compliance, report)
    raise typer.Exit(0 if compliance.passed else 1)


def write_report(compliance: Compliance, report: Path) -> Compliance:
    """Write the report; return the outcome with that step in it, failed if it cannot be written."""
    summary = os.environ.get(SUMMARY_VARIABLE)
    where = f"{report}, and the summary of the workflow" if summary else str(report)
    whole = compliance.with_step(Step(REPORT, "ok", (where,)))
    path = report
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        write_whole(report, markdown(whole))
        if summary:
            path = Path(summary)
            with path.open("a", encoding="utf-8") as file:
                file.write(markdown(whole))
    except OSError as error:
        reason = f"{path}: cannot be written: {error.strerror}"
        return compliance.with_step(Step(REPORT, "fail", (reason,)))
    return whole


def print_outcome(console: Console, compliance: Compliance, report: Path) -> None:
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
