"""Which values are probed, and which of them are safe: each exactly, in order."""

from __future__ import annotations

import pytest

from tests.verifier.outcomes import alert, outcome
from verifier.coverage.cells import Observation
from verifier.coverage.observing import CoveredScenario
from verifier.near_miss.knobs import Knob
from verifier.near_miss.margin import SafeValue, SeedResult, margins, safe_value, seed_result
from verifier.near_miss.probing import Nearness
from verifier.near_miss.search import BoundarySearch, NoNearMissError, Probe

SHARE = Knob(name="share", fault="gone", steps=(), value=0.4, low=0.0, high=1.0)
NUMBER = Knob(name="x", fault=None, steps=(), value=1.0, low=0.2, high=5.0)
TIME = Knob(name="x", fault=None, steps=(), value=60.0, low=1.0, high=600.0, unit="time")
WHOLE = Knob(name="x", fault=None, steps=(), value=8.0, low=0.0, high=600.0, unit="whole")


@pytest.mark.parametrize(
    ("knob", "edge", "step", "upwards", "values"),
    [
        (NUMBER, 1.0, 0, True, [0.992, 0.984, 0.972, 0.96, 0.944, 0.92, 0.888, 0.848, 0.8]),
        (NUMBER, 1.0, 0, False, [1.01, 1.02, 1.03, 1.05, 1.07, 1.1, 1.14, 1.19, 1.25]),
        (NUMBER, 4.9, 0, False, [4.95, 5.0]),
        (TIME, 100.0, 7.5, True, [92.0, 85.0, 78.0, 70.0, 62.0, 55.0, 48.0, 40.0, 32.0]),
        (TIME, 10.0, 7.5, True, [2.5, 1.0]),
        (WHOLE, 3.0, 0, True, [2.0]),
        (WHOLE, 1.0, 3, True, []),
    ],
)  # fmt: skip
def test_margins_are_shares_of_the_way_or_whole_steps(knob, edge, step, upwards, values):
    """Of the way from no effect, or of the edge itself; each once, within bounds, never 0."""
    assert [*margins(knob, edge, step, upwards=upwards)] == values


def results(*complaints):
    """Return what each seed showed."""
    return tuple(SeedResult(n, (), complaint) for n, complaint in enumerate(complaints))


HOLDS = results(None)


@pytest.mark.parametrize(
    ("judged", "safe"),
    [
        ([results(None), results(None, None)], SafeValue(1, 0, results(None, None))),
        ([results(None), results("a"), HOLDS, HOLDS], SafeValue(3, 2, HOLDS)),
        ([results("a", "b"), results(None, "c"), results("d", None)], results(None, "c")),
        ([results("a", None), results("b", "c"), results("d", "e")], results("a", None)),
        ([results("a"), results(None)], results("a")),
        ([results(None)], ()),
        ([], ()),
    ],
)  # fmt: skip
def test_the_further_of_two_neighbours_is_safe_or_it_is_said_what_came_nearest(judged, safe):
    """With the fewest complaints, of those the first."""
    assert safe_value(iter(range(len(judged))), lambda value: judged[int(value)]) == safe


def covered(*observations, **changes):
    """Return what coverage makes of a run."""
    values = {"alerts": (alert("Low", "silent"),), "seed": 7} | changes
    plain = outcome(**values)
    fields = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
    seen = tuple(
        Observation(number=number, cell=cell, shown=shown, binds=binds)
        for number, cell, shown, binds in observations
    )
    return CoveredScenario(**fields, observations=seen)


NEAR = "near_threshold"


@pytest.mark.parametrize(
    ("run", "cell", "result"),
    [
        (covered((1, NEAR, "430", True), (2, NEAR, "431", True)), NEAR,
         SeedResult(7, ("430", "431"))),
        (covered((1, NEAR, "430", False), (3, NEAR, "431", True), (1, "near_for", "x", True)), NEAR,
         SeedResult(7, (), "it is silent, but not near its threshold for as long as its `for`")),
        (covered((1, NEAR, "430", True)), "near_for",
         SeedResult(7, (), "it is silent, but not near its `for`")),
        (covered((1, "near_for", "held for 50s", True)), "near_for",
         SeedResult(7, ("held for 50s",))),
        (covered((1, NEAR, "430", True), alerts=(
            alert("Low", "silent"), alert("Odd", ok=False), alert("Other", ok=False))), NEAR,
         SeedResult(7, ("430",), "Odd: never fired")),
        (covered((1, NEAR, "430", True), invalid=("a", "b")), NEAR, SeedResult(7, (), "a; b")),
        (outcome(seed=9), NEAR, SeedResult(9, (), "it was not judged")),
    ],
)  # fmt: skip
def test_a_seed_shows_a_near_miss_of_the_alert_or_what_is_wrong(run, cell, result):
    """Only what the judge would have refused, of the rules of the alert alone."""
    assert seed_result(run, [1, 2], cell) == result


def probed(fires, low=None, high=None, *, knob=SHARE, held=lambda _: False, probes_max=30):
    """Return the boundary, the values in the order of the probes, and the search."""
    values = []

    def probe(value):
        values.append(value)
        return Probe(value, fires(value), Nearness(value, 0.5, 0.0, 60.0), held(value))

    search = BoundarySearch(knob, probe, probes_max)
    return search.between(low, high), values, search


