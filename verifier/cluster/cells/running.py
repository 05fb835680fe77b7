"""One scenario whose cells are simulated by the workers of a Dask cluster; the rest stays here.

The router, the record and the Prometheus that judges are with the caller. What a lost worker held
is gone, so the scenario begins anew on the workers that are left.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from verifier.cluster.cells.distant_cell import DistantCells
from verifier.cluster.cells.worker_side import CellsOfWorker
from verifier.cluster.connection import connect, require_same_machines, require_scheduler
from verifier.errors import JudgeError
from verifier.suite import run_suite
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.scenario import Scenario
    from verifier.cluster.cells.worker_side import CellStatus, Command, Lineage, Question
    from verifier.judge.verdict import Progress, ScenarioOutcome
    from verifier.suite import Watcher

    SuiteJudge = Callable[[HealthyWorlds, Scenario, Callable[[Progress], None]], ScenarioOutcome]

LOSSES_MAX: Final = 3
"""So often a scenario begins anew; the fourth loss of a worker makes it invalid."""
LOOK_S: Final = 2.0
"""How often it is seen whether a worker that has not answered is still there."""
GONE_S: Final = 30.0
"""A scheduler has noticed by then that a worker is gone."""
NO_WORKERS_S: Final = 60.0
"""A cluster without any worker for so long will not have one."""


class CellsLostError(JudgeError):
    """A worker is gone, and the cells with it."""

    def __init__(self, worker: str) -> None:
        """Name the worker."""
        super().__init__(f"worker {worker} was lost, and the cells that it simulated with it")
        self.worker = worker


def run_cells_on_cluster(
    scenario: Scenario,
    judge: SuiteJudge,
    watcher: Watcher,
    address: str,
    *,
    say: Callable[[str], None],
) -> list[ScenarioOutcome]:
    """Return the outcome of one scenario of several cells, simulated by a scheduler's workers.

    `say` is told when it begins anew. Raises `InputError` as the judge does, `JudgeError` for a
    cluster that cannot simulate.
    """
    with connect(address) as client:
        require_same_machines(client)

        def judge_anew(scenario: Scenario, report: Callable[[Progress], None]) -> ScenarioOutcome:
            for lost in range(LOSSES_MAX + 1):
                try:
                    with cells_on_workers(client, scenario.topology.cells) as cells:
                        return judge(HealthyWorlds(build=cells.build), scenario, report)
                except CellsLostError as error:
                    if lost == LOSSES_MAX:
                        raise JudgeError(f"{error} ({lost + 1} times): out of memory?") from error
                    say(f"{error}: {scenario.name} begins anew")
                    _wait_until_gone(client, error.worker)
            raise AssertionError  # the last loss is raised

        return run_suite([scenario], judge_anew, watcher, jobs=1)


@contextlib.contextmanager
def worlds_on_cluster(address: str, cells: int) -> Iterator[HealthyWorlds]:
    """Give healthy worlds of so many cells, simulated by a scheduler's workers.

    Raises `JudgeError` as `run_cells_on_cluster` does; `CellsLostError` comes out of a world that
    is asked for something.
    """
    with connect(address) as client:
        require_same_machines(client)
        with cells_on_workers(client, cells) as there:
            yield HealthyWorlds(build=there.build)


@contextlib.contextmanager
def cells_on_workers(client: Any, cells: int) -> Iterator[DistantCells]:
    """Give room for the cells of one system on the workers that there are; at the end it is gone.

    Raises `JudgeError` where there are none, or one that is not like this machine.
    """
    _wait_for_workers(client)
    require_same_machines(client)
    workers = _workers(client)[:cells]
    room = _Room(client, workers)
    try:
        room.begin()
        yield DistantCells(len(workers), room.exchange)
    finally:
        room.end()


def _workers(client: Any) -> list[str]:
    """Return the addresses of the workers that the scheduler knows, always in the same order."""
    require_scheduler(client, client.scheduler.address, within_s=0.0)
    return sorted(client.nthreads())


def _wait_until_gone(client: Any, worker: str) -> None:
    until_s = time.monotonic() + GONE_S
    while worker in _workers(client) and time.monotonic() < until_s:
        time.sleep(LOOK_S / 10)


def _wait_for_workers(client: Any) -> None:
    until_s = time.monotonic() + NO_WORKERS_S
    while not _workers(client):
        if time.monotonic() > until_s:
            raise JudgeError(
                f"the cluster has had no worker for {NO_WORKERS_S:g} s: start some, and run it"
                " again"
            )
        time.sleep(LOOK_S / 10)


class _Room:
    """An actor on each worker, and the talk with all of them."""

    def __init__(self, client: Any, workers: Sequence[str]) -> None:
        self.client, self.workers = client, workers
        self.tasks: list[Any] = []
        self.actors: list[Any] = []

    def begin(self) -> None:
        """Start the actors."""
        self.tasks = [
            self.client.submit(CellsOfWorker, actor=True, workers=[worker], pure=False)
            for worker in self.workers
        ]
        self.actors = [self._result(*pair) for pair in zip(self.tasks, self.workers, strict=True)]

    def exchange(
        self, commands: Sequence[list[Command]], question: Question, lineage: Lineage
    ) -> list[dict[int, tuple[CellStatus, Any]]]:
        """Ask every worker at once; raise `CellsLostError` when one is gone."""
        asked = []
        with self.client.as_current():  # an actor looks for its client there
            for actor, worker, waiting in zip(self.actors, self.workers, commands, strict=True):
                try:
                    asked.append(actor.ask(waiting, question, lineage))
                except RuntimeError as error:  # it is known to be lost
                    raise self._loss(worker) from error
        return [self._result(*pair) for pair in zip(asked, self.workers, strict=True)]

    def _result(self, asked: Any, worker: str) -> Any:
        """Wait for an answer as long as the worker is there."""
        while True:
            try:
                return asked.result(timeout=LOOK_S)
            except TimeoutError as error:
                if asked.done() or worker not in _workers(self.client):
                    raise CellsLostError(worker) from error
            except (OSError, KeyError, RuntimeError) as error:
                # No way to it, or another actor in the place of the one that had the cells.
                raise self._loss(worker) from error

    def _loss(self, worker: str) -> CellsLostError:
        """Return that a worker is lost; raise `SchedulerLostError` if that is why it is silent."""
        require_scheduler(self.client, self.client.scheduler.address)
        return CellsLostError(worker)

    def end(self) -> None:
        """Let the actors go."""
        self.actors = []
        with contextlib.suppress(Exception):
            self.client.cancel(self.tasks, force=True)
        self.tasks = []
