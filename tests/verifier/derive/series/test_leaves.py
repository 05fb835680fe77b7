"""The series that are planned for an expression: their labels, their number and their decoys."""

from __future__ import annotations

import pytest

from tests.verifier.alerts import recording
from verifier.derive.problem import problem_leaves
from verifier.derive.series.leaves import DEPTH_MAX, Layout, plan_series
from verifier.derive.series.worlds import selector
from verifier.promql.parsing import parse

OWN = 'instance="instance-1",job="job-1"'
SECOND = 'instance="instance-2",job="job-1"'
THIRD = 'instance="instance-3",job="job-1"'


def planned(expr, layout, recordings=None):
    """Return the series of each selector, its decoys after a `-`, and then what it reads beside.

    The key of what is counted ends with a `#`.
    """
    leaves = problem_leaves(parse(expr), recordings or {})
    return {
        f"{key}{'#' if each.counted else ''}": [
            *(selector(each.name, labels) for labels in each.rows),
            *(f"-{selector(each.name, labels)}" for labels in each.decoys),
            *(f"+{other}" for other in each.inside),
        ]
        for key, each in plan_series(leaves, layout).items()
    }


@pytest.mark.parametrize(
    ("expr", "series"),
    [
        ("rate(a[5m]) > 1", {"a": [f"a{{{OWN}}}"]}),
        ('sum(a{x="1"}) > 3',
         {'a{x="1"}': [f'a{{{OWN},x="1"}}', f'a{{{SECOND},x="1"}}', f'-a{{{OWN},x="1-other"}}']}),
        ("sum by (instance, device) (a) > 3",
         {"a": [f'a{{{OWN},device="device-1"}}', f'a{{{OWN},device="device-1",pod="pod-2"}}']}),
        ("sum without (le, x, pod) (a{x='1'}) > 3",
         {'a{x="1"}': [f'a{{{OWN},x="1",pod="pod-1"}}', f'a{{{OWN},x="1",pod="pod-2"}}',
                       f'-a{{{OWN},x="1-other",pod="pod-1"}}']}),
        ("sum without (le) (a) > 3",
         {"a": [f"a{{{OWN}}}", f'a{{{OWN},replica="replica-2"}}']}),
        ("max by (job) (sum by (instance, pod) (a)) > 3",
         {"a": [f'a{{{OWN},pod="pod-1"}}', f'a{{{OWN},pod="pod-1",device="device-2"}}']}),
        ("max by (pod) (sum by (instance) (a)) > 3",
         {"a": [f'a{{{OWN},pod="pod-1"}}', f'a{{{OWN},pod="pod-1",device="device-2"}}']}),
        ("max by (job) (sum without (zone) (a)) > 3",
         {"a": [f'a{{{OWN},zone="zone-1"}}', f'a{{{OWN},zone="zone-2"}}']}),
        ("max(a > 0) > 1", {"a": [f"a{{{OWN}}}", f"a{{{SECOND}}}"]}),
        ("sum(a > 0) > 1", {"a#": [f"a{{{OWN}}}", f"a{{{SECOND}}}", f"a{{{THIRD}}}"]}),
        ("avg(a == bool 0) > 1", {"a#": [f"a{{{OWN}}}", f"a{{{SECOND}}}", f"a{{{THIRD}}}"]}),
        ("sum(a) > 1 < 5", {"a": [f"a{{{OWN}}}", f"a{{{SECOND}}}"]}),
        ("sum(a) > 1 and count(a) > 2",
         {"a#": [f"a{{{OWN}}}", f"a{{{SECOND}}}", f"a{{{THIRD}}}"]}),
    ],
)  # fmt: skip
def test_series_of_a_sum_differ_in_a_label_that_it_drops(expr, series):
    """Two of a sum, three where they are counted, however often they are read; else one."""
    assert planned(expr, Layout(2, 3)) == series


@pytest.mark.parametrize(
    ("expr", "series"),
    [
        ('a{x!="1",y=~"b|c",z!~"d.*",job="j"} > 1',
         {'a{x!="1",y=~"b|c",z!~"d.*",job="j"}': [
             'a{instance="instance-1",job="j",x="x-1",y="b",z="z-1"}',
             '-a{instance="instance-1",job="j",x="1",y="b",z="z-1"}',
             '-a{instance="instance-1",job="j",x="x-1",y="other",z="z-1"}',
             '-a{instance="instance-1",job="j",x="x-1",y="b",z="d.*"}',
             '-a{instance="instance-1",job="j-other",x="x-1",y="b",z="z-1"}']}),
        ('a{x=""} > 3', {'a{x=""}': [f"a{{{OWN}}}", f'-a{{{OWN},x="other"}}']}),
        ('a{x!=""} > 3', {'a{x!=""}': [f'a{{{OWN},x="x-1"}}', f"-a{{{OWN}}}"]}),
        ('a{x=~"1|2",x!="1"} > 3',
         {'a{x=~"1|2",x!="1"}': [f'a{{{OWN},x="2"}}', f'-a{{{OWN},x="other"}}',
                                 f'-a{{{OWN},x="1"}}']}),
        ('a{x="1",x="2"} > b', {"b": [f'b{{{OWN},x="x-1"}}']}),
        ('{__name__=~"a.*",le="1"} > 3',
         {'{__name__=~"a.*",le="1"}': [f'a{{{OWN},le="1"}}']}),
        ('{__name__=~".+"} > 3', {'{__name__=~".+"}': [f"some_metric{{{OWN}}}"]}),
        ('a{x="1"} > 3 and a{x="2"} < 5',
         {'a{x="1"}': [f'a{{{OWN},x="1"}}', f'-a{{{OWN},x="1-other"}}'],
          'a{x="2"}': [f'a{{{OWN},x="2"}}', f'-a{{{OWN},x="2-other"}}']}),
        ('a{x="1"} > 3 and a{x="1-other"} < 5',
         {'a{x="1"}': [f'a{{{OWN},x="1"}}'],
          'a{x="1-other"}': [f'a{{{OWN},x="1-other"}}', f'-a{{{OWN},x="1-other-other"}}']}),
    ],
)  # fmt: skip
def test_a_decoy_differs_in_the_label_of_one_matcher_alone(expr, series):
    """No selector of the expression reads it; what can read nothing has no series."""
    assert planned(expr, Layout()) == series


