"""Expressions that need a metric that is not stored: told without asking, and never wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.dashboards.reader import load_dashboards
from verifier.evidence.comparison import comparisons, holds, opened
from verifier.evidence.emptiness import EmptinessCheck, Recording
from verifier.evidence.relaxed import changes_values, is_scalar, is_unstored, relax
from verifier.evidence.stock import EvaluationSpan, Stock
from verifier.panels.answers import PanelWindow, answer_panels
from verifier.panels.emptiness import explained
from verifier.promql.parsing import parse
from verifier.servers.prometheus import Prometheus, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WINDOW = PanelWindow(EPOCH_S, EPOCH_S + 60, scrape_s=15.0)
NEVER = (
    "gone",
    "gone > 5",
    "-(gone)",
    "rate(gone[1m])",
    "max_over_time((gone > 1)[30d:1m])",
    "max_over_time(sum by (job) (depth + on() gone)[2m:15s])",
    "depth and on() gone",
    "gone unless depth",
    "depth * 0 + gone",
    "gone or gone_too",
    "depth + on() (gone or gone_too)",
    "topk(scalar(depth), gone)",
    "histogram_quantile(0.9, sum by (le) (rate(gone_bucket[1m])))",
    'label_replace(gone, "a", "$1", "b", "(.*)")',
    '{__name__="gone"}',
    "1 + gone",
)
PERHAPS = (
    "depth",
    "depth > 5",
    "gone or depth",
    "depth unless on() gone",
    "absent(gone)",
    "absent(gone) or depth",
    "vector(scalar(gone))",
    "scalar(gone) + depth",
    "gone or vector(0)",
    "sum(gone) or on() vector(0)",
    'count({__name__=~"gone|depth"})',
    "time()",
    "day_of_week()",
    "depth > bool scalar(gone)",
    "quantile(scalar(gone), depth)",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Return a Prometheus that stores one metric."""
    with Prometheus() as running:
        running.push(history({labels("depth", job="a"): row("3 4 5 6 7")}))
        yield running


@pytest.mark.parametrize(
    ("expr", "never"), [(e, True) for e in NEVER] + [(e, False) for e in PERHAPS]
)
def test_what_is_told_without_asking_is_what_the_engine_answers(
    server: Prometheus, expr: str, *, never: bool
) -> None:
    """The engine has nothing for what can never have a value, and something for all the rest."""
    assert is_unstored(relax(parse(expr)).roots[0], server.metric_names()) == never
    filterless = expr.removesuffix(" > 5")
    answer = server.query_range(RangeQuery(filterless, EPOCH_S, EPOCH_S + 60, 15.0))
    assert (not answer) == never


STATE = 'ALERTS{alertname="Known"}'
SPAN = EvaluationSpan(EPOCH_S, EPOCH_S, EPOCH_S + 60, 15.0)


@pytest.mark.parametrize(
    "expr",
    [
        f"depth + on() {STATE}",
        f"{STATE} + on() depth",
        f"depth and on() {STATE}",
        f"sum(depth) / on() count({STATE})",
        f"rate({STATE}[1m])",
        "depth",
        "depth > 99",
    ],
)
def test_a_side_that_had_no_value_this_time_makes_nothing_empty_for_ever(
    server: Prometheus, expr: str
) -> None:
    """The state of an alert that a rule defines, and that never came."""
    check = EmptinessCheck(Stock(server), alerts={"Known"})
    assert [check.reason(root, SPAN) for root in relax(parse(expr)).roots] == [None]


RECORDINGS = (
    Recording("r", parse("depth > 100"), {"kind": "one"}),
    Recording("r", parse("gone > 5"), {"kind": "never"}),
    Recording("r", parse("-depth > 200"), {"kind": "two", "job": "b"}),
)


@pytest.mark.parametrize(
    ("selector", "reason"),
    [
        ("r", None),
        ('r{kind="one"}', None),
        ('r{kind="two"}', None),
        ('r{job="a"}', None),
        ('r{job="b"}', None),
        ('r{kind="one", job="a"}', None),
        ('r{kind="two", job="a"}', 'no series of r has kind="two", job="a" together'),
        ('r{kind="three"}', 'no series of r has kind="three": kind is one, two'),
        ('r{kind="never"}', 'no series of r has kind="never": kind is one, two'),
    ],
)
def test_any_of_several_recordings_of_a_name_may_be_the_one_that_is_read(
    server: Prometheus, selector: str, reason: str | None
) -> None:
    """With the labels of each that could have had a value; none was stored this time."""
    check = EmptinessCheck(Stock(server), RECORDINGS)
    roots = relax(parse(f"{selector} > 1")).roots
    assert [check.reason(root, SPAN) for root in roots] == [reason]


