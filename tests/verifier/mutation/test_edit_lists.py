"""All edits of an expression, each with what changed as a person reads it."""

from __future__ import annotations

import pytest

from verifier.mutation.edits import expression_edits
from verifier.mutation.siblings import SIBLINGS_MAX, Siblings, suffix_of, words_of

LISTED = {
    "2 <= a": [
        "comparator: <= a -> >= a", "boundary: <= a -> < a",
        "threshold: 2 <= a -> 1.5 <= a", "threshold: 2 <= a -> 1.8 <= a",
        "threshold: 2 <= a -> 2.2 <= a", "threshold: 2 <= a -> 2.5 <= a",
        "unit: 2 <= a -> 0.002 <= a", "unit: 2 <= a -> 2000 <= a",
    ],
    "a != -3": [
        "comparator: != -3 -> == -3",
        *(f"threshold: != -3 -> != {n}" for n in ("-2.25", "-2.7", "-3.3", "-3.75")),
        "unit: != -3 -> != -0.003", "unit: != -3 -> != -3000",
    ],
    "a >= bool 0": [
        "comparator: >= bool 0 -> <= bool 0", "boundary: >= bool 0 -> > bool 0",
        "threshold: >= bool 0 -> >= bool -1", "threshold: >= bool 0 -> >= bool 1",
    ],
    "a < on (x) group_left (y) 4 * b": [
        "comparator: < on (x) group_left (y) 4 * b -> > on (x) group_left (y) 4 * b",
        "boundary: < on (x) group_left (y) 4 * b -> <= on (x) group_left (y) 4 * b",
        "operator: 4 * b -> 4 / b", "number: 4 * b -> 3.6 * b", "number: 4 * b -> 4.4 * b",
    ],
    "0 * a": ["operator: 0 * a -> 0 / a", "number: 0 * a -> -1 * a", "number: 0 * a -> 1 * a"],
    "a / 2 + b": [
        "operator: a / 2 + b -> a / 2 - b", "operator: a / 2 -> a * 2", "number: a / 2 -> a / 1.8",
        "number: a / 2 -> a / 2.2",
    ],
    "a % 2": [], "a ^ 2": [], "group(a)": [], "stddev(a)": [], "topk(3, a)": [],
    "avg(a)": ["aggregation: avg(a) -> max(a)", "aggregation: avg(a) -> a"],
    "max(a)": ["aggregation: max(a) -> min(a)", "aggregation: max(a) -> a"],
    "min(a)": ["aggregation: min(a) -> max(a)", "aggregation: min(a) -> a"],
    "count(a)": ["aggregation: count(a) -> sum(a)", "aggregation: count(a) -> a"],
    "sum(-a)": ["aggregation: sum(-a) -> avg(-a)", "aggregation: sum(-a) -> (-a)"],
    "topk by (x, y) (3, a)": [
        "grouping: topk by (x, y) (3, a) -> topk by (y) (3, a)",
        "grouping: topk by (x, y) (3, a) -> topk by (x) (3, a)",
    ],
    **{f"histogram_quantile({before}, a)": [
        f"quantile: histogram_quantile({before}, a) -> histogram_quantile({after}, a)"]
       for before, after in ((0.5, 0.9), (0.9, 0.5), (0.95, 0.99), (0.99, 0.95), (0.7, 0.5))},
    "quantile_over_time(0.9, a[1m])": ["window: a[1m] -> a[30s]", "window: a[1m] -> a[2m]"],
    **{f"{before}(a[15s])": [
        f"function: {before}(a[15s]) -> {after}(a[15s])", "window: a[15s] -> a[7s500ms]",
        "window: a[15s] -> a[30s]"]
       for before, after in (
           ("rate", "increase"), ("irate", "increase"), ("increase", "rate"), ("delta", "deriv"),
           ("deriv", "delta"), ("avg_over_time", "max_over_time"),
           ("max_over_time", "min_over_time"), ("min_over_time", "max_over_time"))},
    "a[1w]": ["window: a[1w] -> a[3d12h]", "window: a[1w] -> a[2w]"],
    "a[1w1s]": ["window: a[1w1s] -> a[3d12h500ms]"],
    'a{x!="1"}': ['matcher: a{x!="1"} -> a', 'matcher: a{x!="1"} -> a{x="1"}'],
    'a{x!~"1"} offset 5m': [
        'matcher: a{x!~"1"} offset 5m -> a offset 5m',
        'matcher: a{x!~"1"} offset 5m -> a{x=~"1"} offset 5m',
    ],
    'a{x=""}': ['matcher: a{x=""} -> a', 'matcher: a{x=""} -> a{x!=""}'],
    'a{x=".1"}': [
        'matcher: a{x=".1"} -> a', 'matcher: a{x=".1"} -> a{x!=".1"}',
        'matcher: a{x=".1"} -> a{x=~"\\\\..*"}',
    ],
    '{x="1"}': ['matcher: {x="1"} -> {x=~"1.*"}'],
}  # fmt: skip


