"""What runs in a Dask worker: the processes that judge for one run, and its tasks.

The processes belong to a plugin of the worker, which the scheduler also gives to workers that come
later, in the place of lost ones; when the run takes it away again, they end.
"""

from __future__ import annotations

import pickle
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from distributed import WorkerPlugin, get_worker

from verifier.cluster.judging_process import JudgingProcess
from verifier.cluster.machine import difference, known_machine, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documents.mistakes import InputError
    from scenarios.scenario import Scenario
    from verifier.judge.verdict import Progress, ScenarioOutcome

REPORT_EVERY_S: Final = 0.5
"""A scheduler passes every report on and keeps it: seldom enough for it, often enough to see."""


class JudgingProcesses(WorkerPlugin):
    """The judge of a run, and the processes of this worker that hold it."""

    def __init__(self, run: str, judge: bytes) -> None:
        """Start nothing yet: this is sent to the workers."""
        self.name = run
        self.judge = judge

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
        """Begin on a worker."""
        self.lock = threading.Lock()
        self.idle: list[JudgingProcess] = []
        self.processes: list[JudgingProcess] = []
        self.is_over = False

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
        """End all processes: the run is over, or the worker closes."""
        with self.lock:
            self.is_over = True
            processes, self.processes = self.processes, []
        for process in processes:
            process.stop()

    def take(self) -> JudgingProcess:
        """Return a process that judges nothing now, a new one if there is none."""
        with self.lock:
            while self.idle:
                process = self.idle.pop()
                if process.is_running:
                    return process
                self.processes.remove(process)
            process = JudgingProcess(self.judge)
            self.processes.append(process)
            if self.is_over:  # too late for the end of all
                process.stop()
            return process

    def give_back(self, process: JudgingProcess) -> None:
        """Keep a process for the next task."""
        with self.lock:
            self.idle.append(process)


def judge_on_worker(
    run: str, index: int, scenario: Scenario, here: Mapping[str, str]
) -> ScenarioOutcome | InputError | str:
    """Judge one scenario; return in a sentence why this worker must not. Runs as a Dask task."""
    worker = get_worker()
    reason = difference(here, known_machine())
    if reason is not None:
        return refusal(worker.address, reason)
    key = worker.get_current_task()
    reported_s = 0.0

    def report(progress: Progress) -> None:
        nonlocal reported_s
        if time.monotonic() - reported_s >= REPORT_EVERY_S:
            reported_s = time.monotonic()
            worker.log_event(run, pickle.dumps((index, progress)))

    def is_cancelled() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state not in {"executing", "long-running"}

    processes: Any = worker.plugins[run]
    process = processes.take()
    result: ScenarioOutcome | InputError = process.judge(scenario, report, is_cancelled)
    processes.give_back(process)
    return result
