"""Files as a user names them: a folder stands for its scenarios, a file given twice for one.

Called by commands before anything is read. What is left out is never left out in silence: each
function returns notes to be printed beside what it takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentaskit_sim.front.file_kinds import SCENARIO_SUFFIXES, FileKind, files_in, kind_of
from documents.amounts import amount
from documents.mistakes import InputError, gather
from scenarios.library.files import library

if TYPE_CHECKING:
    from collections.abc import Sequence

_BELONG: Final[dict[FileKind, str]] = {
    "rules": "these are rules, no scenario: name them after --rules",
    "dashboard": "this is a dashboard, no scenario: name it after --dashboards",
}


def scenario_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names and files of scenarios, folders replaced by the scenarios in them; and notes.

    Folders are searched to any depth. Raises `InputError` for a folder without scenarios, and for
    files that are something else.
    """
    bundled = {path.stem for path in library()}
    taken: list[str] = []
    notes: list[str] = []
    mistakes: list[InputError] = []
    for name in names:
        try:
            files, note = [name], ""
            if name not in bundled:
                files, note = _scenarios_at(Path(name), name)
        except InputError as error:
            mistakes.append(error)
            continue
        taken += files
        notes += [note] if note else []
    if mistakes:
        raise gather(mistakes)
    return _distinct(taken), notes


def distinct_files(
    paths: Sequence[Path] | None, option: str
) -> tuple[list[Path] | None, list[str]]:
    """Return files and folders without those that are there twice; and a note for each of these."""
    if not paths:
        return None, []
    folders = {path.resolve() for path in paths if path.is_dir()}
    kept: dict[Path, Path] = {}
    notes = []
    for path in paths:
        resolved = path.resolve()
        inside = resolved.parent in folders and path.suffix in {*SCENARIO_SUFFIXES, ".json"}
        if resolved in kept or inside:
            notes.append(f"{path} is given twice after {option}: it is taken once")
        else:
            kept[resolved] = path
    return list(kept.values()), notes


def _scenarios_at(path: Path, name: str) -> tuple[list[str], str]:
    """Return the scenario files of a path, and what is to be said of the others in a folder."""
    if not path.is_dir():
        if path.is_file() and (why := _BELONG.get(kind_of(path))):
            raise InputError(why, path=name)
        # A file without an ending is a file, not the name of a bundled scenario.
        return [name if path.suffix or not path.is_file() else str(path.absolute())], ""
    files = list(files_in(path))
    scenarios = [file for file in files if kind_of(file) == "scenario"]
    if not scenarios:
        raise InputError(
            "the folder holds no scenarios: *.yaml with keys such as `duration` and `faults`",
            path=name,
        )
    others = [str(file.relative_to(path)) for file in files if file not in scenarios]
    if not others:
        return [str(file) for file in scenarios], ""
    note = f"{name}: {amount(len(scenarios), 'scenarios')} taken; no scenarios: {', '.join(others)}"
    return [str(file) for file in scenarios], note


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names without those that lead to the same file as one before."""
    first: dict[str, str] = {}
    for name in names:
        path = Path(name)
        first.setdefault(str(path.resolve()) if path.is_file() else name, name)
    return list(first.values())
