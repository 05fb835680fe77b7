"""The healthy day at length: every second of it, and on ten seeds. Run by `make test-long`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.target import SCRAPE_S
from tests.verifier.lives import bundled, judged, pack_panels, pack_rules

pytestmark = pytest.mark.long

DAY_S = 86_400.0


def assert_nothing_stirred(outcome):
    """No alert fired or was pending at any of 2,880 evaluations, every panel answered."""
    assert [one for one in outcome.alerts if one.pending_s is not None or not one.ok] == []
    assert [one for one in outcome.panels if not one.ok] == []
    assert (len(outcome.alerts), len(outcome.panels), outcome.verdict) == (19, 21, "pass")


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_healthy_day_is_silent_on_ten_seeds(seed):
    """Resampled from minutes of each seed's own."""
    rules, panels = pack_rules("slo", "performance", "backpressure"), everything()
    outcome = judged(replace(bundled("healthy-day"), seed=seed), rules, panels)
    assert_nothing_stirred(outcome)
    assert outcome.exact_s < DAY_S / 10


def test_a_healthy_day_is_silent_when_every_second_is_lived():
    """What is rarer than once in four minutes shows only here: ten minutes to a quarter hour."""
    rules, panels = pack_rules("slo", "performance", "backpressure"), everything()
    outcome = judged(bundled("healthy-day"), rules, panels, exact=True)
    assert_nothing_stirred(outcome)
    assert outcome.exact_s >= DAY_S
    assert outcome.exact_s % SCRAPE_S == 0


def everything():
    """Return the panels of the pack."""
    return pack_panels("sla", "throughput", "capacity")
