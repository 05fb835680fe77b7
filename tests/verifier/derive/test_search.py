"""The worlds that are found by an engine's word: where it fires, where it just does not."""

from __future__ import annotations

import pytest

from tests.verifier.derive.test_problem import problem_of
from verifier.derive import promtool
from verifier.derive.search import NoWorld, WorldSearch

HOUR_S = 3600.0


def last(values):
    """Return the last of some values as promtool reads them."""
    start, sign, growth = values.split()[-1].partition("+")
    number, _, times = growth.partition("x")
    return (
        float(start.split("x")[0]) + float(number or 0) * int(times or 0) if sign else float(start)
    )


def worlds_of(search, holds, error=""):
    """Return the worlds of an engine that says of (values by series, seconds) whether it holds."""

    def answer(question):
        ((expr, time_s),) = question.asks
        assert expr == search.problem.rule.expr
        values = {each.series: last(each.values) for each in question.series}
        holding = holds(values, time_s)
        if holding == "error":
            return (promtool.TestAnswer(error="odd"),)
        return (promtool.TestAnswer((((), 1.0),) if holding else (), error),)

    asking = search.run()
    try:
        questions = next(asking)
        while True:
            questions = asking.send([answer(each) for each in questions])
    except StopIteration as end:
        return end.value


def values_of(worlds):
    """Return the values with which it fires, with which each condition is near, and is far."""

    def values(levels):
        return {
            key: level.value if level.hot is None else (level.hot, level.value, level.cold)
            for key, level in levels.items()
        }

    return (
        values(worlds.fire),
        {near.condition: [values(world) for world in near.worlds] for near in worlds.nears},
        values(worlds.deep),
    )


def searched(expr, holds, **changes):
    """Return the worlds of an alert, told apart."""
    return [values_of(each) for each in worlds_of(WorldSearch(problem_of(expr, **changes)), holds)]


def a_of(values):
    """Return the value of the first series of `a`."""
    return next(value for series, value in values.items() if series.startswith("a{"))


def test_the_first_value_beyond_fires_and_the_nearest_silent_ones_are_kept_in_order():
    """From the threshold on away from it, and far from it."""
    near = [5.0, 4.975, 4.9, 4.5, 2.5, 0.0]
    (plain,) = searched("a > 5", lambda values, _: a_of(values) > 5)
    assert plain[0] == {"a": pytest.approx(5.1)}
    assert [each["a"] for each in plain[1][()]] == pytest.approx(near)
    assert plain[2] == {"a": 0.0}


@pytest.mark.parametrize(
    ("holds", "fires", "near", "deep"),
    [
        (lambda value: 5 < value < 5.05, 5.005, [5.0, 4.975, 4.9, 4.5, 2.5, 0.0], 0.0),
        (lambda value: value > 7, 10.0, [5.0, 4.975, 4.9, 4.5, 2.5, 0.0], 0.0),
        (lambda value: value > 30, 50.0, [5.0, 4.975, 4.9, 4.5, 2.5, 0.0], 0.0),
        (lambda value: value > 4.6, 5.1, [4.5, 2.5, 0.0], 0.0),
        (lambda value: value > 4.6 or value == 0, 5.1, [4.5, 2.5], 2.5),
    ],
)
def test_where_the_engine_says_otherwise_the_aim_moves_on(holds, fires, near, deep):
    """To either side; far from it is the furthest that is silent."""
    (worlds,) = searched("a > 5", lambda values, _: holds(a_of(values)))
    assert worlds[0]["a"] == pytest.approx(fires)
    assert [each["a"] for each in worlds[1][()]] == pytest.approx(near)
    assert worlds[2]["a"] == pytest.approx(deep)


def test_every_condition_has_its_near_worlds_and_every_side_of_an_or_its_own():
    """The other conditions hold meanwhile; all of them are far from it together."""

    def both(values, _):
        return values[next(iter(values))] > 5 and list(values.values())[1] < 20

    (worlds,) = searched("a > 5 and b < 20", both)
    assert set(worlds[1]) == {(0,), (1,)}
    assert [each["b"] for each in worlds[1][0,]] == pytest.approx([19.6] * 6)
    assert [each["b"] for each in worlds[1][1,]] == pytest.approx([20, 20.1, 20.4, 22, 30, 60])
    assert worlds[2] == {"a": 0.0, "b": 60.0}
    left, right = searched("a > 5 or b > 3", lambda v, _: a_of(v) > 5 or list(v.values())[1] > 3)
    assert (left[0], right[0]) == (
        {"a": pytest.approx(5.1), "b": 0.0}, {"a": 0.0, "b": pytest.approx(3.06)})  # fmt: skip


def test_no_more_than_four_ways_are_searched():
    """However many sides there are."""
    expr = " or ".join(f"{name} > 1" for name in "abcdef")
    ways = searched(expr, lambda values, _: any(value > 1 for value in values.values()))
    assert [max(fire, key=fire.get) for fire, _, _ in ways] == ["a", "f", "e", "d"]


def test_an_answer_that_is_an_error_is_never_taken_for_silence():
    """Not beside a threshold, nor far from it, nor where series are counted."""

    def fails(*odd):
        return lambda values, _: (
            "error" if any(abs(a_of(values) - each) < 1e-9 for each in odd) else a_of(values) > 5
        )

    ((_, nears, deep),) = searched("a > 5", fails(5.0))
    assert (nears[()][0]["a"], deep["a"]) == (pytest.approx(4.975), 0.0)
    ((_, nears, deep),) = searched("a > 5", fails(0.0))
    assert (nears[()][-1]["a"], deep["a"]) == (2.5, 2.5)

    def counted(values, _):
        hot = sum(value > 5 for value in values.values())
        return "error" if hot == 2 else hot > 2

    search = WorldSearch(problem_of("count(a > 5) > 2"))
    assert worlds_of(search, counted) == NoWorld("the engine says: odd")

    def narrow(values, _):
        return "error" if 100 < a_of(values) < 150 else a_of(values) > 140

    ((fire, nears, _),) = searched("a > 5", narrow)
    assert nears[()][0]["a"] <= 100
    assert 150 <= fire["a"] < 163


