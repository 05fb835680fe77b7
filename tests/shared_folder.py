"""A folder that all worker processes of one test run share, removed when the run ends."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Made = TypeVar("Made")
_VARIABLE = "AGENTASKIT_SIM_TESTS_FOLDER"


def make_shared_folder() -> Callable[[], None] | None:
    """Make the folder, unless the parent of this process did; return what removes it."""
    if _VARIABLE in os.environ:
        return None
    folder = os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="agentaskit-tests-")

    def remove() -> None:
        del os.environ[_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)

    return remove


def shared_folder() -> Path:
    """Return the folder."""
    return Path(os.environ[_VARIABLE])


def once(name: str, make: Callable[[], Made]) -> Made:
    """Return what `make` makes, which it does once in a test run: other workers read it."""
    file = shared_folder() / f"{name}.pickle"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be making it right now
        if not file.exists():
            file.write_bytes(pickle.dumps(make()))
    made: Made = pickle.loads(file.read_bytes())  # noqa: S301 - our own bytes
    return made
