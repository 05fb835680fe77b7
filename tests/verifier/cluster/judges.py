"""A judge whose Dask worker dies under it: importable, so that workers have it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.verifier.outcomes import outcome

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class WorkerKiller:
    """Kills its worker, with all that it holds, the first `times` that it judges `fatal`."""

    folder: Path
    times: int = 1

    def __call__(self, scenario, _, /):
        """Pass, or take the worker along."""
        attempts = self.folder / scenario.name
        done = len(attempts.read_text()) if attempts.exists() else 0
        attempts.write_text("x" * (done + 1))
        if scenario.name == "fatal" and done < self.times:
            os.kill(os.getppid(), signal.SIGKILL)
        return outcome(scenario.name)
