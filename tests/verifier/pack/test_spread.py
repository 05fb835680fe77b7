"""Offsets of scrapes and evaluations: the same for the same seed, never on one millisecond."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest

from exporter.target import SCRAPE_S
from verifier.pack.rules import RuleFiles, RuleGroup
from verifier.pack.spread import WHOLE, GroupOffset, Spread, spread


def groups(*intervals_s: float, folder: str = "") -> RuleFiles:
    """Return empty groups of these intervals, `g0`, `g1` and so on."""
    return RuleFiles(
        tuple(
            RuleGroup(f"g{number}", f"{folder}rules.yaml", interval_s, ())
            for number, interval_s in enumerate(intervals_s)
        )
    )


def meetings(spread_out: Spread) -> list[tuple[int, int]]:
    """Return the pairs of beats, the scrape as number -1, that ever fall on one millisecond."""
    beats = [(SCRAPE_S, spread_out.scrape_s)]
    beats += [(group.interval_s, group.offset_s) for group in spread_out.groups]
    whole = [(round(interval * 1000), round(offset * 1000)) for interval, offset in beats]
    return [
        (first - 1, second - 1)
        for second, (interval, offset) in enumerate(whole)
        for first, (other, other_offset) in enumerate(whole[:second])
        if (offset - other_offset) % math.gcd(interval, other) == 0
    ]


@pytest.mark.parametrize("seed", [1, 7, 42, 2**40])
def test_nothing_falls_on_the_millisecond_of_a_scrape_or_of_another_group(seed: int) -> None:
    """Also when two hundred groups share an interval, and some come every second."""
    rules = groups(*[15.0] * 200, 30, 60, 1, 0.5, 7, 3600)
    assert meetings(spread(seed, rules)) == []


def test_a_meeting_is_seen_where_it_is_planted() -> None:
    """The check above can fail."""
    spread_out = spread(1, groups(30, 60))
    planted = replace(
        spread_out,
        groups=(
            replace(spread_out.groups[0], offset_s=spread_out.scrape_s),
            spread_out.groups[1],
        ),
    )
    assert (-1, 0) in meetings(planted)


@pytest.mark.parametrize("seed", range(8))
def test_groups_that_must_meet_each_other_still_keep_off_the_scrape(seed: int) -> None:
    """Three groups of two milliseconds have one free place between them."""
    spread_out = spread(seed, groups(0.002, 0.002, 0.002))
    assert {pair for pair in meetings(spread_out) if -1 in pair} == set()


def test_with_very_many_intervals_the_last_groups_keep_off_the_scrape_alone(monkeypatch) -> None:
    """Two thousand intervals would take a minute and a half: comparisons are counted, and end."""
    rules = groups(*[60.0] * 30, *(value + 0.5 for value in range(40, 100)), *[60.0] * 30)
    assert meetings(spread(1, rules)) == []
    monkeypatch.setattr(sys.modules[spread.__module__], "COMPARISONS_MAX", 100)
    pairs = meetings(spread(1, rules))
    assert pairs
    assert {pair for pair in pairs if -1 in pair} == set()
    assert {pair for pair in pairs if max(pair) < 30} == set()


def test_with_few_intervals_every_offset_that_is_tried_counts(monkeypatch) -> None:
    """A hundred and fifty groups on two hundred milliseconds are apart if they may be tried."""
    rules = groups(*[0.2] * 150)
    assert meetings(spread(1, rules)) == []
    monkeypatch.setattr(sys.modules[spread.__module__], "COMPARISONS_MAX", 100)
    pairs = meetings(spread(1, rules))
    assert pairs
    assert {pair for pair in pairs if -1 in pair} == set()


def test_offsets_lie_within_their_intervals_and_hang_on_seed_and_names_alone() -> None:
    """Not on where the files lie: a copy of a pack gives the same verdict."""
    rules = groups(15, 30, 60, 3600)
    spread_out = spread(42, rules)
    assert 0 < spread_out.scrape_s < SCRAPE_S
    assert all(0 <= group.offset_s < group.interval_s for group in spread_out.groups)
    elsewhere = spread(42, groups(15, 30, 60, 3600, folder="/elsewhere/"))
    assert [g.offset_s for g in elsewhere.groups] == [g.offset_s for g in spread_out.groups]
    assert spread(43, rules).scrape_s != spread_out.scrape_s
    assert spread_out.offset_s(rules.groups[2]) == spread_out.groups[2].offset_s
    assert WHOLE.offset_s(rules.groups[2]) == 0


def test_of_two_groups_that_are_called_the_same_the_first_one_counts() -> None:
    """A group that was not spread is evaluated at whole intervals."""
    first, second = GroupOffset("f", "g", 15, 1.5), GroupOffset("f", "g", 15, 2.5)
    spread_out = Spread(0.0, (first, second, GroupOffset("f", "h", 15, 3.5)))
    offsets = [
        spread_out.offset_s(RuleGroup(name, file, 15, ()))
        for file, name in (("f", "g"), ("f", "h"), ("e", "g"))
    ]
    assert offsets == [1.5, 3.5, 0.0]


def test_the_offsets_of_a_seed_are_always_the_same() -> None:
    """Whole milliseconds, on every machine: a verdict can be had again years later."""
    assert [spread(seed, RuleFiles(())).scrape_s for seed in (1, 2, 42)] == [2.825, 14.974, 6.293]
    offsets = [each.offset_s for each in spread(42, groups(15, 30, 0.0004)).groups]
    assert offsets == [0.231, 14.886, 0.0]
