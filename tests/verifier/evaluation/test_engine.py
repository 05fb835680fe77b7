"""Rules and panels evaluated by a real Prometheus on a history made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from documents.mistakes import InputError
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.engine import Evaluation, evaluate
from verifier.evaluation.timeline import Episode
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from exporter.history.samples import LabelSet

DEPTH = labels("queue_depth", priority="low")
ALERT = {"alert": "Deep", "expr": "queue_depth > 5", "for": "30s", "labels": {"severity": "w"}}


def evaluated(
    tmp_path: Path,
    series: Mapping[LabelSet, list[float]],
    *some: Mapping[str, Any],
    start_s: float = 0,
    end_s: float = 150,
) -> Evaluation:
    """Evaluate rules on a history that begins at virtual time 0."""
    with Prometheus() as server:
        server.push(history(series))
        return evaluate(server, rules(tmp_path, *some), start_s=start_s, end_s=end_s)


def test_an_alert_passes_through_its_states_in_virtual_time(tmp_path: Path) -> None:
    """Pending from the first scrape on, firing `for` later, resolved when it is over."""
    evaluation = evaluated(tmp_path, {DEPTH: row("0*3 9*5 0*3")}, ALERT)
    (timeline,) = evaluation.timelines
    assert timeline.alert == "Deep"
    assert timeline.labels == (("priority", "low"), ("severity", "w"))
    assert timeline.episodes == (Episode(45, 75, 120),)
    assert evaluation.engine


def test_an_alert_that_is_never_active_has_no_timeline(tmp_path: Path) -> None:
    """Silence is the absence of a timeline."""
    assert evaluated(tmp_path, {DEPTH: row("0*11")}, ALERT).timelines == ()


def test_a_stale_series_resolves_its_alert_at_once_a_lost_one_five_minutes_later(
    tmp_path: Path,
) -> None:
    """The marker is the difference between a target that is gone and one that is late."""
    stale = evaluated(tmp_path, {DEPTH: row("9*4 x .*40")}, ALERT, end_s=600)
    assert stale.timelines[0].episodes == (Episode(0, 30, 60),)
    lost = evaluated(tmp_path, {DEPTH: row("9*4 .*41")}, ALERT, end_s=600)
    (episode,) = lost.timelines[0].episodes
    assert episode.resolved_s in (345, 360)  # Prometheus 3 leaves a window's left end out


def test_evaluation_may_begin_before_or_after_the_scenarios_start(tmp_path: Path) -> None:
    """An alert active from the first evaluation on is pending from there."""
    evaluation = evaluated(tmp_path, {DEPTH: row("9*11")}, ALERT, start_s=60)
    assert evaluation.timelines[0].episodes == (Episode(60, 90, None),)


def test_recording_rules_are_evaluated_first_and_in_their_order(tmp_path: Path) -> None:
    """An alert on a record of a record, its window reaching back before the start."""
    evaluation = evaluated(
        tmp_path,
        {DEPTH: row("0 9*5 0*5"), labels("queue_depth", priority="high"): row("1*11")},
        {"alert": "High", "expr": "max_over_time(twice[50s]) > 15"},
        {"record": "twice", "expr": "worst * 2", "labels": {"kind": "twice"}},
        {"record": "worst", "expr": "max(queue_depth)"},
        start_s=60,
    )
    (timeline,) = evaluation.timelines
    assert timeline.labels == (("kind", "twice"),)
    assert timeline.episodes == (Episode(60, 60, 135),)


def test_a_recorded_series_that_ends_is_marked_stale(tmp_path: Path) -> None:
    """Prometheus's rule manager writes the marker too: nothing lingers for five minutes."""
    evaluation = evaluated(
        tmp_path,
        {DEPTH: row("9*4 0*7")},
        {"record": "deep", "expr": "queue_depth > 5"},
        {"alert": "Deep", "expr": "deep"},
    )
    assert evaluation.timelines[0].episodes == (Episode(0, 0, 60),)


def test_recorded_series_that_collide_are_refused(tmp_path: Path) -> None:
    """Prometheus fails such a rule at every evaluation."""
    series = {DEPTH: row("1*3"), labels("queue_depth", priority="high"): row("1*3")}
    record = {"record": "all", "expr": "queue_depth", "labels": {"priority": "any"}}
    with pytest.raises(InputError, match=r"recording rule all must give each series its own"):
        evaluated(tmp_path, series, record, {"alert": "A", "expr": "all > 0"})


def test_what_only_the_engine_can_refuse_is_reported_with_the_rules_place(tmp_path: Path) -> None:
    """Such as an ambiguous match, which no parser notices."""
    series = {labels("a", x="1"): row("1"), labels("a", x="2"): row("1")}
    with pytest.raises(InputError, match=r"rules.yaml:1:\d+: Prometheus .* cannot evaluate expr"):
        evaluated(tmp_path, series, {"alert": "A", "expr": "a + on() a"})


def test_a_rule_that_names_a_wall_clock_time_is_refused(tmp_path: Path) -> None:
    """It would be evaluated at a time that a simulated history does not hold."""
    with pytest.raises(InputError, match="must not fix its time with @"):
        evaluated(
            tmp_path, {DEPTH: row("1")}, {"alert": "A", "expr": "queue_depth @ 1700000000 > 1"}
        )


def test_a_rule_that_reads_alerts_is_refused_rather_than_silent(tmp_path: Path) -> None:
    """ALERTS is written by Prometheus's rule engine, which does not run here."""
    with pytest.raises(InputError, match="a rule that reads ALERTS cannot be judged"):
        evaluated(tmp_path, {DEPTH: row("1")}, {"alert": "A", "expr": "count(ALERTS) > 1"})
