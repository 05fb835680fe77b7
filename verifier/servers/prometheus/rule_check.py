"""What the engine itself says of rule files: whether it would load them, and if not, in its words.

Called before anything runs, once for all files. `promtool check rules` of the same version beside
the engine that judges is asked; without it a throwaway server, which loads or refuses each file. It
reads no rule itself: which place the engine's words are about is decided in `verifier.rule_files`.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.errors import JudgeError
from verifier.servers.binaries import describe, find
from verifier.servers.child_environment import child_environment
from verifier.servers.prometheus.server import Prometheus

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECK_TIMEOUT_S: Final = 60.0
"""Thousands of rules take a second."""
_COMMAND: Final = ("check", "rules", "--lint=none")
"""Two rules alike, and what else lint minds, keep no server from loading a file."""
_ENTRY: Final = re.compile(r"^(\d{5})\.yml: ", re.MULTILINE)
_HEADLINES: Final = re.compile(r"^  FAILED:\n|^Checking .*\n|^  SUCCESS: .*\n", re.MULTILINE)
_LOGGED: Final = re.compile(r'err="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """The answer to some rule files, in their order: nothing for one that the engine would load."""

    version: str
    refusals: tuple[tuple[str, ...], ...]


def ask_engine(files: Sequence[bytes]) -> EngineAnswer:
    """Return what the Prometheus that judges says of these rule files, given by their bytes.

    Raises JudgeError when it is not installed or gives no answer.
    """
    tool = _promtool()
    with tempfile.TemporaryDirectory(prefix="agentaskit-rules-") as directory:
        paths = [Path(directory) / f"{index:05}.yml" for index in range(len(files))]
        for path, content in zip(paths, files, strict=True):
            path.write_bytes(content)
        if tool is None:
            return ask_server(paths)
        return EngineAnswer(tool.version, _ask_promtool(tool.path, paths))


def ask_server(paths: Sequence[Path]) -> EngineAnswer:
    """Return what a throwaway server says that is told to load each of `paths` in turn."""
    refusals = []
    with Prometheus() as server:
        for path in paths:
            config = json.dumps({"rule_files": [str(path)]})
            log = server.refuses(config)
            refusals.append(() if log is None else _logged_words(log, str(path)))
        return EngineAnswer(server.version, tuple(refusals))


@dataclass(frozen=True, slots=True)
class _Promtool:
    path: Path
    version: str


def _promtool() -> _Promtool | None:
    """Return promtool where it is of the same build as the engine that judges."""
    return _of_same_build(find("prometheus"), find("promtool"))


@functools.cache
def _of_same_build(*_places: Path | None) -> _Promtool | None:
    """Ask both programs their version, once for the places where they are."""
    engine, tool = describe("prometheus"), describe("promtool")
    if engine is None or tool is None or engine.version != tool.version:
        return None
    return _Promtool(tool.path, tool.version)


def _ask_promtool(promtool: Path, paths: Sequence[Path]) -> tuple[tuple[str, ...], ...]:
    if not paths:
        return ()
    try:
        run = subprocess.run(
            [promtool, *_COMMAND, *(path.name for path in paths)],
            cwd=paths[0].parent,
            env=child_environment(),
            capture_output=True,
            timeout=CHECK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JudgeError(f"{promtool} cannot check the rules ({error}): reinstall it") from error
    output = _HEADLINES.sub("", run.stderr.decode(errors="replace"))
    begin, *entries = _ENTRY.split(output)
    refusals: list[list[str]] = [[] for _ in paths]
    for number, words in zip(entries[::2], entries[1::2], strict=True):
        refusals[int(number)].append(words.strip())
    if begin.strip() or (run.returncode != 0) != any(refusals):
        raise JudgeError(
            f"{promtool} cannot check the rules (status {run.returncode}):"
            f" {(begin or output).strip()[:500]}"
        )
    return tuple(tuple(dict.fromkeys(words)) for words in refusals)


def _logged_words(log: str, path: str) -> tuple[str, ...]:
    """Return what a server's log says of `path`, without the path."""
    for error in _LOGGED.findall(log):
        _, mark, words = str(json.loads(f'"{error}"')).partition(f"{path}: ")
        if mark:
            return tuple(dict.fromkeys(part.strip() for part in words.split(f"{path}: ")))
    return (log.strip()[-500:],)
