"""Cells that live elsewhere: the bytes of cells that are here, for few questions."""

from __future__ import annotations

import contextlib
import gc
import pickle
from hashlib import sha256

import pytest

from simulator.bounds import BoundError
from simulator.cells.system import build_system
from simulator.load import Load
from simulator.plan import Plan
from tests.simulator.worlds import fault, small
from tests.swarm.run import add_to
from verifier.cluster.cells.distant_cell import DistantCells
from verifier.cluster.cells.worker_side import CellsOfWorker

HEALTHY = Plan(load=Load(rate=400.0))


def sent(value):
    """Return what arrives of it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - made in this very line


class LocalActors:
    """Actors in this process; what goes there and comes back is pickled, as on a cluster."""

    def __init__(self, workers, kind=CellsOfWorker):
        """Count the questions."""
        self.actors, self.questions = [kind() for _ in range(workers)], 0

    def __call__(self, commands, question, lineage):
        """Ask each actor."""
        self.questions += 1
        asked = zip(self.actors, commands, strict=True)
        return sent([actor.ask(sent(todo), question, lineage) for actor, todo in asked])

    def cells(self):
        """Return what begins systems there."""
        return DistantCells(len(self.actors), self)


class ForgetsShares(CellsOfWorker):
    """A planted fault: the router is not heard."""

    def ask(self, commands, question, lineage):
        """Leave the shares out."""
        return super().ask([c for c in commands if c[1] != "take_share"], question, lineage)


class ForgetsSkips(CellsOfWorker):
    """A planted fault: no interval is passed over."""

    def ask(self, commands, question, lineage):
        """Leave the skips out."""
        return super().ask([c for c in commands if c[1] != "skip_ns"], question, lineage)


class ForksHealthy(CellsOfWorker):
    """A planted fault: the plan of a fork is forgotten."""

    def fork(self, key, lineage, _):
        """Go on as before."""
        super().fork(key, lineage, None)


def course(build):
    """Return what a scenario's worlds come to: healthy, forked for a plan, skipped, forked."""
    faults = (
        fault("cell_down", start_s=2.5, duration_s=4.0, cells=(1,)),
        fault("traffic_surge", start_s=1.0, duration_s=9.0, factor=1.5, cells=(0,)),
        fault("counter_reset", start_s=4.2, duration_s=1.0, cells=(2,)),
        fault("router_stale", start_s=8.0, duration_s=2.0),
    )
    healthy = build(small(cells=3, router_ramp_s=4.0), HEALTHY, 3)
    healthy.advance(3.2)
    world = healthy.fork(Plan(load=HEALTHY.load, faults=faults))
    digest, seen = sha256(), []
    for step in range(10):
        world.advance(4.0 + step * 1.5)
        add_to(digest, world.snapshot())
        restarts = [cell.exporter_restarts for cell in world.cells]
        seen.append((restarts, world.next_change_ns(), world.requested_per_s, world.leaked_bytes))
    world.skip_ns(7 * 10**9)
    world.advance(26.0)
    other = world.fork()
    other.advance(28.5)
    prints = [each.fingerprint() for each in (healthy, world, other)]
    return prints, digest.hexdigest(), seen, world.effects(), world.router_changes


@pytest.fixture(scope="module")
def here():
    """Return what it comes to on this machine alone."""
    return course(build_system)


@pytest.mark.parametrize("workers", [1, 2])
def test_cells_elsewhere_have_the_bytes_of_cells_here(here, workers):
    """Under a surge of one cell, one that is down, a restart and a router that sees nothing."""
    assert course(LocalActors(workers).cells().build) == here


@pytest.mark.parametrize("kind", [ForgetsShares, ForgetsSkips, ForksHealthy])
def test_a_command_that_is_not_heard_is_another_history(here, kind):
    """What is planted is noticed."""
    with contextlib.suppress(BoundError):
        assert course(LocalActors(2, kind).cells().build) != here


def test_a_second_of_the_router_is_one_question_and_a_scrape_one_more():
    """However many cells, and whatever is read of a scrape."""
    actors = LocalActors(2)
    system = actors.cells().build(small(cells=4), HEALTHY, 1)
    for until_s in (15, 30):
        before = actors.questions
        system.advance(until_s)
        system.snapshot()
        system.cells[2].snapshot()
        assert system.leaked_bytes == 0
        assert system.requested_per_s == 4 * HEALTHY.load.rate
        assert system.next_change_ns() > system.now_ns
        assert actors.questions - before == 16


def test_what_nobody_holds_any_more_is_let_go():
    """A fork with its system, the first one with the last of them."""
    actors = LocalActors(1)
    cells = actors.cells()
    system, other = (cells.build(small(cells=2), HEALTHY, 1) for _ in range(2))
    fork = system.fork(HEALTHY)
    fork.advance(1.5)
    assert len(actors.actors[0].worlds) == 6
    del fork, system
    gc.collect()
    other.snapshot()
    assert set(actors.actors[0].worlds) == {(0, (2,)), (1, (2,))}
