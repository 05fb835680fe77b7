"""A pack without a finding, and the same with one defect each: it is noticed, by its id alone."""

from __future__ import annotations

import copy

import pytest

from tests.verifier.check.packs import findings, page
from verifier.pack.routes.routing import load_routing

PAGE = """\
# TYPE web_requests_total counter
web_requests_total{code="200",handler="a"} 10
web_requests_total{code="200",handler="b"} 10
web_requests_total{code="500",handler="a"} 1
# TYPE web_restarts_total counter
web_restarts_total 1
# TYPE web_seconds histogram
web_seconds_bucket{handler="a",le="0.05"} 3
web_seconds_bucket{handler="a",le="0.1"} 4
web_seconds_bucket{handler="a",le="1.0"} 4
web_seconds_bucket{handler="a",le="+Inf"} 4
web_seconds_bucket{handler="b",le="0.05"} 3
web_seconds_bucket{handler="b",le="0.1"} 4
web_seconds_bucket{handler="b",le="1.0"} 4
web_seconds_bucket{handler="b",le="+Inf"} 4
web_seconds_sum{handler="a"} 1.5
web_seconds_count{handler="a"} 4
# TYPE backend_seconds histogram
backend_seconds_bucket{le="+Inf"} 0
# TYPE pool_size gauge
pool_size{pool="x"} 4
pool_size{pool="y"} 4
# TYPE pool_free gauge
pool_free{pool="x"} 1
pool_free{pool="y"} 2
# TYPE pool_used gauge
pool_used{shard="1"} 1
# TYPE web_request_duration_seconds histogram
web_request_duration_seconds_bucket{le="0.1"} 1
web_request_duration_seconds_bucket{le="1.0"} 1
web_request_duration_seconds_bucket{le="+Inf"} 1
# TYPE web_response_duration_seconds histogram
web_response_duration_seconds_bucket{le="0.1"} 1
web_response_duration_seconds_bucket{le="1.0"} 1
web_response_duration_seconds_bucket{le="+Inf"} 1
"""
BY_BOTH = "sum by (code, handler) (rate(web_requests_total[5m]))"
ERRORS = 'sum(rate(web_requests_total{code=~"5.."}[W])) / sum(rate(web_requests_total[W]))'


def share(window):
    """Return the share of failed requests over a window."""
    return ERRORS.replace("W", window)


def alert_of(name, expr, severity="warning", summary="{{ $value }}", **fields):
    """Return an alert."""
    labels, annotations = {"severity": severity}, {"summary": summary}
    rule = {"alert": name, "expr": expr, "for": "5m", "labels": labels, "annotations": annotations}
    return rule | fields


GOOD = {
    "errors": alert_of("Errors", f"100 * {share('5m')} > 5"),
    "burn": alert_of("Burn", f"{share('1h')} / 0.001 > 14.4 and {share('5m')} / 0.001 > 14.4"),
    "slow": alert_of(
        "Slow", "histogram_quantile(0.9, sum by (le) (rate(web_seconds_bucket[5m]))) > 0.1"
    ),
    "late": alert_of(
        "Late",
        "histogram_quantile(0.9, sum by (le) "
        "(rate(web_response_duration_seconds_bucket[5m]))) > 0.1",
    ),
    "pool": alert_of("Pool", "pool_free / pool_size < 0.1", summary="{{ $labels.pool }} is full"),
    "traffic": alert_of("Traffic", "sum(rate(web_requests_total[5m])) < 10", severity="critical"),
    "restarts": alert_of("Restarts", "rate(web_restarts_total[5m]) > 0.1"),
    "gone": alert_of("Gone", "absent(web_requests_total)"),
}
PANELS = {
    "late": {
        "title": "Late", "type": "timeseries",
        "fieldConfig": {"defaults": {"unit": "s", "thresholds": {
            "mode": "absolute", "steps": [{"value": None}, {"value": 0.1}]}}},
        "targets": [{"expr": "histogram_quantile(0.9, sum by (le) "
                             "(rate(web_response_duration_seconds_bucket[5m])))"}],
    },
    "errors": {
        "title": "Errors", "type": "stat", "fieldConfig": {"defaults": {"unit": "percent"}},
        "targets": [{"expr": f"100 * {share('5m')}"}],
    },
}  # fmt: skip
ROUTING = """\
route:
  receiver: all
  routes:
    - matchers: ['severity="critical"']
      receiver: pager
    - matchers: ['severity="warning"']
      receiver: all
receivers:
  - name: all
    webhook_configs: [{url: http://127.0.0.1:1/, send_resolved: true}]
  - name: pager
    webhook_configs: [{url: http://127.0.0.1:1/, send_resolved: true}]
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Return a function that checks the good pack with an edit: (id, subject) of what it says."""
    exports, folder = page(PAGE), tmp_path_factory.mktemp("pack")
    read = {}  # each asks Alertmanager

    def check(edit=None, **around):
        pack = copy.deepcopy({"rules": GOOD, "panels": PANELS, "routing": ROUTING})
        if edit is not None:
            edit(pack)
        text = pack["routing"]
        if text not in read:
            path = folder / "routing.yml"
            path.write_text(text)
            read[text] = load_routing(path)
        listed = findings(
            folder, rules=list(pack["rules"].values()), panels=list(pack["panels"].values()),
            exports=exports, routing=read[text], **around,
        )  # fmt: skip
        return {
            (each.id, each.subject)
            for each in listed
            if each.severity != "info" or each.id.startswith("empty")
        }

    return check


