"""What the judge says when it cannot judge, and what it notes without stopping.

`JudgeError` is raised anywhere in this room and turned into exit status 3 by the front door. A
mistake in a user's file is `documents.mistakes.InputError` instead; a failed expectation is no
error at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from documents.mistakes import Place


class JudgeError(RuntimeError):
    """No verdict is possible. The message says what happened and the way out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should know of a file that can be judged all the same."""

    position: Place
    message: str

    def __str__(self) -> str:
        """Write `path:line:column: message`."""
        return f"{self.position}: {self.message}"
