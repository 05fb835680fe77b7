"""Many scenarios at once: worker processes that judge, one parent that listens and cleans up.

Called by the front door with a function that judges one scenario. Each worker talks to the parent
over a pipe of its own, so killing one can break no other. However the parent ends, its workers end
after it: it tells them to, and a worker whose parent is gone ends itself. Whatever a scenario's
judge raises becomes an invalid outcome, except a user's mistake, which ends the run.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from documents.mistakes import InputError
from verifier.errors import JudgeError
from verifier.judge.verdict import UNKNOWN_ENGINE, Progress, ScenarioOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

    from scenarios.scenario import Scenario

STOP_S = 5.0
_FORKS = sys.platform == "linux"


class Judge(Protocol):
    """Judges one scenario; tells `report` how far it is, often enough for a person."""

    def __call__(
        self, scenario: Scenario, report: Callable[[Progress], None], /
    ) -> ScenarioOutcome:
        """Run the scenario and judge it; raise `InputError` or `JudgeError`."""


class Watcher(Protocol):
    """Hears how a suite goes."""

    def progress(self, progress: Progress) -> None:
        """Hear how far a scenario is."""

    def done(self, outcome: ScenarioOutcome) -> None:
        """Hear that a scenario was judged."""


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_suite(
    scenarios: Sequence[Scenario], judge: Judge, watcher: Watcher, *, jobs: int
) -> list[ScenarioOutcome]:
    """Return an outcome for every scenario, in order, judged by at most `jobs` processes at once.

    On Linux the workers are forks, so what the parent prepared is there without a copy. With one
    job or one scenario everything happens in this process. Raises `InputError` as soon as a judge
    does; whatever is raised, no worker is left.
    """
    workers = min(jobs, len(scenarios))
    if workers <= 1:
        return [_alone(judge, scenario, watcher) for scenario in scenarios]
    return _Pool(scenarios, judge, watcher).run(workers)


def longest_first(scenarios: Sequence[Scenario]) -> list[int]:
    """Return the indices of the scenarios as they are begun: nobody waits for a long one alone."""
    return sorted(range(len(scenarios)), key=lambda i: scenarios[i].duration_s, reverse=True)


def invalid_outcome(scenario: Scenario, reason: str, *, wall_s: float = 0.0) -> ScenarioOutcome:
    """Return the outcome of a scenario that could not be judged."""
    return ScenarioOutcome(
        name=scenario.name,
        seed=scenario.seed,
        engine=UNKNOWN_ENGINE,
        duration_s=scenario.duration_s,
        exact_s=0.0,
        resampled_s=0.0,
        wall_s=wall_s,
        invalid=(reason,),
    )


def _alone(judge: Judge, scenario: Scenario, watcher: Watcher) -> ScenarioOutcome:
    outcome = _judged(judge, scenario, watcher.progress)
    watcher.done(outcome)
    return outcome


def _judged(
    judge: Judge, scenario: Scenario, report: Callable[[Progress], None]
) -> ScenarioOutcome:
    start_s = time.monotonic()
    try:
        return judge(scenario, report)
    except InputError:
        raise
    except JudgeError as error:
        reason = str(error)
    except Exception as error:
        if os.environ.get("AGENTASKIT_SIM_TRACEBACK"):
            raise
        reason = (
            f"internal error: {type(error).__name__}: {error} (AGENTASKIT_SIM_TRACEBACK=1 shows"
            " where; please report it)"
        )
    return invalid_outcome(scenario, reason, wall_s=time.monotonic() - start_s)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    index: int | None = None
    """Which scenario it judges."""


class _Pool:
    """Hands scenarios to workers, longest first, and gathers what they say."""

    def __init__(self, scenarios: Sequence[Scenario], judge: Judge, watcher: Watcher) -> None:
        self.scenarios = scenarios
        self.judge = judge
        self.watcher = watcher
        self.workers: list[_Worker] = []
        self.outcomes: dict[int, ScenarioOutcome] = {}
        self.context: BaseContext = multiprocessing.get_context("fork" if _FORKS else "spawn")
        self.lifeline, self.held = self.context.Pipe(duplex=False)

    def run(self, count: int) -> list[ScenarioOutcome]:
        waiting = deque(longest_first(self.scenarios))
        try:
            while len(self.outcomes) < len(self.scenarios):
                # A worker that died is replaced; each death used up a scenario, so this ends.
                self._hand_out(waiting)
                while waiting and len(self.workers) < count:
                    self._start()
                    self._hand_out(waiting)
                self._listen()
        finally:
            self._stop()
            self.held.close()
            self.lifeline.close()
        return [self.outcomes[index] for index in range(len(self.scenarios))]

    def _start(self) -> None:
        ours, theirs = self.context.Pipe()
        # A fork inherits the parent's ends of all pipes; while it holds one, nobody sees it close.
        inherited = [self.held, ours, *(w.connection for w in self.workers)] if _FORKS else []
        process = self.context.Process(  # type: ignore[attr-defined]
            target=_work, args=(self.judge, theirs, self.lifeline, inherited)
        )
        process.start()
        theirs.close()
        self.workers.append(_Worker(process, ours))

    def _hand_out(self, waiting: deque[int]) -> None:
        for worker in self.workers:
            if worker.index is None and waiting:
                worker.index = waiting.popleft()
                with contextlib.suppress(OSError):  # it died: what it does not say tells us
                    worker.connection.send(self.scenarios[worker.index])

    def _listen(self) -> None:
        busy = [worker for worker in self.workers if worker.index is not None]
        heard = wait([worker.connection for worker in busy])
        for worker in busy:
            if worker.connection in heard and worker.index is not None:
                self._hear(worker, worker.index)

    def _hear(self, worker: _Worker, index: int) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            message = invalid_outcome(self.scenarios[index], self._bury(worker))
        if isinstance(message, Progress):
            self.watcher.progress(message)
            return
        if isinstance(message, Exception):
            raise message
        worker.index = None
        self.outcomes[index] = message
        self.watcher.done(message)

    def _bury(self, worker: _Worker) -> str:
        """Forget a worker that died; return how it ended."""
        self.workers.remove(worker)
        worker.connection.close()
        worker.process.join(STOP_S)
        code = worker.process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
        return f"its worker process ended with {how}: out of memory?"

    def _stop(self) -> None:
        for worker in self.workers:
            worker.connection.close()
            if worker.index is not None and worker.process.is_alive():
                worker.process.terminate()
        deadline_s = time.monotonic() + STOP_S
        for worker in self.workers:
            worker.process.join(max(0.0, deadline_s - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _work(judge: Judge, parent: Connection, lifeline: Connection, inherited: list[Any]) -> None:
    """Judge what the parent sends until it closes the pipe. Runs in a worker process."""
    for connection in inherited:
        connection.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who then ends us
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    # A closed pipe at any point means that nobody listens any more.
    with contextlib.suppress(EOFError, OSError):
        while True:
            scenario = parent.recv()
            try:
                parent.send(_judged(judge, scenario, parent.send))
            except InputError as error:
                parent.send(error)


def _leave(_number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + signal.SIGTERM)


def _end_with_parent(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os.kill(os.getpid(), signal.SIGTERM)
