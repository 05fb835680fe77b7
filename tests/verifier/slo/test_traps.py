"""Traps are found in packs that have them, and only there."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.verifier.slo.packs import FAST, NOW, alert, failed
from verifier.pack.rules import RuleFiles, RuleGroup
from verifier.slo.check import check
from verifier.slo.disagreements import OtherHistogram
from verifier.slo.panels import AlertPanels
from verifier.slo.sentences import trap_sentence
from verifier.slo.traps import histogram_traps, rule_traps


def traps(*rules):
    """Return the sentences of the traps in rules."""
    return [
        trap_sentence(each)
        for each in rule_traps(RuleFiles((RuleGroup("g", "rules.yaml", 30.0, rules),)))
    ]


def rule(expr, labels=(), **changes):
    """Return an alert."""
    return replace(alert(expr, dict(labels)), **changes)


SUM = "sum(rate(x[5m]))"
REPEATED = ["Burn: the same condition as Burn: both fire for one cause"]


@pytest.mark.parametrize(
    ("first", "second", "for_s", "is_repeated"),
    [
        (f"{SUM} > 5", f"{SUM} > 5", 0, True),
        (f"{SUM} > 5", f"5 < {SUM}", 0, True),
        (f"{SUM} > 5", f"1000 * {SUM} > 5000", 0, True),
        (f"{SUM} > 5", f"{SUM} > 5", 60, False),  # a warning and a page
        (f"{SUM} > 5", f"{SUM} > 6", 0, False),
        (f"{SUM} > 5", f"{SUM} >= 5", 0, False),
        (f"5 > {SUM} > 1", f"{SUM} > 5", 0, False),
        (f"{SUM} > 5", f"{SUM} > 5 and up == 1", 0, False),
        (f"{SUM} > 5 and up == 1", f"{SUM} > 5", 0, False),
        (f"{SUM} > 5", "sum(rate(y[5m])) > 5", 0, False),
        ("x > 5", "sum(x) > 5", 0, False),
        ("x > 5", "x > 5", 0, True),
    ],
)
def test_two_alerts_on_one_condition_are_named_once(first, second, for_s, is_repeated):
    """In whatever unit and direction it is written; not with another `for`, or more conditions."""
    assert traps(rule(first), rule(second, for_s=float(for_s))) == REPEATED * is_repeated


def test_a_condition_that_three_alerts_share_is_named_by_each_pair():
    """The later one names those before it."""
    assert traps(*[rule(f"{SUM} > 5")] * 3) == REPEATED * 3


@pytest.mark.parametrize(
    ("expr", "changes", "sentence"),
    [
        ("x > 1.6", {"annotations": (("s", "{{ $value | humanizePercentage }}"),)}, "show 160%"),
        ("x > 1.5", {"annotations": (("s", "{{ $value | humanizePercentage }}"),)}, ""),
        ("x > 1.6", {"annotations": (("s", "{{ $value | humanize }}"),)}, ""),
        ("histogram_quantile(0.9, rate(x[5m])) > 1", {}, "without `sum by (le)`"),
        ("histogram_quantile(0.9, sum(rate(x[5m]))) > 1", {}, "without `sum by (le)`"),
        ("histogram_quantile(0.9, avg by (le) (rate(x[5m]))) > 1", {}, "without `sum by (le)`"),
        ("histogram_quantile(0.9, sum without (le) (x)) > 1", {}, "without `sum by (le)`"),
        ("histogram_quantile(0.9, sum by (le, job) (rate(x[5m]))) > 1", {}, ""),
        ("histogram_quantile(0.9, sum without (job) (rate(x[5m]))) > 1", {}, ""),
        (f"{SUM} > 1", {"labels": (("slo", "burn_rate"),)}, "a burn rate over a single window"),
        (f"{SUM} > 1 and {SUM} > 2", {"labels": (("slo", "burn_rate"),)}, ""),
        (f"{SUM} > 1", {"labels": (("slo", "latency"),)}, ""),
        (f"{SUM} > 1 or {SUM} > 2", {"labels": (("slo", "burn_rate"),)}, ""),
        (f"{SUM} > 1 and x", {"labels": (("slo", "burn_rate"),)}, ""),
        (f"{SUM} < 1 and {SUM} < 2", {}, ""),
        (f"{SUM} < 1 or {SUM} < 2", {}, ""),
        ('sum(x{a="b"}) / sum(x) < 1', {}, ""),
        ('sum(x{a="b"}) * sum(x) < 1', {}, "when x is absent this does not fire"),
        (f"{SUM} < 1", {}, "when x is absent this does not fire"),
        (f"1 > {SUM}", {}, "when x is absent this does not fire"),
        (f"{SUM} > 1", {}, ""),
        (f"{SUM} <= 1", {}, "when x is absent this does not fire"),
        ("x < 1", {}, ""),
        (f"{SUM} / sum(y) < 1", {}, ""),
        (f"{SUM} + sum(y) < 1", {}, ""),
    ],
)
def test_each_trap_is_found_where_it_is_and_nowhere_else(expr, changes, sentence):
    """On either side of what makes it one."""
    sentences = traps(rule(expr, **changes))
    assert len(sentences) == bool(sentence), sentences
    assert sentence in "".join(sentences)


@pytest.mark.parametrize("function", ["absent(x)", "absent_over_time(x[5m])"])
def test_a_sum_below_a_limit_is_no_trap_where_an_alert_asks_whether_it_is_there(function):
    """Before it or behind it; not when that asks of another metric."""
    watching, below = rule(f"{function} == 1"), rule(f"{SUM} < 1")
    assert traps(watching, below) == traps(below, watching) == []
    other = rule(f"{function.replace('x', 'y', 1)} == 1")
    assert len(traps(other, below)) == 1


@pytest.mark.parametrize(
    ("guard", "sentence"),
    [
        ("unless on() (hour() < 6)", "silent for 25 % of the time, by the clock"),
        ("and on() (hour() >= 0)", "holds at every hour, so it changes nothing"),
    ],
)
def test_hours_at_which_an_objective_is_not_watched_are_named(guard, sentence):
    """Of an alert on an objective only."""
    expr = f'sum(rate(x{{status=~"5.."}}[1h])) / sum(rate(x[1h])) > 1 {guard}'
    assert any(sentence in each for each in traps(rule(expr, FAST)))
    assert not any(sentence in each for each in traps(rule(expr)))


def test_a_pack_in_older_form_passes_and_its_traps_are_findings(older):
    """Other forms of the same conditions, legacy panels; what is unwise is a finding only."""
    outcome = check(older, checked_at=NOW)
    assert failed(older) == {}
    assert sum(bool(p.thresholds) for alert in outcome.alert_panels for p in alert.panels) == 3
    findings = "\n".join(map(str, outcome.findings))
    for trap in (
        "holds Jinja residue",
        "AvailabilitySLOBreach: humanizePercentage multiplies by 100",
        "it would show 9990%",
        "P95LatencySLOBreach: histogram_quantile without `sum by (le)`",
        "FastBurnRateHigh: a burn rate over a single window",
        "TaskThroughputBelowTarget: without series a sum has no value",
    ):
        assert trap in findings


def test_the_traps_that_the_pack_avoids_are_no_findings(pack):
    """No residue, no split quantile; the extras ask whether the throughput metrics are there."""
    findings = "\n".join(map(str, check(pack, checked_at=NOW).findings))
    assert "a burn rate over a single window" in findings
    assert "the same condition as AgentStartupSlow" in findings
    others = [each for each in findings.splitlines() if "they should show the same" in each]
    assert others
    assert all(re.search(r"\.json:\d+:\d+: panel '", each) for each in others)
    for avoided in ("Jinja", "humanizePercentage", "sum by (le)", "a sum has no value"):
        assert avoided not in findings
    (pack / "alerts" / "extras.yaml").unlink()
    findings = "\n".join(map(str, check(pack, checked_at=NOW).findings))
    assert "TaskThroughputBelowTarget: without series a sum has no value" in findings


READ, OTHER = "b_request_duration_seconds", "a_response_duration_seconds"


@pytest.mark.parametrize(
    ("read", "shown", "named"),
    [
        ([READ], [[READ]], []),
        ([READ], [[OTHER]], [("p0", OTHER)]),
        ([READ], [[READ, OTHER]], [("p0", OTHER)]),
        ([READ], [[READ], [OTHER]], [("p1", OTHER)]),
        ([READ], [[f"z_{READ}", OTHER]], [("p0", OTHER), ("p0", f"z_{READ}")]),
        ([READ], [["other_seconds"]], []),
        ([READ, f"z_{READ}"], [[OTHER]], [("p0", OTHER)]),
        (["other_seconds"], [[OTHER]], []),
    ],
)
def test_a_panel_that_shows_another_histogram_than_its_alert_reads_is_named(read, shown, named):
    """Each histogram once, by name, beside the first that the alert reads."""
    own = rule(" + ".join(f"sum(rate({name}_bucket[5m]))" for name in read) + " > 1")
    panels = [
        SimpleNamespace(
            panel=SimpleNamespace(
                position=f"p{number}",
                title=f"panel {number}",
                queries=[SimpleNamespace(expr=f"rate({name}_bucket[5m])") for name in names],
            )
        )
        for number, names in enumerate(shown)
    ]
    assert histogram_traps([AlertPanels(own, 1.0, tuple(panels))]) == [
        OtherHistogram(place, own.alert, place.replace("p", "panel "), name, READ)
        for place, name in named
    ]
