"""What a shell completes besides options: names of scenarios and kinds of faults.

Called by the completion of the command line alone. A word that none of these begins with is left
to the shell, which completes names of files.
"""

from __future__ import annotations

import os
import shlex
from typing import Final

VARIABLE: Final = "_AGENTASKIT_SIM_COMPLETE"
"""Set by a shell that asks how a command line goes on."""


def words_to_complete() -> list[str] | None:
    """Return the words of the command line that a shell asks about, None when none asks."""
    if not os.environ.get(VARIABLE):
        return None
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    try:
        words = shlex.split(line)
    except ValueError:  # an open quote: the word being typed
        words = line.split()
    return words[1:]


def complete_scenario(incomplete: str) -> list[str]:
    """Return the bundled scenarios whose names begin so."""
    from scenarios.library.files import library  # noqa: PLC0415 - help does without

    return [path.stem for path in library() if path.stem.startswith(incomplete)]


def complete_fault(incomplete: str) -> list[str]:
    """Return the kinds of faults whose names begin so."""
    from simulator.faults.kinds.catalogue import FAULTS  # noqa: PLC0415 - help does without

    return [name for name in FAULTS if name.startswith(incomplete)]
