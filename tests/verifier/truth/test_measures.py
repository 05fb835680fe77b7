"""What a panel must show, worked out by hand from a small record of counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from verifier.truth.declared import PanelTruth
from verifier.truth.ledger import TruthLedger
from verifier.truth.measures import expected_at
from verifier.truth.quantities import layout_of

LAYOUT = layout_of(World(Topology(), Plan(), 0).snapshot())
RATE = PanelTruth(
    dashboard="D", panel="P", quantity="agents started", take="rate", unit="none", window_s=60.0
)
WAITING = replace(RATE, quantity="tasks waiting", take="value", window_s=0.0)
HALF = replace(RATE, quantity="response durations", take="quantile", quantile=0.5)


def counts(**parts):
    """Return counts of which only these parts are not 0."""
    row = np.zeros(len(LAYOUT.growing), np.int64)
    for name, values in parts.items():
        row[LAYOUT.slices[name.replace("_", " ")]] = values
    return row


def record(row, scrapes=40, *, drawn=0, disturbed=()):
    """Return a record in which every scrape is this row; the last `drawn` are resampled."""
    ledger = TruthLedger(LAYOUT)
    for number in range(scrapes - drawn):
        ledger.record(15.0 * number, row, whole=number not in disturbed)
    if drawn:
        times_s = 15.0 * np.arange(scrapes - drawn, scrapes)
        ledger.record_rows(times_s, row[None, :], np.zeros(drawn, np.int64), whole=True)
    return ledger.world_record(300.0)


def test_a_rate_is_what_was_counted_over_the_time_between_scrapes():
    """30 every 15 s is 2 a second, whether scrapes were simulated or drawn."""
    row = counts(agents_started=30)
    for drawn in (0, 10, 40):
        ranges = expected_at(RATE, record(row, drawn=drawn), 200.0)
        assert ranges[""].likely == pytest.approx(2.0)
        assert ranges[""].holds(2.0)
        assert not ranges[""].holds(2.02)
        assert not ranges[""].holds(1.98)


def test_a_counter_near_zero_may_be_extrapolated_less():
    """What was counted in the whole window is the least; more than was counted is never right."""
    ranges = expected_at(RATE, record(counts(agents_started=30)), -53.0)
    # Four scrapes, 45 s from the first to the last, which was 7 s before the end of the window.
    assert ranges[""].low == pytest.approx(90 / (60 * 45 / (45 + 7)) * 0.995)
    assert not ranges[""].holds(2.02)


def test_nothing_is_compared_where_a_scrape_was_disturbed_or_the_record_begins():
    """Neither in the window nor at the instant itself."""
    disturbed = record(counts(agents_started=30), disturbed={30})
    assert expected_at(RATE, disturbed, 160.0) is None
    assert expected_at(WAITING, disturbed, 151.0) is None
    assert expected_at(RATE, disturbed, 240.0) is not None
    assert expected_at(replace(RATE, window_s=3600.0), disturbed, 100.0) is None


def test_a_value_is_exact_and_summed_by_its_label():
    """By priority a series each, without it one."""
    run = record(counts(tasks_waiting=[1, 2, 3, 4]))
    assert expected_at(WAITING, run, 10.0)[""].likely == 10
    by = expected_at(replace(WAITING, by="priority"), run, 10.0)
    assert sorted(each.likely for each in by.values()) == [1, 2, 3, 4]
    assert list(expected_at(replace(WAITING, where=(("priority", "low|high"),)), run, 10.0)) == [""]
    for by in ("", "priority"):  # an expression matches the whole of a label's value
        part = expected_at(replace(WAITING, by=by, where=(("priority", "lo"),)), run, 10.0)
        assert sum(each.likely for each in part.values()) == 0


def test_a_quantile_is_interpolated_in_the_cell_that_holds_it():
    """Half of the durations end in the middle of (0.04, 0.05]; without any there is none."""
    cells = np.zeros(31, np.int64)
    cells[10] = 100  # (0.04, 0.05]
    ranges = expected_at(HALF, record(counts(response_durations=cells)), 100.0)
    assert ranges[""].likely == pytest.approx(0.045, rel=1e-4)
    assert expected_at(HALF, record(counts()), 100.0) == {}


def test_a_share_of_nothing_is_not_defined():
    """No request, no availability."""
    share = replace(RATE, quantity="requests", of="requests", where=(("status", "5.."),))
    assert expected_at(share, record(counts()), 100.0) == {}
    ranges = expected_at(share, record(counts(requests=[90, 0, 10, 0, 0])), 200.0)
    assert ranges[""].likely == pytest.approx(0.1)
    # Near 0 either may be extrapolated less than the other.
    near_zero = expected_at(share, record(counts(requests=[90, 0, 10, 0, 0])), -53.0)[""]
    assert (near_zero.holds(0.09), near_zero.holds(0.11)) == (True, True)