def test_the_good_pack_has_no_finding(checked):
    """So that each finding below comes of its own defect."""
    assert checked() == set()


def expr(name, text):
    """Return an edit: the expression of a rule."""
    return lambda pack: pack["rules"][name].update(expr=text)


def replaced(name, right, wrong):
    """Return an edit of an expression: `right`, which must be there, becomes `wrong`."""

    def edit(pack):
        rule = pack["rules"][name]
        assert right in rule["expr"]
        rule["expr"] = rule["expr"].replace(right, wrong)

    return edit


def panel(name, **defaults):
    """Return an edit: the unit or the thresholds of a panel."""
    return lambda pack: pack["panels"][name]["fieldConfig"]["defaults"].update(defaults)


def target(name, right, wrong):
    """Return an edit of the query of a panel."""

    def edit(pack):
        query = pack["panels"][name]["targets"][0]
        assert right in query["expr"]
        query["expr"] = query["expr"].replace(right, wrong)

    return edit


def summary(name, text):
    """Return an edit: the summary of an alert."""
    return lambda pack: pack["rules"][name]["annotations"].update(summary=text)


def without(name):
    """Return an edit: a rule left out."""
    return lambda pack: pack["rules"].pop(name)


def added(name, rule):
    """Return an edit: one more rule."""
    return lambda pack: pack["rules"].update({name: rule})


def routed(right, wrong):
    """Return an edit of the routing."""
    return lambda pack: pack.update(routing=pack["routing"].replace(right, wrong))


def retained(pack):
    """Read further back than is kept."""
    replaced("burn", "[1h]", "[20d]")(pack)