def test_what_is_rounded_in_another_order_is_kept_off_its_threshold():
    """By a millionth."""
    (worlds,) = searched("avg(rate(a[4m])) > 8", lambda values, _: a_of(values) > 4.05 * 360)
    assert worlds[1][()][0]["a"] == pytest.approx(8 * (1 - 1e-6), rel=1e-12)


def counting(least, limit=5):
    """Return whether more than so many series are above a limit."""
    return lambda values, _: sum(value > limit for value in values.values()) > least


@pytest.mark.parametrize(("least", "hot", "near"), [(2, 3, 2), (0, 1, 0), (5, 6, 5), (15, 16, 15)])
def test_of_what_is_counted_one_fewer_is_near(least, hot, near):
    """Of three series, of ten, or of twenty; far from it is none."""
    ((fire, nears, deep),) = searched(f"count(a > 5) > {least}", counting(least))
    assert fire == {"a": (hot, pytest.approx(5.1), 0.0)}
    assert nears[()][0] == {"a": (near, pytest.approx(5.1), 0.0)}
    assert deep == {"a": (0, pytest.approx(5.1), 0.0)}


def test_where_fewer_are_what_fires_one_more_is_near_and_all_are_far():
    """Of three series."""
    ((fire, nears, deep),) = searched("count(a > 5) < 2", lambda v, t: not counting(1)(v, t))
    assert (fire["a"][0], nears[()][0]["a"][0], deep["a"][0]) == (1, 2, 3)


def test_a_world_with_nothing_near_is_taken_where_no_other_is_to_be_had():
    """Of one series there is one, of two there is none."""

    def single(values, _):
        return len(values) > 1 or a_of(values) > 5

    ((fire, nears, _),) = searched("sum(a) > 5", single)
    assert (fire["a"], nears[()][0]["a"]) == (pytest.approx(5.1), 5.0)


def test_the_bounds_of_a_histogram_lie_about_its_threshold():
    """Not beside it."""
    search = WorldSearch(problem_of("histogram_quantile(0.5, rate(a_bucket[4m])) > 0.5"))
    (worlds,) = worlds_of(search, lambda values, _: min(values.values()) < 0.45 * 60 * 5 * 100)
    assert worlds.fire["a_bucket"].anchor == 0.5


def test_what_cannot_be_aimed_at_is_searched_between_two_values():
    """Eight to each step, by the first selector that decides; beside it, and far from it."""
    ((fire, nears, deep),) = searched("a > 5", lambda values, _: a_of(values) > 200)
    width = 900 / 8**4
    silent, far = (each["a"] for each in nears[()])
    assert 200 - width <= silent <= 200 < fire["a"] <= 200 + width
    assert (far, deep) == (100.0, {"a": 100.0})
    ((fire, nears, _),) = searched("a > 5", lambda values, _: a_of(values) < -200)
    assert -200 - width <= fire["a"] < -200 <= nears[()][0]["a"] <= -200 + width
    (stands,) = searched("rate(a[4m]) > 5", lambda values, _: a_of(values) == 0)
    assert stands[0]["a"] == 0.0  # a counter does not fall, but it may stand
    grows = searched("rate(a[4m]) > 5", lambda values, _: a_of(values) > 200 * 360)
    assert grows[0][0]["a"] == pytest.approx(200, abs=width)


def test_of_several_series_only_the_first_is_moved():
    """Where all of them together decide nothing."""

    def apart(values, _):
        return max(values.values()) - min(values.values()) > 200

    ((fire, nears, _),) = searched("stddev(a) > 5", apart)
    hot, value, cold = fire["a"]
    assert (hot, cold) == (1, pytest.approx(5.1))
    assert value == pytest.approx(-194.9, abs=1)
    assert nears[()][0]["a"][2] == pytest.approx(5.1)


def test_what_reads_the_clock_is_tried_at_other_hours():
    """Until it fires; all its tests begin then."""
    search = WorldSearch(problem_of("a > 5 and on () hour() > 8"))
    worlds = worlds_of(
        search, lambda values, time_s: a_of(values) > 5 and 14 < time_s / HOUR_S < 16
    )
    assert len(worlds) == 1
    assert search.problem.lead_s == 14.5 * HOUR_S
    never = WorldSearch(problem_of("a > 5"))
    assert isinstance(worlds_of(never, lambda _, time_s: time_s > HOUR_S), NoWorld)


@pytest.mark.parametrize(
    ("expr", "error", "reason"),
    [
        ("vector(1)", "", "it reads no series"),
        ('a{x="1",x="2"} > 5', "", "its matchers leave no series that it could read"),
        ("a > 5", "", "no values were found with which it fires"),
        ("a > 5", "odd", "the engine says: odd"),
        ("count(a > 5) > 1", "odd", "the engine says: odd"),
    ],
)
def test_where_there_is_no_world_it_is_said_why(expr, error, reason):
    """What the engine says comes first."""
    search = WorldSearch(problem_of(expr))
    assert worlds_of(search, lambda *_: False, error) == NoWorld(reason)


def test_what_fires_everywhere_has_no_near_world():
    """It is for its tests to say so."""
    (worlds,) = worlds_of(WorldSearch(problem_of("a > 5")), lambda *_: True)
    assert (worlds.nears, worlds.deep) == ((), {})
