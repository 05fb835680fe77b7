"""Many seeds at once: worker processes that carry out trials, and a parent that collects outcomes.

Each worker has a pipe of its own and gets one seed at a time, so that a worker that dies (a signal,
too little memory) is reported with its seed, and replaced. Ctrl-C reaches only the parent, which
ends its workers; a worker whose parent is gone ends itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, TypeAlias

from tests.swarm.run import Outcome, carry_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from tests.swarm.trial import Trial

STOP_S = 5.0
WITHIN_S = 120.0
"""A trial takes far less; one that takes longer hangs, and its worker is ended."""

Draw: TypeAlias = "Callable[[int], Trial]"


@dataclass(slots=True)
class SeedWorker:
    """A worker process, the parent's end of its pipe, and the seed that it has."""

    process: BaseProcess
    connection: Connection
    seed: int | None = None


def run_seeds(seeds: range, draw: Draw, jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of every seed as it comes; closing the iterator ends the workers."""
    waiting = iter(seeds)
    workers: list[SeedWorker] = []
    lifeline, writer = multiprocessing.Pipe(duplex=False)
    try:
        for _ in range(min(jobs, len(seeds))):
            workers.append(_start(draw, lifeline, writer, workers))
            _hand_out(workers[-1], waiting)
        while busy := [worker for worker in workers if worker.seed is not None]:
            ready = wait([worker.connection for worker in busy], timeout=WITHIN_S)
            for worker in busy:
                if worker.connection in ready or not ready:
                    outcome = _receive(worker)
                    if worker.connection.closed:
                        workers.remove(worker)
                        workers.append(_start(draw, lifeline, writer, workers))
                        _hand_out(workers[-1], waiting)
                    else:
                        _hand_out(worker, waiting)
                    yield outcome
    finally:
        _stop(workers)
        writer.close()
        lifeline.close()


def _start(
    draw: Draw, lifeline: Connection, writer: Connection, workers: list[SeedWorker]
) -> SeedWorker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    inherited = [writer, ours, *(worker.connection for worker in workers)]
    process = context.Process(target=_work, args=(draw, theirs, lifeline, inherited))
    process.start()
    theirs.close()
    return SeedWorker(process, ours)


def _hand_out(worker: SeedWorker, waiting: Iterator[int]) -> None:
    worker.seed = next(waiting, None)
    if worker.seed is not None:
        with contextlib.suppress(OSError):  # it died: its closed pipe is read below
            worker.connection.send(worker.seed)


def _receive(worker: SeedWorker) -> Outcome:
    """Return a worker's outcome; one that died, or that hangs, broke a law as well."""
    try:
        if worker.connection.poll():
            return worker.connection.recv()
        worker.process.kill()
        law = f"a trial takes no longer than {WITHIN_S:.0f} s"
    except (EOFError, OSError):
        law = ""
    worker.connection.close()
    worker.process.join(STOP_S)
    code = worker.process.exitcode
    how = signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
    law = law or f"no trial ends its process: {how}"
    return Outcome(worker.seed or 0, "", frozenset(), 0.0, (law,))


def _stop(workers: list[SeedWorker]) -> None:
    for worker in workers:
        worker.connection.close()
        if worker.seed is not None and worker.process.is_alive():
            worker.process.kill()
    for worker in workers:
        worker.process.join(STOP_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _work(
    draw: Draw, parent: Connection, lifeline: Connection, inherited: list[Connection]
) -> None:
    """Carry out what the parent sends until it closes the pipe. Runs in a worker process."""
    for connection in inherited:
        connection.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            parent.send(carry_out(draw(parent.recv())))


def _end_with_parent(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os.kill(os.getpid(), signal.SIGKILL)
