"""The healthy day at length: every second of it, and on ten seeds. Run by `make test-long`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.target import SCRAPE_S
from tests.verifier.simulations import bundled, pack_panels, pack_rules, verify

pytestmark = pytest.mark.long

DAY_S = 86_400.0


def assert_silent(outcome):
    """No alert fired or was pending at any of 2,880 evaluations, every panel answered."""
    assert [alert for alert in outcome.alerts if alert.pending_s is not None or not alert.ok] == []
    assert [panel for panel in outcome.panels if not panel.ok] == []
    assert (len(outcome.alerts), len(outcome.panels), outcome.verdict) == (19, 21, "pass")


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_healthy_day_is_silent_on_ten_seeds(seed):
    """Each is resampled from its own minutes."""
    rules, panels = pack_rules("slo", "performance", "backpressure"), all_panels()
    outcome = verify(replace(bundled("healthy-day"), seed=seed), rules, panels)
    assert_silent(outcome)
    assert outcome.exact_s < DAY_S / 10


def test_a_healthy_day_is_silent_when_every_second_is_simulated():
    """What is rarer than once in four minutes shows only here. It takes 10 to 15 minutes."""
    rules, panels = pack_rules("slo", "performance", "backpressure"), all_panels()
    outcome = verify(bundled("healthy-day"), rules, panels, exact=True)
    assert_silent(outcome)
    assert outcome.exact_s >= DAY_S
    assert outcome.exact_s % SCRAPE_S == 0


def all_panels():
    """Return the panels of the pack."""
    return pack_panels("sla", "throughput", "capacity")
