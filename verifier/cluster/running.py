"""A suite of scenarios judged by a Dask cluster, as `verifier.suite` judges it on one machine.

Called in the place of `run_suite`. The same judge goes to every worker, with all that was read from
the user's files in it, so workers need none of these files. Each scenario is a task: the scheduler
gives that of a lost worker to another one. An outcome is counted once, when its task's result
comes. However the run ends, its tasks are cancelled and the processes on the workers end.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from documents.mistakes import InputError
from verifier.cluster.connection import connect, require_same_machines, require_scheduler
from verifier.errors import JudgeError
from verifier.judge.verdict import ScenarioOutcome
from verifier.suite import invalid_outcome
from verifier.suite_order import longest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from verifier.judge.verdict import Progress
    from verifier.suite import Judge, Watcher

RETRIES: Final = 2
"""A process that dies in a scenario is replaced so often: a third death is no accident."""
LOOK_S: Final = 2.0
"""How often it is seen whether there are any workers left."""
NO_WORKERS_S: Final = 60.0
"""A cluster without any worker for so long will not have one."""
CLEAN_UP_S: Final = 15.0


def run_on_cluster(
    scenarios: Sequence[Scenario], judge: Judge, watcher: Watcher, address: str
) -> list[ScenarioOutcome]:
    """Return an outcome for every scenario, in order, judged by the workers of a scheduler.

    Raises `InputError` as soon as a judge does, `JudgeError` for a cluster that cannot judge, and
    `SchedulerLostError` in the middle of it: the watcher has what was judged so far.
    """
    with connect(address) as client:
        here = require_same_machines(client)
        run = _ClusterRun(scenarios, watcher, client, address)
        try:
            run.submit(judge, here)
            return run.collect()
        finally:
            run.end()


class _ClusterRun:
    """The tasks of one run, and what has come of them."""

    def __init__(
        self, scenarios: Sequence[Scenario], watcher: Watcher, client: Any, address: str
    ) -> None:
        self.scenarios = scenarios
        self.watcher = watcher
        self.client, self.address = client, address
        self.name = f"agentaskit-sim-{secrets.token_hex(8)}"
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.tasks: dict[Any, int] = {}
        self.outcomes: dict[int, ScenarioOutcome] = {}

    def submit(self, judge: Judge, here: object) -> None:
        """Give the workers the judge, and the scheduler a task for every scenario."""
        from verifier.cluster.worker_side import (  # noqa: PLC0415 - an extra that may be missing
            JudgingProcesses,
            judge_on_worker,
        )

        self.client.register_plugin(JudgingProcesses(self.name, pickle.dumps(judge)))
        self.client.subscribe_topic(self.name, self._hear)
        for rank, index in enumerate(longest_first(self.scenarios)):
            task = self.client.submit(
                judge_on_worker,
                self.name,
                index,
                self.scenarios[index],
                here,
                key=f"{self.name}-{index}",
                pure=False,
                priority=-rank,
                retries=RETRIES,
            )
            self.tasks[task] = index
            task.add_done_callback(self.events.put)

    def _hear(self, event: tuple[object, Any]) -> None:
        """Take a worker's report: called in a thread of the client."""
        message = event[1]
        if isinstance(message, bytes):
            self.events.put(pickle.loads(message))  # noqa: S301 - our workers pickled it

    def collect(self) -> list[ScenarioOutcome]:
        """Wait for every outcome."""
        last_seen_s = time.monotonic()
        while len(self.outcomes) < len(self.scenarios):
            try:
                event = self.events.get(timeout=LOOK_S)
            except queue.Empty:
                if self.client.scheduler_info()["workers"]:
                    last_seen_s = time.monotonic()
                elif time.monotonic() - last_seen_s > NO_WORKERS_S:
                    raise JudgeError(
                        f"the cluster has had no worker for {NO_WORKERS_S:g} s: start some, and run"
                        " it again"
                    ) from None
                continue
            if isinstance(event, tuple):
                self._show(*event)
            else:
                self._count(event)
        return [self.outcomes[index] for index in range(len(self.scenarios))]

    def _show(self, index: int, progress: Progress) -> None:
        if index not in self.outcomes:
            self.watcher.progress(progress)

    def _count(self, task: Any) -> None:
        """Count what a task that is done gives, unless that was counted already."""
        index = self.tasks[task]
        if index in self.outcomes:
            return
        outcome = self._result(task, self.scenarios[index])
        self.outcomes[index] = outcome
        self.watcher.done(outcome)

    def _result(self, task: Any, scenario: Scenario) -> ScenarioOutcome:
        if task.status == "cancelled":
            require_scheduler(self.client, self.address, within_s=0.0)
            raise JudgeError(
                "the scheduler was started anew, or somebody cancelled the run there: run it again"
            )
        try:
            result = task.result()
        except Exception as error:  # noqa: BLE001 - whatever ended it on the worker
            return invalid_outcome(scenario, _in_words(error))
        if isinstance(result, InputError):
            raise result
        if isinstance(result, str):
            raise JudgeError(result)
        if not isinstance(result, ScenarioOutcome):
            raise TypeError(f"a task must give an outcome, got {result!r}")
        return result

    def end(self) -> None:
        """Cancel what is not done, and end the processes on the workers."""
        with contextlib.suppress(Exception):
            self.client.unsubscribe_topic(self.name)
        if self.client.status != "running":
            return
        with contextlib.suppress(Exception):
            self.client.cancel(list(self.tasks), force=True)
        with contextlib.suppress(Exception):
            self.client.sync(
                self.client._unregister_worker_plugin,  # noqa: SLF001 - the public one has no limit
                name=self.name,
                callback_timeout=CLEAN_UP_S,
            )


def _in_words(error: Exception) -> str:
    """Return why a task gave nothing, in a sentence."""
    if type(error).__name__ == "KilledWorker":
        return "the workers that judged it were lost, several in a row: out of memory?"
    if type(error).__name__ == "ProcessLostError":
        return f"{error} ({RETRIES + 1} times)"
    return f"internal error on a worker: {type(error).__name__}: {error} (please report it)"
