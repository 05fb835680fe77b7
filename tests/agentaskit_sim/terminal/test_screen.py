"""The block of `up` on a terminal, from values alone."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from agentaskit_sim.terminal.notices import count_alerts
from agentaskit_sim.terminal.screen import ScenarioTitle, ScreenContent, render
from agentaskit_sim.terminal.status import StatusReading
from exporter.server.exposition import Exposition
from tests.agentaskit_sim.terminal.statuses import (
    EXHAUSTED,
    FIRING,
    FIRING_STATUS,
    NO_STATUS,
    NOTIFICATION,
    NOW_S,
)
from tests.fakes import FakeWorld, MockClock


def content(stack, *, faults=0):
    """Return the content of the block, of a world with so many faults."""
    world = FakeWorld()
    before = world.snapshot()
    world.advance(1.0)
    for index in range(faults):
        world.begin_fault(f"traffic_drop_{index}", 0.4, 1234.5)
    exposition = Exposition(world, MockClock(), version="1", scenario="small")
    return ScreenContent(
        title="sandbox-leak begins in 12s, time compressed 10 times",
        reading=StatusReading(before, world.snapshot(), exposition.pace(), exposition.load()),
        stack=stack,
        scrapes=55,
        began_s=NOW_S - 75,
        now_s=NOW_S,
    )


def shown(content, *, width=80, height=24):
    """Return the block's lines as a terminal of this size shows them."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True,
                      color_system=None)  # fmt: skip
    console.print(render(content, height))
    return console.file.getvalue().splitlines()


def test_the_block_shows_rates_faults_alerts_with_their_time_and_notifications():
    """Everything at a glance, on an ordinary terminal."""
    lines = shown(content(replace(FIRING_STATUS, notifications=(NOTIFICATION,)), faults=1))
    assert lines[0] == "0:00:00  sandbox-leak begins in 12s, time compressed 10 times"
    assert "tasks/s" in lines[1]
    assert "waiting" in lines[1]
    assert lines[1].endswith("55 scrapes")
    assert lines[2:] == [
        "Faults    traffic_drop_0-here: traffic_drop_0 0.4, 1,234 things, ends in 1m",
        "Alerts    firing      2s  PoolExhausted sandbox_type=B  warning",
        "Notified  0:01:14  slack-warnings: PoolExhausted sandbox_type=B fires",
    ]


def test_the_block_of_a_healthy_world_has_every_section():
    """No line is left out: the block does not jump."""
    assert [line.rstrip() for line in shown(content(NO_STATUS))[2:]] == [
        "Faults    none",
        "Alerts    none",
        "Notified  none",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (80, 6), (200, 60)])
def test_the_block_never_outgrows_the_terminal(width, height):
    """A block that is higher scrolls, a longer line wraps: both would flood the terminal."""
    alerts = tuple(
        replace(FIRING, alert=f"Alert{index}" * 9, series=(("tier", str(index)),))
        for index in range(50)
    )
    notifications = tuple(replace(NOTIFICATION, fingerprint=str(index)) for index in range(50))
    stack = replace(
        NO_STATUS.with_alerts(alerts), notifications=notifications, unreachable=("x" * 300,)
    )
    lines = shown(content(stack, faults=9), width=width, height=height)
    assert len(lines) < max(height, 7)
    assert max(map(len, lines)) <= width
    if height == 24:
        assert "          and 46 more" in [line.rstrip() for line in lines]


def test_firing_alerts_stand_before_pending_ones_and_the_latest_first():
    """However many there are, the most urgent are shown."""
    early, late = (replace(FIRING, alert=name, since_s=NOW_S - ago) for name, ago in
                   (("Early", 60), ("Late", 1)))  # fmt: skip
    lines = shown(content(NO_STATUS.with_alerts((EXHAUSTED, early, late))))
    names = [line[26:].split()[0] for line in lines[3:6]]
    assert names == ["Late", "Early", "PoolExhausted"]
    assert count_alerts((EXHAUSTED, early, late)) == "2 firing, 1 pending"


def test_the_title_says_which_part_of_the_scenario_it_is():
    """In the scenario's own time once it has begun, in real time before."""
    titles = ScenarioTitle(name="leak", begins_s=100.0, ends_s=220.0, factor=10.0)
    assert [titles.title(at_s) for at_s in (88.0, 130.0, 220.0)] == [
        "leak begins in 12s, time compressed 10 times",
        "leak 5m of 20m, time compressed 10 times",
        "leak has ended, the world keeps running, time compressed 10 times",
    ]
    calm = ScenarioTitle(name="baseline", begins_s=60.0, ends_s=float("inf"), factor=1.0)
    assert calm.title(1e9) == "baseline"


def test_the_title_says_when_the_next_fault_comes():
    """In real time, whatever the compression; after the last there is none to wait for."""
    title = ScenarioTitle(
        name="leak", begins_s=100.0, ends_s=220.0, factor=10.0,
        faults=((300.0, "second"), (0.0, "first"), (100.0, "other")),
    )  # fmt: skip
    assert title.title(90.0) == "leak begins in 10s, time compressed 10 times"
    assert title.title(105.0).endswith(" of 20m, time compressed 10 times, other in 5s")
    assert title.next_fault(110.0) == ", second in 20s"
    assert title.next_fault(130.0) == ""
    ended = replace(title, after="what is due is waited for").title(230.0)
    assert ended.startswith("leak has ended, what is due is waited for")
