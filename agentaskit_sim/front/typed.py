"""Commands that are printed so that they can be typed as they stand.

The program is named as the user named it, since it may not be on PATH; words are quoted as a shell
needs them.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

NAME = "agentaskit-sim"


def command_line(*words: str) -> str:
    """Return a line of this program with these words."""
    return " ".join([_program(), *map(shlex.quote, words)])


def _program() -> str:
    """Return how this program was called: its name where PATH leads to it, else its path."""
    called = Path(sys.argv[0])
    if called.parts[-2:] == ("agentaskit_sim", "__main__.py"):
        return f"{shlex.quote(sys.executable)} -m agentaskit_sim"
    if called.name != NAME:  # called by another program, as by tests: its name is not ours
        return NAME
    on_path = shutil.which(NAME)
    if on_path and Path(on_path).resolve() == called.resolve():
        return NAME
    return shlex.quote(sys.argv[0])
