"""The outcome of a check for a person: a line for each finding, one for its way out, the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.sentences import in_one_line
from verifier.check.findings.kinds import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.check.findings.kinds import Severity
    from verifier.check.findings.outcome import CheckOutcome

NOUNS: Final[dict[Severity, str]] = {"error": "errors", "warning": "warnings", "info": "infos"}
VERDICTS: Final = {0: "PASS", 1: "FAIL", 3: "NOT CHECKED"}


def text_lines(outcome: CheckOutcome, *, silenced: bool = False) -> Iterator[str]:
    """Yield the lines; with `silenced` those of silenced findings as well, with their reasons."""
    for each in outcome.findings:
        yield in_one_line(
            f"{each.place}: {each.severity} [{each.id}] {each.subject}: {each.reason}"
        )
        yield in_one_line(f"    to mend it: {each.kind.way_out}")
    for explained in outcome.silenced if silenced else ():
        each = explained.finding
        yield in_one_line(f"{each.place}: silenced [{each.id}] {each.subject}: {each.reason}")
        yield in_one_line(f"    because: {explained.reason}")
    for note in outcome.notes:
        yield in_one_line(f"note: {note}")
    for rule in outcome.not_checked:
        yield in_one_line(f"{rule.place}: {rule.subject} is not checked: {rule.reason}")
    yield sum_line(outcome)


def sum_line(outcome: CheckOutcome) -> str:
    """Return the last line: how many of what, of how much, held against what."""
    parts = [amount(outcome.count(severity), NOUNS[severity]) for severity in SEVERITIES]
    parts.append(f"{len(outcome.silenced)} silenced")
    if outcome.not_checked:
        parts.append(f"{len(outcome.not_checked)} not checked")
    checked = f"{amount(outcome.rules, 'rules')} and {amount(outcome.queries, 'queries')} of panels"
    verdict = VERDICTS[outcome.status]
    return f"{verdict}: {', '.join(parts)}; {checked} held against {outcome.exported_by}"
