"""Cells go down and come back, and brown out, as declared; the router's fault has its own tests."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.bounds import BoundError
from simulator.faults.kinds.cells import CellBrownout, RouterStale
from simulator.kernel import loop as k
from tests.simulator.faults.samples import between, effect
from tests.simulator.worlds import fault, make, small


def test_cell_down_leaves_nobody_running_until_its_end():
    """All die at its onset, nobody comes up for as long as it lasts, all are back soon after."""
    world = make(fault("cell_down", start_s=2.0, duration_s=10.0))
    before, after = between(world, 1.9, 11.9)
    assert before.active_agents.sum() == 40
    assert after.active_agents.sum() == 0
    assert not after.exporter_up
    assert after.exporter_restarts == 0
    assert not world.cell_reading.up
    assert effect(after, "cell_down") == 40
    (done,) = world.effects()
    assert (done.measured, done.base, done.expected) == (40, 0, 40)
    world.advance(13.5)
    back = world.snapshot()
    assert back.active_agents.sum() >= 36
    assert back.exporter_up
    assert world.cell_reading.up
    assert back.exporter_restarts == 1


def test_cell_down_keeps_down_who_starts_in_a_microsecond():
    """A million times as slow is not slow enough there: whoever comes up dies at once."""
    world = make(fault("cell_down", start_s=1.0, duration_s=20.0), startup_mean_s=1e-6)
    world.advance(20.5)
    assert world.snapshot().active_agents.sum() <= 1
    assert effect(world.snapshot(), "cell_down") >= 39


def test_a_cell_down_that_leaves_its_agents_alone_has_no_effect(monkeypatch):
    """Planted: the kernel does not crash anybody, so nobody is missing."""
    monkeypatch.setattr("simulator.faults.kinds.cells.k.CRASH_AGENT", k.SETTLE)
    world = make(fault("cell_down", start_s=2.0, duration_s=10.0))
    world.advance(5.0)
    assert effect(world.snapshot(), "cell_down") == 0


def test_cell_brownout_makes_everything_slower():
    """Tasks, messages and starts: by its factor, and by nothing afterwards."""
    world = make(fault("cell_brownout", factor=3.0, start_s=1.0, duration_s=20.0))
    world.advance(20.9)
    (done,) = world.effects()
    assert done.expected == pytest.approx(3 * done.base, rel=0.05)
    assert done.measured == pytest.approx(done.expected, rel=0.1)
    s = world._state
    assert set(s.agent_real[:, k.SLOWNESS_NEXT]) == set(s.agent_real[:, k.START_SLOWNESS_NEXT])
    world.advance(25.0)
    assert set(s.agent_real[:, k.START_SLOWNESS_NEXT]) == {1.0}


def test_a_brownout_on_its_ramp_slows_everything_alike():
    """Half-way to a factor of 3 all take twice as long."""
    names = ("slowness", "start_slowness", "inbox_slowness")
    effective = SimpleNamespace(**{name: np.ones(2) for name in names})
    CellBrownout(factor=3.0).compose(effective, None, 0.5)
    assert [getattr(effective, name).tolist() for name in names] == [[2.0, 2.0]] * 3


@pytest.mark.parametrize("kind", ["cell_brownout", "task_slowdown", "traffic_surge"])
def test_a_factor_of_1_says_itself_that_it_changes_nothing(kind):
    """Nothing can be expected of it, though tasks do come; of a factor of 2 something can."""
    world = make(fault(kind, factor=1.0, start_s=1.0, duration_s=4.0))
    world.advance(4.0)
    assert {done.idle for done in world.effects()} == {"a factor of 1 changes nothing"}
    assert {done.expected - done.base for done in world.effects()} == {0.0}
    world = make(fault(kind, factor=2.0, start_s=1.0, duration_s=4.0))
    world.advance(4.0)
    assert "a factor of 1 changes nothing" not in {done.idle for done in world.effects()}
    world = make(fault("traffic_drop", share=0.5))
    world.advance(4.0)
    assert {done.idle for done in world.effects()} == {"the load asked for no arrivals"}


def test_router_stale_needs_a_router():
    """A system of one cell has none."""
    with pytest.raises(BoundError, match="topology: cells must be at least 2"):
        RouterStale().require_fit(small())
    RouterStale().require_fit(small(cells=2))
