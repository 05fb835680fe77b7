"""Where a result goes: the results folder, files that CI systems read, a page, the screen.

Places that cannot be written are reported before anything runs, where that can be known. A page
of GitHub that cannot be written is a warning: it is no part of the verdict.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console

from documents.files import write_whole
from documents.mistakes import InputError
from verifier.judge.verdict import INTERRUPTED
from verifier.judge.verdict_document import document
from verifier.report.text import print_report, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.report.pages.result_page import ResultPage
    from verifier.report.saved.results import Results
    from verifier.run_record import RunRecord

STATUSES: Final = {"pass": 0, "fail": 1, "invalid": 3}
"""The exit status of each verdict."""
STEP_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub Actions names the file that becomes the page of a step."""


@dataclass(frozen=True, slots=True)
class VerdictOutput:
    """The places that one run writes to; `as_json` leaves standard output to the document."""

    results: Results
    junit_file: Path | None
    as_json: bool
    report_file: Path | None = None
    run: RunRecord | None = None

    def publish(self, outcomes: Sequence[ScenarioOutcome]) -> None:
        """Save and print the verdict; raises `InputError` or `JudgeError` for what is refused.

        Of a run of which nothing was judged, nothing is saved; standard error says so.
        """
        if all(INTERRUPTED in outcome.invalid for outcome in outcomes):
            typer.echo(f"Interrupted: 0 of {len(outcomes)} judged, nothing was saved", err=True)
            return
        replaces = self.results.has_earlier
        saved_in = self.results.save(outcomes, self.run)
        if replaces:
            typer.echo(f"{saved_in}: the results of an earlier run there were replaced", err=True)
        if self.junit_file is not None:
            from verifier.report.junit import junit  # noqa: PLC0415 - only who asks for a file

            _write(self.junit_file, junit(outcomes))
        if self.report_file is not None:
            from verifier.report.html.page import page  # noqa: PLC0415 - as above

            _write(self.report_file, page(outcomes, self.run))
        _append_step_summary(outcomes, self.run)
        if self.as_json:
            print_json(outcomes, self.run)
        console = Console(stderr=self.as_json, highlight=False)
        print_report(console, outcomes, str(saved_in))


def write_result_page(path: Path, page: ResultPage, run: RunRecord) -> None:
    """Write the page of a result that is no verdict; raises `InputError` for what is refused."""
    from verifier.report.pages.rendering import result_html  # noqa: PLC0415 - as above

    _write(path, result_html(page, run))


def check_places(*paths: Path | None) -> None:
    """Raise `InputError` for the first place where no file can be written."""
    for path in paths:
        if path is not None:
            _check_place(path)


def _check_place(path: Path) -> None:
    if path.is_dir():
        reason = "this is a folder: name a file in it"
    elif not path.parent.is_dir():
        reason = "there is no such folder"
    elif not os.access(path.parent, os.W_OK):
        reason = "its folder cannot be written to"
    else:
        return
    raise InputError(f"cannot be written: {reason}", path=str(path))


def print_json(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None) -> None:
    """Print the verdict as one JSON document."""
    typer.echo(json.dumps(document(outcomes, run), indent=2, allow_nan=False))


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=str(path)) from None


def _append_step_summary(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None) -> None:
    """Append the summary to the page of a GitHub step, if there is one: other steps wrote before.

    One write, so that a page holds the whole of it or nothing.
    """
    place = os.environ.get(STEP_SUMMARY)
    if not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8") as page:
            page.write(summary(outcomes, run) + "\n")
    except OSError as error:
        typer.echo(f"{STEP_SUMMARY}: {place} cannot be written: {error.strerror}", err=True)
