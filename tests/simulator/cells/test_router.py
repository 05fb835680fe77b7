"""How the router shares the load by what it sees: arithmetic, from readings typed in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.bounds import BoundError
from simulator.cells.router import HEALTH_MIN, Router
from simulator.snapshot import CellReading
from simulator.topology import Topology


def router_of(cells, **changes):
    """Return a router that has checked no health yet."""
    return Router(replace(Topology(), cells=cells, router_ramp_s=4.0, **changes))


def check(router, *errors, up=(), answers=100):
    """Let a second pass in which each cell gave so many answers, of which so many were errors."""
    router.check_health(
        [
            CellReading(not up or up[i], seen.answered + answers, seen.errors + errors[i])
            for i, seen in enumerate(router.seen)
        ]
    )
    return router.shares()


@pytest.mark.parametrize("cells", [2, 3, 7, 49, 100, 1000])
def test_healthy_cells_get_exactly_what_a_world_alone_gets(cells):
    """Not a bit beside 1, so that a healthy cell is the same world as one without a router."""
    assert router_of(cells).shares() == (1.0,) * cells
    assert check(router_of(cells), *[0] * cells) == (1.0,) * cells


def test_weights_share_the_load_in_proportion():
    """Three to one, and their mean is 1."""
    assert router_of(2, cell_weights=(3.0, 1.0)).shares() == (1.5, 0.5)


def test_a_cell_that_is_down_gets_nothing_and_comes_back_by_a_ramp():
    """At once out, in four seconds in: a quarter of its health a second."""
    router = router_of(3)
    assert check(router, 0, 0, 0, up=(True, False, True)) == (1.5, 0.0, 1.5)
    shares = [check(router, 0, 0, 0)[1] for _ in range(5)]
    assert shares == pytest.approx([1 / 3, 3 / 5, 9 / 11, 1.0, 1.0])


def test_a_cell_that_answers_worse_than_the_best_loses_as_much_of_its_health():
    """A fifth of its answers are errors: it keeps four fifths, again, down to a probe's share."""
    router = router_of(2)
    assert check(router, 0, 20) == pytest.approx((2 / 1.8, 1.6 / 1.8))
    check(router, 0, 20)
    assert router.health == pytest.approx([1.0, 0.64])
    for _ in range(50):
        check(router, 0, 100)
    assert router.health == [1.0, HEALTH_MIN]


@pytest.mark.parametrize(
    ("errors", "health"),
    [((0, 2), 1.0), ((0, 3), 0.97), ((10, 12), 1.0), ((10, 30), 0.8), ((40, 90), 0.5)],
)
def test_a_cell_loses_what_it_is_worse_by_and_nothing_up_to_two_in_a_hundred(errors, health):
    """Worse than the best one, not than none; the noise of a few hundred answers moves no load."""
    router = router_of(2)
    check(router, *errors)
    assert router.health == pytest.approx([1.0, health])


def test_a_cell_regains_its_health_in_the_ramp_whatever_its_weight():
    """A heavy one in as many seconds as a light one; until then it is left with a probe's share."""
    router = router_of(2, cell_weights=(1.0, 3.0))
    for _ in range(50):
        shares = check(router, 0, 100)
    assert 0.0 < shares[1] < 0.12
    for passed_s in (1, 2, 3):
        check(router, 0, 0)
        assert router.health[1] == pytest.approx(HEALTH_MIN + passed_s / 4.0)


def test_load_that_fails_everywhere_is_moved_nowhere():
    """Overloaded cells that all shed alike keep what they have: there is no better place."""
    router = router_of(3)
    assert check(router, 40, 40, 41) == (1.0, 1.0, 1.0)


def test_a_few_answers_say_nothing():
    """Nineteen errors of nineteen answers are too few to judge a cell by."""
    router = router_of(2)
    assert check(router, 0, 19, answers=19) == (1.0, 1.0)
    assert check(router, 0, 20, answers=20)[1] < 1.0


def test_where_no_cell_is_healthy_all_get_their_weight():
    """The load has to go somewhere."""
    router = router_of(2, cell_weights=(3.0, 1.0))
    assert check(router, 0, 0, up=(False, False)) == (1.5, 0.5)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, float("nan")), (1.0, 2.0, 3.0)])
def test_weights_that_do_not_fit_are_refused(weights):
    """One for each cell, each a positive number."""
    with pytest.raises(BoundError) as refused:
        replace(Topology(), cells=2, cell_weights=weights)
    assert refused.value.field == "cell_weights"


def test_a_cell_that_is_down_is_not_the_best_one():
    """It has no errors, for it has no answers: two that fail alike keep their health."""
    router = router_of(3)
    check(router, 0, 40, 40, up=(False, True, True))
    assert router.health == [0.0, 1.0, 1.0]
