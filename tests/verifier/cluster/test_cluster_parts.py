"""A run on a cluster in its parts, with a client of the test: no scheduler, no worker, no wait."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest

from documents.mistakes import InputError
from tests.verifier.outcomes import outcome
from tests.verifier.simulations import scenario_of
from verifier.cluster import connection, running, worker_side
from verifier.cluster.connection import (
    SchedulerLostError,
    check_address,
    require_same_machines,
    require_scheduler,
)
from verifier.cluster.judging_process import ProcessLostError
from verifier.cluster.running import _ClusterRun, _in_words
from verifier.cluster.worker_side import JudgingProcesses, judge_on_worker
from verifier.errors import JudgeError


class WaitingClock:
    """A monotonic clock that moves by sleeping."""

    def __init__(self):
        """Begin at 0."""
        self.now_s = 0.0

    def monotonic(self):
        """Return the time."""
        return self.now_s

    def sleep(self, seconds):
        """Move."""
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch):
    """Let all modules go by a clock of the test."""
    own = WaitingClock()
    for module in (connection, running, worker_side):
        monkeypatch.setattr(module, "time", own)
    return own


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("tcp://a:1", True), ("tls://a.b:65535/", True), ("tcp://[::1]:8786", True),
        ("tcp://a:0", False), ("tcp://a:65536", False), ("tcp://a", False), ("http://a:1", False),
        ("a:1", False), ("tcp://a:1/x", False), ("tcp://a b:1", False), ("tcp://:1", False),
    ],
)  # fmt: skip
def test_an_address_is_that_of_a_scheduler(address, fits):
    """Anything else is refused before anybody is asked."""
    if fits:
        check_address(address)
        return
    with pytest.raises(InputError, match="--cluster must be the address of a Dask scheduler"):
        check_address(address)


def test_a_scheduler_is_waited_for_as_long_as_its_loss_takes_to_be_noticed(clock):
    """One that is there for so long is there."""
    client = SimpleNamespace(status="running")
    require_scheduler(client, "tcp://a:1")
    assert clock.now_s == pytest.approx(1.0)
    require_scheduler(client, "tcp://a:1", within_s=0.0)
    assert clock.now_s == pytest.approx(1.0)
    client.status = "closed"
    with pytest.raises(SchedulerLostError, match="the scheduler at tcp://a:1 is gone"):
        require_scheduler(client, "tcp://a:1", within_s=0.0)


HERE = {"a": "1"}


@pytest.mark.parametrize(
    ("machines", "said"),
    [
        ({"w1": HERE, "w2": HERE}, ""),
        ({}, "the cluster has no workers: start one by"),
        ({"w2": {"a": "2"}, "w1": {"a": "3"}}, "worker w1 would not judge as this machine does: a"),
        ({"w1": HERE, "w2": ValueError("no")}, ("worker w2 would not judge as this machine does: it"
         " cannot run agentaskit-sim (no); install the same on both")),
        (ValueError("gone"), "the cluster's workers do not answer (gone): look at their logs"),
    ],
)  # fmt: skip
def test_every_worker_must_be_like_this_machine(monkeypatch, machines, said):
    """The first by address is named."""
    monkeypatch.setattr(connection, "this_machine", lambda: HERE)

    def run(asked, *, on_error):
        assert (asked(), on_error) == (HERE, "return")
        if isinstance(machines, Exception):
            raise machines
        return machines

    client = SimpleNamespace(run=run)
    if not said:
        assert require_same_machines(client) == HERE
        return
    with pytest.raises(JudgeError) as raised:
        require_same_machines(client)
    assert str(raised.value).startswith(said)


class Task:
    """A task that gives something, or fails."""

    def __init__(self, result=None, *, failure=None, status="finished"):
        """Be done."""
        self._result, self._failure, self.status = result, failure, status

    def add_done_callback(self, done):
        """Be done at once."""
        self.done = done

    def result(self):
        """Return what it gives."""
        if self._failure is not None:
            raise self._failure
        return self._result


class TaskClient:
    """A client of a scheduler that gives tasks as it is told."""

    status = "running"

    def __init__(self, *tasks, workers=({"w": 1},)):
        """Begin with nothing submitted."""
        self.tasks, self.workers, self.submitted, self.notes = list(tasks), list(workers), [], []

    def register_plugin(self, plugin):
        """Note the judge."""
        self.notes.append(pickle.loads(plugin.judge))  # noqa: S301 - it was pickled here

    def subscribe_topic(self, name, hear):
        """Keep who hears."""
        self.notes.append(name)
        self.hear = hear

    def submit(self, work, *arguments, **options):
        """Note a task, and return it."""
        self.submitted.append((work, arguments, options))
        return self.tasks[len(self.submitted) - 1]

    def scheduler_info(self):
        """Return the workers, for the last time those that are left."""
        return {"workers": self.workers.pop(0) if len(self.workers) > 1 else self.workers[0]}


class Watching:
    """Notes what it is shown."""

    def __init__(self):
        """Begin with nothing."""
        self.shown = []

    def progress(self, progress):
        """Note it."""
        self.shown.append(progress)

    def done(self, finished):
        """Note it."""
        self.shown.append(finished.name)


SCENARIOS = [scenario_of(f"duration: {minutes}m\n") for minutes in (5, 30, 10)]


def run_of(*tasks, **options):
    """Return a run of three scenarios, its client and its watcher."""
    client, watcher = TaskClient(*tasks, **options), Watching()
    run = _ClusterRun(SCENARIOS, watcher, client, "tcp://a:1")
    run.submit(len, HERE)
    return run, client, watcher


def test_the_longest_scenario_is_submitted_first_and_outcomes_are_in_order():
    """Each counted once; a report of what is done already is not shown."""
    tasks = [Task(outcome(name)) for name in ("long", "middle", "short")]
    run, client, watcher = run_of(*tasks)
    assert client.notes == [len, run.name]
    assert [
        (work, arguments, options["key"], options["priority"], options["retries"], options["pure"])
        for work, arguments, options in client.submitted
    ] == [
        (judge_on_worker, (run.name, index, SCENARIOS[index], HERE), f"{run.name}-{index}",
         -rank, 2, False)
        for rank, index in enumerate((1, 2, 0))
    ]  # fmt: skip
    client.hear((0.0, pickle.dumps((1, "half"))))
    client.hear((0.0, "no report"))
    for task in (tasks[0], tasks[2], tasks[0]):
        task.done(task)
    client.hear((0.0, pickle.dumps((1, "late"))))
    tasks[1].done(tasks[1])
    assert [each.name for each in run.collect()] == ["short", "long", "middle"]
    assert watcher.shown == ["half", "long", "short", "middle"]


@pytest.mark.parametrize(
    ("task", "kind", "said"),
    [
        (Task(InputError("bad")), InputError, "bad"),
        (Task("refused"), JudgeError, "refused"),
        (Task(7), TypeError, "a task must give an outcome, got 7"),
        (Task(status="cancelled"), JudgeError, "the scheduler was started anew, or somebody"),
    ],
)
def test_a_task_that_gives_no_outcome_ends_the_run(task, kind, said):
    """By what it gives instead."""
    run, _, _ = run_of(task, Task(), Task())
    task.done(task)
    with pytest.raises(kind, match=f"^{said}"):
        run.collect()


def test_a_task_that_was_cancelled_with_its_scheduler_says_so(clock):
    """At once: it is known by then."""
    run, client, _ = run_of(Task(status="cancelled"), Task(), Task())
    client.status = "closed"
    client.tasks[0].done(client.tasks[0])
    with pytest.raises(SchedulerLostError):
        run.collect()
    assert clock.now_s == 0.0


KilledWorker = type("KilledWorker", (Exception,), {})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KilledWorker(), "the workers that judged it were lost, several in a row: out of memory?"),
        (ProcessLostError("it ended"), "it ended (3 times)"),
        (ValueError("x"), "internal error on a worker: ValueError: x (please report it)"),
    ],
)
def test_what_ended_a_task_makes_its_scenario_invalid(error, said):
    """The others go on."""
    assert _in_words(error) == said
    tasks = [Task(failure=error), Task(outcome("b")), Task(outcome("c"))]
    run, _, _ = run_of(*tasks)
    for task in tasks:
        task.done(task)
    _, invalid, _ = run.collect()
    assert (invalid.verdict, invalid.invalid) == ("invalid", (said,))


def test_a_cluster_without_workers_is_waited_for_for_a_minute(monkeypatch, clock):
    """From when the last was seen."""
    monkeypatch.setattr(running, "LOOK_S", 0.001)
    seen = []

    def workers():
        seen.append(clock.now_s)
        clock.now_s += 30.0
        return {"workers": {"w": 1} if len(seen) == 2 else {}}

    run, client, _ = run_of(Task(), Task(), Task())
    client.scheduler_info = workers
    with pytest.raises(JudgeError, match="has had no worker for 60 s"):
        run.collect()
    assert seen == [0.0, 30.0, 60.0, 90.0, 120.0]


class IdleProcess:
    """A process that judges, or has ended."""

    def __init__(self, judge):
        """Run."""
        self.judged_by, self.is_running, self.stopped = judge, True, 0

    def stop(self):
        """Count it."""
        self.stopped += 1


def test_processes_of_a_worker_are_used_again_and_end_with_the_run(monkeypatch):
    """One that has ended is let go of; one that begins too late is ended at once."""
    monkeypatch.setattr(worker_side, "JudgingProcess", IdleProcess)
    own = JudgingProcesses("run", b"judge")
    own.setup(None)
    first, second = own.take(), own.take()
    assert (own.name, first.judged_by, first is second) == ("run", b"judge", False)
    own.give_back(first)
    own.give_back(second)
    second.is_running = False
    assert own.take() is first
    assert own.processes == [first]
    third = own.take()
    assert own.processes == [first, third]
    own.teardown(None)
    assert [each.stopped for each in (first, second, third)] == [1, 0, 1]
    assert own.take().stopped == 1


def test_a_worker_judges_reports_now_and_then_and_sees_that_it_was_cancelled(monkeypatch, clock):
    """Unless it is not like the machine that asks."""
    clock.now_s = 100.0
    logged, returned, states = [], [], {}
    process = SimpleNamespace()
    worker = SimpleNamespace(
        address="tcp://w:1",
        get_current_task=lambda: "key",
        log_event=lambda topic, message: logged.append((topic, message)),
        state=SimpleNamespace(tasks=states),
        plugins={"run": SimpleNamespace(take=lambda: process, give_back=returned.append)},
    )
    monkeypatch.setattr(worker_side, "get_worker", lambda: worker)
    monkeypatch.setattr(worker_side, "known_machine", lambda: HERE)

    def judge(scenario, report, is_cancelled):
        report("a")
        clock.now_s += 0.4
        report("b")
        clock.now_s += 0.1
        report("c")
        cancelled = [is_cancelled()]
        for state in ("executing", "long-running", "released"):
            states["key"] = SimpleNamespace(state=state)
            cancelled.append(is_cancelled())
        return scenario, cancelled

    process.judge = judge
    assert judge_on_worker("run", 3, "scenario", HERE) == ("scenario", [True, False, False, True])
    assert logged == [("run", pickle.dumps((3, each))) for each in "ac"]
    assert returned == [process]
    refused = judge_on_worker("run", 3, "scenario", {"a": "2"})
    assert refused.startswith("worker tcp://w:1 would not judge as this machine does: a is 1 there")
    assert returned == [process]
