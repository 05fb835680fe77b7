"""The outcome of a check as one JSON document, as `check.schema.json` describes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from verifier.check.findings.kinds import SEVERITIES

if TYPE_CHECKING:
    from documents.mistakes import Place
    from verifier.check.findings.finding import CheckFinding
    from verifier.check.findings.outcome import CheckOutcome

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("check.schema.json")
WORDS: Final = {0: "pass", 1: "fail", 3: "not checked"}


def check_document(outcome: CheckOutcome) -> dict[str, Any]:
    """Return the document; its findings are in the order of their places."""
    return {
        "version": VERSION,
        "verdict": WORDS[outcome.status],
        "exported_by": outcome.exported_by,
        "rules": outcome.rules,
        "queries": outcome.queries,
        "counts": {severity: outcome.count(severity) for severity in SEVERITIES},
        "findings": [_finding(each) for each in outcome.findings],
        "silenced": [
            {**_finding(each.finding), "silenced_because": each.reason} for each in outcome.silenced
        ],
        "not_checked": [
            {"subject": each.subject, **_place(each.place), "reason": each.reason}
            for each in outcome.not_checked
        ],
    }


def _finding(finding: CheckFinding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity,
        "subject": finding.subject,
        **_place(finding.place),
        "reason": finding.reason,
        "way_out": finding.kind.way_out,
        "also": list(finding.kind.also),
        "fingerprint": finding.fingerprint,
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.path, "line": place.line, "column": place.column}
