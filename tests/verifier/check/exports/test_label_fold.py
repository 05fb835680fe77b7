"""Which series an expression has, by the engine's own rules of grouping and matching."""

from __future__ import annotations

import pytest

from verifier.check.exports.label_fold import LabelFold, label_names
from verifier.check.exports.page_reader import read_page
from verifier.pack.rules import load_rules
from verifier.promql.parsing import parse

EXPORTS = read_page(
    'a{x="1",y="1"} 1\na{x="2",y="1"} 1\nb{x="1"} 1\nb{x="2"} 1\nc{z="1"} 1\nd 1\n'
    'h_bucket{le="1",x="1"} 1\nh_bucket{le="+Inf",x="1"} 1\n',
    "p",
)


@pytest.mark.parametrize(
    ("expr", "names", "count"),
    [
        ("a", "instance job x y", 2),
        ('a{x="1"}', "instance job x y", 1),
        ("rate(a[5m])", "instance job x y", 2),
        ("sum(a)", "", 1),
        ("sum by (x) (a)", "x", 2),
        ("sum without (x) (a)", "instance job y", 1),
        ("topk(1, a)", "instance job x y", 2),
        ("a > 1", "instance job x y", 2),
        ("sum by (x) (a) / sum by (x) (b)", "x", 2),
        ("a / on (x) b", "x", 2),
        ("a * on (x) group_left b", "instance job x y", 2),
        ("a and on (x) b", "instance job x y", 2),
        ("sum by (x) (a) or sum by (z) (c)", "x z", 3),
        ("histogram_quantile(0.9, h_bucket)", "instance job x", 1),
        ('absent(nothing{x="1"})', "x", 1),
        ("vector(1)", "", 1),
        ("max_over_time(a[5m:1m])", "instance job x y", 2),
        ("up == 0", "instance job", 1),
    ],
)
def test_the_label_sets_are_those_that_the_engine_would_have(expr, names, count):
    """Their names, and how many there are."""
    problems = []
    sets = LabelFold(EXPORTS).sets(parse(expr), problems.append)
    assert (" ".join(label_names(sets)), len(sets), problems) == (names, count, [])


@pytest.mark.parametrize(
    "expr",
    ['label_replace(a, "q", "$1", "x", "(.*)")', 'count_values("v", a)', "nothing", 'a{x="9"}',
     "ALERTS", '{job="p"}'],
)  # fmt: skip
def test_what_nobody_can_know_stays_unknown(expr):
    """Labels made of values, and what has no series so far."""
    assert LabelFold(EXPORTS).sets(parse(expr), lambda _: None) is None


@pytest.mark.parametrize(
    ("expr", "kind"),
    [
        ("a / c", "mismatched"),
        ("sum(a) / b", "mismatched"),
        ("a and c", "mismatched"),
        ("sum by (x) (a) / on (y) b", "many"),
        ("a / on (y) sum by (y) (a)", "many"),
        ("sum by (y) (a) * on (y) group_left a", "many"),
        ("d / on () a", "many"),
    ],
)
def test_sides_that_never_meet_or_meet_too_often_are_noted(expr, kind):
    """As the engine would find out when it evaluates them."""
    problems = []
    LabelFold(EXPORTS).sets(parse(expr), problems.append)
    assert kind in [getattr(each, "kind", "") for each in problems]


@pytest.mark.parametrize(
    ("labels", "expr", "count"),
    [
        ("job: shop, x: '1'", "a > on (job, x) group_left () fixed", 1),
        ("job: shop, x: '9'", "a > on (job, x) group_left () fixed", 0),
        ("x: '1'", "a > on (job, x) group_left () fixed", 0),
        ("job: shop", 'fixed unless on (job) absent(c{job="shop"})', 1),
    ],
)
def test_a_label_of_the_target_may_have_the_value_that_a_rule_fixes(tmp_path, labels, expr, count):
    """As `labels: {job: shop}` of a recorded objective does; what differs otherwise never meets."""
    path = tmp_path / "r.yaml"
    path.write_text(
        "groups: [{name: g, rules: [{record: fixed, expr: vector(1),"
        f" labels: {{{labels}}}}}]}}]\n"
    )
    recordings = {rule.record: [rule] for _, rule in load_rules([path]).recordings}
    problems = []
    sets = LabelFold(EXPORTS, recordings).sets(parse(expr), problems.append)
    assert (len(sets or ()), [each.kind for each in problems]) == (
        count,
        [] if count else ["mismatched"],
    )


def test_a_rule_that_reads_itself_ends(tmp_path):
    """Its labels are not known."""
    path = tmp_path / "r.yaml"
    path.write_text("groups: [{name: g, rules: [{record: r, expr: r + 1}]}]")
    (rule,) = [rule for _, rule in load_rules([path]).recordings]
    assert LabelFold(EXPORTS, {"r": [rule]}).sets(parse("r"), lambda _: None) is None
