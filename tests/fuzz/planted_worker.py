"""The worker of `tests.fuzz.worker` with faults planted in what it calls.

Every overlay meets an exception that no reader may raise, the reading of the trace numbered
`KILLING` ends the process, and that of the policy numbered `ENDLESS` never ends.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from tests.fuzz import worker
from tests.fuzz.readers import READERS

if TYPE_CHECKING:
    from pathlib import Path

KILLING: Final = 11
ENDLESS: Final = 6


def _stray(path: Path) -> None:
    if b"scenarios" in path.read_bytes():
        raise KeyError("planted")


def _fatal(path: Path) -> None:
    if path.stem.endswith(f"-{KILLING}"):
        os.kill(os.getpid(), signal.SIGKILL)


def _endless(path: Path) -> None:
    while path.stem.endswith(f"-{ENDLESS}"):
        pass


if __name__ == "__main__":
    READERS.update(overlay=_stray, trace=_fatal, policy=_endless)
    worker.main()