@pytest.mark.parametrize(
    ("limit", "limits", "silent", "values"),
    [
        (0.5, (None, None), 0.496,
         [0.4, 0.8, 0.6, 0.5, 0.45, 0.475, 0.487, 0.493, 0.496, 0.448, 0.65]),
        (0.3, (None, None), 0.298,
         [0.4, 0.2, 0.3, 0.25, 0.275, 0.287, 0.293, 0.296, 0.298, 0.249, 0.35]),
        (0.3, (0.2, 0.6), 0.298,
         [0.2, 0.6, 0.4, 0.3, 0.25, 0.275, 0.287, 0.293, 0.296, 0.298, 0.249, 0.45]),
        (0.7, (0.5, None), 0.696,
         [0.5, 1.0, 0.75, 0.625, 0.688, 0.719, 0.704, 0.696, 0.7, 0.598, 0.85]),
        (0.24, (None, 0.3), 0.239,
         [0.3, 0.15, 0.225, 0.263, 0.244, 0.234, 0.239, 0.241, 0.195, 0.27]),
    ],
)  # fmt: skip
def test_the_boundary_is_bracketed_halved_and_looked_beyond(limit, limits, silent, values):
    """Twice as much first where it is silent, half where it fires; a look to each side at last."""
    boundary, order, _ = probed(lambda value: value >= limit, *limits)
    assert order == values
    assert boundary.silent.value == silent
    assert boundary.firing.value - silent <= 0.01 * boundary.firing.value
    assert [each.value for each in boundary.probes] == sorted(values)


def test_values_within_a_hundredth_of_the_larger_are_neighbours():
    """Nothing lies between them that is worth a probe."""
    knob = Knob(name="x", fault=None, steps=(), value=99.0, low=0.0, high=1000.0)
    for low, order in ((99.0, [99.0, 100.0]), (98.9, [98.9, 100.0, 99.5])):
        assert probed(lambda value: value >= 100, low, 100.0, knob=knob)[1][: len(order)] == order
    assert len(probed(lambda value: value >= 100, 99.0, 100.0, knob=knob)[1]) == 2


def test_the_other_direction_is_searched_where_more_does_not_change_it():
    """Up to seven doublings or halvings, and never to nothing."""
    _, order, _ = probed(lambda value: value < 0.3)
    assert order[:4] == [0.4, 0.8, 1.0, 0.2]
    _, order, _ = probed(lambda value: value < 0.5)
    assert order[:9] == [0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.00313, 0.8]
    small = Knob(name="x", fault=None, steps=(), value=2.0, low=0.0, high=8.0, unit="whole")
    boundary, order, _ = probed(lambda value: value < 5, knob=small)
    assert (order, boundary.firing.value) == ([2, 1, 4, 8, 6, 5], 4)


@pytest.mark.parametrize(
    ("upwards", "held", "calm", "values"),
    [
        (True, 0.3, 0.298, [0.397, 0.318, 0.254, 0.286, 0.302, 0.294, 0.298, 0.3]),
        (True, 0.45, 0.448, [0.472, 0.46, 0.454, 0.451]),
        (True, 0.6, 0.496, []),
        (True, 0.0, 0.496, [0.397, 0.318, 0.254, 0.203, 0.162, 0.13, 0.104]),
        (False, 0.7, 0.702, [0.725, 0.688, 0.706, 0.697, 0.702]),
        (False, 0.85, 0.855, [0.625, 0.781, 0.976, 0.879, 0.83, 0.855, 0.843, 0.849]),
        (False, 0.4, 0.5, []),
    ],
)  # fmt: skip
def test_where_the_condition_never_held_is_halved_in_as_few_probes(upwards, held, calm, values):
    """From the nearest that is known, else further away; without any the silent edge itself."""
    boundary, order, search = probed(
        lambda value: (value >= 0.5) == upwards, held=lambda value: (value >= held) == upwards
    )
    before = len(order)
    assert search.never_held(boundary).value == calm
    assert order[before:] == values


def test_probes_that_are_used_up_leave_the_boundary_wide():
    """The looks beyond it are left out, too; without both outcomes there is none."""
    boundary, order, _ = probed(lambda value: value >= 0.3, 0.2, 0.6, probes_max=6)
    assert (order, boundary.silent.value) == ([0.2, 0.6, 0.4, 0.3, 0.25, 0.275], 0.275)
    assert boundary.firing.value == 0.3
    with pytest.raises(NoNearMissError, match="used up"):
        probed(lambda _: False, probes_max=2)


def test_what_never_fires_came_nearest_where_its_value_was_nearest():
    """Said with the first and the last value."""
    sentence = (
        r"^it never fires at any probed share of gone from 0.00313 to 1 \(it came to 0.4, 80.0 %"
        r" of the threshold 0.5, held for 0s of 1m\), not even the largest: "
    )
    with pytest.raises(NoNearMissError, match=sentence):
        probed(lambda _: False)
