"""Which function decides an expression's value by how long its windows are."""

import pytest

from verifier.promql.window_dependence import bound_by


@pytest.mark.parametrize(
    ("expr", "function"),
    [
        ("rate(x[5m]) > 1", ""),
        ("increase(x[5m]) > 3", "increase"),
        ("increase(x[5m]) / increase(y[5m]) > 3", ""),
        ("time() - x > 60", "time"),
    ],
)
def test_the_function_that_binds_an_expression_to_its_windows_is_named(expr, function):
    """A rate and a ratio of increases stay as they are, an increase shrinks with its window."""
    assert bound_by(expr, condition=True, counts_kept=True) == function


def test_of_a_condition_only_whether_it_has_a_result_matters():
    """`increase > 0` holds at any length; its value, which a recording rule stores, does not."""
    assert bound_by("increase(x[5m]) > 0", condition=True, counts_kept=True) == ""
    assert bound_by("increase(x[5m]) > 0", condition=False, counts_kept=True) == "increase"


def test_a_count_of_samples_stays_only_while_a_window_holds_as_many():
    """Scrapes cannot come as much more often as windows get shorter, beyond a point."""
    expr = "count_over_time(x[5m]) < 20"
    assert bound_by(expr, condition=True, counts_kept=True) == ""
    assert bound_by(expr, condition=True, counts_kept=False) == "count_over_time"


def test_what_is_no_promql_raises():
    """The caller knows the place."""
    with pytest.raises(ValueError, match=r"."):
        bound_by("rate(", condition=True, counts_kept=True)


@pytest.mark.parametrize("operator", ["and", "unless"])
def test_of_what_is_filtered_by_another_side_only_the_left_has_a_value(operator):
    """The right one says whether it is there."""
    grows, stays = "increase(m[5m])", "rate(m[5m])"
    for left, right, bound in ((grows, stays, "increase"), (stays, grows, "")):
        expr = f"{left} {operator} {right}"
        assert bound_by(expr, condition=False, counts_kept=True) == bound


@pytest.mark.parametrize(
    ("expr", "function"),
    [
        *[
            ("increase(x[5m]) > on() vector(5)", "increase"),
            ("vector(5) < increase(x[5m])", "increase"),
        ],
        *[("increase(x[5m]) > on() vector(0)", ""), ("rate(x[5m]) > on() vector(5)", "")],
        *[("vector(time()) > 5", "time"), ("vector(1) + increase(x[5m]) > 0", "increase")],
    ],
)
def test_a_number_is_compared_as_well_where_it_stands_as_a_vector(expr, function):
    """Only 0 is of any length."""
    assert bound_by(expr, condition=True, counts_kept=True) == function


GROWS, OTHER, MOVES = "increase(x[5m])", "increase(y[5m])", "delta(x[5m])"


@pytest.mark.parametrize(
    ("expr", "as_condition", "as_value"),
    [
        *[
            (f"stddev({GROWS}) / {GROWS} > 1", "", ""),
            (f"stddev({GROWS}) > 1", "increase", "increase"),
        ],
        *[(f"stdvar({GROWS}) / ({GROWS} * {OTHER}) > 1", "", ""), (f"group({GROWS}) > 0", "", "")],
        *[(f"stdvar({GROWS}) / {GROWS} > 1", "increase", "increase")],
        *[(f"count({GROWS}) > 3", "", ""), (f'count_values("v", {GROWS}) > 1', *["increase"] * 2)],
        *[("300 / rate(x[5m]) > 5", "", ""), (f"300 / {GROWS} > 5", *["increase"] * 2)],
        *[(f"{GROWS} / {OTHER}", "", ""), (f"{GROWS} * {OTHER}", "", "increase")],
        *[(f"{GROWS} or vector(0)", "", "increase"), (f"vector(0) or {GROWS}", "", "increase")],
        *[(f"(vector(0) or {GROWS}) / {GROWS} > 1", "", ""), ("rate(x[5m]) or vector(0)", "", "")],
        *[
            (f"(vector(0) or {GROWS}) > 1", *["increase"] * 2),
            (f"{GROWS} or rate(x[5m])", "", "increase"),
        ],
        *[(f"{GROWS} or {OTHER} > 1", *["increase"] * 2), (f"{GROWS} > bool 0", "", "")],
        *[(f"({GROWS} > bool 0) + rate(x[5m]) > 1", "", ""), ("hour(x) > 5", "", "")],
        *[("hour() > 5", "hour", "hour"), ("x and on() hour() > 5", "hour", "hour")],
        *[
            ("timestamp(x) > 5", *["timestamp"] * 2),
            ("predict_linear(x[1h], 9) > 5", *["predict_linear"] * 2),
        ],
        *[(f"{MOVES} > 0", "", "delta"), (f"{MOVES} > 5", "delta", "delta")],
        *[(f"{MOVES} > delta(y[5m])", "delta", "delta"), (f"sum({MOVES}) > 0", "delta", "delta")],
        *[
            (f"{MOVES} * 0 > 0", "", ""),
            (f"0 * {MOVES} > 5", "", ""),
            (f"{MOVES} * 2 > 0", "", "delta"),
        ],
        *[("changes(x[5m]) > 0", "", "changes"), ("resets(x[5m]) > 1", "resets", "resets")],
        *[(f"{pick}(2, {MOVES}) > 0", "", "delta") for pick in ("topk", "bottomk", "limitk")],
        *[(f"{pick}({MOVES}) > 0", "", "delta") for pick in ("max", "min", "abs", "sort")],
        *[("stdvar_over_time(x[5m]) > 5", "", ""), (f"sgn({MOVES}) > 0", "", "")],
        *[(f"stdvar_over_time({GROWS}[1h:]) / ({GROWS} * {OTHER}) > 1", "", "")],
        *[(f"stdvar_over_time({GROWS}[1h:]) / {GROWS} > 1", *["increase"] * 2)],
        *[
            (f"clamp_max({GROWS}, 5) > 0", *["increase"] * 2),
            (f"clamp_min({GROWS}, 0) > 0", "", "increase"),
        ],
        *[(f"{GROWS} ^ 2 > 0", *["increase"] * 2), (f"2 ^ {GROWS} > 4", *["increase"] * 2)],
        *[
            ("rate(x[5m]) ^ 2 > 4", "", ""),
            (f"ln({GROWS}) > 1", *["increase"] * 2),
            ("ln(x) > 1", "", ""),
        ],
        *[(f"absent({GROWS})", "", ""), (f"histogram_quantile(0.9, {GROWS}) > 1", "", "")],
        *[
            (f"{GROWS} - {OTHER} > 0", "", "increase"),
            (f"{GROWS} - rate(x[5m]) > 0", *["increase"] * 2),
        ],
        *[(f"avg_over_time({GROWS}[1h:]) > 0", "", "increase"), (f"-{GROWS} < 0", "", "increase")],
        *[("count_over_time(x[5m:1m]) > 5", "", ""), ("sum_over_time(x[5m:1m]) > 5", "", "")],
        *[("count_over_time(x[5m]) > 5", *["count_over_time"] * 2)],
        *[
            ("sum_over_time(x[5m]) > 5", *["sum_over_time"] * 2),
            ("avg_over_time(x[5m]) > 5", "", ""),
        ],
    ],
)
def test_what_shorter_windows_change_of_a_condition_and_of_a_value(expr, as_condition, as_value):
    """Where scrapes do not come as much more often; a subquery keeps its samples even so."""
    said = [bound_by(expr, condition=condition, counts_kept=False) for condition in (True, False)]
    assert said == [as_condition, as_value]
