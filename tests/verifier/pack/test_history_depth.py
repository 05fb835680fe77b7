"""How far back rules read, through recording rules too."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from documents.mistakes import Place
from tests.verifier.histories import rules
from verifier.pack.history_depth import depths, memory_s
from verifier.pack.rules import RecordingRule, RuleFiles, RuleGroup
from verifier.promql.reads import LOOKBACK_S

if TYPE_CHECKING:
    from pathlib import Path

TWO_S = 2 * 15
"""Two intervals of the group that the tests write: at least so long every rule remembers."""
FOUR_S = 4 * 15
"""So much earlier its first evaluation may lie, by where the group's grid falls."""


def test_a_recording_rule_passes_on_the_depth_of_its_readers(tmp_path: Path) -> None:
    """An alert over 30 days of a 5-minute rate needs 30 days and 5 minutes of the counter."""
    needed = depths(
        rules(
            tmp_path,
            {"alert": "A", "expr": "avg_over_time(b[30d]) > 1"},
            {"record": "b", "expr": "a * 2"},
            {"record": "a", "expr": "rate(m_total[5m])"},
        )
    )
    month_s = 30 * 86400 + FOUR_S
    assert needed.depth_s("b") == month_s
    assert needed.depth_s("a") == month_s + FOUR_S + LOOKBACK_S
    assert needed.depth_s("m_total") == needed.longest_s == month_s + 2 * FOUR_S + LOOKBACK_S + 300
    assert needed.depth_s("unread") == 0


def test_an_alert_is_evaluated_before_the_start_for_as_long_as_it_remembers(
    tmp_path: Path,
) -> None:
    """What it reads is needed then as well; without a memory, the depth is its window alone."""
    kept = {"alert": "A", "expr": "m > 1", "for": "1h", "keep_firing_for": "20m"}
    files = rules(tmp_path, kept, {"record": "r", "expr": "n"})
    (group,) = files.groups
    alert, recording = group.rules
    assert memory_s(group, alert) == 4800 + TWO_S
    assert memory_s(group, recording) == TWO_S
    assert depths(files).depth_s("m") == 4800 + FOUR_S + LOOKBACK_S


def test_whatever_reads_alert_states_lets_alerts_be_evaluated_as_far_back(tmp_path: Path) -> None:
    """Through ALERTS an alert is read like a recording rule."""
    loud = {"alert": "A", "expr": "m > 1", "for": "5m"}
    paging = {"alert": "B", "expr": 'count_over_time(ALERTS{alertname="A"}[2h]) > 3'}
    files = rules(tmp_path, loud, {"record": "r", "expr": "n"})
    more = rules(tmp_path, loud, paging)
    (group,) = more.groups
    assert depths(files).depth_s("m") == 300 + FOUR_S + LOOKBACK_S
    assert depths(more).before_s(group, group.rules[0]) >= 7200 + 300 + TWO_S
    assert depths(more).depth_s("m") >= 7200 + 300 + TWO_S + LOOKBACK_S


@pytest.mark.parametrize(
    ("circle", "least_s"),
    [
        ([{"record": "a", "expr": "m + (a or m * 0)"}], 3600),
        ([{"record": "a", "expr": "m + max_over_time(a[2h])"}], 14400),
        ([{"record": "a", "expr": "m + b"}, {"record": "b", "expr": "a offset 1h"}], 7200),
        ([{"record": "a", "expr": 'm + sum({__name__=~"a|b"})'}], 3600),
        ([{"alert": "a", "expr": 'm > 0 unless ALERTS{alertname="a"}'}], 3600),
    ],
)
def test_rules_in_a_circle_are_evaluated_an_hour_before_the_start_or_longer(
    tmp_path: Path, circle: list[dict[str, str]], least_s: float
) -> None:
    """They remember for ever; the depth has an end all the same."""
    needed = depths(rules(tmp_path, *circle))
    assert least_s <= needed.depth_s("m") <= 3 * least_s


def test_a_circle_is_evaluated_as_long_before_its_readers_too(tmp_path: Path) -> None:
    """A day of a rule that reads itself needs a day and its own hour of what it reads."""
    itself = {"record": "a", "expr": "m + (a or m * 0)"}
    needed = depths(rules(tmp_path, {"alert": "A", "expr": "avg_over_time(a[1d]) > 1"}, itself))
    assert needed.depth_s("m") >= 86400 + 3600 + LOOKBACK_S
    assert needed.depth_s("a") >= 86400 + 3600


def test_a_chain_of_ten_thousand_recordings_is_followed_in_time() -> None:
    """Each reads the one before: what reaches what is never written out."""
    place = Place("rules.yaml")
    chain = tuple(RecordingRule(f"r{n + 1}", f"r{n} + 1", (), place) for n in range(10_000))
    started_s = time.process_time()
    needed = depths(RuleFiles((RuleGroup("g", "rules.yaml", 15, chain),)))
    assert time.process_time() - started_s < 20
    assert needed.depth_s("r0") == 10_000 * (FOUR_S + LOOKBACK_S)


def test_what_a_rule_remembers_and_who_reads_it_add_up(tmp_path: Path) -> None:
    """To the second; a circle counts instead of a shorter memory, not on top of it."""
    files = rules(
        tmp_path,
        {"alert": "A", "expr": "avg_over_time(b[30d]) > 1"},
        {"alert": "B", "expr": "b > 1"},
        {"record": "b", "expr": "rate(m_total[5m])"},
        {"record": "c", "expr": "m + (c or m * 0)"},
        {"record": "d", "expr": "max_over_time(d[2h]) + m"},
    )
    (group,) = files.groups
    needed, month_s = depths(files), 30 * 86400
    alert, _, recording, hourly, deep = group.rules
    assert needed.before_s(group, alert) == TWO_S
    assert needed.before_s(group, recording) == TWO_S + month_s + FOUR_S
    assert [memory_s(group, rule) for rule in (hourly, deep)] == [3600, 14400]
    for order in (files.groups[0].rules, files.groups[0].rules[::-1]):
        turned = RuleFiles((replace(group, rules=order),))
        assert depths(turned).depth_s("m_total") == month_s + 2 * FOUR_S + 300
    assert depths(files, remembered=False).longest_s == month_s + 300


def test_all_rules_of_a_circle_are_evaluated_as_early_as_the_first_of_them(tmp_path: Path) -> None:
    """Whichever of them is read."""
    for read in ("a", "b"):
        files = rules(
            tmp_path,
            {"alert": "A", "expr": f"avg_over_time({read}[1d]) > 1"},
            {"record": "a", "expr": "m + b"},
            {"record": "b", "expr": "n + a"},
        )
        needed = depths(files, remembered=False)
        assert needed.depth_s("m") == needed.depth_s("n") == 86400 + 3600 + LOOKBACK_S
