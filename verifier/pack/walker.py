"""A walk over a file of Prometheus, Alertmanager or Grafana, with what all of them have in common.

Beside mistakes it notes findings: what a user should know of a file that can be judged all the
same. Base of the readers of this room.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule
from documents.walker import Walker
from verifier.errors import Finding
from verifier.pack.durations import parse_duration_s

if TYPE_CHECKING:
    from documents.document import Document, Steps, Value

_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class PackWalker(Walker):
    """One walk over a document; `findings` are what it noted beside mistakes."""

    def __init__(self, document: Document) -> None:
        """Walk over `document`."""
        super().__init__(document)
        self.findings: list[Finding] = []

    def note(self, message: str, steps: Steps) -> None:
        """Note something to know about the value at `steps`."""
        self.findings.append(Finding(self.place(steps), message))

    def duration(self, raw: Value, steps: Steps, default_s: float = 0.0) -> float:
        """Return the seconds of a duration, `default_s` when it is left out or wrong."""
        if raw is None:
            return default_s
        seconds = self.attempt(lambda: parse_duration_s(scalar_text(raw)), steps)
        return default_s if seconds is None else seconds

    def check_label_name(self, name: Value, steps: Steps, *, metric_name: bool = True) -> None:
        """Reject what is no name of a label, and `__name__` unless `metric_name`."""
        if not _LABEL_NAME.fullmatch(str(name)) or (name == "__name__" and not metric_name):
            self.reject(BrokenRule("label name", "be letters, digits and _", name), steps)


def scalar_text(value: Value) -> str:
    """Write a YAML scalar as Prometheus' reader takes it into a text field."""
    return str(value).lower() if isinstance(value, bool) else str(value)
