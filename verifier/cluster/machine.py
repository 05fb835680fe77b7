"""What a machine must have in common with another to give the same verdicts, byte for byte.

Asked of every worker before a run, and again by each task, since a worker may join in between.
"""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from verifier.errors import JudgeError
from verifier.servers.binaries import PROJECT, describe

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOMS: Final = ("agentaskit_sim", "charts", "documents", "exporter", "scenarios", "simulator")
"""Rooms whose code decides what a worker answers, beside this one."""
NOT_INSTALLED: Final = "not installed"
_LIBRARIES: Final = ("numpy", "numba", "promql-parser", "google-re2")


def this_machine() -> Mapping[str, str]:
    """Return what this machine runs, each thing by its name."""
    try:
        prometheus = describe("prometheus")
    except JudgeError as error:
        return {"prometheus": str(error)}
    return {
        "agentaskit-sim": version("agentaskit-sim"),
        "its code": code_checksum(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in _LIBRARIES},
        "processor": platform.machine(),
        "prometheus": prometheus.version if prometheus else NOT_INSTALLED,
    }


@cache
def known_machine() -> Mapping[str, str]:
    """Return what this machine runs, looked up once in a process."""
    return this_machine()


def code_checksum() -> str:
    """Return twelve hexadecimal digits of the checksum of the program's code."""
    digest = hashlib.sha256()
    for room in (*ROOMS, "verifier"):
        for path in sorted((PROJECT / room).rglob("*.py")):
            digest.update(f"{path.relative_to(PROJECT).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def difference(here: Mapping[str, str], worker: Mapping[str, str]) -> str | None:
    """Return in words the first thing that differs on a worker, None when nothing does."""
    for name in {**here, **worker}:
        ours, theirs = here.get(name, "nothing"), worker.get(name, "nothing")
        if ours != theirs:
            return f"{name} is {theirs} there and {ours} here"
    return None


def refusal(worker: str, reason: str) -> str:
    """Return the sentence that refuses a worker, with the way out."""
    return (
        f"worker {worker} would not judge as this machine does: {reason}; install the same on both"
        " (deploy/Dockerfile makes an image of it)"
    )