def test_a_panel_without_its_metric_is_asked_once(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither over the whole scenario nor part by part; an engine's error is still its answer."""
    sent: list[str] = []
    ask = type(server._client)._ask

    def spied(client: object, path: str, form: dict[str, str] | None = None) -> object:
        sent.append((form or {}).get("query", ""))
        return ask(client, path, form)

    targets = [
        {"expr": "max_over_time((gone > 1)[30d:1m]) * 2", "instant": True},
        {"expr": "max_over_time(gone) * 2", "instant": True},
    ]
    board = tmp_path / "board.json"
    board.write_text(json.dumps({"panels": [{"title": "gone", "targets": targets}]}))
    monkeypatch.setattr(type(server._client), "_ask", spied)
    answers = answer_panels(server, load_dashboards([board]).panels, WINDOW)
    missing, refused = explained(answers, EmptinessCheck(Stock(server)), WINDOW)
    assert missing.reason == "query returns nothing: no metric gone exists"
    assert refused.reason.startswith("query fails")
    assert [query for query in sent if "gone" in query] == [each["expr"] for each in targets]


# --- filters opened

MET_BY_NONE = 'never_stored=~".+"'


@pytest.mark.parametrize(
    ("expr", "roots", "excluded", "remainders"),
    [
        ("a > 5", ["a"], [], []),
        ("5 < a", ["a"], [], []),
        ("(a > 1)", ["(a)"], [], []),
        ("-(a > 1)", ["-((a))"], [], []),
        ("a > bool 1", ["(a) > bool (1)"], [], []),
        ("a and b > 1", ["(a) and (b)"], [], []),
        ("a > 1 or b < 2", ["(a) or (b)", "a", "b"], [], []),
        (
            "a > on(x) group_left() b",
            ["(((a) == on (x) group_left () (b)) or ((a) != on (x) group_left () (b)))"],
            *([], []),
        ),
        ("a > 1 unless on(x) b", ["a"], ["b"], ["(a) unless on (x) (b)"]),
        ("a unless b > 1", ["a"], ["b"], []),
        ("a unless sum(b > 1)", ["a"], ["sum(b)"], []),
        ("a unless (b or c)", ["a"], ["((b) or (c))", "b", "c"], ["(a) unless (((b) or (c)))"]),
        ("scalar(a > 1) + b", ["(scalar(a)) + (b)", "a"], [], []),
        ("quantile(scalar(q > 1), a > 2)", ["quantile(scalar(q), a)", "q"], [], []),
        ("clamp_max(a > 1, scalar(b))", ["clamp_max(a, scalar(b))", "b"], [], []),
        ("topk(3, a > 0)", ["topk(3, a)"], [], []),
        ("sum by (x) (a > 0)", ["sum by (x) (a)"], [], []),
        (
            "max_over_time((a > 1)[9m:1m] offset 5m)",
            ["max_over_time(((a))[9m:1m] offset 5m)"],
            [],
            [],
        ),
        ('absent(a{x="1"}) == 1', [f'absent({{x="1",__name__="a",{MET_BY_NONE}}})'], [], []),
        ("absent_over_time((a)[5m:])", ["vector(1)"], [], []),
        ("absent_over_time(a[5m])", [f'absent({{__name__="a",{MET_BY_NONE}}})'], [], []),
        ("absent((a))", [f'absent({{__name__="a",{MET_BY_NONE}}})'], [], []),
        ('absent({__name__="a"})', [f'absent({{__name__="a",{MET_BY_NONE}}})'], [], []),
        ("absent(sum(a))", ["vector(1)"], [], []),
    ],
)
def test_every_filter_of_an_expression_is_opened(expr, roots, excluded, remainders):
    """What is beside the whole is asked as well: sides of `or`, and what a `scalar` reads."""
    relaxation = relax(parse(expr))
    texts = [[each.text for each in part] for part in (
        relaxation.roots, relaxation.excluded, relaxation.remainders,
    )]  # fmt: skip
    assert texts == [roots, excluded, remainders]


@pytest.mark.parametrize(
    ("expr", "always"),
    [
        *[("a", False), ("1", True), ("vector(1) > 0", True), ("vector(1) + 2", True)],
        *[("2 - vector(1)", True), ("vector(1) + vector(2)", False), ("1 > bool 0", True)],
        *[("a + vector(1)", False), ("absent(a)", True), ("sum(vector(1))", True)],
        *[("clamp_max(a, 1)", False), ("time() - a", False), ("hour()", True)],
        *[("scalar(a)", True), ("-vector(1)", True), ("(vector(1))", True), ("a[5m]", False)],
        *[("max_over_time(vector(1)[5m:])", True), ('label_replace(a, "x", "", "", "")', False)],
        *[("scalar(a) + scalar(b)", True), ("info(vector(1), a)", False), ("a unless b", False)],
    ],
)
def test_what_reads_no_series_always_has_a_value(expr, always):
    """Sides that must match each other are not sure to."""
    assert relax(parse(expr)).roots[0].always is always


def test_what_needs_a_metric_that_is_not_stored_is_known_without_asking():
    """Of `info` the first vector alone is needed; a selector of any metric may meet one."""
    never = ["gone", "gone / a", "a and gone", "gone or gone", "sum(gone)", "info(gone, a)"]
    perhaps = ['{x="1"}', "a", "gone or a", "info(a, gone)", "absent(gone)", "vector(1)"]
    for expr in (*never, *perhaps):
        assert is_unstored(relax(parse(expr)).roots[0], {"a"}) == (expr in never), expr


def test_which_parts_have_other_values_when_every_filter_is_open():
    """And which are plain numbers: both sides must be."""
    changed = ["a > 1", "sum(a > 1)", "a unless b", "count(absent(a))", "absent_over_time(a[1m])"]
    same = ["a", "a > bool 1", "a and b", "1 < bool 2", "rate(a[5m])"]
    for expr in (*changed, *same):
        assert changes_values(parse(expr)) == (expr in changed), expr
    numbers = {"1": True, "-(1)": True, "time()": True, "scalar(a)": True, "1 + time()": True}
    for expr, is_number in (numbers | {"1 + a": False, "a": False, "vector(1)": False}).items():
        assert is_scalar(parse(expr)) == is_number, expr


PAIR = ("a", ">", "1", 1.0), ("b", "<", "2", 2.0)


@pytest.mark.parametrize(
    ("expr", "parts"),
    [
        ("a > 5", [("a", ">", "5", 5.0)]),
        ("5 < a", [("a", ">", "5", 5.0)]),
        ("5 <= a", [("a", ">=", "5", 5.0)]),
        ("5 == a", [("a", "==", "5", 5.0)]),
        ("a > 2 * 3", [("a", ">", "2 * 3", 6.0)]),
        ("a > pi()", [("a", ">", "pi()", None)]),
        ("a > 1 and b < 2 or c != 3", [*PAIR, ("c", "!=", "3", 3.0)]),
        ("a > 1 unless b > 2", [("a", ">", "1", 1.0)]),
        ("0 < a < 5", [("a", ">", "0", 0.0), ("a", "<", "5", 5.0)]),
        ("(a > 3) < 5", [("a", ">", "3", 3.0), ("a", "<", "5", 5.0)]),
        ("count(up == 0) > 3", [("count(up == 0)", ">", "3", 3.0)]),
        ("count(a unless b) > 3", [("count(a unless b)", ">", "3", 3.0)]),
        ("a > time()", [("(a) - (time())", ">", None, 0.0)]),
        ("a > scalar(b)", [("(a) - (scalar(b))", ">", None, 0.0)]),
        ("a <= on(x) b", [("(a) - on (x) (b)", "<=", None, 0.0)]),
        ("time() > a", [("(a) - (time())", "<", None, 0.0)]),
        ("a > bool 5", []),
        ("a", []),
    ],
)
def test_each_comparison_that_decides_is_asked_with_its_filter_open(expr, parts):
    """The number on the right; of anything else the difference. A filter below one stays."""
    asked = [opened(node) for node in comparisons(parse(expr))]
    assert [(o.expr, o.operator, o.constant, o.literal) for o in asked] == parts


@pytest.mark.parametrize(
    ("operator", "held"),
    [(">", "001"), (">=", "011"), ("<", "100"), ("<=", "110"), ("==", "010"), ("!=", "101")],
)
def test_a_value_holds_as_its_comparison_says(operator, held):
    """Below its limit, at it, above it."""
    values = holds(np.array([4.0, 5.0, 6.0]), operator, 5.0)
    assert "".join(str(int(value)) for value in values) == held
