"""The counts of a rule are of everything, however few of its episodes are kept."""

from __future__ import annotations

import json

import pytest

from verifier.backtest import noise
from verifier.backtest.noise import FLAP_S, RuleRecord
from verifier.evaluation.timeline import Episode

HERE, THERE = (("host", "a"),), (("host", "b"),)


def firings(*ends_s):
    """Return episodes that fire for a minute each, until these ends."""
    return [Episode(end_s - 90.0, end_s - 60.0, end_s) for end_s in ends_s]


@pytest.mark.parametrize("most", [1, 100])
def test_the_end_of_an_alert_that_is_remembered_is_always_its_last(monkeypatch, most):
    """A firing is held against the one before it, also where no further alert is remembered."""
    monkeypatch.setattr(noise, "EPISODES_MAX", most)
    record = RuleRecord(100_000.0)
    apart_s = FLAP_S + 60.0
    record.add({HERE: firings(1000.0, 1000.0 + apart_s, 1000.0 + 2 * apart_s)})
    assert (record.noise.firings, record.noise.flaps) == (3, 2)
    # A minute each, without the half minute before it in which it was pending.
    assert (record.noise.firing_s, record.noise.longest_s) == (180.0, 60.0)
    record.add({HERE: firings(1001.0 + 3 * apart_s)})
    assert (record.noise.firings, record.noise.flaps) == (4, 2)


@pytest.mark.parametrize(("most", "flaps"), [(1, 0), (2, 1)])
def test_of_so_many_alerts_the_last_end_is_remembered(monkeypatch, most, flaps):
    """The flaps of a further one are not counted; that it fired is."""
    monkeypatch.setattr(noise, "EPISODES_MAX", most)
    record = RuleRecord(100_000.0)
    record.add({HERE: firings(1000.0), THERE: firings(1000.0, 1100.0)})
    assert (record.noise.firings, record.noise.flaps) == (3, flaps)
    assert record.noise.not_kept == 3 - most


def test_what_was_over_at_the_start_does_not_count_and_what_still_fired_counts_from_it():
    """An episode that resolves at the start itself is over: at its end an alert is not active."""
    record = RuleRecord(600.0)
    record.add({HERE: [Episode(-300.0, -240.0, 0.0), Episode(-200.0, -100.0, 60.0)]})
    record.add({THERE: [Episode(-300.0, -240.0, None), Episode(-60.0, None, 30.0)]})
    assert (record.noise.firings, record.noise.only_pending) == (2, 1)
    assert (record.noise.firing_s, record.noise.longest_s) == (60.0 + 600.0, 600.0)


@pytest.mark.parametrize("before", range(4))
def test_a_record_that_was_saved_and_restored_counts_on_as_if_it_had_not_been(monkeypatch, before):
    """What it keeps and remembers is bounded over both parts together."""
    monkeypatch.setattr(noise, "EPISODES_MAX", 2)
    added = [(THERE, 500.0), (HERE, 1000.0), (HERE, 1500.0), (THERE, 1600.0)]
    whole, restored = RuleRecord(5000.0), RuleRecord(5000.0)
    for place, (labels, end_s) in enumerate(added):
        if place == before:
            restored = RuleRecord.restored(5000.0, json.loads(json.dumps(restored.saved())))
        for record in (whole, restored):
            record.add({labels: firings(end_s)})
    assert restored.noise == whole.noise
    assert (whole.noise.not_kept, whole.noise.flaps) == (2, 1)
    assert restored.timelines("High") == whole.timelines("High")
