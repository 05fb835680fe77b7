"""Alertmanager's own opinion of a configuration file, in its own words.

Asked before anything else is made of the file: what Alertmanager takes is valid, whatever our
reader thinks, and what it refuses is a mistake. `amtool` says it, where it stands beside the
Alertmanager that is used, else that Alertmanager, started for as long as it reads the file.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.files import read_text
from documents.mistakes import Mistake, Place
from documents.yaml_reader import YAML_BYTES_MAX
from verifier.errors import JudgeError
from verifier.servers.binaries import describe, find
from verifier.servers.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_S: Final = 30.0
LOADED: Final = re.compile(
    r"Completed loading of configuration file|Listening|config change subscribers failed"
)
"""Logged once the file was taken; what fails then (secrets, certificates) is not in the file."""
FAILED: Final = re.compile(
    r"(?:Loading configuration file failed|error loading configuration file).* err=\"?(.*?)\"?$",
    re.MULTILINE,
)
_LINE: Final = re.compile(r"^(?:yaml: )?line (\d+): (.+)$")
_QUOTED: Final = re.compile(r"[\"'`]([^\"'`]+)[\"'`]")

LINES_MAX: Final = 10
"""Of what Alertmanager says: where it stumbles over a file, it prints all of its stack."""


@dataclass(frozen=True, slots=True)
class EngineOpinion:
    """What an Alertmanager of some version has against a file, in its words; empty: nothing.

    `version` is empty when there is no Alertmanager to ask.
    """

    version: str
    words: str

    @property
    def is_taken(self) -> bool:
        """Whether an Alertmanager takes the file."""
        return bool(self.version) and not self.words

    def mistakes(self, path: str) -> list[Mistake]:
        """Return the words as mistakes, each with its place as far as that can be known."""
        lines = [line.strip() for line in self.words.splitlines() if line.strip()]
        details = [line for line in lines if not line.endswith("unmarshal errors:")] or lines
        return [self._mistake(line, path) for line in details[:LINES_MAX]]

    def _mistake(self, line: str, path: str) -> Mistake:
        placed = _LINE.match(line)
        if placed is not None:
            return Place(path, int(placed[1]), 1).mistake(self._sentence(placed[2]))
        return _place_of(line, path).mistake(self._sentence(line))

    def _sentence(self, words: str) -> str:
        return f"Alertmanager {self.version} refuses it: {words}"


def ask_alertmanager(path: str | Path) -> EngineOpinion:
    """Return what Alertmanager says of a file.

    Raises JudgeError when a program that is there does not run.
    """
    server, binary = find("alertmanager"), describe("alertmanager")
    if server is None or binary is None:
        return EngineOpinion("", "")
    amtool = server.with_name("amtool")
    words = _ask_amtool(amtool, path) if amtool.exists() else _ask_server(server, path)
    return EngineOpinion(binary.version, words)


def _ask_amtool(amtool: Path, path: str | Path) -> str:
    command: Sequence[str | Path] = [amtool, "check-config", str(path)]
    try:
        run = subprocess.run(
            command,
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JudgeError(f"{amtool} does not run ({error}): reinstall it") from error
    if run.returncode == 0:
        return ""
    _, _, words = run.stdout.partition("FAILED: ")
    return words.strip() or run.stderr.strip() or f"status {run.returncode}"


def _ask_server(server: Path, path: str | Path) -> str:
    """Start the server until it has read the file; it listens on a loopback port meanwhile."""
    with tempfile.TemporaryDirectory(prefix="agentaskit-alertmanager-") as directory:
        command: Sequence[str | Path] = [
            server,
            f"--config.file={Path(path).absolute()}",
            f"--storage.path={directory}",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        ]
        try:
            process = subprocess.Popen(
                command,
                env=child_environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=directory,
            )
        except OSError as error:
            raise JudgeError(f"{server} does not run ({error}): reinstall it") from error
        limit = threading.Timer(TIMEOUT_S, process.kill)
        limit.start()
        try:
            log: list[str] = []
            for line in process.stdout or ():
                log.append(line)
                if FAILED.search(line) or LOADED.search(line):
                    break
        finally:
            limit.cancel()
            process.kill()
            process.communicate()
    failed = FAILED.search("".join(log))
    if failed is not None:
        return failed[1].replace("\\n", "\n").replace('\\"', '"')
    if any(map(LOADED.search, log)):
        return ""
    raise JudgeError(f"{server} did not read {path}: {''.join(log[-1:]).strip()}; run it again")


def _place_of(words: str, path: str) -> Place:
    """Return where what the words quote, or begin with, stands in the file; else the file."""
    lines = read_text(path, bytes_max=YAML_BYTES_MAX).splitlines()
    for term in (*_QUOTED.findall(words), words.split(maxsplit=1)[0]):
        word = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)")
        for number, line in enumerate(lines, 1):
            match = word.search(line)
            if match and not line.lstrip().startswith("#"):
                return Place(path, number, match.start() + 1)
    return Place(path)
