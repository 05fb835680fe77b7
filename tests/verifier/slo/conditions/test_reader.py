"""An expression is read as what it measures, or refused with the reason; nothing is guessed."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from verifier.pack.rules import RecordingRule
from verifier.promql.parsing import parse
from verifier.slo.conditions.quantities import EventCount, QuantileReading, Share
from verifier.slo.conditions.reader import Reader, selected, text_of
from verifier.slo.conditions.recordings import Recordings
from verifier.slo.conditions.unreadable import UnreadableConditionError

X = EventCount("x", frozenset(), "rate", 300.0)
SUMMED = EventCount("x", frozenset(), "rate", 300.0, is_summed=True)
A = frozenset({("job", "=", "a")})
OF_A = EventCount("x", A, "rate", 300.0, is_summed=True)


def read(expr, **recordings):
    """Return the reading of an expression, beside recording rules (name: expression)."""
    rules = tuple(
        RecordingRule(name.replace("__", ":"), recorded, (("kind", "k"),), Place("r.yaml", 1, 1))
        for name, recorded in recordings.items()
    )
    return Reader(Recordings(rules)).read(parse(expr))


@pytest.mark.parametrize(
    ("expr", "core"),
    [
        ("x", EventCount("x", frozenset(), "", None)),
        ('x{job="a"}', EventCount("x", A, "", None)),
        ('{__name__="x",job="a"}', EventCount("x", A, "", None)),
        ("rate(x[5m])", X),
        ("rate((x[5m]))", X),
        ("increase(x[1h])", EventCount("x", frozenset(), "increase", 3600.0)),
        ("((rate(x[5m])))", X),
        ("sum(rate(x[5m]))", SUMMED),
        ("sum by (job) (rate(x[5m]))", SUMMED),
        ("sum(sum by (job) (rate(x[5m])))", SUMMED),
        ("avg(sum(rate(x[5m])))", SUMMED),
        ("min(sum(rate(x[5m])))", SUMMED),
        ("max(sum(rate(x[5m])))", SUMMED),
        ("sum(rate(x[5m])) / sum(rate(y[5m]))",
         Share(SUMMED, EventCount("y", frozenset(), "rate", 300.0, is_summed=True))),
        ("histogram_quantile(0.9, rate(x[5m]))", QuantileReading(0.9, X)),
        ("histogram_quantile(0.9, sum by (le) (rate(x[5m])))", QuantileReading(0.9, SUMMED)),
        ("histogram_quantile(0.9, sum without (job) (rate(x[5m])))", QuantileReading(0.9, SUMMED)),
        ("histogram_quantile(1 - 0.1, 2 * rate(x[5m]))", QuantileReading(0.9, X)),
        ("histogram_quantile(scalar(vector(0.5)), rate(x[5m]))", QuantileReading(0.5, X)),
        ("sum(rate(x[5m])) or vector(0)", SUMMED),
        ("(sum(rate(x[5m])) or vector(0))", SUMMED),
        ("sum(rate(x[5m])) or on() vector(0)", SUMMED),
        ("sum(rate(x[5m])) or on(job) vector(0)", SUMMED),
        ("sum(rate(x[5m])) or ignoring(job) vector(0)", SUMMED),
        ('sum by (job) (rate(x{job="a"}[5m])) or on() vector(0)', OF_A),
        ('sum by (job) (rate(x{job="a"}[5m])) or ignoring(job) vector(0)', OF_A),
        ("sum(histogram_quantile(0.9, sum by (le) (rate(x[5m]))))", QuantileReading(0.9, SUMMED)),
    ],
)  # fmt: skip
def test_a_quantity_is_read_in_every_form_that_means_the_same(expr, core):
    """Counted how, of which series, over which window, summed or not."""
    reading = read(expr)
    assert (reading.core, reading.when_absent) == (core, None)
    assert (reading.slope, reading.offset) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("expr", "value", "is_scalar"),
    [
        ("5", 5, True), ("-5", -5, True), ("-(2 + 3)", -5, True), ("1 - 0.999", 0.001, True),
        ("vector(5)", 5, False), ("-vector(5)", -5, False), ("scalar(vector(5))", 5, True),
        ("sum(vector(5))", 5, False), ("max(vector(5))", 5, False), ("vector(2) * 3", 6, False),
        ("3 * vector(2)", 6, False), ("vector(3) * vector(2)", 6, False),
    ],
)  # fmt: skip
def test_a_number_is_read_as_scalar_or_vector(expr, value, is_scalar):
    """However it is computed."""
    reading = read(expr)
    assert (reading.core, reading.offset) == (None, pytest.approx(value))
    assert (reading.series is None) is is_scalar


SHARE = "sum(rate(x[5m])) / sum(rate(y[5m]))"


@pytest.mark.parametrize(
    ("expr", "slope", "offset", "absent"),
    [
        (f"-({SHARE})", -1, 0, None),
        (f"1 - {SHARE}", -1, 1, None),
        (f"100 * ({SHARE})", 100, 0, None),
        (f"({SHARE}) or vector(0)", 1, 0, 0),
        (f"({SHARE}) or vector(0.5)", 1, 0, 0.5),
        (f"100 * (({SHARE}) or vector(0.5))", 100, 0, 50),
        (f"1 - (({SHARE}) or on() vector(0.25))", -1, 1, 0.75),
        ("(sum(rate(x[5m])) or vector(0)) / sum(rate(y[5m]))", 1, 0, None),
    ],
)
def test_a_reading_is_linear_in_its_core_and_says_what_it_is_without_series(
    expr, slope, offset, absent
):
    """Counts are 0 where nothing was counted yet; a share says what stands in for it."""
    reading = read(expr)
    assert isinstance(reading.core, Share)
    assert (reading.slope, reading.offset, reading.when_absent) == (slope, offset, absent)


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ('"text"', "is not compared"),
        ("x[5m]", "'x[5m]' is not compared"),
        ("rate(x[5m])[1h:1m]", "is not compared"),
        ("round(x)", "round() is not compared"),
        ("irate(x[5m])", "irate() reads the last two scrapes, not the whole of its window"),
        ("idelta(x[5m])", "idelta() reads the last two scrapes"),
        ("scalar(x)", "scalar() of a measured value is not compared"),
        ("rate(x[5m:1m])", "rate() of a subquery is not compared"),
        ("increase((x[5m:1m]))", "increase() of a subquery is not compared"),
        ("rate(a:b[5m])", "rate() of a:b, which a rule records"),
        ("rate(recorded[5m])", "rate() of recorded, which a rule records"),
        ("a:b", "no file of the pack records a:b"),
        ("endless", "endless reads itself"),
        ("ring", "ring reads itself"),
        ("histogram_quantile(scalar(x), rate(x[5m]))", "scalar() of a measured value"),
        ("histogram_quantile(0.9, vector(1))", "does not read buckets alone"),
        (f"histogram_quantile(0.9, {SHARE})", "does not read buckets alone"),
        ("histogram_quantile(0.9, rate(x[5m]) + 1)", "does not read buckets alone"),
        ("histogram_quantile(0.9, -rate(x[5m]))", "does not read buckets alone"),
        ("histogram_quantile(0.9, sum(rate(x[5m])))", "its buckets have lost the label le"),
        ("histogram_quantile(0.9, sum without (le) (rate(x[5m])))", "have lost the label le"),
        ("histogram_quantile(0.9, sum by (le) (sum without (le) (rate(x[5m]))))", "the label le"),
        ("histogram_quantile(0.9, sum by (le) (sum by (job) (rate(x[5m]))))", "the label le"),
        ("avg(rate(x[5m]))", "avg() of the series is another number than their sum"),
        ("count(rate(x[5m]))", "count() of the series is another number than their sum"),
        ("topk(1, rate(x[5m]))", "topk() of the series is another number"),
        ("count(sum(rate(x[5m])))", "count() is not compared"),
        ("topk(1, sum(rate(x[5m])))", "topk() is not compared"),
        ("quantile(0.5, vector(1))", "quantile() is not compared"),
        ("sum(rate(x[5m]) / rate(y[5m]))", "it sums a ratio of each series"),
        ("sum(histogram_quantile(0.9, rate(x[5m])))", "it sums a ratio of each series"),
        ("sum(rate(x[5m]) - rate(y[5m]))", "the sum of a difference is not compared"),
        ("sum(rate(x[5m]) + 1)", "the sum of a difference is not compared"),
        ("(x > 1) * 2", "it counts with the outcome of '>'"),
        ("x == 1", "it counts with the outcome of '=='"),
        ("x != bool 1", "it counts with the outcome of '!='"),
        ("x and y", "'and' inside of a quantity is not compared"),
        ("x unless y", "'unless' inside of a quantity is not compared"),
        ("sum(x) or sum(y)", "'or' of two quantities is not compared"),
        ("vector(0) or sum(x)", "'or' of two quantities is not compared"),
        ("vector(0) or vector(1)", "'or' of two quantities is not compared"),
        ("x or vector(0)", "'or' adds a series beside those of the quantity"),
        ("sum by (job) (x) or vector(0)", "'or' adds a series beside those of the quantity"),
        ("sum(x) or vector(1)", "1 stands for events where none were counted"),
        ("(sum(x) - 1) or vector(0)", "0 stands for events where none were counted"),
        ('sum by (job) (x{job="a"}) or vector(0)', "the sides of 'or' never meet"),
        ('sum by (job) (x{job="a"}) or on(job) vector(0)', "the sides of 'or' never meet"),
        ("sum(rate(x[5m])) / sum by (job) (rate(y[5m]))", "the sides of '/' never meet"),
        ('sum(x) / sum by (job) (y{job="a"})', "the sides of '/' never meet"),
        ('sum by (job) (x{job="a"}) / sum(y)', "the sides of '/' never meet"),
        ('sum by (job) (x{job="a"}) / sum by (job) (y{job="b"})', "the sides of '/' never meet"),
        (
            'sum by (path, job) (x{job="a"}) / sum(y)',
            "never meet: the left has the labels job, path, the right no labels",
        ),
        (
            "sum(x) / y",
            "never meet: the left has no labels, the right all labels of its series",
        ),
        ("x offset 5m", "it reads 'x offset 5m', 300 s before the evaluation"),
        ("x offset -5m", "300 s after the evaluation"),
        ("rate(x[5m] offset 1h)", "3600 s before the evaluation"),
        ("x @ 5", "at a fixed time"),
        ("rate(x[5m] @ end())", "at a fixed time"),
        ('{job="a"}', "a selector without a metric's name is not compared"),
        ('{__name__=~"x"}', "a selector without a metric's name is not compared"),
        ('x{job="a" or job="b"}', "matchers joined by or are not compared"),
    ],
)
def test_what_is_no_quantity_of_known_meaning_is_refused(expr, reason):
    """Each with its own reason."""
    with pytest.raises(UnreadableConditionError) as error:
        read(expr, recorded="x", endless="endless + 1", ring="rang", rang="2 * ring")
    assert reason in str(error.value)


def test_a_recording_rule_is_read_through_with_its_labels():
    """Through several, with the selector's own matchers left to the rule's labels."""
    rules = {"a__b": "sum(rate(x[5m]))", "b__c": "a:b / 2", "wide": "rate(x[5m])"}
    reading = read("b:c", **rules)
    assert (reading.core, reading.slope) == (SUMMED, 0.5)
    assert reading.labels.fixed == (("kind", "k"),)
    assert read('a:b{kind="k"} / a:b{kind=~"k.*"}', **rules).core == Share(SUMMED, SUMMED)
    assert read("sum(wide)", **rules).core == SUMMED
    with pytest.raises(UnreadableConditionError, match="no series of a:b has the labels"):
        read('a:b{kind="other"}', **rules)
    with pytest.raises(UnreadableConditionError, match="broken cannot be parsed"):
        read("broken", broken="x +")


@pytest.mark.parametrize(
    ("expr", "varying", "fixed"),
    [
        ("x", None, ()),
        ('x{job="a",path=~"/.*",host!="h"}', None, (("job", "a"),)),
        ('rate(x{job="a"}[5m])', None, (("job", "a"),)),
        ('x{job="a",team=""}', None, (("job", "a"),)),
        ('sum by (job, team) (x{job="a",team=""})', {"team"}, (("job", "a"),)),
        ("sum(rate(x[5m]))", set(), ()),
        ('sum by (job, path) (rate(x{job="a"}[5m]))', {"path"}, (("job", "a"),)),
        ("histogram_quantile(0.9, rate(x[5m]))", None, ()),
        ("histogram_quantile(0.9, sum by (le, job) (rate(x[5m])))", {"job"}, ()),
        ("vector(1)", set(), ()),
        ("sum by (job) (x) / on() group_left() sum(y)", {"job"}, ()),
        ('sum by (job) (x{job="a"}) / on() sum(y)', set(), ()),
        ('sum by (job) (x{job="a"}) / ignoring(job) sum(y)', set(), ()),
        ('sum by (job) (x{job="a"}) / sum by (job) (y{job="a"})', set(), (("job", "a"),)),
        ('sum by (job) (x{job="a"}) / on() group_left() sum(y)', set(), (("job", "a"),)),
        ('sum by (job) (x) / sum by (job) (y{job="a"})', {"job"}, ()),
        ('sum by (job) (x{job="a"}) / sum by (job) (y)', set(), (("job", "a"),)),
        (
            "sum by (job, path) (x) / ignoring(path) group_left() sum by (job) (y)",
            {"job", "path"},
            (),
        ),
        ("2 * sum by (job) (x)", {"job"}, ()),
        ("sum by (job) (x) * 2", {"job"}, ()),
    ],
)
def test_a_reading_has_the_labels_of_its_series(expr, varying, fixed):
    """Those that a matcher fixes, and those that are left to vary."""
    labels = read(expr).labels
    assert (labels.varying, labels.fixed) == (None if varying is None else {*varying}, fixed)


def test_a_selector_names_its_metric_and_matchers_apart():
    """With each of the four operators."""
    node = parse('x{a="1",b!="2",c=~"3",d!~"4"}')
    matchers = {("a", "=", "1"), ("b", "!=", "2"), ("c", "=~", "3"), ("d", "!~", "4")}
    assert selected(node) == ("x", matchers)
    assert text_of(parse("x   >\n  1")) == "x > 1"
