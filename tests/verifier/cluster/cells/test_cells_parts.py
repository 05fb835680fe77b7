"""Cells on workers in their parts, with a client of the test: who holds what, and what is lost."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest

from tests.verifier.cluster.test_cluster_parts import WaitingClock
from tests.verifier.outcomes import outcome
from tests.verifier.simulations import scenario_of
from verifier.cluster.cells import running
from verifier.cluster.cells.distant_cell import DistantCell, DistantCells
from verifier.cluster.cells.running import (
    LOSSES_MAX,
    CellsLostError,
    _Room,
    cells_on_workers,
    run_cells_on_cluster,
    worlds_on_cluster,
)
from verifier.cluster.cells.worker_side import CellsOfWorker, CellStatus
from verifier.errors import JudgeError
from verifier.virtual_time.healthy_world import HealthyWorlds

SCENARIO = scenario_of("duration: 5m\n")


@pytest.fixture
def clock(monkeypatch):
    """Let a run go by a clock of the test, with a scheduler that is always there."""
    own = WaitingClock()
    monkeypatch.setattr(running, "time", own)
    monkeypatch.setattr(running, "require_scheduler", lambda *_, **__: None)
    monkeypatch.setattr(running, "require_same_machines", lambda _: {})
    return own


class Asked:
    """What an actor was asked: an answer, or what happens instead, again and again."""

    def __init__(self, *answers, done=False):
        """Give them in turn."""
        self.answers, self._done = list(answers), done

    def result(self, *, timeout):
        """Return the next answer."""
        assert timeout == 2.0
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def done(self):
        """Return whether it is over."""
        return self._done


class ActorClient:
    """A client with so many workers, each of which gets an actor."""

    scheduler = SimpleNamespace(address="tcp://s:1")

    def __init__(self, *workers):
        """Begin with nothing submitted."""
        self.workers, self.submitted, self.cancelled = list(workers), [], []

    def nthreads(self):
        """Return the workers."""
        return dict.fromkeys(self.workers, 1)

    def submit(self, kind, *, actor, workers, pure):
        """Note an actor; it is there at once."""
        assert (kind, actor, pure) == (CellsOfWorker, True, False)
        self.submitted += workers
        return Asked(SimpleNamespace(ask=lambda *asked: Asked((workers[0], *asked))))

    def as_current(self):
        """Give nothing."""
        return contextlib.nullcontext()

    def cancel(self, tasks, *, force):
        """Note it."""
        assert force
        self.cancelled.append(len(tasks))


def test_cells_are_spread_over_as_many_workers_as_there_are_cells(clock):
    """In the order of their addresses; at the end nothing is left on them."""
    assert clock.now_s == 0.0
    for count, used in ((1, "a"), (2, "ab"), (9, "abc")):
        client = ActorClient("b", "c", "a")
        with cells_on_workers(client, count) as cells:
            assert (cells.workers, client.cancelled) == (len(used), [])
            answers = cells._exchange([["x"]] * len(used), "status", (1,))
        assert answers == [(worker, ["x"], "status", (1,)) for worker in used]
        assert (client.submitted, client.cancelled) == ([*used], [len(used)])
    client = ActorClient("a")
    with pytest.raises(KeyError), cells_on_workers(client, 1):
        raise KeyError
    assert client.cancelled == [1]


def test_a_cluster_without_workers_is_waited_for(clock):
    """A minute, and no longer."""
    with (
        pytest.raises(JudgeError, match="has had no worker for 60 s"),
        cells_on_workers(ActorClient(), 1),
    ):
        pass
    assert clock.now_s == pytest.approx(60.0, abs=0.3)


@pytest.mark.parametrize(
    ("asked", "workers", "lost"),
    [
        (Asked("answer"), ["w"], False),
        (Asked(TimeoutError(), TimeoutError(), "answer"), ["w"], False),
        (Asked(TimeoutError(), "answer"), ["v"], True),
        (Asked(TimeoutError(), "answer", done=True), ["w"], True),
        (Asked(OSError()), ["w"], True),
        (Asked(KeyError()), ["w"], True),
        (Asked(RuntimeError()), ["w"], True),
    ],
)
def test_an_answer_is_waited_for_as_long_as_its_worker_is_there(clock, asked, workers, lost):
    """Who is gone will not answer."""
    assert clock.now_s == 0.0
    room = _Room(ActorClient(*workers), ["w"])
    if not lost:
        assert room._result(asked, "w") == "answer"
        return
    with pytest.raises(CellsLostError, match="worker w was lost, and the cells") as raised:
        room._result(asked, "w")
    assert raised.value.worker == "w"


def test_an_actor_that_is_known_to_be_lost_is_not_asked(clock):
    """Nor are those after it."""
    assert clock.now_s == 0.0
    room = _Room(ActorClient("a", "b"), ["a", "b"])
    room.begin()

    def refuse(*_):
        raise RuntimeError

    room.actors[1] = SimpleNamespace(ask=refuse)
    with pytest.raises(CellsLostError, match="worker b"):
        room.exchange([[], []], "status", (1,))


def lost_so_often(monkeypatch, clock, losses):
    """Return the outcome of a scenario that loses so many workers, what was said, and how long."""
    left = [f"w{number}" for number in range(losses)]
    said = []
    there = ActorClient("w0", "w1", "w9")
    monkeypatch.setattr(running, "connect", lambda _: contextlib.nullcontext(there))
    monkeypatch.setattr(running, "_wait_until_gone", lambda _, worker: said.append(worker))

    def judge(worlds, scenario, report):
        assert isinstance(worlds, HealthyWorlds)
        report("seen")
        if left:
            raise CellsLostError(left.pop(0))
        return outcome(scenario.name)

    watcher = SimpleNamespace(progress=said.append, done=lambda _: None)
    monkeypatch.setattr(
        running, "run_suite",
        lambda scenarios, own, seen, jobs: [own(scenarios[0], seen.progress)] * jobs,
    )  # fmt: skip
    try:
        result = run_cells_on_cluster(SCENARIO, judge, watcher, "tcp://s:1", say=said.append)
    except JudgeError as error:
        result = str(error)
    assert clock.now_s == 0.0
    return result, said


def test_a_scenario_begins_anew_as_often_as_it_may(monkeypatch, clock):
    """The next loss is no accident."""
    (passed,), said = lost_so_often(monkeypatch, clock, LOSSES_MAX)
    assert passed.name == SCENARIO.name
    again = f"was lost, and the cells that it simulated with it: {SCENARIO.name} begins anew"
    expected = [("seen", f"worker w{number} {again}", f"w{number}") for number in range(3)]
    assert said == [each for three in expected for each in three] + ["seen"]
    result, said = lost_so_often(monkeypatch, clock, LOSSES_MAX + 1)
    assert result == (
        "worker w3 was lost, and the cells that it simulated with it (4 times): out of memory?"
    )
    assert said.count("seen") == 4


def test_a_worker_that_is_lost_is_gone_after_half_a_minute(clock):
    """Or before; then the scheduler may not have noticed."""
    client = ActorClient("w", "v")
    running._wait_until_gone(client, "x")
    assert clock.now_s == 0.0
    running._wait_until_gone(client, "w")
    assert clock.now_s == pytest.approx(30.0, abs=0.3)


def test_worlds_of_cells_are_there_inside_a_block(monkeypatch, clock):
    """With as many cells as are asked for."""
    assert clock.now_s == 0.0
    client = ActorClient("a", "b", "c")
    monkeypatch.setattr(running, "connect", lambda _: contextlib.nullcontext(client))
    with worlds_on_cluster("tcp://s:1", 2) as worlds:
        assert isinstance(worlds, HealthyWorlds)
    assert (client.submitted, client.cancelled) == (["a", "b"], [2])


class NotedExchange:
    """Answers with the number of the question, and notes what each worker is to do."""

    def __init__(self):
        """Begin with nothing asked."""
        self.asked = []

    def __call__(self, commands, question, lineage):
        """Answer for cells 0 to 2, spread over two workers."""
        self.asked.append(([[*own] for own in commands], question, lineage))
        number = len(self.asked)
        status = CellStatus("reading", 7, 1, 5, 2.5)
        return [{0: (status, f"{number}: 0"), 2: (status, f"{number}: 2")},
                {1: (status, f"{number}: 1")}]  # fmt: skip


def test_what_a_cell_is_to_do_waits_until_something_is_asked():
    """Of all cells at once; the answer stays until something happens."""
    exchange = NotedExchange()
    cells = DistantCells(2, exchange)
    first, third = (DistantCell(cells, (number, (1,)), "topology") for number in (0, 2))
    first.begun("plan", 3)
    first.advance_ns(5)
    first.advance_ns(5)  # nothing: it is there
    third.skip_ns(4)
    assert (first.now_ns, third.now_ns, exchange.asked) == (5, 4, [])
    assert (first.snapshot(), third.snapshot()) == ("1: 0", "1: 2")
    assert exchange.asked == [
        ([[((0, (1,)), "build", ("topology", "plan", 3)), ((0, (1,)), "advance_ns", (5,)),
           ((2, (1,)), "skip_ns", (4,))], []], "snapshot", (1,)),
    ]  # fmt: skip
    assert (first.next_change_ns(), first.exporter_restarts, first.leaked_bytes) == (7, 1, 5)
    assert (first.cell_reading, first.requested_per_s) == ("reading", 2.5)
    assert len(exchange.asked) == 1
    assert (first.effects(), first.fingerprint(), len(exchange.asked)) == ("2: 0", "3: 0", 3)
    third.advance_ns(4)  # though it is there: it was passed over
    assert first.snapshot() == "4: 0"
    assert exchange.asked[-1][0] == [[((2, (1,)), "advance_ns", (4,))], []]


def test_a_share_is_sent_when_it_is_another_and_its_effect_asked_for_when_it_counts():
    """A status that is known stays but for what the load asks for."""
    exchange = NotedExchange()
    cells = DistantCells(2, exchange)
    cell = DistantCell(cells, (1, (1,)), "topology")
    assert (cell.take_share(1.0), cell.leaked_bytes) == (False, 5)
    assert (cell.take_share(0.5), cell.take_share(0.5)) == (True, False)
    assert (cell.leaked_bytes, len(exchange.asked)) == (5, 1)
    assert (cell.requested_per_s, len(exchange.asked)) == (2.5, 2)
    assert exchange.asked[-1] == ([[], [((1, (1,)), "take_share", (0.5,))]], "status", (1,))
    assert (cell.requested_per_s, len(exchange.asked)) == (2.5, 2)
    cell.advance_ns(9)
    assert (cell.leaked_bytes, len(exchange.asked)) == (5, 3)


def test_a_fork_is_another_cell_that_goes_on_from_there():
    """With its share unless it has a plan of its own; each has a number."""
    exchange = NotedExchange()
    cells = DistantCells(2, exchange)
    cell = DistantCell(cells, (1, (4,)), "topology")
    cell.advance_ns(9)
    cell.take_share(0.5)
    same, other = cell.fork(), cell.fork("plan")
    assert [each._key for each in (same, other)] == [(1, (4, 1)), (1, (4, 2))]
    assert (same.now_ns, other.now_ns, same.topology) == (9, 9, "topology")
    assert (same.take_share(0.5), other.take_share(0.5)) == (False, True)
    same.advance_ns(9)
    other.advance_ns(9)
    other.snapshot()
    (commands, _, lineage) = exchange.asked[0]
    assert lineage == (4, 2)
    assert [(key[1], name, arguments) for key, name, arguments in commands[1]] == [
        ((4,), "advance_ns", (9,)), ((4,), "take_share", (0.5,)),
        ((4,), "fork", ((4, 1), None)), ((4,), "fork", ((4, 2), "plan")),
        ((4, 2), "take_share", (0.5,)), ((4, 2), "advance_ns", (9,)),
    ]  # fmt: skip


def test_a_cell_that_nobody_holds_is_forgotten_there():
    """With the next question."""
    exchange = NotedExchange()
    cells = DistantCells(2, exchange)
    kept, gone = (DistantCell(cells, (number, (1,)), "topology") for number in (0, 1))
    del gone
    kept.snapshot()
    assert exchange.asked[0][0] == [[], [((1, (1,)), "forget", ())]]
