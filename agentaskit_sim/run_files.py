"""The record of a run: its command as it was typed, when it began, and the files that it read.

Made by `verify` and `up` before anything runs, from files that were read already.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentaskit_sim.front.typed import NAME
from agentaskit_sim.inputs import RULE_PATTERNS, expand
from verifier.run_record import InputFile, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agentaskit_sim.inputs import InputPaths

BOARD_PATTERNS: Final = ("*.json", "*.yaml", "*.yml")

HEADER_OPTIONS: Final = ("--header", "--engine-header")
HIDDEN: Final = "..."
"""What stands in a record for the value of a header."""


def record(paths: InputPaths, routing: Path | None = None) -> RunRecord:
    """Return the record of a run that begins now and reads these files."""
    read: list[tuple[str, Iterable[Path]]] = [
        ("scenario", filter(Path.is_file, map(Path, paths.scenarios))),
        ("rules", expand(paths.rules or (), *RULE_PATTERNS)),
        ("dashboard", expand(paths.dashboards or (), *BOARD_PATTERNS)),
        ("overlay", paths.overlays),
        ("panel truth", [paths.panel_truth] if paths.panel_truth else []),
        ("routing", [routing] if routing else []),
        ("mapping", [paths.mapping] if paths.mapping else []),
    ]
    return RunRecord(
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        version=version("agentaskit-sim"),
        command=shlex.join((NAME, *_without_secrets(sys.argv[1:]))),
        files=tuple(
            InputFile(kind=kind, path=str(file), sha256=_sum(file))
            for kind, files in read
            for file in files
        ),
    )


def _without_secrets(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line; of a header, which may be a password, its name alone."""
    before = ""
    for word in words:
        option, _, value = word.partition("=")
        if before in HEADER_OPTIONS:
            yield f"{option}={HIDDEN}"
        elif option in HEADER_OPTIONS and value:
            yield f"{option}={value.partition('=')[0]}={HIDDEN}"
        else:
            yield word
        before = word


def _sum(file: Path) -> str:
    """Return the checksum of a file; none of one that was there and no longer can be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
