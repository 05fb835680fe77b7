"""What is wrong with a selector that no series met, in the words that help to mend it."""

from __future__ import annotations

import re
from types import SimpleNamespace

import promql_parser as promql
import pytest

from exporter.history.samples import EPOCH_S
from exporter.metrics.catalogue import BURST, RUN, WORLD
from verifier.evidence.carried_labels import SCRAPED_OF_CELLS, carried_labels
from verifier.evidence.clock_reading import clock_finding, clock_functions
from verifier.evidence.missing_series import SelectorCheck, _listed, _meets, catalogue_names
from verifier.evidence.naming.nearest_names import NearestNames

TARGET = {"job": "j", "instance": "i"}
STORED = [
    {"__name__": "depth", "priority": "high", "tier": "a", **TARGET},
    {"__name__": "depth", "priority": "low", "tier": "b", **TARGET},
    {"__name__": "bare", **TARGET},
]


def met(labels, selector):
    """Whether labels meet every matcher of a selector, by Python's regular expressions."""
    signs = {"=": str.__eq__, "!=": str.__ne__}
    for matcher in promql.parse(selector).matchers.matchers:
        text, sign = labels.get(matcher.name, ""), str(matcher.op).removeprefix("MatchOp.")
        sign = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}[sign]
        if sign in signs:
            holds = signs[sign](text, matcher.value)
        else:
            holds = bool(re.fullmatch(matcher.value, text)) == (sign == "=~")
        if not holds:
            return False
    return True


def reason(expr, *others):
    """Return what is wrong with a selector on what is stored."""
    stock = SimpleNamespace(
        metric_names=frozenset(each["__name__"] for each in STORED),
        label_sets=lambda selector, _: [each for each in STORED if met(each, selector)],
    )
    check = SelectorCheck(stock, None, NearestNames(lambda: stock.metric_names | {"recorded"}))
    return check.reason(promql.parse(expr), others)


RECORDED = {"__name__": "recorded", "kind": "x", "host": "h-1"}


@pytest.mark.parametrize(
    ("expr", "others", "sentence"),
    [
        ("depth", (), None),
        ('depth{priority="high"}', (), None),
        ('depth{priority="high",tier="a"}', (), None),
        ('depth{priority!="x"}', (), None),
        ('{__name__="depth"}', (), None),
        ('{priority="high"}', (), None),
        ("dept", (), "no metric dept exists, did you mean depth?"),
        ("recordet", (), "no metric recordet exists, did you mean recorded?"),
        ("nothing_like_it_at_all", (), "no metric nothing_like_it_at_all exists"),
        ('depth{priority="high",tier="b"}', (),
         'no series of depth has priority="high", tier="b" together'),
        ('{priority="high",tier="b"}', (),
         'no series of any metric has priority="high", tier="b" together'),
        ('depth{priority="hihg"}', (),
         'no series of depth has priority="hihg", did you mean \'high\'? priority is high, low'),
        ('depth{priority=~"z+"}', (),
         'no series of depth has priority=~"z+": priority is high, low'),
        ('depth{level="high"}', (), "depth has no label level, did you mean 'priority'?"),
        ('depth{level=~"hi.*"}', (), "depth has no label level, did you mean 'priority'?"),
        ('depth{prioritty="zz"}', (), "depth has no label prioritty, did you mean 'priority'?"),
        ('depth{zone="zz"}', (),
         "depth has no label zone: beside job and instance it has priority, tier"),
        ('bare{zone="zz"}', (), "bare has no label zone: it has job and instance only"),
        ('{zone="zz"}', (),
         "the metrics that are stored have no label zone: beside job and instance it has"),
        ('recorded{kind="x"}', (RECORDED,), None),
        ('recorded{kind=~"x|y"}', (RECORDED,), None),
        ('recorded{kind!="x"}', (RECORDED,), 'no series of recorded has kind!="x": kind is x'),
        ('recorded{kind!~"x.*"}', (RECORDED,), 'no series of recorded has kind!~"x.*": kind is x'),
        ('recorded{kind!~"y.*",host=~"h-.+"}', (RECORDED,), None),
        ('recorded{zone=""}', (RECORDED,), None),
        ('recorded{kind="z"}', (RECORDED,), 'no series of recorded has kind="z": kind is x'),
        ('recorded{kind="x",host="h-2"}', (RECORDED, {**RECORDED, "kind": "y", "host": "h-2"}),
         'no series of recorded has kind="x", host="h-2" together'),
    ],
)  # fmt: skip
def test_a_selector_that_nothing_met_is_told_what_there_is(expr, others, sentence):
    """A name, a value, a label, or several that never come together."""
    text = reason(expr, *others)
    assert text == sentence or (text or "").startswith(sentence or "?")


