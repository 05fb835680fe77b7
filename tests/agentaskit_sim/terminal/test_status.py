"""What the console shows of a world in real time, from readings alone."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from agentaskit_sim.terminal.status import Status, describe, describe_time, notice_changes
from exporter.server.exposition import Exposition
from simulator.load import LoadChange, Stage
from tests.fakes import FakeWorld, MockClock
from tests.simulator.cells.test_system import cells
from tests.simulator.worlds import fault as planned


def make():
    """Return a world, its clock, and a status that prints into a text."""
    world, clock, text = FakeWorld(), MockClock(), io.StringIO()
    exposition = Exposition(world, clock, version="1", scenario="small")
    return world, clock, text, Status(exposition, Console(file=text, width=200))


def test_the_line_gives_rates_in_virtual_time():
    """Rates of the world itself: they do not depend on how fast it runs."""
    world = FakeWorld(rate=1000.0)
    before = world.snapshot()
    world.advance(2.0)
    now = world.snapshot()
    pace = Exposition(world, MockClock(), version="1", scenario="small").pace()
    tasks = now.tasks_processed.sum() / 2
    assert f"{tasks:,.0f} tasks/s" in describe(before, now, pace)
    assert f"{now.messages_delivered.sum() / 2:,.0f} messages/s" in describe(before, now, pace)
    assert describe(before, now, pace).endswith("faults: none")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0:00:00"), (61, "0:01:01"), (86_399.99, "23:59:59")]
)
def test_times_are_written_as_on_a_clock(seconds, text):
    """Whole seconds, never rounded up."""
    assert describe_time(seconds) == text


def test_faults_and_restarts_are_noticed_when_they_change():
    """Each by its own name, and nothing when nothing changes."""
    world = FakeWorld()
    before = world.snapshot()
    assert notice_changes(before, before) == []
    world.begin_fault("traffic_drop")
    world.change(exporter_restarts=1)
    now = world.snapshot()
    assert notice_changes(before, now) == [
        "fault traffic_drop-here (traffic_drop 1) begins",
        "the exporter has restarted: counters begin at 0",
    ]
    (fault,) = now.faults
    changed = replace(fault, declared=0.25, ends_ns=fault.ends_ns + 30 * 10**9)
    world.change(faults=(replace(changed, magnitude=0.2, effect=7.0),))
    weaker = world.snapshot()
    assert notice_changes(now, weaker) == [
        "fault traffic_drop-here (traffic_drop 0.25) is changed: ends in 1m30s"
    ]
    world.change(faults=(replace(changed, magnitude=0.25, effect=9.0),))
    assert notice_changes(weaker, world.snapshot()) == []  # what it did is no change of it
    world.change(faults=())
    early, in_time = world.snapshot(), replace(world.snapshot(), now_ns=changed.ends_ns)
    named = "fault traffic_drop-here (traffic_drop 0.25) has ended"
    assert notice_changes(weaker, early) == [f"{named} by hand, 1m30s before its time"]
    assert notice_changes(weaker, in_time) == [named]


def test_falling_behind_is_printed_once_and_so_is_its_end():
    """Five seconds late: a line at once, in capitals; another when real time is back."""
    _, clock, text, status = make()
    clock.spend(5.0)
    status.observe()
    status.observe()
    assert text.getvalue().count("FALLING BEHIND: the world is 4.9 s late") == 1
    for _ in range(60):
        status.observe()
    assert text.getvalue().count("the world is back in real time") == 1
    assert text.getvalue().count("\n") == 2


def test_a_fault_says_what_it_targets_when_it_begins():
    """Of the whole system nothing is said."""
    world = FakeWorld()
    before = world.snapshot()
    world.begin_fault("sandbox_leak")
    world.change(faults=(replace(world.snapshot().faults[0], targets="sandboxes B"),))
    assert notice_changes(before, world.snapshot()) == [
        "fault sandbox_leak-here (sandbox_leak 1 on sandboxes B) begins"
    ]
    system = cells(3, planned("cell_down", start_s=1.0, duration_s=2.0, cells=(1,)))
    healthy = system.snapshot()
    system.advance(1.5)
    dark = system.snapshot()
    assert notice_changes(healthy, dark) == ["fault cell_down (cell_down on cell 1) begins"]
    system.advance(4.5)
    assert notice_changes(dark, system.snapshot()) == [
        "fault cell_down (cell_down on cell 1) has ended",
        "the exporter of cell 1 has restarted: counters begin at 0",
    ]


def test_every_sentence_carries_the_time():
    """So that it can be compared with a graph."""
    _, clock, text, status = make()
    clock.spend(61.0)
    status.say("the scenario has ended")
    assert text.getvalue() == "0:01:01  the scenario has ended\n"


def test_a_change_of_the_load_is_printed_when_it_begins_and_when_it_ends():
    """With its rate and its time; another change is another line, the same one is none."""
    world, _, text, status = make()
    for rate, start_s in ((15000.0, 0.0), (15000.0, 0.0), (0.0, 1.0)):
        stages = (Stage(duration_s=0.0, target=rate), Stage(duration_s=300.0, target=rate))
        world.load_change = LoadChange(stages=stages, start_s=start_s, from_per_s=world.rate)
        reading = status.observe()
    assert reading.line.endswith("faults: none  load 0 tasks/s, ends in 5m1s")
    world.load_change = None
    assert status.observe().line.endswith("faults: none")
    assert [line.partition("  ")[2] for line in text.getvalue().splitlines()] == [
        "the load is changed: load 15,000 tasks/s, ends in 5m",
        "the load is changed: load 0 tasks/s, ends in 5m1s",
        "the change of the load has ended: 10,300 tasks/s again",
    ]
