"""Scenarios side by side: order kept, mistakes raised, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from documents.mistakes import InputError
from scenarios.loader import parse_scenario
from tests.verifier.judges import Scripted
from verifier.run_record import ScenarioRecord
from verifier.suite import STOP_S, cores, run_suite, with_interrupted
from verifier.suite_order import expected_costs_s, longest_first, real_time_s

PATIENCE_S = 10.0


def scenario(name, minutes=10):
    """Return a scenario that only has a name and a length."""
    text = f"name: {name}\nstory: x\nseed: 1\nduration: {minutes}m\n"
    return parse_scenario(text, f"{name}.yaml")


@dataclass
class Notes:
    """A watcher that keeps what it is shown."""

    phases: list = field(default_factory=list)
    judged: list = field(default_factory=list)

    def progress(self, progress):
        """Note a progress."""
        self.phases.append((progress.scenario, progress.phase))

    def done(self, outcome):
        """Note an outcome."""
        self.judged.append((outcome.name, outcome.verdict))


def run(folder, *names, jobs=2):
    """Run scenarios of these names; return outcomes and notes."""
    notes = Notes()
    outcomes = run_suite([scenario(n) for n in names], Scripted(folder), notes, jobs=jobs)
    return outcomes, notes


def is_gone(pid):
    """Return whether a process has ended (a zombie has), within some patience."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        try:
            os.kill(pid, 0)
            status = Path(f"/proc/{pid}/stat")
            if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def wait_for(path):
    """Return the text of a file once it is there."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline_s, path
        time.sleep(0.02)
    return path.read_text()


def test_outcomes_come_in_the_order_of_the_scenarios(tmp_path):
    """However long each takes, from other processes than this one."""
    outcomes, notes = run(tmp_path, "a", "b", "c", "d", "e")
    assert [outcome.name for outcome in outcomes] == ["a", "b", "c", "d", "e"]
    assert os.getpid() not in {outcome.seed for outcome in outcomes}
    assert sorted(notes.judged) == [(name, "pass") for name in "abcde"]
    assert sorted(notes.phases) == [(name, "going") for name in "abcde"]


def test_no_more_processes_than_jobs(tmp_path):
    """Each has servers and memory of its own, so one more may be too many."""
    outcomes, _ = run(tmp_path, *"abcdefg", jobs=3)
    assert len({outcome.seed for outcome in outcomes}) == 3


def test_scenarios_begin_in_the_order_of_the_costs_that_the_caller_says(tmp_path):
    """In real time what a scenario costs is its length."""
    asked = []

    def cost_s(each):
        asked.append(each.name)
        return real_time_s(each)

    run_suite([scenario("a"), scenario("b")], Scripted(tmp_path), Notes(), jobs=2, cost_s=cost_s)
    assert asked == ["a", "b"]


def test_the_order_kept_is_not_that_of_completion(tmp_path):
    """The shortest comes first in the report and is judged last."""
    some = [scenario(name, minutes) for minutes, name in enumerate("abcdef", 1)]
    outcomes = run_suite(some, Scripted(tmp_path), Notes(), jobs=2)
    assert [outcome.name for outcome in outcomes] == list("abcdef")


def test_the_longest_scenario_begins_first():
    """So that it does not run alone at the end."""
    some = [scenario("short", 1), scenario("long", 90), scenario("middle", 5)]
    seeded = [replace(each, seed=number) for number, each in enumerate(some)]
    for each in (some, seeded):  # a seed of its own makes none a run of many seeds
        assert [each[index].name for index in longest_first(each)] == ["long", "middle", "short"]


DROP = "faults: [{name: f, fault: %s, start: 3m, duration: 9m, parameters: {share: 0.4}}]\n"
PAST = (
    "history: {incidents: [{name: h, fault: task_failure, ago: 2h, duration: 1h,"
    " parameters: {share: 0.5}}]}\n"
)


@pytest.mark.parametrize(
    "dear",
    [
        DROP % "traffic_drop",
        DROP % "traffic_drop" + "load: {rate: 5000}\ntopology: {cells: 2}\n",
        "load: {rate: 9000, daily: {amplitude: 0.1, peak: 12h}}\n",
        "load: {rate: 9000}\n",
        PAST,
    ],
    ids=["faults", "cells", "a load that changes", "a healthy world of its own", "a past"],
)
def test_what_is_simulated_event_by_event_begins_before_a_long_quiet_day(dear):
    """Virtual time draws the day; in real time the day is what takes longest."""
    quiet = [scenario("quiet", 60 * 24), scenario("another", 1)]
    text = "name: dear\nstory: x\nseed: 1\nduration: 20m\n" + dear
    some = [*quiet, parse_scenario(text, "dear.yaml")]
    assert [some[index].name for index in longest_first(some)] == ["dear", "quiet", "another"]
    order = longest_first(some, real_time_s)
    assert [some[index].name for index in order] == ["quiet", "dear", "another"]


def test_a_fault_of_the_scrapes_alone_costs_nothing():
    """The world stays in its steady state, and goes on being drawn."""
    fault = "faults: [{name: f, fault: exporter_down, start: 3m, duration: 5m}]\n"
    text = "name: blind\nstory: x\nseed: 1\nduration: 10m\n" + fault
    quiet, blind = expected_costs_s([scenario("quiet"), parse_scenario(text, "blind.yaml")])
    assert blind == quiet


def test_one_job_runs_in_this_process(tmp_path):
    """A debugger can follow it."""
    outcomes, _ = run(tmp_path, "a", "b", jobs=1)
    assert {outcome.seed for outcome in outcomes} == {os.getpid()}
    (outcome,), _ = run(tmp_path, "a", jobs=4)
    assert outcome.seed == os.getpid()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_scenario_without_a_verdict_is_invalid_and_the_rest_is_judged(tmp_path, jobs):
    """A judge that raises costs one scenario, also when it has a bug; no traceback is shown."""
    outcomes, _ = run(tmp_path, "broken", "good", "bug", jobs=jobs)
    assert [outcome.verdict for outcome in outcomes] == ["invalid", "pass", "invalid"]
    assert outcomes[0].invalid == ("no Prometheus",)
    assert outcomes[0].record == ScenarioRecord.of(scenario("broken"))
    assert 0 < outcomes[0].wall_s < PATIENCE_S
    assert (outcomes[0].duration_s, outcomes[0].virtual_s) == (600.0, 0.0)
    assert outcomes[2].invalid[0].startswith("internal error: ZeroDivisionError: planted (")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_users_mistake_ends_the_run(tmp_path, jobs):
    """It reaches the parent with its place, and the other worker is ended."""
    names = ("mistake", "good") if jobs == 1 else ("sleep", "mistake")
    began_s = time.monotonic()
    with pytest.raises(InputError) as caught:
        run(tmp_path, *names, jobs=jobs)
    assert str(caught.value) == "rules.yaml:1:2: planted"
    assert time.monotonic() - began_s < STOP_S, "nothing is waited for that was not ended"
    for note in tmp_path.glob("sleep.*"):
        pid = note.read_text()  # empty when the worker was ended while it wrote
        assert not pid or is_gone(int(pid)), note


def test_a_worker_that_dies_costs_its_own_scenario_only(tmp_path):
    """The reason names the signal, and the usual cause."""
    outcomes, _ = run(tmp_path, "die", "a", "b", "c")
    assert [outcome.verdict for outcome in outcomes] == ["invalid", "pass", "pass", "pass"]
    assert outcomes[0].invalid == ("its worker process ended with signal 9: out of memory?",)


def test_a_dead_worker_is_replaced(tmp_path):
    """When all of them died, the other scenarios are judged all the same."""
    outcomes, _ = run(tmp_path, "die-1", "die-2", "a", "b")
    assert [outcome.verdict for outcome in outcomes] == ["invalid", "invalid", "pass", "pass"]


def test_what_an_interrupted_run_did_not_judge_is_invalid(tmp_path):
    """Every scenario has an outcome, in order, so that the whole never passes."""
    judged, _ = run(tmp_path, "b", jobs=1)
    outcomes = with_interrupted([scenario(name) for name in "abc"], judged)
    assert [each.name for each in outcomes] == ["a", "b", "c"]
    assert [each.verdict for each in outcomes] == ["invalid", "pass", "invalid"]


PROGRAM = """
import sys
from pathlib import Path
import signal
from verifier.ending_signal import EndingSignal
EndingSignal().listen((signal.SIGINT, signal.SIGTERM))
from tests.verifier.judges import Scripted
from tests.verifier.test_suite import Notes, scenario
from verifier.suite import run_suite
try:
    some = [scenario("sleep-1"), scenario("sleep-2")]
    run_suite(some, Scripted(Path(sys.argv[1])), Notes(), jobs=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.sampled(1)
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
)
def test_no_process_is_left_after_a_run_that_is_stopped(tmp_path, repository, number, status):
    """Workers, their children and their folders are gone, even when the parent was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=repository,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        notes = [tmp_path / f"sleep-{i}.{what}" for i in (1, 2) for what in ("pid", "child")]
        pids = [int(wait_for(note)) for note in notes]
        # A terminal's Ctrl-C reaches the whole group of processes, the other signals only one.
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)
        else:
            parent.send_signal(number)
        _, errors = parent.communicate(timeout=PATIENCE_S)
    assert parent.returncode == status
    assert "Traceback" not in errors
    for pid in pids:
        assert is_gone(pid), pid
    deadline_s = time.monotonic() + PATIENCE_S
    while list(tmp_path.glob("suite-test-*")):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_there_is_at_least_one_core():
    """The default number of jobs."""
    assert 1 <= cores() <= (os.cpu_count() or 1)
