"""A rule over its evaluations: the state machine against a literal reading of Prometheus's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.mistakes import Place
from exporter.history.samples import Block, History
from verifier.evaluation import step_by_step
from verifier.evaluation.alert_labels import go_float
from verifier.evaluation.alert_states import AlertStates, EvaluationError, OpenAlert
from verifier.evaluation.rule_graph import RuleNode
from verifier.evaluation.rule_run import RuleRun
from verifier.evaluation.timeline import Episode, Grid, Timeline
from verifier.pack.rules import AlertRule, RecordingRule, RuleGroup
from verifier.servers.prometheus import Series


@dataclass
class ReferenceAlert:
    """The fields of Prometheus's `Alert` that decide its state."""

    state: str
    active_at: float
    keep_firing_since: float | None = None


def reference_states(
    present: list[bool], interval_s: int, for_s: int, keep_s: int
) -> list[str | None]:
    """Follow AlertingRule.Eval (rules/alerting.go) statement by statement."""
    alert: ReferenceAlert | None = None
    states: list[str | None] = []
    for step, is_present in enumerate(present):
        now = step * interval_s
        if is_present and (alert is None or alert.state == "inactive"):
            alert = ReferenceAlert("pending", now)
        state = None
        if alert is not None:
            keep_firing = False
            if not is_present:
                if alert.state == "firing" and keep_s > 0:
                    if alert.keep_firing_since is None:
                        alert.keep_firing_since = now
                    keep_firing = now - alert.keep_firing_since < keep_s
                if not keep_firing:
                    alert.state = "inactive"
            else:
                alert.keep_firing_since = None
            if is_present or keep_firing:
                if alert.state == "pending" and now - alert.active_at >= for_s:
                    alert.state = "firing"
                state = alert.state
        states.append(state)
    return states


@given(
    st.lists(st.booleans(), min_size=1, max_size=60),
    st.sampled_from([15, 30, 60]),
    st.sampled_from([0, 15, 40, 60, 120]),
    st.sampled_from([0, 15, 40, 60, 120]),
)
def test_states_are_those_of_the_reference_machine(
    present: list[bool], interval_s: int, for_s: int, keep_s: int
) -> None:
    """Any presence, `for` and `keep_firing_for`: the same state at every evaluation."""
    machine = AlertStates(rule(for_s=for_s, keep_firing_for_s=keep_s))
    for step, is_present in enumerate(present):
        machine.evaluate(step * interval_s * 1000, [()] if is_present else [])
    times_s = [step * interval_s for step in range(len(present))]
    states = {at_s: state for line in machine.timelines() for at_s, state in line.states(times_s)}
    ours = [states.get(step * interval_s) for step in range(len(present))]
    assert ours == reference_states(present, interval_s, for_s, keep_s)


def test_the_reference_machine_notices_a_shift_of_one_evaluation() -> None:
    """The property above can fail: `for` reached one step late is another list of states."""
    present = [False, True, True, True, True, False]
    right = reference_states(present, 30, 60, 0)
    late = reference_states(present, 30, 90, 0)
    assert right == [None, "pending", "pending", "firing", "firing", None]
    assert late != right


RULE = AlertRule(
    alert="A",
    expr="x",
    for_s=0.0,
    keep_firing_for_s=0.0,
    labels=(),
    annotations=(),
    position=Place("rules.yaml", 3, 5),
)


def rule(**changes: Any) -> AlertRule:
    """Return an alert `A` with no `for`, changed."""
    return replace(RULE, **changes)


def series(times_s: list[float], value: float = 1.0, **labels: str) -> Series:
    """Return a series that has `value` at all its times."""
    return Series(labels, np.array(times_s, dtype=float), np.full(len(times_s), value))


GRID = Grid(0, 120, 30)


