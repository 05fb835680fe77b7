"""Many scenarios at once: worker processes that judge, and a parent that collects their outcomes.

Called by `verify` with a function that judges one scenario. Each worker has a pipe of its own to
the parent, so killing a worker can break no other. However the parent ends, its workers end after
it: it terminates them, and a worker whose parent is gone ends itself. Whatever a scenario's judge
raises becomes an invalid outcome, except a user's mistake, which ends the run.
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
from typing import TYPE_CHECKING, Final, Protocol

from documents.mistakes import InputError
from verifier.ending_signal import EndingSignal
from verifier.errors import JudgeError, internal_error, shows_tracebacks
from verifier.judge.verdict import INTERRUPTED, UNKNOWN_ENGINE, Progress, ScenarioOutcome
from verifier.run_record import ScenarioRecord
from verifier.suite_order import longest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, SpawnContext
    from multiprocessing.process import BaseProcess

    from scenarios.scenario import Scenario
    from verifier.suite_order import Cost

STOP_S: Final = 5.0
"""How long a worker may take to end its servers; then it is killed."""
_FORKS: Final = sys.platform == "linux"
"""Elsewhere a fork of a process with threads is not safe: macOS aborts it."""


class Judge(Protocol):
    """Judges one scenario; calls `report` with its progress, often enough for a person."""

    def __call__(
        self, scenario: Scenario, report: Callable[[Progress], None], /
    ) -> ScenarioOutcome:
        """Run the scenario and judge it; raise `InputError` or `JudgeError`."""


class Watcher(Protocol):
    """Shows how a suite goes."""

    def progress(self, progress: Progress) -> None:
        """Show the progress of a scenario."""

    def done(self, outcome: ScenarioOutcome) -> None:
        """Show the outcome of a scenario."""


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_suite(
    scenarios: Sequence[Scenario],
    judge: Judge,
    watcher: Watcher,
    *,
    jobs: int,
    cost_s: Cost | None = None,
) -> list[ScenarioOutcome]:
    """Return an outcome for every scenario, in order, judged by at most `jobs` processes at once.

    The dearest by `cost_s` begins first; None: what virtual time is expected to take.

    On Linux the workers are forks, so what the parent prepared is there without a copy. With one
    job or one scenario everything happens in this process. Raises `InputError` as soon as a judge
    does; whatever is raised, no worker is left.
    """
    workers = min(jobs, len(scenarios))
    if workers <= 1:
        return [_judge_here(judge, scenario, watcher) for scenario in scenarios]
    pool = _WorkerPool(scenarios, judge, watcher)
    return pool.run(workers, longest_first(scenarios, cost_s))


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
        record=ScenarioRecord.of(scenario),
    )


def with_interrupted(
    scenarios: Sequence[Scenario], judged: Sequence[ScenarioOutcome]
) -> list[ScenarioOutcome]:
    """Return what was judged of an interrupted run, and for every other scenario that it was not.

    In the order of the scenarios. Their verdict together is never a pass.
    """
    outcomes = {outcome.name: outcome for outcome in judged}
    return [outcomes.get(s.name) or invalid_outcome(s, INTERRUPTED) for s in scenarios]


def _judge_here(judge: Judge, scenario: Scenario, watcher: Watcher) -> ScenarioOutcome:
    outcome = _judge_safely(judge, scenario, watcher.progress)
    watcher.done(outcome)
    return outcome


def _judge_safely(
    judge: Judge, scenario: Scenario, report: Callable[[Progress], None]
) -> ScenarioOutcome:
    """Return the outcome, invalid for whatever the judge raises but a user's mistake."""
    start_s = time.monotonic()
    try:
        return judge(scenario, report)
    except InputError:
        raise
    except JudgeError as error:
        reason = str(error)
    except Exception as error:
        if shows_tracebacks():
            raise
        reason = internal_error(error)
    return invalid_outcome(scenario, reason, wall_s=time.monotonic() - start_s)


@dataclass(slots=True)
class _Worker:
    """A worker process, the parent's end of its pipe, and the index of the scenario it judges."""

    process: BaseProcess
    connection: Connection
    index: int | None = None


class _WorkerPool:
    """Hands scenarios to workers, in an order, and collects their outcomes."""

    def __init__(self, scenarios: Sequence[Scenario], judge: Judge, watcher: Watcher) -> None:
        self.scenarios = scenarios
        self.judge = judge
        self.watcher = watcher
        self.workers: list[_Worker] = []
        self.outcomes: dict[int, ScenarioOutcome] = {}
        self.context: ForkContext | SpawnContext = (
            multiprocessing.get_context("fork") if _FORKS else multiprocessing.get_context("spawn")
        )
        # Its writing end closes when the parent ends, however that happens: workers wait for that.
        self.lifeline, self.lifeline_writer = self.context.Pipe(duplex=False)

    def run(self, count: int, order: Sequence[int]) -> list[ScenarioOutcome]:
        waiting = deque(order)
        try:
            while len(self.outcomes) < len(self.scenarios):
                # A worker that died is replaced; each death used up a scenario, so this ends.
                self._hand_out(waiting)
                while waiting and len(self.workers) < count:
                    self._start()
                    self._hand_out(waiting)
                self._receive()
        finally:
            self._stop()
            self.lifeline_writer.close()
            self.lifeline.close()
        return [self.outcomes[index] for index in range(len(self.scenarios))]

    def _start(self) -> None:
        ours, theirs = self.context.Pipe()
        # A fork inherits the parent's ends of all pipes: while it holds them, none seems closed.
        inherited = (
            [self.lifeline_writer, ours, *(w.connection for w in self.workers)] if _FORKS else []
        )
        process = self.context.Process(
            target=work, args=(self.judge, theirs, self.lifeline, inherited)
        )
        process.start()
        theirs.close()
        self.workers.append(_Worker(process, ours))

    def _hand_out(self, waiting: deque[int]) -> None:
        for worker in self.workers:
            if worker.index is None and waiting:
                worker.index = waiting.popleft()
                with contextlib.suppress(OSError):  # it died: its closed pipe is read below
                    worker.connection.send(self.scenarios[worker.index])

    def _receive(self) -> None:
        """Wait for messages, and handle each."""
        busy = [worker for worker in self.workers if worker.index is not None]
        ready = wait([worker.connection for worker in busy])
        for worker in busy:
            if worker.connection in ready and worker.index is not None:
                self._handle_message(worker, worker.index)

    def _handle_message(self, worker: _Worker, index: int) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            message = invalid_outcome(self.scenarios[index], self._remove(worker))
        if isinstance(message, Progress):
            self.watcher.progress(message)
            return
        if isinstance(message, Exception):
            raise message
        worker.index = None
        self.outcomes[index] = message
        self.watcher.done(message)

    def _remove(self, worker: _Worker) -> str:
        """Remove a worker that died; return how it ended."""
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


def work(
    judge: Judge,
    parent: Connection,
    lifeline: Connection,
    inherited: list[Connection],
    *,
    idle_s: float | None = None,
) -> None:
    """Judge what the parent sends until it closes the pipe, or sends nothing for `idle_s`.

    Runs in a worker process, of this machine or of a cluster.
    """
    for connection in inherited:
        connection.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    EndingSignal().listen((signal.SIGTERM,))
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    # A pipe that is closed at any point means that the parent has ended.
    with contextlib.suppress(EOFError, OSError):
        while parent.poll(idle_s):
            scenario = parent.recv()
            try:
                parent.send(_judge_safely(judge, scenario, parent.send))
            except InputError as error:
                parent.send(error)


def _end_with_parent(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os.kill(os.getpid(), signal.SIGTERM)
