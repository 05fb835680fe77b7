"""The error of a judge that cannot judge, and what does not stop it: findings, what is not judged.

`JudgeError` is raised anywhere in `verifier` and becomes exit status 3 at the front door. A mistake
in a user's file is a `documents.mistakes.InputError` instead; a failed expectation is no error.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from documents.mistakes import Place


class JudgeError(RuntimeError):
    """No verdict is possible. The message says what happened and what the user can do."""


TRACEBACK: Final = "AGENTASKIT_SIM_TRACEBACK"
"""The environment variable with which errors that nobody foresaw are raised, not said."""


def shows_tracebacks() -> bool:
    """Whether an error that nobody foresaw is to be raised, to show where it comes from."""
    return bool(os.environ.get(TRACEBACK))


def internal_error(error: Exception) -> str:
    """Return what is said of an error that nobody foresaw, with the way to its traceback."""
    where = f"({TRACEBACK}=1 shows where; please report it)"
    return f"internal error: {type(error).__name__}: {error} {where}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should know about a file that can be judged all the same."""

    position: Place
    message: str

    def __str__(self) -> str:
        """Write `path:line:column: message`."""
        return f"{self.position}: {self.message}"


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule, panel or route about which nothing can be said, and why; the others are judged.

    `subject` names it as people do: `alert PoolNearlyEmpty`, `panel Board / Title`. Not so a panel
    of another kind of data source: it does not keep the verdict from being a pass.
    """

    subject: str
    reason: str
    place: Place
    keeps_from_passing: bool = True

    def __str__(self) -> str:
        """Write `path:line:column: subject is not judged: reason`."""
        return f"{self.place}: {self.subject} is not judged: {self.reason}"