def run(alert: AlertRule, answer: list[Series], grid: Grid, epoch_s: float = 0.0) -> RuleRun:
    """Evaluate `alert` on the whole `grid`, given the answer of a range query."""
    group = RuleGroup("g", "rules.yaml", grid.interval_s, (alert,))
    evaluated = RuleRun(RuleNode((0, 0), group, alert, ()), grid, epoch_s=epoch_s, stores=False)
    evaluated.evaluate_all(answer, {})
    return evaluated


def timelines(
    alert: AlertRule, answer: list[Series], grid: Grid, *, epoch_s: float = 0.0
) -> list[Timeline]:
    """Return the timelines of `alert`."""
    return run(alert, answer, grid, epoch_s).timelines()


def test_each_label_set_has_its_own_timeline() -> None:
    """Two queues over the threshold are two alerts, each with its own clock."""
    low, high = timelines(
        rule(for_s=30.0, labels=(("severity", "warning"),)),
        [series([30, 60, 90], priority="low"), series([90, 120], priority="high")],
        GRID,
    )
    assert low.labels == (("priority", "low"), ("severity", "warning"))
    assert low.episodes == (Episode(30, 60, 120),)
    assert high.episodes == (Episode(90, 120, None),)


def test_a_grid_may_begin_before_zero_and_lie_on_another_clock() -> None:
    """Answers carry Unix time, timelines virtual time."""
    (timeline,) = timelines(rule(), [series([1_000_030])], Grid(-30, 60, 30), epoch_s=1_000_000)
    assert timeline.episodes == (Episode(30, 30, 60),)


def test_the_rules_labels_override_the_series_and_empty_ones_vanish() -> None:
    """As in Prometheus; the metric's name is no label of an alert."""
    changed = rule(labels=(("a", "rule"), ("b", "")))
    (timeline,) = timelines(changed, [series([0], a="x", b="y", c="z", __name__="m")], GRID)
    assert timeline.labels == (("a", "rule"), ("c", "z"))


def test_as_many_alerts_as_the_limit_are_taken_and_more_end_all() -> None:
    """Those that were active have an end, those that came with that evaluation never were."""
    a, b, c = ((("x", name),) for name in "abc")
    machine = AlertStates(rule(for_s=30.0), limit=2)
    machine.evaluate(0, [a])
    machine.evaluate(30_000, [a, b])
    assert machine.state == "firing"  # one of them is, the other is pending
    with pytest.raises(EvaluationError, match="exceeded limit of 2 with 3 alerts"):
        machine.evaluate(60_000, [a, b, c])
    episodes = {line.labels: line.episodes for line in machine.timelines()}
    assert episodes == {a: (Episode(0, 30, 60),), b: (Episode(30, 60, 60),)}
    assert (machine.state, machine.active) == (None, False)


def test_what_is_stored_of_an_alert_is_its_state_and_since_when_it_is_pending() -> None:
    """Under its own name, whatever its series was called; a firing one since the same time."""
    machine = AlertStates(rule(for_s=30.0))
    for at_ms, state in ((15_500, "pending"), (45_500, "firing")):
        machine.evaluate(at_ms, [(("x", "1"),)])
        own = {"alertname": "A", "x": "1"}
        assert [(dict(labels), value) for labels, value in machine.samples(epoch_ms=1_000_000)] == [
            (own | {"__name__": "ALERTS", "alertstate": state}, 1.0),
            (own | {"__name__": "ALERTS_FOR_STATE"}, 1015.0),
        ]


def test_an_alert_that_is_only_kept_firing_goes_on_elsewhere_for_the_rest_of_its_time() -> None:
    """The other machine begins where the first one stood."""
    first, second = (AlertStates(rule(keep_firing_for_s=60.0)) for _ in range(2))
    first.evaluate(0, [()])
    first.evaluate(30_000, [])
    assert first.open_alerts() == (OpenAlert((), 0, 0, 30_000),)
    second.resume(first.open_alerts())
    second.evaluate(60_000, [])
    assert second.state == "firing"
    second.evaluate(90_000, [])
    assert second.take_ended() == {(): [Episode(0, 0, 90)]}
    assert second.take_ended() == {}