@pytest.mark.parametrize(
    ("expr", "series"),
    [
        ('h{code=~"5.."} / h > 0.1',
         {'h{code=~"5.."}': [f'h{{{OWN},code="5xx"}}'],
          "h": [f'h{{{OWN},code="other"}}', '+h{code=~"5.."}']}),
        ('h / h{code="5"} > 0.1',
         {"h": [f'h{{{OWN},code="5-other"}}', '+h{code="5"}'],
          'h{code="5"}': [f'h{{{OWN},code="5"}}']}),
        ('h{code!~"2.."} / h{code=~".+"} > 0.1',
         {'h{code!~"2.."}': [f"h{{{OWN}}}", '+h{code=~".+"}'],
          'h{code=~".+"}': [f'h{{{OWN},code="x"}}']}),
        ('{__name__=~"h.*"} > 1 and hits > 2',
         {'{__name__=~"h.*"}': [f"h{{{OWN}}}"], "hits": [f"hits{{{OWN}}}"]}),
        ('{__name__="h"} > 1 and h{code="5"} > 2',
         {'{__name__="h"}': [f'h{{{OWN},code="5-other"}}', '+h{code="5"}'],
          'h{code="5"}': [f'h{{{OWN},code="5"}}']}),
        ('h{code="5"} / g > 0.1',
         {'h{code="5"}': [f'h{{{OWN},code="5"}}', f'-h{{{OWN},code="5-other"}}'],
          "g": [f'g{{{OWN},code="5"}}']}),
    ],
)  # fmt: skip
def test_what_reads_the_series_of_another_selector_has_one_of_its_own_beside_them(expr, series):
    """Of the same metric only."""
    assert planned(expr, Layout()) == series


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        ("a * on (pod) group_left (node) b > 4", 'pod="pod-1",node="node-1"'),
        ("a / ignoring (zone) b > 4", 'zone="zone-1"'),
        ('label_replace(a, "dst", "$1", "src", "(.*)") > b', 'src="src-1"'),
        ('label_join(a, "dst", "-", "one", "two") > b', 'one="one-1",two="two-1"'),
        ('a{le="0.5",shop!=""} > b', 'shop="shop-1"'),
        ("sum by (le, shop) (a) > b", 'shop="shop-1"'),
        ('a{shop=~"x|y"} > b', 'shop="x"'),
        ('a{shop!="x"} > b', 'shop="shop-1"'),
    ],
)
def test_every_series_has_every_label_that_is_named_around_any(expr, labels):
    """So that whatever is joined, matches; but for the bounds of buckets."""
    assert planned(expr, Layout())["b"] == [f"b{{{OWN},{labels}}}"]


def test_lean_series_have_no_labels_but_their_own_and_those_around_them():
    """What another selector asks for is not there."""
    expr = 'sum by (q) (a{x="1"}) + on (y) b{z="2"} > 3'
    assert planned(expr, Layout(1, 1, lean=True)) == {
        'a{x="1"}': [f'a{{{OWN},y="y-1",q="q-1",x="1"}}',
                     f'-a{{{OWN},y="y-1",q="q-1",x="1-other"}}'],
        'b{z="2"}': [f'b{{{OWN},y="y-1",z="2"}}', f'-b{{{OWN},y="y-1",z="2-other"}}'],
    }  # fmt: skip


def test_a_selector_of_what_is_recorded_stands_for_the_selectors_of_its_rule():
    """Of two rules of a name the first whose labels it takes; no further than is allowed."""
    recordings = {
        "r": (
            recording("r", "sum(a)", team="x", tier="t"),
            recording("r", "count(b)", team="y", tier="t"),
            recording("r", "c", team="y", tier="u"),
        ),
        "odd": (recording("odd", "sum by ("),),
        "own": (recording("own", "own + 1"),),
    }
    assert list(planned('r{team="y",other="z"} > 1', Layout(), recordings)) == ["b#"]
    assert list(planned('r{team="y",tier="u"} > 1', Layout(), recordings)) == ["c"]
    assert list(planned("r > 1", Layout(), recordings)) == ["a"]
    assert list(planned('r{team="z"} > odd', Layout(), recordings)) == ['r{team="z"}', "odd"]
    (leaf,) = problem_leaves(parse("own"), recordings)
    assert len(leaf.parents) == 2 * DEPTH_MAX
