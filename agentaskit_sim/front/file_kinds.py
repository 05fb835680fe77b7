"""What a file of a user is, by a look into it: rules, a scenario, a dashboard.

Decides where a word of the command line belongs, and which files of a folder are scenarios. It
reads no more than the names of keys; whether the file is right, its reader says.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from documents.files import files_below, open_regular
from documents.mistakes import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FileKind: TypeAlias = Literal["rules", "scenario", "dashboard", "other"]

BYTES_MAX: Final = 1 << 20
"""How much of a file is looked at: keys of its top level stand at its beginning."""
SCENARIO_SUFFIXES: Final = (".yaml", ".yml")
_SCENARIO_KEYS: Final = frozenset({"duration", "story", "faults", "expectations", "seed"})
_DASHBOARD_KEYS: Final = frozenset({"panels", "dashboard", "templating", "schemaVersion"})
_TOP_KEY: Final = re.compile(r"""(?m)^["']?([A-Za-z_]+)["']?[ \t]*:(?:\s|$)""")
_FLOW_KEY: Final = re.compile(r"""[{,]\s*["']?([A-Za-z_]+)["']?\s*:""")
_CUSTOM_RESOURCE: Final = re.compile(r"""(?m)^\s*-?\s*["']?kind["']?\s*:\s*["']?PrometheusRule""")


def kind_of(path: Path) -> FileKind:
    """Return what a file or the files of a folder are; `other` for what cannot be read."""
    if path.is_dir():
        kinds = {kind_of(file) for file in files_in(path)}
        return next((kind for kind in ("rules", "scenario", "dashboard") if kind in kinds), "other")
    try:
        with open_regular(path) as file:
            raw = file.read(BYTES_MAX)
    except (InputError, OSError):
        return "other"
    return _kind_of_text(raw.decode("utf-8-sig", "replace"))


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the YAML and JSON files below a folder, sorted; none of hidden folders."""
    for path in files_below(folder):
        if path.suffix in {*SCENARIO_SUFFIXES, ".json"}:
            yield path


def _kind_of_text(text: str) -> FileKind:
    keys = _top_keys(text)
    if "groups" in keys or _CUSTOM_RESOURCE.search(text):
        return "rules"
    if keys & _SCENARIO_KEYS:
        return "scenario"
    return "dashboard" if keys & _DASHBOARD_KEYS else "other"


def _top_keys(text: str) -> set[str]:
    if not text.lstrip().startswith("{"):
        return set(_TOP_KEY.findall(text))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # YAML in braces, or more than was read
        return set(_FLOW_KEY.findall(text))
    return set(document) if isinstance(document, dict) else set()
