"""A finding of the check: which kind, where, of what, why.

Made by every check, read by silences and by every form of the output. `fingerprint` stays the same
when lines move: it is made of the id, the file, what it is about and the reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from verifier.check.findings.kinds import KINDS, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from documents.mistakes import Place
    from verifier.check.findings.kinds import FindingKind, Severity


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One finding; `subject` names what it is about as people do: `alert X`, `panel B / P`."""

    id: str
    place: Place
    subject: str
    reason: str

    @property
    def kind(self) -> FindingKind:
        """Its kind."""
        return KINDS[self.id]

    @property
    def severity(self) -> Severity:
        """How much it weighs."""
        return self.kind.severity

    @property
    def fingerprint(self) -> str:
        """Sixteen letters that stay the same as long as the finding does."""
        parts = (self.id, PurePath(self.place.path).name, self.subject, self.reason)
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def in_order(findings: Iterable[CheckFinding]) -> tuple[CheckFinding, ...]:
    """Return findings by their places, each once; the heavier first where they share one."""
    unique = dict.fromkeys(findings)
    return tuple(
        sorted(
            unique,
            key=lambda each: (
                each.place.path,
                each.place.line or 0,
                each.place.column or 0,
                SEVERITIES.index(each.severity),
                each.id,
                each.subject,
                each.reason,
            ),
        )
    )
