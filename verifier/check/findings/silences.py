"""A silence file: findings that somebody looked at, each with the reason why it may stand.

    silences:
      - id: single-window-burn
        subject: alert FastBurnRateHigh     # optional, and may hold *
        file: "*/slo.yaml"                  # optional, and may hold *
        reason: the nineteen are a contract

An entry without a reason is refused, an entry that silences nothing is a finding itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import MissingKey, UnknownName
from documents.walker import Walker
from documents.yaml_reader import load
from verifier.check.findings.finding import CheckFinding
from verifier.check.findings.kinds import KINDS
from verifier.check.findings.outcome import SilencedFinding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from documents.document import Document, Steps, Value
    from documents.mistakes import Place

ENTRY_KEYS: Final = ("id", "subject", "file", "reason")
WHY: Final = ": say why the finding may stand"


@dataclass(frozen=True, slots=True)
class FindingSilence:
    """One entry: which findings it silences, and why. `subject` and `file` are patterns."""

    id: str
    subject: str
    file: str
    reason: str
    place: Place

    def silences(self, finding: CheckFinding) -> bool:
        """Whether it explains a finding."""
        return (
            fnmatchcase(finding.id, self.id)
            and fnmatchcase(finding.subject, self.subject)
            and fnmatchcase(finding.place.path, self.file)
        )


def load_silences(path: str | Path) -> tuple[FindingSilence, ...]:
    """Read a silence file; raise one `InputError` with every mistake in it."""
    return _SilenceReader(load(path)).read()


class _SilenceReader(Walker):
    """One walk over a silence file."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)

    def read(self) -> tuple[FindingSilence, ...]:
        top = self.mapping(self.document.data, (), ("silences",))
        if "silences" not in top:
            self.reject(MissingKey("silences"), ())
        entries = [
            self.entry(raw, ("silences", index))
            for index, raw in enumerate(self.sequence(top.get("silences"), ("silences",)))
        ]
        return self.finish(tuple(entries))

    def entry(self, raw: Value, steps: Steps) -> FindingSilence:
        keys = self.mapping(raw, steps, ENTRY_KEYS)
        if "reason" not in keys:
            self.reject(MissingKey("reason", "a silence", WHY), steps)
        name = self.text(keys, "id", steps)
        if name and not any(fnmatchcase(known, name) for known in KINDS):
            self.reject(UnknownName("finding", name, tuple(KINDS)), (*steps, "id"))
        return FindingSilence(
            name,
            self.text(keys, "subject", steps) if "subject" in keys else "*",
            self.text(keys, "file", steps) if "file" in keys else "*",
            self.text(keys, "reason", steps) if "reason" in keys else "",
            self.place(steps),
        )


def apply_silences(
    findings: Sequence[CheckFinding], silences: Sequence[FindingSilence]
) -> tuple[tuple[CheckFinding, ...], tuple[SilencedFinding, ...]]:
    """Return the findings that stand, those of idle silences among them, and the silenced ones."""
    standing: list[CheckFinding] = []
    silenced: list[SilencedFinding] = []
    used: set[FindingSilence] = set()
    for finding in findings:
        matching = [silence for silence in silences if silence.silences(finding)]
        used.update(matching)
        if matching:
            silenced.append(SilencedFinding(finding, matching[0].reason))
        else:
            standing.append(finding)
    idle = [
        CheckFinding(
            "unused-silence",
            silence.place,
            f"silence of {silence.id}",
            "no finding is silenced by it",
        )
        for silence in silences
        if silence not in used
    ]
    return (*standing, *idle), tuple(silenced)