@pytest.mark.parametrize(
    ("metric", "why"),
    [(RUN[0], "nothing scrapes it in virtual time"), (BURST[0], "only a cardinality burst makes")],
)
def test_a_metric_that_exists_elsewhere_is_not_called_unknown(metric, why):
    """It is no typing mistake."""
    assert why in reason(metric.name)


@pytest.mark.parametrize(
    ("matcher", "value", "expected"),
    [
        ('a="x"', "x", True), ('a="x"', "y", False), ('a="x"', "", False), ('a=""', "", True),
        ('a!="x"', "x", False), ('a!="x"', "y", True), ('a!="x"', "", True),
        ('a=~"x.*"', "xy", True), ('a=~"x"', "xy", False), ('a=~"x.*"', "yx", False),
        ('a!~"x.*"', "xy", False), ('a!~"x"', "xy", True), ('a=~".*"', "", True),
        ('a=~"\\\\pL+"', "1", True), ('a!~"\\\\pL+"', "é", True),
    ],
)  # fmt: skip
def test_labels_that_are_not_stored_meet_a_matcher_as_an_engine_has_it(matcher, value, expected):
    """Of the whole text; a pattern that Python cannot read is met, so that nothing seems dead."""
    (parsed,) = promql.parse(f"x{{{matcher}}}").matchers.matchers
    assert _meets({"a": value} if value else {}, parsed) is expected


def test_a_long_list_of_values_is_cut():
    """Eight are shown."""
    assert _listed(["v"] * 8) == ", ".join(["v"] * 8)
    assert _listed(["v"] * 10) == ", ".join(["v"] * 8) + " and 2 more"


# --- what tells the time


@pytest.mark.parametrize(
    ("expr", "functions"),
    [
        ("x > 1 and on() hour() >= 8 < 17", ("hour()",)),
        ("x > 1 unless on() (day_of_week() == 0 or day_of_week() == 6)", ("day_of_week()",)),
        ("month(vector(time())) == 12 and on() x > 5", ("month()", "time()")),
        ("vector(time() % 86400) > 28800 and on() x", ("time()",)),
        ("x and on() vector(time() - 1.7e9) > 0", ("time()",)),
        ("x and on() vector(time() > bool 1.7e9) == 1", ("time()",)),
        ("x > 1", ()),
        ("time() - x > 600", ()),
        ("time() - max(timestamp(x)) > 600", ()),
        *[("x < time()", ()), ("x <= time()", ()), ("x >= time()", ()), ("x > time()", ())],
        ("(time()) - x > 600", ()),
        ("x and on() vector(time()) > 1.7e9", ("time()",)),
        ("x * time()", ("time()",)),
        ("days_in_month() == 28 or day_of_year() > 9", ("days_in_month()", "day_of_year()")),
        ("hour(x) > 5", ()),
        ("timestamp(x) > 5", ()),
    ],
)
def test_the_functions_that_tell_the_time_are_named(expr, functions):
    """An age is none: it is the same whatever the clock says."""
    assert clock_functions(promql.parse(expr)) == functions


def test_the_finding_says_what_time_it_was():
    """And how to set another."""
    assert clock_finding("Office", promql.parse("hour() > 8"), EPOCH_S) == (
        "alert Office: it reads the clock (hour()), and the scenario names no time: it began on"
        " Monday, 2026-01-05 at 00:00 UTC; `starts_at` sets another"
    )
    assert clock_finding("Any", promql.parse("x > 8"), EPOCH_S) is None
    later = clock_finding("Office", promql.parse("hour() > 8"), EPOCH_S + 86_400 + 9 * 3600 + 1805)
    assert "it began on Tuesday, 2026-01-06 at 09:30 UTC" in later


# --- the labels that a series may carry

