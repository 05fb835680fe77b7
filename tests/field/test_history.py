"""What rules of the field read of the past: even samples, scrape metrics, the clock, no name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exporter.history.samples import EPOCH_S
from exporter.history.scrape_series import PROCESS_SAMPLES
from tests.verifier.histories import rules
from tests.verifier.simulations import catalogue, scenario_of, simulate, verify
from verifier.pack.history_depth import depths
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from pathlib import Path

SMALL = "load: {rate: 1000}\n"
DAY = 5760
"""Scrapes in a day."""
PAGE = "the samples of a page"
"""Of a page of the world; counted in the test, since a module that is imported runs no world."""

WEIGHED = {
    "avg_over_time(up[30d])": 1,
    "count_over_time(up[30d])": 30 * DAY,
    "sum_over_time(up[30d] offset 1d)": 30 * DAY,
    "changes(up[30d])": 0,
    "count_over_time(agentaskit_active_agents{tier='micro'}[7d])": 7 * DAY,
    "count_over_time(max_over_time(up[5m])[3d:1m])": 3 * 1440,
    "avg_over_time(scrape_samples_scraped[30d])": PAGE,
    "max_over_time(scrape_series_added[2d])": 0,
    "deriv(agentaskit_sim_time_seconds[2d])": 1,
    "resets(agentaskit_sim_time_seconds[30d])": 0,
    "delta(agentaskit_sim_time_seconds[30d])": 30 * 86_400,
}
"""What a server that scraped every fifteen seconds for longer than that answers."""


def test_old_samples_weigh_as_much_as_young_ones(tmp_path: Path) -> None:
    """Of thirty days that nothing happened in, each scrape counts once."""
    read = rules(tmp_path, *({"alert": f"A{i}", "expr": e} for i, e in enumerate(WEIGHED)))
    history = simulate(scenario_of("duration: 1m\n" + SMALL), depths(read)).history
    page = len(catalogue().series) + PROCESS_SAMPLES
    with Prometheus() as server:
        server.push(history)
        for expr, weight in WEIGHED.items():
            (series,) = server.query(expr, EPOCH_S + 37)
            expected = page if weight == PAGE else weight
            assert series.values[0] == pytest.approx(expected, rel=1e-6, abs=1e-6), expr


BLINK = "duration: 25m\nfaults: [{name: away, fault: exporter_down, start: 5m, duration: 15m}]\n"
LATE = (
    "duration: 14m\nfaults: [{name: late, fault: scrape_slow, start: 3m, duration: 6m,"
    " parameters: {delay: 7s}}]\n"
)
LEAK = (
    "duration: 14m\nload: {rate: 1000}\n"
    "faults: [{name: leaking, fault: sandbox_leak, start: 3m, duration: 6m,"
    " targets: {sandboxes: [B]}, parameters: {share: 0.95}}]\n"
)
OFFICE_HOURS = (
    "(agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1)"
    " and on() (hour() >= 8 < 17) and on() (day_of_week() > 0 < 6)"
)
POOL_LOW = "agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1"
FIRST_OF_MONTH = f"({POOL_LOW}) and on() (day_of_month() == 1)"
EVENING = f"({POOL_LOW}) and on() (vector(time()) % 86400 > 64800)"


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("text", "expr", "fires"),
    [
        pytest.param(BLINK, "avg_over_time(up[30d]) < 0.999", False, marks=pytest.mark.long),
        pytest.param(BLINK, "avg_over_time(up[30d]) < 0.9997", True, marks=pytest.mark.long),
        (LATE, "scrape_duration_seconds > 5", True),
        (LATE, "absent(scrape_samples_scraped)", False),
        ("starts_at: 2026-03-02T09:00\n" + LEAK, OFFICE_HOURS, True),
        (LEAK, OFFICE_HOURS, False),
        ("starts_at: 2026-03-01T09:00\n" + LEAK, OFFICE_HOURS, False),
        ("starts_at: 2026-03-31T23:55\n" + LEAK, FIRST_OF_MONTH, True),
        ("starts_at: 2026-03-02T19:00\n" + LEAK, EVENING, True),
    ],
    ids=["a blink", "a blink seen", "late", "late, not gone", "Monday", "without a date", "Sunday",
         "midnight at the end of a month", "evening"],
)  # fmt: skip
def test_rules_of_the_field_fire_when_a_real_server_would(
    tmp_path: Path, text: str, expr: str, *, fires: bool
) -> None:
    """A gap of a quarter of an hour is 0.035 % of thirty days; seven seconds late is late."""
    read = rules(tmp_path, {"alert": "A", "expr": expr, "for": "1m"}, interval="30s")
    outcome = verify(scenario_of(text if "load" in text else text + SMALL), read)
    assert any(alert.firing_s is not None for alert in outcome.alerts) == fires


@pytest.mark.parametrize(
    "expr",
    [
        'sum(count_over_time({app="gateway"}[5m]))',
        'count({__name__=~".+"}) < 10',
        '{__name__=~"agentaskit_sim_.*", app="gateway"} > 1',
        "time() - agentaskit_sim_time_seconds < 0",
    ],
)
def test_a_selector_without_a_name_or_of_a_clock_costs_seconds(tmp_path: Path, expr: str) -> None:
    """None of them has the past simulated event by event."""
    read = rules(tmp_path, {"alert": "A", "expr": expr})
    simulated = simulate(scenario_of("duration: 20m\n" + SMALL), depths(read))
    assert simulated.exact_s == 0
