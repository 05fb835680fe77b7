"""A folder that all worker processes of one test run share, removed when the run ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

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