DONE = "agentaskit_tasks_processed_total"
"""Has `outcome` and `priority` beside the labels of its target."""
TIMES = "agentaskit_response_duration_seconds"
"""A histogram without labels of its own."""


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        *[("up", "instance job"), (DONE, "instance job outcome priority"), ("other", None)],
        *[(f"{TIMES}_bucket", "instance job le"), (f"{TIMES}_count", "instance job")],
        *[(f"{TIMES}_sum", "instance job"), (TIMES, None), (f"{DONE}_sum", None)],
        *[(f"rate({DONE}[5m])", "instance job outcome priority"), ("-(up)", "instance job")],
        *[("max_over_time(up[5m:])", "instance job"), ("1", ""), ("time()", "")],
        *[(f"{pick}(1, up)", "instance job") for pick in ("topk", "bottomk", "limitk")],
        *[("limit_ratio(0.5, up)", "instance job"), ('count_values("x", up)', None)],
        *[("sum(up)", ""), ("sum by (job, zone) (up)", "job"), ("sum by (zone) (other)", "zone")],
        *[(f"sum without (job, outcome) ({DONE})", "instance priority")],
        *[
            ("sum without (job) (other)", None),
            ("up * 2", "instance job"),
            ("2 * up", "instance job"),
        ],
        *[(f"up or {DONE}", "instance job outcome priority"), ("up or other", None)],
        *[("other or up", None), ("up and other", "instance job"), ("other unless up", None)],
        *[
            (f"up / on(job) {DONE}", "job"),
            (f"{DONE} / ignoring(outcome) up", "instance job priority"),
        ],
        *[("other / ignoring(x) up", None), ("up / other", "instance job")],
        *[(f"up * on(job) group_left(outcome) {DONE}", "instance job outcome")],
        *[(f"up * on(job) group_right(x) {DONE}", "instance job outcome priority x")],
        *[("other * on(job) group_left() up", None), ("up * on(job) group_right() other", None)],
        *[('label_join(up, "x", "", "job")', None)],
        *[('label_replace(up, "x", "", "job", "")', None), ("info(up)", None)],
        *[(f"histogram_quantile(0.9, {TIMES}_bucket)", "instance job")],
        *[(f"histogram_fraction(0, 1, {TIMES}_bucket)", "instance job")],
        *[
            ("histogram_quantile(0.9, other)", None),
            ("clamp_max(up, scalar(other))", "instance job"),
        ],
        *[('absent(up{job="a", x!="b"})', "job x"), ('absent({__name__="up", y="z"})', "y")],
        *[('absent_over_time(up{job="a"}[5m])', "job"), ("absent(sum(up))", "")],
        *[("vector(1)", ""), ("hour()", ""), ("vector(scalar(up))", "")],
    ],
)
def test_a_series_carries_the_labels_of_its_metric_less_what_is_grouped_away(expr, labels):
    """At most those; of what is not exported nothing is known."""
    carried = carried_labels(promql.parse(expr))
    assert carried == (None if labels is None else frozenset(labels.split()))
    if expr == "up":
        assert carried_labels(promql.parse("up"), scraped=SCRAPED_OF_CELLS) == {*carried, "cell"}


def test_the_names_of_a_histogram_are_three():
    """And none is its own; any other metric has one."""
    by_kind = {metric.kind: metric for metric in WORLD}
    counter, histogram = by_kind["counter"].name, by_kind["histogram"].name
    names = {counter, *(f"{histogram}_{part}" for part in ("bucket", "count", "sum"))}
    assert catalogue_names([by_kind["counter"], by_kind["histogram"]]) == names


def test_another_label_is_meant_where_the_value_is_among_its_own():
    """Whoever excludes a text means no label that lacks it."""
    none = "depth has no label zone"
    assert reason('depth{zone!=""}') == f"{none}: beside job and instance it has priority, tier"
    assert reason('depth{zone=~"hi.*"}') == f"{none}, did you mean 'priority'?"
    assert reason('{zone="x"}').startswith("the metrics that are stored have no label zone")


def test_of_nothing_that_is_stored_a_selector_without_a_name_names_its_matcher():
    """There is no metric to miss."""
    stock = SimpleNamespace(metric_names=frozenset(), label_sets=lambda *_: [])
    check = SelectorCheck(stock, None, NearestNames(frozenset))
    assert check.reason(promql.parse('{a="b"}')) == (
        "the metrics that are stored have no label a: it has job and instance only"
    )
    assert check.reason(promql.parse('x{a="b"}')) == "no metric x exists"
