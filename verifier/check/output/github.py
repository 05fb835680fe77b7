"""The outcome of a check as workflow commands of GitHub: an annotation for each finding.

A command is one line; what would end its parts is escaped as GitHub asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.check.output.text import sum_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documents.mistakes import Place
    from verifier.check.findings.kinds import Severity
    from verifier.check.findings.outcome import CheckOutcome

COMMANDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "notice"}
_TEXT: Final = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY: Final = (*_TEXT, (":", "%3A"), (",", "%2C"))


def github_lines(outcome: CheckOutcome) -> Iterator[str]:
    """Yield an annotation for each finding that stands, then the sum as a plain line."""
    for each in outcome.findings:
        message = f"{each.subject}: {each.reason}; to mend it: {each.kind.way_out}"
        yield _command(COMMANDS[each.severity], each.place, each.id, message)
    for rule in outcome.not_checked:
        message = f"{rule.subject} is not checked: {rule.reason}"
        yield _command("error", rule.place, "not checked", message)
    yield sum_line(outcome)


def _command(name: str, place: Place, title: str, message: str) -> str:
    parts = {"file": place.path, "line": place.line, "col": place.column, "title": title}
    properties = ",".join(
        f"{key}={_escaped(str(value), _PROPERTY)}"
        for key, value in parts.items()
        if value is not None
    )
    return f"::{name} {properties}::{_escaped(message, _TEXT)}"


def _escaped(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for letter, written in pairs:
        text = text.replace(letter, written)
    return text
