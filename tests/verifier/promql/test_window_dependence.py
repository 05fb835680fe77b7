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
