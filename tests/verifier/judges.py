"""Judges and watchers for tests of the suite: importable, so that worker processes have them."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from documents.mistakes import Place
from tests.verifier.outcomes import outcome
from verifier.errors import JudgeError
from verifier.judge.verdict import Progress
from verifier.servers.child import Child

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Scripted:
    """Does for each scenario what its name requests; leaves a note of who ran it in `folder`."""

    folder: Path

    def __call__(self, scenario, report, /):
        """Judge, fail, die, or sleep."""
        (self.folder / f"{scenario.name}.pid").write_text(str(os.getpid()))
        report(
            Progress(scenario=scenario.name, phase="going", virtual_s=1, of_s=2, times_real_time=3)
        )
        kind = scenario.name.partition("-")[0]
        if kind == "mistake":
            raise Place("rules.yaml", 1, 2).error("planted")
        if kind == "broken":
            raise JudgeError("no Prometheus")
        if kind == "bug":
            raise ZeroDivisionError("planted")
        if kind == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "sleep":
            self.sleep(scenario.name)
        return outcome(scenario.name, seed=os.getpid())

    def sleep(self, name):
        """Hold a child process and its folder, as a judge holds a Prometheus."""
        child = Child("suite-test-", parent_directory=self.folder)
        try:
            child.start([sys.executable, "-c", "import time; time.sleep(60)"])
            (self.folder / f"{name}.child").write_text(str(child.pid))
            for _ in range(600):  # a signal just before a long sleep would wait it out
                time.sleep(0.1)
        finally:
            child.stop()


class NoWatcher:
    """A watcher that shows nothing."""

    def progress(self, progress):
        """Do nothing."""

    def done(self, outcome):
        """Do nothing."""
