"""The outcome of a check as SARIF 2.1.0, which code hosts show beside the lines of a change.

Every kind of finding is a rule of the run, silenced ones are results with a suppression.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from verifier.check.findings.kinds import KINDS

if TYPE_CHECKING:
    from documents.mistakes import Place
    from verifier.check.findings.finding import CheckFinding
    from verifier.check.findings.kinds import FindingKind, Severity
    from verifier.check.findings.outcome import CheckOutcome

SCHEMA_URL: Final = "https://json.schemastore.org/sarif-2.1.0.json"
HELP_URL: Final = "https://github.com/agentaskit/agentaskit-sim/blob/main/docs/check.md"
LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "note"}


def sarif_document(outcome: CheckOutcome) -> dict[str, Any]:
    """Return one run with all kinds as its rules and all findings as its results."""
    results = [_result(each) for each in outcome.findings]
    results += [
        {
            **_result(each.finding),
            "suppressions": [{"kind": "external", "justification": each.reason}],
        }
        for each in outcome.silenced
    ]
    notifications = [
        {
            "level": "error",
            "message": {"text": f"{each.subject} is not checked: {each.reason}"},
            "locations": [_location(each.place)],
        }
        for each in outcome.not_checked
    ]
    driver = {
        "name": "agentaskit-sim check",
        "version": version("agentaskit-sim"),
        "informationUri": HELP_URL,
        "rules": [_rule(kind) for kind in KINDS.values()],
    }
    invocation = {
        "executionSuccessful": not outcome.not_checked,
        "toolExecutionNotifications": notifications,
    }
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": SCHEMA_URL, "version": "2.1.0", "runs": [run]}


def _rule(kind: FindingKind) -> dict[str, Any]:
    return {
        "id": kind.id,
        "shortDescription": {"text": kind.title},
        "help": {"text": f"To mend it: {kind.way_out}."},
        "helpUri": HELP_URL,
        "defaultConfiguration": {"level": LEVELS[kind.severity]},
    }


def _result(finding: CheckFinding) -> dict[str, Any]:
    return {
        "ruleId": finding.id,
        "ruleIndex": list(KINDS).index(finding.id),
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.subject}: {finding.reason}"},
        "locations": [_location(finding.place)],
        "partialFingerprints": {"agentaskitSimCheck/v1": finding.fingerprint},
    }


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path)}}
    if place.line is not None:
        physical["region"] = {"startLine": place.line, "startColumn": place.column or 1}
    return {"physicalLocation": physical}
