"""Mutants on trial: each in a copy of the tree, against the tests of its module, within a time.

The checkout itself is never changed. A copy has the same compiled kernel beside its modules, which
stays in use as long as the kernel is not what is mutated.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from resource import RLIMIT_CPU, setrlimit
from threading import Lock, Timer
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from tests.mutants.mutations import Mutant
    from tests.mutants.rooms import Stage

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".tools", "results", ".*_cache", ".hypothesis", "build", "dist"
)
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
SLACK_S, TIMES_AS_LONG = 10.0, 3.0
"""A stage may take so many times what it took without a mutant, and so many seconds more."""
WAITS = 10
"""So many times its processor time a stage may wait: other work is no reason to end it."""
PASSED, NO_TESTS = 0, 5
"""Statuses of pytest that notice nothing."""


class RedError(Exception):
    """The tests of a stage fail without a mutant: nothing can be learned from them."""


@dataclass(frozen=True, slots=True)
class TriedMutant:
    """What became of a mutant: the test that noticed it, "time" when none ended, "" when none did.

    `seconds` is the processor time of its trial.
    """

    mutant: Mutant
    noticed_by: str
    seconds: float


@dataclass(slots=True)
class Limits:
    """How much processor time each stage may take; measured when it is first needed."""

    seconds: dict[Stage, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def of(self, stage: Stage, copy: Copy) -> int:
        """Return the limit of a stage. Raises RedError when its tests fail without a mutant."""
        with self.lock:
            if stage not in self.seconds:
                noticed_by, used_s = copy.run(stage, limit_s=None)
                if noticed_by:
                    raise RedError(f"without a mutant: {noticed_by}")
                self.seconds[stage] = int(SLACK_S + TIMES_AS_LONG * used_s)
            return self.seconds[stage]


class Copy:
    """A copy of the tree in a folder of its own, in which one mutant after the other is tried."""

    def __init__(self, root: Path) -> None:
        """Copy the tree, with the dates of its files: what was compiled stays valid."""
        self.folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        self.tree = self.folder / "tree"
        shutil.copytree(root, self.tree, ignore=NOT_COPIED, symlinks=True)
        if (root / ".venv").exists():
            (self.tree / ".venv").symlink_to((root / ".venv").resolve())
        self.written = 0

    def remove(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def try_mutant(self, mutant: Mutant, stages: tuple[Stage, ...], limits: Limits) -> TriedMutant:
        """Run the stages on a mutant until a test notices it."""
        file = self.tree / mutant.path
        text, dates = file.read_text("utf-8"), file.stat()
        used_s = 0.0
        for stage in stages:
            limit_s = limits.of(stage, self)  # measured with the file as it is
            self._write(file, mutant.apply(text))
            try:
                noticed_by, more_s = self.run(stage, limit_s)
            finally:
                file.write_text(text, "utf-8")
                os.utime(file, ns=(dates.st_atime_ns, dates.st_mtime_ns))
            used_s += more_s
            if noticed_by:
                return TriedMutant(mutant, noticed_by, used_s)
        return TriedMutant(mutant, "", used_s)

    def _write(self, file: Path, text: str) -> None:
        """Write a module with a date that no compiled form of it has."""
        file.write_text(text, "utf-8")
        self.written += 1
        changed_s = file.stat().st_mtime + self.written
        os.utime(file, (changed_s, changed_s))

    def run(self, stage: Stage, limit_s: int | None) -> tuple[str, float]:
        """Run a stage; return its first failing test, and the processor time that it took.

        That is "time" where no test failed in time, and "" where all passed.
        """
        with (self.folder / "output").open("w+", encoding="utf-8") as output:
            child = self._start(stage, output, limit_s)
            ending = Timer(limit_s * WAITS, _end, [child]) if limit_s else None
            if ending:
                ending.start()
            try:
                _, status, usage = os.wait4(child.pid, 0)
            finally:
                if ending:
                    ending.cancel()
                _end(child)
            child.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            printed = output.read()
        used_s = usage.ru_utime + usage.ru_stime
        if child.returncode in (PASSED, NO_TESTS):
            return "", used_s
        if child.returncode < 0:
            return "time", used_s
        failed = FAILED.search(printed)
        return failed[1] if failed else f"status {child.returncode}: {printed[-300:]}", used_s

    def _start(self, stage: Stage, output: IO[str], limit_s: int | None) -> subprocess.Popen[bytes]:
        """Start pytest as the head of a group of its own, within a limit of processor time."""
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "-m", "not long",
            "-p", "no:cacheprovider", "-p", "no:schemathesis", *stage.tests,
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(self.tree), "TMPDIR": str(self.folder)}
        if not stage.compiled:
            environment["NUMBA_DISABLE_JIT"] = "1"
        limited = None if limit_s is None else partial(setrlimit, RLIMIT_CPU, (limit_s, limit_s))
        return subprocess.Popen(
            command, cwd=self.tree, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=limited,  # noqa: PLW1509 - nothing else runs in the child
        )  # fmt: skip


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a run and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
