"""A burst of series in virtual time: stored where something reads it, while it lasts."""

from __future__ import annotations

import pytest

from tests.verifier.simulations import scenario_of, series, simulate_for, verify
from verifier.pack.rules import load_rules

BURST = "agentaskit_sim_burst_series"
SCENARIO = """duration: 8m
load: {rate: 500}
faults:
  - {name: ids, fault: cardinality_burst, start: 2m, duration: 3m, parameters: {series: 900}}
expectations:
  - {alert: Crowded, cause: ids, fires_within: 1m, resolves_within: 2m}
"""
RULE = "groups: [{name: g, interval: 15s, rules: [{alert: Crowded, expr: '%s'}]}]"
READS_BURST = f"count({BURST}) > 800"
READS_ALL = 'count({job="agentaskit"}) > 1100'
"""The world and what the server stores of a scrape are some 340 series."""


@pytest.fixture
def rules_of(tmp_path):
    """Return a function that makes a rule file of one condition."""

    def rules(expr):
        path = tmp_path / "rules.yaml"
        path.write_text(RULE % expr)
        return load_rules([path])

    return rules


@pytest.mark.parametrize(
    "expr", [READS_BURST, pytest.param(READS_ALL, marks=pytest.mark.long)], ids=["burst", "all"]
)
def test_a_rule_that_counts_series_sees_the_burst(rules_of, expr):
    """It fires when the page has the further series, and resolves when they are gone."""
    (verdict,) = verify(scenario_of(SCENARIO), rules_of(expr)).alerts
    assert verdict.ok, verdict


def test_the_burst_is_stored_in_its_time_and_only_where_it_is_read(rules_of):
    """From the first scrape in it on; the first one after it ends every series."""
    history = simulate_for(scenario_of(SCENARIO), rules_of(f"count({BURST}) > 800")).history
    stored = list(series(history, BURST))
    assert len(stored) == 900
    assert {(times_s[0], times_s[-1]) for _, times_s, _ in stored} == {(120.0, 300.0)}
    assert {len(times_s) for _, times_s, _ in stored} == {13}
    unread = simulate_for(scenario_of(SCENARIO), rules_of("scrape_samples_scraped > 1100")).history
    assert list(series(unread, BURST)) == []