def test_what_fails_before_the_start_is_not_counted() -> None:
    """At the start it is; the first reason stays, and states are counted from there as well."""
    group = RuleGroup("g", "rules.yaml", 30.0, (RULE,))
    node = RuleNode((0, 0), group, RULE, ())
    late = RuleRun(node, GRID, epoch_s=0.0, stores=False, start_s=30.0)
    answer = [series([60.0])]
    counts = late.evaluate_part(range(5), answer, {0: "before", 1: "at it", 3: "later"})
    assert (late.failures.count, late.failures.of, late.failures.reason) == (2, 4, "at it")
    assert (counts.of, counts.pending, counts.firing) == (4, 0, 2)
    assert late.timelines()[0].episodes == (Episode(60, 60, 120),)
    later = RuleRun(node, GRID, epoch_s=0.0, stores=False, start_s=60.0)
    assert later.failures.of == 3


def test_label_templates_of_the_simple_forms_are_filled_in() -> None:
    """`$labels` gives the series' own label, `$value` the value: a new value is a new alert."""
    templated = rule(labels=(("who", "{{ $labels.host }}/{{.Labels.gone}}"),))
    (timeline,) = timelines(templated, [series([0], host="h1")], GRID)
    assert timeline.labels == (("host", "h1"), ("who", "h1/"))
    by_value = rule(labels=(("v", "{{ $value }}"),))
    answer = Series({}, np.array([0.0, 30.0, 60.0]), np.array([1.0, 1.0, 2.5]))
    by_label = {timeline.labels: timeline for timeline in timelines(by_value, [answer], GRID)}
    assert by_label[(("v", "1"),)].episodes == (Episode(0, 0, 60),)
    assert by_label[(("v", "2.5"),)].episodes == (Episode(60, 60, 90),)


def test_any_other_label_template_is_expanded_by_the_engine() -> None:
    """Once for all evaluations of a rule, and as a server does it."""
    templated = rule(labels=(("x", "{{ $value | humanizePercentage }}{{- $labels.host -}} !"),))
    answer = Series({"host": "h1"}, np.array([0.0, 30.0]), np.array([0.5, 0.25]))
    labels = [dict(timeline.labels)["x"] for timeline in timelines(templated, [answer], GRID)]
    assert sorted(labels) == ["25%h1!", "50%h1!"]


