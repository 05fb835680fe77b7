"""The page of a check: what stands, with its way out, what is silenced, what was not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.check.findings.kinds import SEVERITIES
from verifier.check.output.text import VERDICTS, sum_line
from verifier.report.pages.result_page import (
    STYLES,
    Badge,
    ResultCell,
    ResultList,
    ResultPage,
    ResultTable,
    placed,
)

if TYPE_CHECKING:
    from verifier.check.findings.finding import CheckFinding
    from verifier.check.findings.kinds import Severity
    from verifier.check.findings.outcome import CheckOutcome
    from verifier.report.pages.result_page import Mood

    Row = tuple[ResultCell | str, ...]

MOODS: Final[dict[Severity, Mood]] = {"error": "bad", "warning": "warn", "info": "calm"}


def check_page(outcome: CheckOutcome) -> ResultPage:
    """Return the page of an outcome; findings stand by their weight, then by their places."""
    badge = Badge(VERDICTS[outcome.status].lower(), STYLES[outcome.status])
    heavy_first = sorted(outcome.findings, key=lambda each: SEVERITIES.index(each.severity))
    return ResultPage(
        "check",
        badge,
        sum_line(outcome).partition(": ")[2],
        (
            ResultList(
                "Not checked",
                [f"{each.place}: {each.subject}: {each.reason}" for each in outcome.not_checked],
                fails=True,
            ),
            ResultTable(
                "Findings",
                ("Finding", "Severity", "About", "Reason", "To mend it"),
                [_finding(each) for each in heavy_first],
            ),
            ResultTable(
                "Silenced",
                ("Finding", "About", "Reason", "May stand because"),
                [
                    (
                        each.finding.id,
                        placed(each.finding.subject, each.finding.place),
                        each.finding.reason,
                        each.reason,
                    )
                    for each in outcome.silenced
                ],
            ),
            ResultList("Notes", [str(note) for note in outcome.notes]),
        ),
    )


def _finding(finding: CheckFinding) -> Row:
    return (
        finding.id,
        ResultCell(finding.severity, MOODS[finding.severity]),
        placed(finding.subject, finding.place),
        finding.reason,
        finding.kind.way_out,
    )
