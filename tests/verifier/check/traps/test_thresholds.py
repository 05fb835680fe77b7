"""Thresholds, units and questions that no value of the page can meet as their author meant it."""

from __future__ import annotations

import pytest

from tests.verifier.check.packs import alert, findings, page
from verifier.check.exports.families import sample_names

PAGE = page("""\
# TYPE web_seconds histogram
web_seconds_bucket{le="0.05"} 3
web_seconds_bucket{le="0.25"} 4
web_seconds_bucket{le="1.0"} 4
web_seconds_bucket{le="+Inf"} 4
web_seconds_sum 1.5
web_seconds_count 4
# TYPE call_seconds summary
call_seconds{quantile="0.5"} 1
call_seconds_sum 3
call_seconds_count 2
# TYPE used gauge
used 4
# TYPE whole gauge
whole 8
""")
MEAN = "rate(web_seconds_sum[5m]) / rate(web_seconds_count[5m]) > 1"
QUANTILE = "histogram_quantile(0.9, sum by (le) (rate(web_seconds_bucket[5m])))"


def said(tmp_path, kind, *, rules=(), panels=(), **around):
    """Return what findings of one kind say."""
    every = findings(tmp_path, rules=rules, panels=panels, exports=PAGE, **around)
    return [each.reason for each in every if each.id == kind]


@pytest.mark.parametrize(
    ("condition", "bounds"),
    [
        ("> 0.1", "0.1 lies between the bounds 0.05 and 0.25"),
        ("> 0.5", "0.5 lies between the bounds 0.25 and 1"),
        ("< 0.01", "0.01 lies between the bounds 0 and 0.05"),
        ("> 0.25", ""),
        ("< 1", ""),
    ],
)
def test_a_threshold_between_two_bounds_is_named_with_the_nearest_two(tmp_path, condition, bounds):
    """At a bound itself nothing is guessed."""
    rules = [alert(f"{QUANTILE} {condition}")]
    texts = said(tmp_path, "threshold-between-buckets", rules=rules)
    assert texts == ([f"the threshold {bounds} of web_seconds_bucket"] if bounds else [])


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ("> 1", "never fires"), ("> 2", "never fires"), (">= 2", "never fires"),
        ("< 2", "always fires"), ("<= 1", "always fires"), (">= 1", ""), ("< 1", ""),
    ],
)  # fmt: skip
def test_a_threshold_above_the_highest_bound_never_or_always_fires(tmp_path, condition, outcome):
    """At the bound itself by the sign alone."""
    texts = said(tmp_path, "top-bucket", rules=[alert(f"{QUANTILE} {condition}")])
    assert [text.endswith(outcome) for text in texts] == ([True] if outcome else [])


@pytest.mark.parametrize(
    ("unit", "expr", "says"),
    [
        ("percent", "used / whole", "shows it as a hundredth"),
        ("percent", "100 * used / whole", ""),
        ("percent", "used", ""),
        ("percentunit", "used / whole", ""),
        ("percentunit", "100 * used / whole", "multiplies by 100 again"),
        ("percentunit", "100 - 100 * used / whole", "multiplies by 100 again"),
        ("percentunit", "100 * (0.001 - used / whole) / 0.001", "multiplies by 100 again"),
        ("percent", "1 - used / whole", "shows it as a hundredth"),
        ("percent", "100 - 100 * used / whole", ""),
        ("s", "100 * used / whole", ""),
    ],
)
def test_a_unit_that_multiplies_twice_or_never_is_named(tmp_path, unit, expr, says):
    """A share has the unit of a share, a percentage that of a percentage."""
    panel = {
        "title": "Used", "type": "stat", "fieldConfig": {"defaults": {"unit": unit}},
        "targets": [{"expr": expr}],
    }  # fmt: skip
    texts = said(tmp_path, "panel-unit", panels=[panel])
    assert [says in text for text in texts] == ([True] if says else [])


def test_of_a_summary_the_sum_and_the_count_only_grow():
    """Its quantiles do not."""
    grows = {name for name in sample_names("call_seconds", "summary") if PAGE.counts(name)}
    assert grows == {"call_seconds_sum", "call_seconds_count"}
    assert not PAGE.counts("used")
    assert all(map(PAGE.counts, ("web_seconds_bucket", "web_seconds_sum")))


@pytest.mark.parametrize(
    ("family", "kind", "names"),
    [
        ("build", "info", ("build", "build_info")),
        ("build_info", "info", ("build_info",)),
        ("hits", "counter", ("hits", "hits_total")),
        ("hits_total", "counter", ("hits_total",)),
        ("used", "gauge", ("used",)),
        ("s", "histogram", ("s_bucket", "s_count", "s_sum")),
    ],
)
def test_a_family_has_the_names_that_its_type_gives_it(family, kind, names):
    """A client may or may not write the ending of a type."""
    assert sample_names(family, kind) == names


@pytest.mark.parametrize(
    ("asked", "is_named"), [("label_values(usde, a)", True), ("label_values(used, a)", False)]
)
def test_the_question_of_a_variable_is_checked_as_well(tmp_path, asked, is_named):
    """It names metrics, too."""
    variable = {"name": "v", "type": "query", "query": asked}
    board = {"templating": {"list": [variable]}}
    texts = said(tmp_path, "phantom-metric", panels=["used"], board=board)
    assert [text for text in texts if "usde" in text] == texts
    assert bool(texts) == is_named


@pytest.mark.parametrize(
    ("condition", "record", "is_named"),
    [
        (MEAN, False, True),
        (f"{MEAN} and rate(web_seconds_count[5m]) > 0", False, False),
        (MEAN, True, True),
    ],
)
def test_a_share_of_nothing_is_watched_by_the_condition_or_by_another_alert(
    tmp_path, condition, record, is_named
):
    """A recording rule that asks the same wakes nobody."""
    rules = [alert(condition)]
    if record:
        rules.append({"record": "web:idle", "expr": "absent(web_seconds_count)"})
    assert bool(said(tmp_path, "zero-by-zero", rules=rules)) == is_named
    watched = [*rules, alert("absent(web_seconds_count)", alert="Gone")]
    assert said(tmp_path, "zero-by-zero", rules=watched) == []
