"""How levels are written down for promtool, and what a histogram's buckets are."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from verifier.derive.series.levels import Level, PhaseWriter, bucket_rates

WORD = re.compile(r"(?P<start>-?[\d.e-]+?)(?P<growth>[+-][\d.e-]+?)?(?:x(?P<times>\d+))?")


def as_promtool_reads(text):
    """Return the samples of promtool's notation: each is the one before plus the growth."""
    samples = []
    for word in text.split():
        match = WORD.fullmatch(word)
        value = float(match["start"])
        for _ in range(int(match["times"] or 0) + 1):
            samples.append(value)
            value += float(match["growth"] or 0)
    return samples


@pytest.mark.parametrize(
    ("phases", "text"),
    [
        ([(3, Level("gauge", 5.0)), (1, Level("gauge", 6.5))], "5+0x2 6.5"),
        ([(3, Level("counter", 2.0)), (2, Level("counter", 0.0))], "0+120x2 240+0x1"),
        ([(4, Level("stairs", 1 / 120))], "0+0x1 1+0x1"),
        ([(2, Level("gauge", 1.0)), (3, Level("absent", 0.0))], "1+0x1 stale _x2"),
        ([(2, Level("absent", 0.0)), (1, Level("gauge", 1.0))], "_x2 1"),
        ([(2, Level("clock", -30.0))], "-30+60x1"),
        ([(2, Level("counter", float("nan"))), (1, Level("gauge", float("inf")))], "NaN NaN Inf"),
    ],
)
def test_phases_follow_one_another(phases, text):
    """A counter goes on from where it was, a series that ends is marked as stale."""
    writer = PhaseWriter(60.0)
    for steps, level in phases:
        writer.phase(steps, level)
    assert writer.text() == text


@pytest.mark.parametrize("level", [0.36, 0.359999856, 1 / 3, 24.84, 0.1])
@pytest.mark.parametrize("then", [0.0, 0.0000001, 0.07])
@pytest.mark.parametrize("kind", ["counter", "stairs"])
def test_a_counter_never_falls_from_one_phase_to_the_next(level, then, kind):
    """Not by an ulp: the engine would add up all that it counted before, as after a restart."""
    writer = PhaseWriter(30.0)
    for steps, value in [(122, level), (4, level * 1.02), (124, then), (3, level)]:
        writer.phase(steps, Level(kind, value))
    samples = as_promtool_reads(writer.text())
    assert len(samples) == 253
    assert all(before <= after for before, after in pairwise(samples))
    assert then or len(set(samples[125:250])) == 1  # nor does it rise where it stands still


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("value", [0.1, 0.1002, 0.102, 0.05, 0.3, 0.04])
def test_the_quantile_of_the_buckets_is_the_level(quantile, value):
    """Read as the engine does: linear within the bucket where it lies."""
    rates = bucket_rates(Level("histogram", value, quantile=quantile, anchor=0.1))
    bounds = [float(bound) for bound, _ in rates]
    counts = [rate for _, rate in rates]
    assert counts == sorted(counts)
    rank = quantile * counts[-1]
    at = next(number for number, count in enumerate(counts) if count >= rank - 1e-9)
    low, below = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    read = low + (bounds[at] - low) * (rank - below) / (counts[at] - below)
    assert read == pytest.approx(value)


def test_rows_share_a_level_by_weight_or_by_number():
    """Counted series are there or not; others each take their share."""
    shared = Level("counter", 8.0, weights=(0.25, 0.75))
    assert [each.value for each in shared.rows(2)] == [2.0, 6.0]
    counted = Level("gauge", 0.0, hot=1, cold=1.0)
    assert [each.value for each in counted.rows(3)] == [0.0, 1.0, 1.0]
    assert [each.kind for each in Level("gauge", 1.0, hot=1).rows(2)] == ["gauge", "absent"]
