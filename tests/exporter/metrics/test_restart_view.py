"""The values of an exporter that restarts."""

from __future__ import annotations

import numpy as np

from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.restart_view import RestartView
from tests.fakes import FakeWorld


def make():
    """Return a world one second old, its catalogue and a view of it."""
    world = FakeWorld()
    world.advance(1.0)
    catalogue = catalogue_world(world.snapshot())
    return world, catalogue, RestartView(catalogue)


def test_without_a_restart_a_view_shows_the_catalogue_as_it_is():
    """Nothing is subtracted."""
    world, catalogue, view = make()
    assert (view.read(world.snapshot()) == catalogue.flatten(world.snapshot())).all()


def test_after_a_restart_counters_begin_at_zero_and_gauges_stay():
    """The kinds decide: with its gauges reset too, the fleet would have no agents."""
    world, catalogue, view = make()
    view.read(world.snapshot())
    world.change(exporter_restarts=1)
    shown = view.read(world.snapshot())
    counters = catalogue.kinds == "counter"
    assert not shown[counters].any()
    assert (shown[~counters] == catalogue.flatten(world.snapshot())[~counters]).all()


def test_counters_grow_from_a_restart_and_a_second_restart_resets_them_again():
    """Each time they show exactly what was counted since."""
    world, catalogue, view = make()
    counters = catalogue.kinds == "counter"
    for restart, until_s in ((1, 1.5), (2, 2.0)):
        world.change(exporter_restarts=restart)
        view.read(world.snapshot())
        base = catalogue.flatten(world.snapshot())
        world.advance(until_s)
        since = catalogue.flatten(world.snapshot()) - base
        assert np.array_equal(view.read(world.snapshot())[counters], since[counters])
        assert since[counters].any()


def test_restarts_before_the_view_do_not_count():
    """A fork of a world that had restarted shows its whole counts."""
    world, catalogue, _ = make()
    world.change(exporter_restarts=3)
    shown = RestartView(catalogue, restarts=3).read(world.snapshot())
    assert (shown == catalogue.flatten(world.snapshot())).all()
