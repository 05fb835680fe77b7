"""The outcome of a check: what stands, what is silenced and why, what could not be checked.

Made by the front door from findings and silences, written in every form. The exit status follows
from it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verifier.check.findings.finding import CheckFinding
    from verifier.check.findings.kinds import Severity
    from verifier.errors import Finding, NotJudged


@dataclass(frozen=True, slots=True)
class SilencedFinding:
    """A finding that a silence explains."""

    finding: CheckFinding
    reason: str


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """Findings that stand and findings that are silenced; what was checked, and what was not.

    `not_checked` are rules that cannot be followed: with any of them nothing passes. `notes` are
    what the readers of the files say, and panels that ask something else than Prometheus.
    """

    exported_by: str
    rules: int
    queries: int
    findings: tuple[CheckFinding, ...]
    silenced: tuple[SilencedFinding, ...] = ()
    not_checked: tuple[NotJudged, ...] = ()
    notes: tuple[Finding | NotJudged, ...] = ()

    def count(self, severity: Severity) -> int:
        """Return how many findings of a severity stand."""
        return sum(each.severity == severity for each in self.findings)

    @property
    def status(self) -> int:
        """0 nothing but infos stands, 1 an error or a warning does, 3 something was not checked."""
        if self.count("error") or self.count("warning"):
            return 1
        return 3 if self.not_checked or not (self.rules or self.queries) else 0
