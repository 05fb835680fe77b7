"""Names are held against what is exported: phantoms, and what is legitimately empty."""

from __future__ import annotations

import pytest

from tests.verifier.check.packs import alert, findings, ids, page

PAGE = """\
# HELP app_requests_total Requests.
# TYPE app_requests_total counter
app_requests_total{code="200",method="get"} 10
app_requests_total{code="500",method="get"} 1
app_requests_total{code="200",method="delete"} 1
# TYPE app_errors_total counter
# TYPE app_state gauge
app_state{state="running"} 1
app_state{state="stopped"} 0
# TYPE app_seconds histogram
app_seconds_bucket{le="0.1"} 3
app_seconds_bucket{le="1.0"} 4
app_seconds_bucket{le="+Inf"} 4
app_seconds_sum 1.5
app_seconds_count 4
"""


@pytest.fixture
def of(tmp_path):
    """Return a function that checks one alert against the page, for its names alone."""

    def check(expr, text=PAGE):
        return findings(tmp_path, rules=[alert(expr)], exports=page(text))

    return check


@pytest.mark.parametrize(
    ("expr", "kind", "said"),
    [
        ("sum(rate(app_request_total[5m])) > 1", "phantom-metric", "mean app_requests_total?"),
        ("sum(rate(app_seconds[5m])) > 1", "phantom-metric", "only app_seconds_bucket"),
        ("job:app:rate5m > 1", "phantom-metric", "no rule of those read records"),
        ('{__name__=~"appl_.*"} > 1', "phantom-metric", "has a name like 'appl_.*'"),
        ('sum(rate(app_requests_total{status="500"}[5m])) > 1', "phantom-label", "no series"),
        ('sum(rate(app_requests_total{status!="500"}[5m])) > 1', "phantom-label", "no series"),
        ('sum by (le) (rate(app_seconds_bucket{le="0.3"}[5m])) > 1', "phantom-bucket",
         "the nearest are 0.1 and 1.0"),
        ('sum by (le) (rate(app_seconds_bucket{le="1"}[5m])) > 1', "phantom-bucket",
         "the bound is spelt '1.0'"),
        ('sum(app_state{state="runing"}) > 1', "near-label-value", "did you mean 'running'?"),
        ('sum(rate(app_requests_total{method="GET"}[5m])) > 1', "near-label-value", "mean"),
        ("sum(rate(app_errors_total[5m])) > 1", "empty-metric", "declared by page.txt"),
        ('sum(rate(app_errors_total{code="500"}[5m])) > 1', "empty-metric", "declared by page.txt"),
        ('sum(rate(app_requests_total{code="503"}[5m])) > 1', "empty-child",
         "it has 200 and 500"),
        ('sum(rate(app_requests_total{code=~"503|504"}[5m])) > 1', "empty-child", "'503'"),
        ('sum(rate(app_requests_total{code="500",method="delete"}[5m])) > 1', "empty-child",
         "at once"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_exports_is_told_from_one_that_is_empty_so_far(of, expr, kind, said):
    """Each with its reason; nothing else is said of the expression's names."""
    names = [
        each for each in of(expr) if "phantom" in each.id or "empty" in each.id or "near" in each.id
    ]
    assert kind in ids(names)
    assert said in " ".join(each.reason for each in names)
    assert set(ids(names)) == {kind}


@pytest.mark.parametrize(
    "expr",
    [
        'sum(rate(app_requests_total{code=~"5..",method!="post"}[5m])) > 1',
        'sum(rate(app_requests_total{code!~"5.."}[5m])) > 1',
        'sum(rate(app_requests_total{job="any",instance=~"a:.*"}[5m])) > 1',
        'sum(app_state{version=""}) > 1',
        'up{job="app"} == 0',
        "sum(rate(app_requests_total[5m])) > 1 and on() ALERTS",
        'sum(rate({__name__="app_requests_total"}[5m])) > 1',
    ],
)
def test_what_is_exported_is_no_finding(of, expr):
    """Target labels, the server's own series, absence that is asked for, values that exclude."""
    assert [each for each in ids(of(expr)) if "phantom" in each or "empty" in each] == []


def test_the_lists_of_the_catalogue_are_closed(tmp_path):
    """What is not in them will never be: a phantom, where a page would be empty so far."""
    exprs = {
        'sum(rate(http_requests_total{status="418"}[5m])) > 1': ["phantom-label-value"],
        'sum(rate(http_requests_total{status=~"5.."}[5m])) > 1': [],
        'sum(rate(http_requests_total{status!="418"}[5m])) > 1': ["phantom-label-value"],
        'agentaskit_sim_build_info{version="9"} > 0': [],
    }
    for expr, kinds in exprs.items():
        named = ids(findings(tmp_path, rules=[alert(expr)]))
        assert [each for each in named if "phantom" in each] == kinds, expr


def test_what_a_rule_records_is_known_with_the_labels_that_it_has(tmp_path):
    """Its grouping decides which labels may be asked for."""
    record = {"record": "code:app:rate5m", "expr": "sum by (code) (rate(app_requests_total[5m]))"}
    named = [
        ids(findings(tmp_path, rules=[record, alert(expr)], exports=page(PAGE)))
        for expr in ('code:app:rate5m{code="500"} > 1', 'code:app:rate5m{method="get"} > 1')
    ]
    assert ["phantom-label" in each for each in named] == [False, True]


def test_what_a_variable_stands_for_is_no_mistake_of_the_file(tmp_path):
    """Its values are the server's; what is written beside it is checked."""
    variable = {"name": "code", "type": "query", "query": "label_values(code)", "includeAll": True}
    templating = {"templating": {"list": [variable]}}
    panels = [
        'sum(rate(app_requests_total{code=~"$code"}[5m]))',
        'sum(rate(app_requests_total{code=~"$code",verb="x"}[5m]))',
    ]
    named = findings(tmp_path, panels=panels, exports=page(PAGE), board=templating)
    assert [each.subject for each in named if "phantom" in each.id] == ["panel B / P1"]