DEFECTS = {
    "a metric misspelt": ("phantom-metric", replaced("restarts", "web_restarts", "web_restart")),
    "a label misspelt": ("phantom-label", replaced("errors", "code=~", "status=~")),
    "a value in capitals": (
        "near-label-value", replaced("pool", "pool_free", 'pool_free{pool="X"}')),
    "a bound that is not there": (
        "phantom-bucket",
        expr("restarts", 'sum(rate(web_seconds_bucket{le="0.3"}[5m])) > 5')),
    "a child not yet counted": (
        "empty-child", expr("restarts", 'sum(rate(web_requests_total{code="503"}[5m])) > 1')),
    "the rate of a gauge": ("rate-of-gauge", expr("restarts", "rate(pool_size[5m]) > 0")),
    "a counter without a rate": ("raw-counter", expr("restarts", "web_restarts_total > 5")),
    "a rate of a sum": (
        "rate-of-aggregate", expr("restarts", "rate(sum(web_requests_total)[10m:1m]) > 9")),
    "a fall of a counter": (
        "delta-of-counter", expr("restarts", "delta(web_restarts_total[5m]) > 9")),
    "a quantile of a gauge": (
        "quantile-of-no-histogram",
        expr("restarts", "histogram_quantile(0.9, sum by (le) (pool_size)) > 1")),
    "residue of a template": (
        "template-residue", summary("slow", "{% raw %}{{ $value }}{% endraw %}")),
    "a percentage of a percentage": (
        "percent-twice", summary("errors", "{{ $value | humanizePercentage }}")),
    "a percentage of a percentage in a panel": ("panel-unit", panel("errors", unit="percentunit")),
    "no sum by (le)": (
        "split-quantile",
        expr("slow", "histogram_quantile(0.9, rate(web_seconds_bucket[5m])) > 0.1")),
    "a sum that loses le": ("quantile-without-le", replaced("slow", "sum by (le)", "sum")),
    "a threshold on each child": (
        "per-series-threshold", expr("restarts", "rate(web_requests_total[5m]) > 100")),
    "a burn over a single window": (
        "single-window-burn", expr("burn", f"{share('1h')} / 0.001 > 14.4")),
    "a burn by its form, whatever it is called": (
        "single-window-burn", expr("errors", f"{share('1h')} / 0.001 > 14.4")),
    "a percentage of a percentage below 1": (
        "percent-twice",
        lambda pack: pack["rules"]["errors"].update(
            expr=f"100 * {share('5m')} > 0.5",
            annotations={"summary": "{{ $value | humanizePercentage }}"})),
    "a range of one scrape": ("short-range", replaced("restarts", "[5m]", "[20s]")),
    "a range of three scrapes": ("narrow-range", replaced("restarts", "[5m]", "[45s]")),
    "the top bucket at the threshold": ("top-bucket", replaced("slow", "> 0.1", "> 1")),
    "sides that never meet": ("mismatched-labels", replaced("pool", "pool_size", "pool_used")),
    "many on both sides": (
        "many-to-many",
        expr("restarts", f"{BY_BOTH} / on (handler) {BY_BOTH} > 1")),
    "silent when the data vanish": ("silent-when-absent", without("gone")),
    "the same condition twice": (
        "repeated-condition",
        added("again", alert_of("Again", "0 + " + GOOD["slow"]["expr"]))),
    "a route that is taken before": (
        "unreachable-route", routed('severity="warning"', 'severity="critical"')),
    "a route for no alert": ("unreachable-route", routed('"critical"', '"page"')),
    "a panel of another histogram": (
        "other-histogram", target("late", "web_response_duration", "web_request_duration")),
    "a panel that turns red elsewhere": (
        "panel-threshold",
        panel("late", thresholds={"mode": "absolute", "steps": [{"value": None}, {"value": 0.5}]})),
    "more than is kept": ("range-beyond-retention", retained),
    "the left end of a subquery": (
        "prometheus3-left-end", expr("restarts", "count_over_time(pool_size[5m:1m]) < 5")),
    "a label that is summed away": (
        "pint/alerts/template", summary("slow", "{{ $labels.handler }} is slow")),
    "a query that is no PromQL": (
        "dashboard-linter/target-promql-rule", target("errors", "100 *", "100 * *")),
}  # fmt: skip
"""Each with the only id that it adds."""


@pytest.mark.parametrize(("kind", "edit"), DEFECTS.values(), ids=DEFECTS)
def test_a_planted_defect_is_noticed_by_its_id_alone(checked, kind, edit):
    """Nothing else is said of the pack, so that nobody looks elsewhere."""
    assert {name for name, _ in checked(edit)} == {kind}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("sum_over_time(pool_size[2h:1m]) / count_over_time(pool_size[2h:1m]) < 5", False),
        ("sum_over_time(pool_size[99m:1m]) < 5", True),
        ("sum_over_time(pool_size[100m:1m]) < 5", False),
        ("count_over_time(pool_size[2h:1m]) < 120", True),
        ("(count_over_time(pool_size[2h:1m])) < 121", True),
        ("count_over_time(pool_size[2h:1m]) < 60", False),
        ("count_over_time(pool_size[2h:1m]) + 120 > 0", False),
    ],
)
def test_one_sample_among_many_at_the_left_end_decides_nothing(checked, condition, said):
    """Unless they are counted against their own number."""
    names = {name for name, _ in checked(expr("restarts", condition))}
    assert ("prometheus3-left-end" in names) == said


def test_a_share_of_no_traffic_is_noticed_where_nothing_watches_for_it(checked):
    """An alert on too little traffic, or one with absent(), watches for it."""

    def edit(pack):
        del pack["rules"]["gone"], pack["rules"]["traffic"]

    assert ("zero-by-zero", "alert Errors") in checked(edit)
    assert ("zero-by-zero", "alert Burn") in checked(edit)