@pytest.mark.parametrize("expr", LISTED)
def test_every_edit_is_listed_with_what_changed(expr):
    """A comparison from its sign on, other parts as they are."""
    edits = [f"{each.kind}: {each.before} -> {each.after}" for each in expression_edits(expr)]
    assert edits == LISTED[expr]


def test_a_metric_is_edited_into_each_that_may_be_taken_for_it():
    """In a window and without one; a selector without a name has none."""

    def siblings(name):
        return {"a": ["b", "c"]}.get(name, [])

    expr = 'rate(a{x!="1"}[5m] offset 1m) + a + d + {x="1"}'
    edits = [each for each in expression_edits(expr, siblings) if each.kind == "metric"]
    assert [(each.before, each.after) for each in edits] == [
        ('a{x!="1"}[5m] offset 1m', 'b{x!="1"}[5m] offset 1m'),
        ('a{x!="1"}[5m] offset 1m', 'c{x!="1"}[5m] offset 1m'),
        ("a", "b"),
        ("a", "c"),
    ]
    assert edits[2].expr == 'rate(a{x!="1"}[5m] offset 1m) + b + d + {x="1"}'


def test_an_edit_that_gives_the_same_twice_is_made_once():
    """Of two labels of the same name both drops are one."""
    edits = [each.expr for each in expression_edits("max(min(a))")]
    assert edits == ["min(min(a))", "min(a)", "max(max(a))", "max(a)"]


@pytest.mark.parametrize(
    ("name", "words", "suffix"),
    [
        ("app_jobs_total", {"app", "jobs"}, "total"),
        ("app_wait_seconds_bucket", {"app", "wait", "seconds"}, "bucket"),
        ("app_wait_sum", {"app", "wait"}, "sum"),
        ("app_wait_count", {"app", "wait"}, "count"),
        ("app_total_jobs", {"app", "total", "jobs"}, ""),
        ("total", {"total"}, ""),
    ],
)
def test_a_name_is_its_words_and_the_suffix_of_its_kind(name, words, suffix):
    """A suffix stands at the end."""
    assert (words_of(name), suffix_of(name)) == (words, suffix)


@pytest.mark.parametrize(
    ("names", "name", "nearest"),
    [
        (["a_b", "a_c"], "a_d", ["a_b", "a_c"]),
        (["a_b", "a_c", "x_d"], "a_d", ["x_d"]),
        (["a_b", "a_c", "x_d", "y_e"], "a_d", ["a_b", "a_c"]),
        (["a_x_1", "a_x_2", "a_x_3", "y"], "b_x_4", []),
        (["k_x", "l_x_z", "m_x", "n_o", "p_q", "r_s"], "x", ["k_x", "m_x"]),
        (["k_x_total", "l_x", "m_x_sum", "n", "o", "p"], "x_total", ["k_x_total"]),
        (["k", "l"], "k", []),
    ],
)
def test_the_nearest_share_the_largest_part_of_their_words(names, name, nearest):
    """A word that more than half of three and more names have counts for nothing."""
    assert Siblings(names)(name) == nearest
    assert len(nearest) <= SIBLINGS_MAX
