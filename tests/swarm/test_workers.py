"""The swarm's processes: one that dies is reported with its seed, and none outlives its parent."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.swarm import workers
from tests.swarm.drawing import draw_trial
from tests.swarm.workers import run_seeds


def kill_at(deadly, number):
    """Return a draw in which one seed kills its process."""

    def draw(seed):
        if seed == deadly:
            faulthandler.disable()
            os.kill(os.getpid(), number)
        return draw_trial(seed)

    return draw


@pytest.mark.ci
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_worker_that_dies_of_a_signal_is_reported_with_its_seed(number):
    """The other seeds are carried out all the same."""
    outcomes = {each.seed: each for each in run_seeds(range(6), kill_at(2, number), 2)}
    assert sorted(outcomes) == [0, 1, 2, 3, 4, 5]
    assert outcomes[2].laws == (f"no trial ends its process: {number.name}",)
    assert not any(outcome.laws for seed, outcome in outcomes.items() if seed != 2)


@pytest.mark.ci
def test_a_trial_that_hangs_is_ended_and_reported(monkeypatch):
    """Its worker is killed when nothing has come for too long."""
    monkeypatch.setattr(workers, "WITHIN_S", 1.0)

    def draw(seed):
        if seed == 1:
            time.sleep(60)
        return draw_trial(seed)

    outcomes = {each.seed: each for each in run_seeds(range(3), draw, 1)}
    assert outcomes[1].laws == ("a trial takes no longer than 1 s",)
    assert sorted(outcomes) == [0, 1, 2]


START = """
import runpy, sys
sys.argv = ["swarm", "--count", "100000", "--jobs", "2"]
{first}
runpy.run_module("tests.swarm", run_name="__main__", alter_sys=True)
"""
SWALLOWED = """
import os, signal
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
"""
"""As the callbacks of the library's logging after each fork: they let no exception out."""


@pytest.mark.ci
def test_ctrl_c_right_after_a_fork_is_not_lost(repository):
    """What comes of the signal there is ignored by Python: it is raised a moment later."""
    command = [sys.executable, "-c", START.format(first=SWALLOWED)]
    swarm = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, timeout=60, check=False
    )
    assert (swarm.returncode, "interrupted" in swarm.stdout) == (130, True), swarm.stderr


@pytest.mark.ci
def test_ctrl_c_leaves_no_process_behind(repository):
    """Status 130, what was found so far, and no worker."""
    command = [sys.executable, "-m", "tests.swarm", "--count", "100000", "--jobs", "2"]
    swarm = subprocess.Popen(
        command, cwd=repository, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline_s = time.monotonic() + 30
    while len(children := children_of(swarm.pid)) < 2 and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert len(children) == 2
    swarm.send_signal(signal.SIGINT)
    try:
        printed, _ = swarm.communicate(timeout=20)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(swarm.pid, signal.SIGKILL)
    assert swarm.returncode == 130
    assert "interrupted" in printed
    assert "seeds in" in printed
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.ci
def test_workers_end_when_their_parent_is_killed(repository):
    """A parent that cannot clean up leaves no worker either."""
    command = [sys.executable, "-m", "tests.swarm", "--count", "100000", "--jobs", "2"]
    swarm = subprocess.Popen(command, cwd=repository, stdout=subprocess.DEVNULL)
    deadline_s = time.monotonic() + 30
    while len(children := children_of(swarm.pid)) < 2 and time.monotonic() < deadline_s:
        time.sleep(0.1)
    swarm.kill()
    swarm.wait(10)
    deadline_s = time.monotonic() + 10
    while any(is_alive(child) for child in children) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert len(children) == 2
    assert not any(is_alive(child) for child in children)


def children_of(pid):
    """Return the processes that a process has started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_alive(pid):
    """Say whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
