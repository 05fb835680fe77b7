"""A scheduler that is killed in the middle: one sentence, no traceback, and nothing goes on."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import pytest

from scenarios.library.files import LIBRARY
from scenarios.loader import load_scenario
from tests.verifier.cluster.cells.judges import Keeper
from tests.verifier.cluster.processes import END_S, scheduler_with
from tests.verifier.judges import Scripted
from tests.verifier.test_suite import Notes, is_gone, scenario
from verifier.cluster.cells.running import run_cells_on_cluster, worlds_on_cluster
from verifier.cluster.connection import (
    SchedulerLostError,
    connect,
    quieten,
    require_scheduler,
)
from verifier.cluster.running import run_on_cluster

GONE = r"^the scheduler at tcp://127\.0\.0\.1:\d+ is gone, or the connection to it: see [^\n]*$"


def wait_until(holds, within_s=END_S):
    """Wait for something to be so."""
    until_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.05)


@pytest.fixture(scope="module")
def failover():
    """Return four cells."""
    return load_scenario(LIBRARY / "cell-failover.yaml")


@dataclass
class ScriptedClient:
    """Says that it is connected so many times more."""

    connected: int

    @property
    def status(self):
        """What Dask's client says of itself."""
        self.connected -= 1
        return "running" if self.connected >= 0 else "connecting"


def test_a_client_that_notices_late_is_waited_for():
    """What fails because of it may fail before; while the scheduler is there, nothing is said."""
    with pytest.raises(SchedulerLostError, match=GONE):
        require_scheduler(ScriptedClient(2), "tcp://127.0.0.1:1", within_s=60.0)
    require_scheduler(ScriptedClient(2), "tcp://127.0.0.1:1", within_s=0.0)


def test_what_dask_would_log_is_not_printed():
    """It gives some of its loggers a level of their own, which that of all does not reach."""
    quieten()
    loggers = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    assert "distributed.client" in loggers
    levels = {name: logging.getLogger(name).getEffectiveLevel() for name in loggers}
    assert set(levels.values()) == {logging.CRITICAL}, levels


def kill_and_ask(process, address):
    """Kill a scheduler while there is a connection to it, and ask it something."""
    with connect(address) as client:
        process.kill()
        process.wait()
        client.run(print)


@pytest.mark.long
def test_what_fails_then_is_said_to_be_the_scheduler(capfd):
    """Whatever it was; and Dask prints nothing of it."""
    with (
        scheduler_with(0) as (scheduler, address, _),
        pytest.raises(SchedulerLostError, match=GONE),
    ):
        kill_and_ask(scheduler, address)
    assert capfd.readouterr() == ("", "")


class SchedulerKilling(Notes):
    """Kills a scheduler once a scenario is judged and another runs."""

    def __init__(self, scheduler, running):
        """Take its process, and a file that is there once the other runs."""
        super().__init__()
        self.scheduler, self.running = scheduler, running

    def done(self, outcome):
        """Kill."""
        super().done(outcome)
        wait_until(self.running.exists)
        self.scheduler.kill()


@pytest.mark.long
def test_a_suite_ends_with_what_was_judged(tmp_path, capfd):
    """The watcher has it; judging processes and their servers end, and so do the workers."""
    with scheduler_with(2) as (scheduler, address, workers):
        notes = SchedulerKilling(scheduler, tmp_path / "sleep-b.child")
        scenarios = [scenario("a"), scenario("sleep-b", 20)]
        with pytest.raises(SchedulerLostError, match=GONE):
            run_on_cluster(scenarios, Scripted(tmp_path), notes, address)
        assert [name for name, _ in notes.judged] == ["a"]
        files = [*tmp_path.glob("*.pid"), *tmp_path.glob("*.child")]
        assert len(files) == 3
        wait_until(lambda: all(is_gone(int(each.read_text())) for each in files))
        wait_until(lambda: all(worker.poll() is not None for worker in workers))
    assert list(tmp_path.glob("suite-test-*")) == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.long
def test_cells_are_lost_with_it(failover, capfd):
    """The scenario is invalid, and does not begin anew."""
    with scheduler_with(2) as (scheduler, address, workers):
        keeper, said = Keeper(scheduler.kill, at_s=15.0), []
        (outcome,) = run_cells_on_cluster(failover, keeper, Notes(), address, say=said.append)
        assert (outcome.verdict, keeper.runs, said) == ("invalid", 1, [])
        assert outcome.invalid[0].startswith(f"the scheduler at {address} is gone")
        wait_until(lambda: all(worker.poll() is not None for worker in workers))
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.long
def test_what_is_sent_ends_with_it(failover):
    """With the sentence that `send` completes."""
    with (
        scheduler_with(1) as (scheduler, address, _),
        pytest.raises(SchedulerLostError, match=GONE),
        worlds_on_cluster(address, 4) as worlds,
    ):
        Keeper(scheduler.kill, at_s=15.0)(worlds, failover, None)
