"""Rules and panels evaluated by a real Prometheus on a history made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.crosscheck import PlainSchedule
from verifier.evaluation.engine import (
    Evaluation,
    SpreadSchedule,
    evaluate,
    evaluate_alerts,
    evaluate_rules,
    record,
)
from verifier.evaluation.refused_rules import refused_rules
from verifier.evaluation.timeline import Episode
from verifier.pack.history_depth import depths
from verifier.pack.spread import GroupOffset, Spread
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
    every: str = "15s",
) -> Evaluation:
    """Evaluate rules on a history that begins at virtual time 0."""
    files = rules(tmp_path, *some, interval=every)
    with Prometheus() as server:
        server.push(history(series))
        return evaluate(server, files, start_s=start_s, end_s=end_s)


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


def test_an_alert_that_fired_before_the_start_is_firing_at_the_start(tmp_path: Path) -> None:
    """Its condition held all along: it has been pending and firing since before the start."""
    evaluation = evaluated(tmp_path, {DEPTH: row("9*11")}, ALERT, start_s=60)
    assert evaluation.timelines[0].episodes == (Episode(0, 30, None),)


def test_a_rule_sees_the_last_result_of_what_its_group_records_later(tmp_path: Path) -> None:
    """An alert on a record of a record, in the wrong order: each is one evaluation late."""
    series = {DEPTH: row("0 9*5 0*5"), labels("queue_depth", priority="high"): row("1*11")}
    late = (
        {"alert": "High", "expr": "twice > 15"},
        {"record": "twice", "expr": "worst * 2", "labels": {"kind": "twice"}},
        {"record": "worst", "expr": "max(queue_depth)"},
    )
    (timeline,) = evaluated(tmp_path, series, *late).timelines
    assert timeline.labels == (("kind", "twice"),)
    assert timeline.episodes == (Episode(45, 45, 120),)
    (timeline,) = evaluated(tmp_path, series, *reversed(late)).timelines
    assert timeline.episodes == (Episode(15, 15, 90),)


def test_a_window_on_a_record_reaches_back_before_the_start(tmp_path: Path) -> None:
    """The recording rule is evaluated as far back as it is read."""
    evaluation = evaluated(
        tmp_path,
        {DEPTH: row("0 9*5 0*5")},
        {"record": "worst", "expr": "max(queue_depth)"},
        {"alert": "High", "expr": "max_over_time(worst[50s]) > 8"},
        start_s=90,  # of which the rule remembers two evaluations
    )
    (timeline,) = evaluation.timelines
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


def test_recorded_series_that_collide_fail_their_evaluation_alone(tmp_path: Path) -> None:
    """Prometheus fails such a rule where they collide, and goes on."""
    series = {DEPTH: row("1*11"), labels("queue_depth", priority="high"): row("1*4 x .*6")}
    record = {"record": "all", "expr": "queue_depth", "labels": {"priority": "any"}}
    evaluation = evaluated(tmp_path, series, record, {"alert": "A", "expr": "all > 0"})
    assert [line.episodes for line in evaluation.timelines] == [(Episode(60, 60, None),)]
    (finding,) = evaluation.findings
    assert "recording rule all: 4 of " in finding.message
    assert "same labelset" in finding.message


def test_a_failed_evaluation_leaves_the_alert_as_it_was(tmp_path: Path) -> None:
    """An ambiguous match at two evaluations: neither resolved nor firing earlier or later."""
    series = {labels("a", x="1"): row("1*11"), labels("a", x="2"): row(".*3 1 x .*6")}
    alert = {"alert": "A", "expr": "sum(a + on() a)", "for": "1m"}
    evaluation = evaluated(tmp_path, series, alert)
    assert [line.episodes for line in evaluation.timelines] == [(Episode(0, 60, None),)]
    (finding,) = evaluation.findings
    assert "alert A: 1 of " in finding.message
    assert "many-to-many" in finding.message


def test_a_rule_whose_every_evaluation_fails_is_not_judged(tmp_path: Path) -> None:
    """An ambiguous match, which no parser notices; the other rules are judged all the same."""
    series = {labels("a", x="1"): row("1*11"), labels("a", x="2"): row("1*11")}
    evaluation = evaluated(
        tmp_path, series, {"alert": "A", "expr": "a + on() a"}, {"alert": "B", "expr": "sum(a)"}
    )
    (not_judged,) = evaluation.not_judged
    assert not_judged.subject == "alert A"
    assert "many-to-many" in not_judged.reason
    assert [line.alert for line in evaluation.timelines] == ["B"]


def test_more_alerts_than_the_limit_fail_the_evaluation_and_are_forgotten(tmp_path: Path) -> None:
    """As in Prometheus: their `for` begins anew when there are few enough again."""
    series = {
        labels("a", x="1"): row("1*11"),
        labels("a", x="2"): row(".*4 1 1 x .*4"),
    }
    files = rules(tmp_path, {"alert": "A", "expr": "a", "for": "30s"}, {"record": "r", "expr": "a"})
    limited = replace(files, groups=(replace(files.groups[0], limit=1),))
    with Prometheus() as server:
        server.push(history(series))
        evaluation = evaluate(server, limited, start_s=0, end_s=150)
        recorded = server.stored("r", EPOCH_S - 1, EPOCH_S + 150)
    assert [line.episodes for line in evaluation.timelines] == [
        (Episode(0, 30, 60), Episode(90, 120, None))
    ]
    assert {finding.message.partition(" of ")[0] for finding in evaluation.findings} == {
        "alert A: 2",
        "recording rule r: 2",
    }
    assert [(s.labels["x"], len(s.values)) for s in recorded] == [("1", 9)]


def test_a_query_offset_asks_for_an_earlier_instant_and_stamps_it(tmp_path: Path) -> None:
    """Prometheus 3 evaluates so: the samples lie where the query asked, later ones unseen."""
    files = rules(tmp_path, ALERT, {"record": "r", "expr": "queue_depth"})
    shifted = replace(files, groups=(replace(files.groups[0], query_offset_s=30.0),))
    with Prometheus() as server:
        server.push(history({DEPTH: row("0*3 9*5 0*3")}))
        (timeline,) = evaluate(server, shifted, start_s=0, end_s=150).timelines
        (recorded,) = server.stored("r", EPOCH_S - 1, EPOCH_S + 150)
    assert timeline.episodes == (Episode(75, 105, 150),)
    assert (recorded.times_s - EPOCH_S).tolist() == [15.0 * step for step in range(9)]
    assert recorded.values.tolist() == row("0*3 9*5 0")


def test_at_a_rules_time_the_future_is_not_stored(tmp_path: Path) -> None:
    """A negative offset shows what is there by then, no more; so does the end of a range."""
    ahead = [
        {"alert": "Ahead", "expr": "queue_depth offset -4m > 5"},
        {"alert": "Window", "expr": "max_over_time(queue_depth[1m] offset -1m) > 5"},
        {"alert": "Sub", "expr": "max_over_time(queue_depth[1m:15s] offset -1m) > 5"},
        {"alert": "End", "expr": "queue_depth @ end() > 5"},
        {"alert": "Start", "expr": "max_over_time(queue_depth[1m] @ start()) > 5"},
    ]
    evaluation = evaluated(tmp_path, {DEPTH: row("0*10 9*10 0*10")}, *ahead, end_s=435)
    episodes = {line.alert: line.episodes for line in evaluation.timelines}
    assert {first.pending_s for first, *_ in episodes.values()} == {150.0}
    assert episodes["End"] == (Episode(150, 150, 300),)


def test_a_fixed_time_is_read_once_it_has_come(tmp_path: Path) -> None:
    """Before it there is nothing to see but what is old."""
    fixed = {"alert": "Fixed", "expr": f"max_over_time(queue_depth[10s] @ {EPOCH_S + 60}) > 5"}
    evaluation = evaluated(tmp_path, {DEPTH: row("0*3 9*8")}, fixed)
    assert [line.episodes for line in evaluation.timelines] == [(Episode(60, 60, None),)]


def test_a_rule_that_reads_itself_is_judged_evaluation_after_evaluation(tmp_path: Path) -> None:
    """The last known value, a latch, a counter of evaluations, of one each minute."""
    evaluation = evaluated(
        tmp_path,
        {DEPTH: row("3*4 9*4 x .*8")},
        {"record": "last", "expr": "queue_depth or last"},
        {"alert": "Known", "expr": "last > 5"},
        {"record": "latch", "expr": "max(queue_depth > bool 5) > 0 or latch"},
        {"alert": "Latched", "expr": "latch == 1", "for": "1m"},
        {"record": "count", "expr": "(count + 1) or vector(1)"},
        {"alert": "Counted", "expr": "count > 50"},
        every="1m",
    )
    episodes = {line.alert: line.episodes for line in evaluation.timelines}
    known, latched = Episode(60, 60, None), Episode(60, 120, None)
    assert (episodes["Known"], episodes["Latched"]) == ((known,), (latched,))
    assert episodes["Counted"][0].pending_s < 0  # an hour before the start it began to count


def test_alert_states_are_read_as_a_server_stores_them(tmp_path: Path) -> None:
    """By rules on other alerts, by one on itself, and with the time since when."""
    evaluation = evaluated(
        tmp_path,
        {DEPTH: row("0*8 9*12 0*8")},
        {**ALERT, "for": "1m"},
        {"alert": "Pending", "expr": 'ALERTS{alertname="Deep", alertstate="pending"}'},
        {"alert": "Firing", "expr": 'count(ALERTS{alertstate="firing", alertname="Deep"}) > 0'},
        {"alert": "Since", "expr": f'ALERTS_FOR_STATE{{alertname="Deep"}} == {EPOCH_S + 120}'},
        {"alert": "Self", "expr": 'queue_depth > 5 or ALERTS{alertname="Self"}'},
        end_s=420, every="1m",
    )  # fmt: skip
    episodes = {line.alert: line.episodes for line in evaluation.timelines}
    assert episodes["Pending"] == (Episode(120, 120, 180),)
    assert episodes["Firing"] == (Episode(180, 180, 300),)
    assert episodes["Since"] == (Episode(120, 120, 300),)
    assert episodes["Self"][0].resolved_s is None


def test_what_was_recorded_before_goes_on_and_a_scraped_series_is_not_recorded(
    tmp_path: Path,
) -> None:
    """As in a replay, whose past was recorded first; and a rule that records a metric scraped."""
    files = rules(
        tmp_path,
        {"record": "worst", "expr": "max(queue_depth)"},
        {"record": "queue_depth", "expr": "vector(7)", "labels": {"priority": "low"}},
    )
    with Prometheus() as server:
        server.push(history({DEPTH: row("1*11")}))
        record(server, files, epoch_s=EPOCH_S + 60.0)
        schedule = PlainSchedule(75.0, 150.0, depths(files))
        evaluate_rules(server, files, schedule)
        (worst,) = server.stored("worst", EPOCH_S - 1, EPOCH_S + 150)
        (scraped,) = server.stored("queue_depth", EPOCH_S - 1, EPOCH_S + 150)
    assert (worst.times_s - EPOCH_S).tolist()[-7:] == [60.0 + 15 * step for step in range(7)]
    assert set(scraped.values.tolist()) == {1.0}


PRIORITIES = (("low", "1*11"), ("high", "x*5 1*6"))
"""Two series for one of the other side, once the second is there."""
ALWAYS_TWICE = "depth > on (job) (depth or label_replace(depth, 'a', 'b', '', ''))"


def test_a_rule_that_always_fails_in_real_time_is_named_with_the_words_of_virtual_time(
    tmp_path: Path,
) -> None:
    """One that fails at times is not: it answered at one of the instants."""
    series = {labels("depth", priority=name): row(values) for name, values in PRIORITIES}
    read = rules(
        tmp_path,
        {"alert": "Good", "expr": "depth > 0"},
        {"alert": "Later", "expr": "sum(depth) by (job) > on (job) depth"},
        {"alert": "Never", "expr": ALWAYS_TWICE},
        {"record": "never:depth", "expr": ALWAYS_TWICE},
    )
    with Prometheus() as server:
        server.push(history(series))
        virtual = evaluate(server, read, start_s=90, end_s=150).not_judged
        late = refused_rules(server, read, EPOCH_S + 90, EPOCH_S + 150)
        whole = refused_rules(server, read, EPOCH_S, EPOCH_S + 150)
    never = ["alert Never", "recording rule never:depth"]
    assert late == virtual
    assert [each.subject for each in late] == ["alert Later", *never]
    assert [each.subject for each in whole] == never
    assert all("found duplicate series" in each.reason for each in late)


@pytest.mark.parametrize("offset_s", [0.0, 0.001, 7.5, 14.999])
@pytest.mark.parametrize(
    "rule", [ALERT, {**ALERT, "for": "31s"}, {"record": "worst", "expr": "max(queue_depth)"}]
)
def test_a_group_is_evaluated_far_enough_into_the_past_whatever_its_offset(
    tmp_path: Path, rule: dict[str, Any], offset_s: float
) -> None:
    """One evaluation is at the depth needed or before it: what it found shows until the next."""
    read = rules(tmp_path, rule, {"alert": "Reads", "expr": "max_over_time(worst[10m]) > 5"})
    (group,) = read.groups
    spread = Spread(groups=(GroupOffset(group.file, group.name, group.interval_s, offset_s),))
    needed = depths(read)
    schedule = SpreadSchedule(start_s=60.0, end_s=600.0, needed=needed, spread=spread)
    times_s = schedule.grid(group, group.rules[0]).times_s
    deepest_s = 60.0 - needed.before_s(group, group.rules[0])
    assert times_s[0] <= deepest_s < times_s[1]
    steps = (times_s - 60.0 - offset_s) / 15.0
    assert steps == pytest.approx(steps.round())
    assert times_s[-1] <= 600.0 < times_s[-1] + 15.0


def test_alerts_that_differ_in_a_number_are_as_the_engine_says_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they compare is asked once; values that are no number, and gaps, are among it."""
    over_itself = "queue_depth / (queue_depth > 0 or queue_depth * 0)"
    sides = over_itself, "max by (priority) (queue_depth)"
    pairs = [(side, op) for side in sides for op in (">", ">=", "<", "<=", "==", "!=")]
    alerts = [
        {"alert": f"A{number}", "expr": f"{side} {op} 5", "labels": {"at": "{{ $value }}"}}
        for number, (side, op) in enumerate(pairs)
    ]
    high = labels("queue_depth", priority="high")
    read = rules(tmp_path, *alerts, {"alert": "Same", "expr": "sum(queue_depth) > 20"})
    schedule = SpreadSchedule(start_s=0, end_s=240, needed=depths(read))
    with Prometheus() as server:
        server.push(
            history({DEPTH: row("0*3 9 5*2 4 x .*4 6*5"), high: row("5*2 6 0 5 .*2 7 5 4*8")})
        )
        whole = evaluate_rules(server, read, schedule).timelines
        asked: list[str] = []
        ask = server.query_ranges
        monkeypatch.setattr(
            server, "query_ranges", lambda some: (asked.extend(q.expr for q in some), ask(some))[1]
        )
        parts = evaluate_alerts(server, read.alerts, schedule)
    assert [line for lines in parts for line in lines] == list(whole)
    assert len(whole) > len(pairs)
    assert asked == [*sides, "sum(queue_depth) > 20"]
