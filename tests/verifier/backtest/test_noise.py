"""The counts of a rule are of everything, however few of its episodes are kept."""

from __future__ import annotations

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
