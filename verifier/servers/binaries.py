"""Finds the Prometheus and Alertmanager programs and asks them their version.

Called by `doctor`, by the SLO check and by whatever starts a server. It never installs anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from verifier.errors import JudgeError
from verifier.servers.child_environment import child_environment

PROGRAMS: Final = ("prometheus", "promtool", "alertmanager", "amtool")
TOOLS_VARIABLE: Final = "AGENTASKIT_SIM_TOOLS"
PROJECT: Final = Path(__file__).resolve().parents[2]
PROJECT_TOOLS: Final = PROJECT / ".tools" / "bin"
DOWNLOAD: Final = "https://prometheus.io/download/"
VERSION_TIMEOUT_S: Final = 20.0
"""A cold start of a program of 100 MB from a slow disk takes seconds."""
_ALIASES: Final = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}
_VERSION: Final = re.compile(r"version (\S+)")


@dataclass(frozen=True, slots=True)
class Binary:
    """An installed program: its absolute path and the version that it states."""

    name: str
    path: Path
    version: str


def find(name: str) -> Path | None:
    """Return where `name` is: in $AGENTASKIT_SIM_TOOLS, in the project's .tools/bin or on PATH."""
    folders = [os.environ.get(TOOLS_VARIABLE), str(PROJECT_TOOLS), os.environ.get("PATH")]
    search_path = os.pathsep.join(folder for folder in folders if folder)
    for alias in _ALIASES.get(name, (name,)):
        path = shutil.which(alias, path=search_path)
        if path:
            return Path(path).resolve()
    return None


def require(name: str) -> Path:
    """Return where `name` is; raise JudgeError, with how to install it, when it is nowhere."""
    path = find(name)
    if path is None:
        raise JudgeError(
            f"{name} was not found on PATH, in {PROJECT_TOOLS} or in ${TOOLS_VARIABLE}:"
            f" {install_advice()}"
        )
    return path


def install_advice() -> str:
    """Return how to install the programs: `make setup` exists in a checkout alone."""
    packages = (
        "(Debian, Ubuntu: `sudo apt-get install prometheus prometheus-alertmanager`; macOS: `brew"
        " install prometheus alertmanager`"
    )
    if (PROJECT / "Makefile").is_file():
        return f"run `make setup`, or install it {packages})"
    return f"install it {packages}; others: {DOWNLOAD}, its folder on PATH or in ${TOOLS_VARIABLE})"


def describe(name: str) -> Binary | None:
    """Return path and version of `name`, None when it is not installed.

    Raises JudgeError when the program is there but does not state its version. One that has is not
    asked again as long as its file stays the same.
    """
    path = find(name)
    if path is None:
        return None
    file = path.stat()
    return _described(name, path, (file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns))


@lru_cache(16)
def _described(name: str, path: Path, _file: tuple[int, ...]) -> Binary:
    output = version_output(path)
    version = _VERSION.search(output)
    if version is None:
        raise JudgeError(f"{path} --version must state a version, got {output[:200]!r}")
    return Binary(name, path, version.group(1).rstrip(","))


def version_output(path: Path) -> str:
    """Return what a program prints for `--version`; raise JudgeError when it does not run."""
    try:
        run = subprocess.run(
            [path, "--version"],
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JudgeError(f"{path} does not run ({error}): reinstall it") from error
    return run.stdout + run.stderr
