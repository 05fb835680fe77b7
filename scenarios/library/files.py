"""The files of the bundled scenarios, and which file a name stands for.

Called by the front door before anything else is imported: it reads no scenario, and takes no time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake

LIBRARY: Final = Path(__file__).parent
_SUFFIXES: Final = (".yaml", ".yml")


def library() -> tuple[Path, ...]:
    """Return the paths of the bundled scenarios, sorted by name."""
    return tuple(sorted(LIBRARY.glob("*.yaml")))


def resolve(name: str) -> Path:
    """Return the file of a bundled scenario's name or of a path; raise `InputError` if none."""
    path = Path(name)
    if path.suffix in _SUFFIXES or len(path.parts) > 1:
        return path
    bundled = {file.stem: file for file in library()}
    if name in bundled:
        return bundled[name]
    hint = ", see `agentaskit-sim scenarios list`"
    raise InputError(Mistake(UnknownName("bundled scenario", name, tuple(bundled), hint)))
