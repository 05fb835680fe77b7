"""A process on a worker's machine that judges one scenario after another, and can be ended.

A thread of a Dask worker cannot be interrupted, and would leave its Prometheus running; a process
that is told to end takes its servers with it. It runs what a worker of one machine runs
(`verifier.suite.work`), over the same two pipes: one for scenarios and outcomes, and one that
closes when the Dask worker ends, however that happens.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from documents.mistakes import InputError
from verifier.judge.verdict import Progress, ScenarioOutcome
from verifier.servers.binaries import PROJECT, TOOLS_VARIABLE
from verifier.servers.child_environment import child_environment
from verifier.suite import STOP_S, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.scenario import Scenario

POLL_S: Final = 0.2
"""How often a process that judges is asked whether its task was cancelled meanwhile."""
OUR_VARIABLES: Final = ("PYTHONPATH", "NUMBA_CACHE_DIR", TOOLS_VARIABLE)
"""What this program reads itself, beside what every child of it gets."""
IDLE_S: Final = 60.0
"""A process that gets nothing for so long ends: whoever began the run may have been killed."""


class ProcessLostError(RuntimeError):
    """The process ended in the middle of a scenario: its work is to be done again."""


class CancelledTaskError(RuntimeError):
    """Nobody waits for the outcome any more."""


class JudgingProcess:
    """One process with the judge of a run, started at once; `stop` ends it and its servers."""

    def __init__(self, judge: bytes) -> None:
        """Start it with a pickled judge."""
        self._connection, theirs = multiprocessing.Pipe()
        lifeline, self._lifeline = multiprocessing.Pipe(duplex=False)
        numbers = (theirs.fileno(), lifeline.fileno())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "verifier.cluster.judging_process", *map(str, numbers)],
            pass_fds=numbers,
            env=child_environment(**{n: os.environ[n] for n in OUR_VARIABLES if n in os.environ}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=PROJECT,
            start_new_session=True,  # Ctrl-C at the worker reaches the worker, which ends us
        )
        theirs.close()
        lifeline.close()
        with contextlib.suppress(OSError):  # it ended: that is seen when it is asked to judge
            self._connection.send_bytes(judge)

    @property
    def is_running(self) -> bool:
        """Whether it can be asked to judge."""
        return self._process.poll() is None

    def judge(
        self,
        scenario: Scenario,
        report: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
    ) -> ScenarioOutcome | InputError:
        """Return the outcome; raise `ProcessLostError` or `CancelledTaskError`, and be stopped."""
        try:
            self._connection.send(scenario)
            while True:
                while not self._connection.poll(POLL_S):
                    if is_cancelled():
                        self.stop()
                        raise CancelledTaskError
                message = self._connection.recv()
                if isinstance(message, Progress):
                    report(message)
                elif isinstance(message, ScenarioOutcome | InputError):
                    return message
                else:
                    raise TypeError(f"a judging process must send outcomes, got {message!r}")
        except (EOFError, OSError) as error:
            self.stop()
            status = self._process.returncode
            raise ProcessLostError(
                f"its process on the worker ended with status {status}: out of memory?"
            ) from error

    def stop(self) -> None:
        """End the process and its servers; may be called twice, and from another thread."""
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._lifeline.close()


def main() -> None:
    """Judge what comes over the pipes whose numbers are the arguments."""
    connection, lifeline = (Connection(int(number)) for number in sys.argv[1:3])
    judge = pickle.loads(connection.recv_bytes())  # noqa: S301 - it comes from the process above
    work(judge, connection, lifeline, [], idle_s=IDLE_S)


if __name__ == "__main__":
    main()
