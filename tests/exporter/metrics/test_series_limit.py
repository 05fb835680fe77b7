"""The bound on a page: whole families are left out, from the end."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.series_limit import keep_families, keep_first
from tests.fakes import FakeWorld


@pytest.fixture
def catalogue():
    """Return the catalogue of the world."""
    return catalogue_world(FakeWorld().snapshot())


def test_a_page_within_the_limit_stays_as_it_is(catalogue):
    """To the last series."""
    present = np.ones(len(catalogue.series), dtype=bool)
    assert keep_families(catalogue, present, len(present)) is present


@pytest.mark.parametrize("missing", [1, 7, 100])
def test_whole_families_are_left_out_from_the_end(catalogue, missing):
    """No histogram loses its last bucket, and what rules read most stands first."""
    present = np.ones(len(catalogue.series), dtype=bool)
    kept = keep_families(catalogue, present, len(present) - missing)
    assert present.all()
    assert kept.sum() <= len(present) - missing
    shares = [kept[group.start : group.stop].mean() for group in catalogue.groups]
    assert set(shares) == {0.0, 1.0}
    assert shares == sorted(shares, reverse=True)


def test_families_that_fill_the_room_to_the_last_series_are_all_kept(catalogue):
    """One series less, and the last of them is left out."""
    present = np.ones(len(catalogue.series), dtype=bool)
    for group in catalogue.groups[1:-1]:
        assert keep_families(catalogue, present, group.stop).sum() == group.stop
        assert keep_families(catalogue, present, group.stop - 1).sum() == group.start


def test_without_room_nothing_is_kept(catalogue):
    """Less than nothing is nothing, too."""
    present = np.ones(len(catalogue.series), dtype=bool)
    for room in (0, -5):
        assert not keep_families(catalogue, present, room).any()
        assert keep_first(10, room) == 0


def test_of_a_burst_the_first_are_kept():
    """All, or as many as fit."""
    assert keep_first(10, 20) == 10
    assert keep_first(10, 4) == 4
