"""The boundary is found in few probes, in either direction, and a second one is said."""

from __future__ import annotations

import pytest

from verifier.near_miss.knobs import Knob
from verifier.near_miss.probing import Nearness
from verifier.near_miss.search import CALM_MAX, BoundarySearch, NoNearMissError, Probe

SHARE = Knob(name="share", fault="gone", steps=(), value=0.4, low=0.0, high=1.0)


def searched(fires, *, knob=SHARE, low=None, high=None, probes_max=30):
    """Return the boundary of an alert that fires where `fires` says."""

    def probe(value):
        return Probe(value, fires(value), Nearness(value, 0.5, 0.0, 60.0))

    return BoundarySearch(knob, probe, probes_max).between(low, high)


@pytest.mark.parametrize("limit", [0.013, 0.1, 0.39, 0.41, 0.77, 0.99])
@pytest.mark.parametrize("upwards", [True, False])
def test_the_last_silent_and_the_first_firing_value_are_neighbours(limit, upwards):
    """Whichever side fires, wherever the file's own value lies."""
    boundary = searched(lambda value: (value >= limit) == upwards)
    assert boundary.upwards == upwards
    below, above = sorted((boundary.silent.value, boundary.firing.value))
    assert below < limit <= above
    assert above - below <= 0.011 * above
    assert len(boundary.probes) <= 20
    assert boundary.contradictions == ()


def test_limits_are_probed_first_and_nothing_outside_them():
    """As they are given."""
    boundary = searched(lambda value: value > 0.25, low=0.2, high=0.3)
    assert [boundary.probes[0].value, boundary.probes[-1].value] == [0.2, 0.3]


@pytest.mark.parametrize(
    ("outcome", "options", "said"),
    [
        (False, {}, "it never fires at any probed share of gone from 0.00313 to 1 (it came to"),
        (True, {}, "it fires at every probed share of gone from 0.00313 to 1, the smallest"),
        (False, {"low": 0.1, "high": 0.9}, "it never fires at any probed share of gone from 0.1"),
        (True, {"low": 0.1, "high": 0.9}, "--low and --high widen that"),
        (True, {"probes_max": 3}, "the probes are used up"),
    ],
)
def test_only_one_outcome_is_no_boundary(outcome, options, said):
    """It is said between which values, and what can be done."""
    with pytest.raises(NoNearMissError) as raised:
        searched(lambda _: outcome, **options)
    assert said in str(raised.value)


def test_an_outcome_that_changes_more_than_once_is_said():
    """Planted: silent again at a little of it, or at a lot; bisection alone would not see that."""
    for silent in ((0.6, 0.75), (0.6, 0.9)):
        boundary = searched(
            lambda value, silent=silent: value >= 0.3 and not silent[0] < value < silent[1],
            low=0.1, high=1.0,
        )  # fmt: skip
        assert boundary.contradictions, silent


def test_the_probes_are_bounded_and_the_boundary_is_then_wider():
    """What was bisected so far is right all the same."""
    boundary = searched(lambda value: value >= 0.33, low=0.1, high=0.9, probes_max=4)
    assert len(boundary.probes) == 4
    assert boundary.silent.value < 0.33 <= boundary.firing.value


@pytest.mark.parametrize("upwards", [True, False])
def test_where_the_condition_never_held_is_searched_further_away(upwards):
    """What builds up is beyond its threshold long before it stays there for a `for`."""

    def probe(value):
        beyond = value if upwards else 1 - value
        return Probe(value, beyond >= 0.7, None, beyond >= 0.35)

    search = BoundarySearch(SHARE, probe, 40)
    boundary = search.between(None, None)
    calm = search.never_held(boundary)
    assert not calm.held
    away = calm.value if upwards else 1 - calm.value
    assert 0.34 <= away < 0.35


def test_a_search_that_used_up_its_probes_still_finds_where_the_condition_never_held():
    """Some probes are kept for that, and no more than are said."""

    def probe(value):
        return Probe(value, value >= 0.7, None, value >= 0.35)

    search = BoundarySearch(SHARE, probe, 3)
    boundary = search.between(0.6, 0.9)
    assert len(search.probes) == 3
    assert not search.never_held(boundary).held
    assert 3 < len(search.probes) <= 3 + CALM_MAX