def test_two_series_with_the_same_labels_at_one_time_fail_that_evaluation() -> None:
    """Prometheus fails it and goes on; at different times it is one alert."""
    same = rule(labels=(("host", "all"),))
    failing = run(same, [series([0, 30, 60], host="a"), series([30], host="b")], GRID)
    (timeline,) = failing.timelines()
    assert timeline.episodes == (Episode(0, 0, 90),)
    assert (failing.failures.count, failing.failures.of) == (1, 5)
    (timeline,) = timelines(same, [series([0, 30], host="a"), series([60], host="b")], GRID)
    assert timeline.episodes == (Episode(0, 0, 90),)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (100.0, "100"),
        (0.1, "0.1"),
        (123456.75, "123456.75"),
        (1e6, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (1e21, "1e+21"),
        (1.5e21, "1.5e+21"),
        (1e-4, "0.0001"),
        (1.25e-5, "1.25e-05"),
        (-2.5, "-2.5"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_values_are_written_as_go_writes_them(value: float, text: str) -> None:
    """As `{{ $value }}` does: %v, that is the shortest %g."""
    assert go_float(value) == text


RECORD = RecordingRule(record="r", expr="x", labels=(), position=Place("rules.yaml", 3, 5))


def stored(evaluated: RuleRun) -> dict[tuple[str, float], list[float]]:
    """Return name and value of what a rule stored, each with its times in Unix seconds."""
    samples: dict[tuple[str, float], list[float]] = {}
    for block in evaluated.history.blocks:
        for index, values in zip(block.series, block.values, strict=True):
            name = dict(evaluated.history.series[index])["__name__"]
            for at_ms, value in zip(block.timestamps_ms.tolist(), values, strict=True):
                if not np.isnan(value):
                    samples.setdefault((name, float(value)), []).append(at_ms / 1000)
    return samples


@pytest.mark.parametrize("offset_s", [0.0, 45.0])
@pytest.mark.parametrize("limit", [0, 9])
@pytest.mark.parametrize(
    ("stores", "name"), [(RULE, "ALERTS"), (RULE, "ALERTS_FOR_STATE"), (RECORD, "r")]
)
def test_what_is_stored_lies_where_the_query_asked(
    stores: AlertRule | RecordingRule, name: str, limit: int, offset_s: float
) -> None:
    """A group's offset before its evaluations, whether these go one by one or all at once."""
    group = RuleGroup("g", "rules.yaml", 30.0, (stores,), limit, query_offset_s=offset_s)
    asked_s = [1e6 + at_s - offset_s for at_s in (0, 30, 60, 90, 120)]
    for at_once in (True, False):
        node = RuleNode((0, 0), group, stores, ())
        evaluated = RuleRun(node, GRID, epoch_s=1e6, stores=True)
        assert [evaluated.query_s(at_ms) for at_ms in evaluated.times_ms] == asked_s
        if at_once:
            evaluated.evaluate_all([series(asked_s, 1.0, x="1")], {})
        else:
            for at_ms in evaluated.times_ms.tolist():
                evaluated.evaluate(at_ms, [({"x": "1"}, 1.0)])
        value = 1.0 if name != "ALERTS_FOR_STATE" else 1e6
        assert stored(evaluated)[name, value] == asked_s


@pytest.mark.parametrize("limited", [RULE, RECORD])
def test_the_limit_of_a_group_holds_for_each_of_its_rules(
    limited: AlertRule | RecordingRule,
) -> None:
    """In an answer to all evaluations at once as well: the one with too many fails."""
    group = RuleGroup("g", "rules.yaml", 30.0, (limited,), 1)
    evaluated = RuleRun(RuleNode((0, 0), group, limited, ()), GRID, epoch_s=0.0, stores=True)
    evaluated.evaluate_all([series([0, 30], x="1"), series([30], x="2")], {})
    assert (evaluated.failures.count, evaluated.failures.of) == (1, 5)
    assert evaluated.failures.reason.startswith("exceeded limit of 1 with 2")


def blocks(*stamps: list[int]) -> History:
    """Return one series whose value is the time of each sample, in blocks."""
    return History(
        [(("__name__", "x"),)],
        [
            Block(np.array(s), np.zeros(1, dtype=np.int64), np.array([s], dtype=float))
            for s in stamps
        ],
    )


@pytest.mark.parametrize("delay_ms", [0, 5])
@pytest.mark.parametrize("asked_ms", [[10, 20, 30, 40], [25, 26, 39], [9, 100], [100, 100], [0]])
@pytest.mark.parametrize(
    "of", [[[10, 20, 30, 40]], [[10], [20, 30], [40]], [[10, 20], [], [30, 40]], [[]], []]
)
def test_each_sample_is_given_once_when_it_is_stored(
    of: list[list[int]], asked_ms: list[int], delay_ms: int
) -> None:
    """At its very instant, later by the delay; however the history is cut into blocks."""
    feed = step_by_step._Feed(blocks(*of), delay_ms)
    samples: list[int] = []
    for at_ms in asked_ms:
        for block in feed.until(at_ms):
            assert block.values.tolist() == [block.timestamps_ms.tolist()]
            samples += block.timestamps_ms.tolist()
        assert samples == [ms for stamps in of for ms in stamps if ms + delay_ms <= at_ms]
