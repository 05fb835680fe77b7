"""What a condition measures and where it turns, whatever the form it is written in."""

from __future__ import annotations

import math

import pytest

from verifier.promql.conditions import (
    close,
    conditions_of,
    number_text,
    quantity_of,
    same_up_to_unit,
)


@pytest.mark.parametrize(
    ("expr", "operator", "threshold"),
    [
        ("100 * (1 - a / b) < 99.9", ">", 0.001),
        ("(1 - a / b) * 100 < 99.9", ">", 0.001),
        ("99.9 > 100 - 100 * (a / b)", ">", 0.001),
        ("a / b / (1 - 0.999) > 14.4", ">", 0.0144),
        ("100 * (0.001 - a / b) / 0.001 < 10", ">", 0.0009),
        ("100 * a / b >= 5", ">=", 0.05),
        ("-(a / b) < -0.2", ">", 0.2),
        ("(a * 100) / (b * 2) > 10", ">", 0.2),
        ("a / b > 2 ^ 3 % 5", ">", 3),
    ],
)
def test_one_statement_in_many_forms_is_one_threshold_of_the_core(expr, operator, threshold):
    """The core is a / b in each of them."""
    [condition] = conditions_of(expr)
    assert condition.quantity.core == quantity_of("a / b").core
    assert condition.core_operator == operator
    assert condition.core_threshold == pytest.approx(threshold)


@pytest.mark.parametrize(
    "expr",
    [
        "a",
        "a > bool 1",
        "a > b",
        "a == 1",
        "a > 1 or b > 2",
        "absent(a)",
        "a > 1 and b",
        "0 * a > 1",
    ],
)
def test_what_is_no_comparison_of_one_quantity_with_a_number_has_no_condition(expr):
    """Nothing is guessed."""
    assert conditions_of(expr) == ()


def test_two_conditions_that_must_both_hold_are_both_read():
    """A burn rate with its short window."""
    long, short = conditions_of("a / 0.001 > 14.4 and (rate(b[5m]) > 2)")
    assert (long.threshold, short.threshold) == (14.4, 2)
    assert short.ranges_s == {300.0}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("sum(a)", "sum by (x) (a) / 1024 / 1024"),
        ("sum(a) / 1024 / 1024 / 1024", "a / 1e6"),
        ("a / b", "a / b * 100"),
        ("1 - a / b", "100 * (a / b)"),
        ("rate(a{x='1',y='2'}[5m])", "sum(rate(a{y='2', x='1'}[300s])) * 1000"),
        ("histogram_quantile(0.9, rate(a[5m]))",
         "histogram_quantile(0.9, sum by (le) (rate(a[5m])))"),
        ("rate(http_request_duration_seconds_bucket[5m])",
         "rate(agentaskit_response_duration_seconds_bucket[5m])"),
    ],
)  # fmt: skip
def test_quantities_that_differ_by_layout_split_or_unit_are_the_same(left, right):
    """Ratio and per cent, bytes and MiB, seconds and milliseconds, both response times."""
    assert same_up_to_unit(quantity_of(left), quantity_of(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("sum(a)", "sum(a) / 928"),
        ("avg(a)", "a"),
        ("max by (x) (a)", "max by (y) (a)"),
        ("rate(a[5m])", "rate(a[1m])"),
        ("a", "a offset 5m"),
        ('a{x="1"}', 'a{x!="1"}'),
        ("histogram_quantile(0.95, a)", "histogram_quantile(0.99, a)"),
        ("topk(3, a)", "topk(5, a)"),
        ("a / b", "b / a"),
        ("1", "2"),
        ("0 * a", "a"),
        ("a / 0", "a"),
    ],
)
def test_other_questions_are_not_taken_for_the_same(left, right):
    """A share of 928 agents is no unit of agents; another window is another question."""
    assert not same_up_to_unit(quantity_of(left), quantity_of(right))


def test_close_forgives_rounding_and_nothing_else():
    """(1 - 0.999) is not 0.001 in floating point."""
    assert close(1 - 0.999, 0.001)
    assert not close(14.4, 14.401)


@pytest.mark.parametrize(
    ("value", "text"),
    [(14.4, "14.4"), (0.1 + 0.2, "0.3"), (10 * 1024**3, "10737418240"), (1e15, "1e+15")],
)
def test_a_threshold_is_written_as_people_do(value, text):
    """Ten gibibytes in digits, which an exponent would hide; no noise of binary fractions."""
    assert number_text(value) == text


def test_a_quantity_and_its_core_are_turned_into_each_other():
    """An availability of 99.9 per cent is an error share of a thousandth."""
    quantity = quantity_of("100 * (1 - errors / all)")
    assert quantity.at_core(0.001) == pytest.approx(99.9)
    assert quantity.core_at(99.9) == pytest.approx(0.001)


@pytest.mark.parametrize("expr", ["sum(1 - x)", "x * (y + 1)", "x / (y + 1)", "(x + 1) * y"])
def test_what_is_not_linear_in_its_parts_is_measured_as_a_whole(expr):
    """A sum of differences depends on how many there are, a product on both."""
    quantity = quantity_of(expr)
    assert (quantity.slope, quantity.offset) == (1.0, 0.0)
    for other in ("x", "x * y", "x / y", "1 - sum(x)"):
        assert quantity.core != quantity_of(other).core


@pytest.mark.parametrize(
    ("expr", "operator", "threshold", "quantile"),
    [
        ("0.5 * a > 3", ">", 6.0, None),
        ("-a > 3", "<", -3.0, None),
        ("-(a + 2) > 3", "<", -5.0, None),
        ("5 / a > 3", ">", 3.0, None),
        ("5 / (a + 2) > 3", ">", 3.0, None),
        ("(a + 2) / 5 > 3", ">", 13.0, None),
        ("a / 5 > 3", ">", 15.0, None),
        ("histogram_quantile(0.9, a) > 1", ">", 1.0, 0.9),
        ("histogram_quantile(0.9, a) / histogram_quantile(0.5, b) > 1", ">", 1.0, None),
        ("histogram_quantile(scalar(q), a) > 1", ">", 1.0, math.nan),
    ],
)
def test_the_core_of_a_condition_has_a_threshold_of_its_own(expr, operator, threshold, quantile):
    """Signs, factors and offsets are moved to the other side."""
    (condition,) = conditions_of(expr)
    assert (condition.core_operator, condition.core_threshold) == (operator, threshold)
    assert repr(condition.quantile) == repr(quantile)


def test_labels_are_grouped_by_in_any_order():
    """It is the same question."""
    assert quantity_of("max by (b, a) (x)") == quantity_of("max by (a, b) (x)")
    assert quantity_of("max by (a) (x)") != quantity_of("max by (b) (x)")
