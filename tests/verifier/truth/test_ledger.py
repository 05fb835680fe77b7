"""The record of what the world counted, beside sums that are added up scrape by scrape."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from verifier.truth import ledger
from verifier.truth.ledger import TruthLedger
from verifier.truth.quantities import QUANTITIES, layout_of

LAYOUT = layout_of(World(Topology(), Plan(), 0).snapshot())
SCRAPES = 40
DELAY_S = 300.0
TIMES_S = 15.0 * np.arange(SCRAPES) - DELAY_S


def row(number):
    """Return a row that only this scrape has."""
    return np.full(len(LAYOUT.growing), 2**number, np.int64)


def record(*, disturbed=(), restarts=()):
    """Return a record whose middle third is drawn, of rows that stand in another order."""
    counted = TruthLedger(LAYOUT)
    drawn = np.arange(14, 27)
    for number in range(SCRAPES):
        if number in restarts:
            counted.restart()
        if number == drawn[0]:
            rows = np.array([row(each) for each in (*drawn[::-1], 39)])  # the last is not picked
            counted.record_rows(15.0 * drawn, rows, np.arange(len(drawn))[::-1], whole=True)
        elif number not in drawn:
            counted.record(15.0 * number, row(number), whole=number not in disturbed)
    return counted.world_record(DELAY_S)


def test_the_row_of_an_instant_is_that_of_the_last_scrape():
    """At a scrape it is its own; before the first there is none."""
    run = record()
    assert run.times_s.tolist() == TIMES_S.tolist()
    for number, at_s in enumerate(TIMES_S):
        assert run.at(at_s)[0] == run.at(at_s + 14.0)[0] == 2**number
    assert run.at(TIMES_S[0] - 1.0) is None


@pytest.mark.parametrize("from_s", [-270.0, -100.0, -90.0, 7.0])
@pytest.mark.parametrize("to_s", [60.0, 71.0, 280.0])
def test_a_window_holds_what_was_counted_after_its_first_scrape_up_to_its_last(from_s, to_s):
    """A scrape at either end is within; what came before counts from the start of the storing."""
    window = record().window(from_s, to_s)
    inside = np.flatnonzero((from_s <= TIMES_S) & (to_s >= TIMES_S))
    assert window.gained[0] == sum(2 ** int(n) for n in inside[1:])
    assert window.length_s == TIMES_S[inside[-1]] - TIMES_S[inside[0]]
    assert window.left_s == to_s - TIMES_S[inside[-1]]
    stored = np.flatnonzero((from_s - to_s < TIMES_S) & (TIMES_S[inside[0]] >= TIMES_S))
    assert window.before[0] == sum(2 ** int(n) for n in stored[1:])


def test_a_counter_begins_anew_where_the_exporter_restarted():
    """Only the first scrape after it is not as the world was."""
    run = record(restarts={31})
    assert run.disturbed_s.tolist() == [TIMES_S[31]]
    window = run.window(TIMES_S[34], TIMES_S[38])
    assert window.before[0] == sum(2**n for n in (33, 34))


def test_a_restart_before_drawn_scrapes_disturbs_the_first_of_them():
    """The others are as the world was."""
    assert record(restarts={14}).disturbed_s.tolist() == [TIMES_S[14]]


def test_a_window_needs_two_scrapes_and_a_record_that_reaches_back():
    """Otherwise the world says nothing about it."""
    run = record()
    assert run.window(0.0, 14.0) is None
    assert run.window(0.0, 15.0) is not None
    assert run.window(TIMES_S[0] - 16.0, 0.0) is None
    assert run.window(TIMES_S[0] - 15.0, 0.0) is not None


def test_a_window_is_disturbed_by_a_scrape_after_its_start_up_to_its_end():
    """And by no other."""
    run = record(disturbed={30})
    at_s = TIMES_S[30]
    assert run.is_disturbed(at_s - 1.0, at_s)
    assert not run.is_disturbed(at_s, at_s + 60.0)
    assert not run.is_disturbed(at_s - 60.0, at_s - 1.0)


class FieldNames:
    """A snapshot that only notes which of its fields are read."""

    def __init__(self):
        """Note none yet."""
        self.read = []

    def __getattr__(self, name):
        """Note a field."""
        self.read.append(name)
        return type("Field", (), {"counts": 0, "sum": lambda *_, **__: 0})()


NAMED_OTHERWISE = {
    "requests": "http_requests",
    "tasks waiting": "queue_depth",
    "bytes sent": "network_sent_bytes",
    "bytes received": "network_received_bytes",
    "memory": "memory_bytes",
    "CPU time": "cpu_ns",
    "sandbox slots": "sandbox_total",
    "free sandbox slots": "sandbox_available",
    "request durations": "http_request_duration",
    "response durations": "response_duration",
    "task durations": "task_duration",
    "start-up durations": "startup_duration",
}


@pytest.mark.parametrize("name", list(QUANTITIES))
def test_a_quantity_is_read_from_the_field_of_its_name(name):
    """Two that changed places would agree with a dashboard that has them changed, too."""
    snapshot = FieldNames()
    QUANTITIES[name].read(snapshot)
    assert snapshot.read == [NAMED_OTHERWISE.get(name, name.replace(" ", "_"))]


def test_a_row_holds_what_a_counter_gained_since_the_row_before(monkeypatch):
    """And where a gauge stands."""
    monkeypatch.setattr(ledger, "read_counts", lambda counts: counts)
    counts = [np.full(len(LAYOUT.growing), count, np.int64) for count in (5, 7, 12)]
    rows = TruthLedger(LAYOUT).rows_of(counts)
    assert rows[:, LAYOUT.growing].T.tolist() == [[2, 5]] * int(LAYOUT.growing.sum())
    assert rows[:, ~LAYOUT.growing].T.tolist() == [[7, 12]] * int((~LAYOUT.growing).sum())


def test_a_restart_at_a_scrape_that_brought_nothing_disturbs_that_scrape_alone():
    """The one after it is as the world was."""
    run = record(restarts={31}, disturbed={31})
    assert run.disturbed_s.tolist() == [TIMES_S[31]]
