"""What the silence of a rule is worth, part by part, on a server that is a stand-in."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import rules
from verifier.evaluation.timeline import Episode, Timeline
from verifier.evidence.silence import (
    WatchedRun,
    emptiness_check,
    rule_findings,
    silences,
    too_slow_text,
)
from verifier.evidence.stock import EvaluationSpan
from verifier.pack.spread import WHOLE, GroupOffset, Spread
from verifier.servers.prometheus import QueryError, Series


class StandInPrometheus:
    """Answers with 1 what reads metrics that are there, but for what it is set up to say.

    None is no value, `error` a refusal.
    """

    version = "3.0"

    def __init__(self, **values):
        """Hold the metrics `a` and `b`."""
        self.values = {"up == 2": None, "up > 1": None} | values

    def metric_names(self):
        """Return the metrics that are stored."""
        return ["a", "b", "up"]

    def label_sets(self, selector, *_):
        """Return the series of a metric."""
        name = selector.partition('__name__="')[2].partition('"')[0]
        return [{"__name__": name}] if name in self.metric_names() else []

    def query(self, expr, at_s):
        """Answer at an instant."""
        is_there = not any(word in expr for word in ("gone", "nope", "unless"))
        value = self.values.get(expr, 1.0 if is_there else None)
        if value == "error":
            raise QueryError("refused")
        return [] if value is None else [Series({}, np.array([at_s]), np.array([value]))]

    def query_range(self, query):
        """Answer as at an instant."""
        return self.query(query.expr, query.end_s)


def run_of(tmp_path, *written, values=None, epoch_s=EPOCH_S, end_s=600.0, **facts):
    """Return a run of these rules."""
    files = rules(tmp_path, *written)
    server = StandInPrometheus(**(values or {}))
    return WatchedRun(server, files, epoch_s, end_s, facts.pop("spread", WHOLE), **facts)


def silence(tmp_path, expr, values=None, **keys):
    """Return the silence of one rule."""
    (only,) = silences(run_of(tmp_path, {"alert": "A", "expr": expr, **keys}, values=values), [])
    return only


ALWAYS = "its `unless` always takes everything away: vector(1) is constant"


@pytest.mark.parametrize(
    ("expr", "values", "vacuous"),
    [
        ("a > 5", {}, None),
        ("sum(gone) or gone", {}, "no metric gone exists"),
        ("gone > 1 or nope > 1", {}, "no metric gone exists; no metric nope exists"),
        ("gone > 1 or up == 2", {}, "no metric gone exists"),
        (
            "up == 2", {},
            "nothing in this world makes `up == 2` true: its left side stays between 0 and 1",
        ),
        ("a unless vector(1)", {}, ALWAYS),
        ("a unless vector(1)", {"(a) unless (vector(1))": 1.0}, None),
        ("a unless vector(1)", {"(a) unless (vector(1))": "error"}, None),
        ("up == 2 unless vector(1)", {}, ALWAYS),
        ("a unless vector(1)", {"a": None}, "a has no value at any evaluation"),
    ],
)  # fmt: skip
def test_each_reason_why_a_rule_could_not_have_fired_is_named_once(tmp_path, expr, values, vacuous):
    """What contradicts itself is looked for only where all that is read is there."""
    assert silence(tmp_path, expr, values).vacuous == vacuous


NAN = {"a": float("nan")}


@pytest.mark.parametrize(
    ("expr", "subject"),
    [
        ("a > 1", "it"),
        ("(a > 1)", "it"),
        ("a != 1", None),
        ("b > 1 and a > 1", "`a > 1`"),
        ("a > 1 or b > 1", None),
        ("a > 1 or a < 1", "`a < 1`"),
        ("b > 1 unless a > 1", None),
        ("a > 1 unless b > 1", "`a > 1`"),
        ("a > on() b", None),
        ("a + 1", None),
    ],
)
def test_a_condition_that_never_holds_as_its_value_is_no_number_is_a_finding(
    tmp_path, expr, subject
):
    """Of an `or` both sides must be; what `unless` takes away need not hold."""
    never = "never has a value but NaN, with which no comparison holds"
    said = [each for each in silence(tmp_path, expr, NAN).findings if "NaN" in each]
    assert said == ([] if subject is None else [f"alert A: {subject} {never}"])


def test_what_unless_takes_away_is_a_finding_where_it_is_never_or_always_there(tmp_path):
    """An alert may wait for its end; one that left something says nothing."""
    never = silence(tmp_path, "a unless gone", {"(a) unless (gone)": 1.0}).findings
    assert never == ("alert A: what `unless` takes away is never there: no metric gone exists",)
    always = silence(tmp_path, "a unless b").findings
    why = "b was there all along, and the alert can fire only where that is missing"
    assert always == (f"alert A: its `unless` left nothing at any evaluation: {why}",)
    assert silence(tmp_path, "a unless b", {"(a) unless (b)": 1.0}).findings == ()
    assert silence(tmp_path, "a unless b", {"(a) unless (b)": "error"}).findings == ()


def test_a_rule_that_only_the_engine_can_read_could_not_be_shown_to_fire(tmp_path):
    """It is silent all the same."""
    files = rules(tmp_path, {"alert": "A", "expr": "a > 1"})
    (group,) = files.groups
    broken = object.__new__(type(group.rules[0]))
    for name in group.rules[0].__slots__:
        object.__setattr__(broken, name, getattr(group.rules[0], name))
    object.__setattr__(broken, "expr", "a +")
    changed = type(files)((type(group)(group.name, group.file, group.interval_s, (broken,)),))
    run = WatchedRun(StandInPrometheus(), changed, EPOCH_S, 600.0, WHOLE)
    (only,) = silences(run, [])
    assert only.vacuous == (
        "only the engine can read its expression: nothing shows that it could fire"
    )


@pytest.mark.parametrize(
    ("wait", "keep", "offset_s", "first_s"),
    [
        ("0s", "0s", 0.0, -30.0),
        ("40s", "0s", 0.0, -75.0),
        ("40s", "35s", 0.0, -105.0),
        ("45s", "0s", 1.0, -89.0),
        ("45s", "15s", 14.0, -91.0),
    ],
)
def test_a_rule_is_watched_from_as_far_back_as_it_remembers(
    tmp_path, wait, keep, offset_s, first_s
):
    """Two evaluations more; on the grid of its group."""
    rule = {"alert": "A", "expr": "a", "for": wait, "keep_firing_for": keep}
    files = rules(tmp_path, rule)
    ((group, alert),) = files.alerts
    spread = Spread(groups=(GroupOffset(group.file, group.name, 15.0, offset_s),))
    run = WatchedRun(StandInPrometheus(), files, 1000.0, 600.0, spread)
    assert run.span(group, alert) == EvaluationSpan(1000.0 + first_s, 1000.0, 1600.0, 15.0)


def test_the_evaluations_of_a_scenario_begin_at_its_start_or_later():
    """The last is the one up to the end."""
    span = EvaluationSpan(first_s=7.0, start_s=40.0, end_s=99.0, interval_s=15.0)
    assert (span.last_s, span.scenario_first_s) == (97.0, 52.0)
    assert span.scenario == EvaluationSpan(52.0, 40.0, 99.0, 15.0)
    late = EvaluationSpan(first_s=70.0, start_s=40.0, end_s=100.0, interval_s=15.0)
    assert (late.scenario_first_s, late.last_s) == (70.0, 100.0)
    exact = EvaluationSpan(first_s=10.0, start_s=40.0, end_s=100.0, interval_s=15.0)
    assert (exact.scenario_first_s, exact.last_s) == (40.0, 100.0)
    query = EvaluationSpan(0.0, 0.0, 150_000.0, 15.0).query("a")
    assert (query.start_s, query.end_s, query.step_s) == (0.0, 150_000.0, 15.0)
    assert EvaluationSpan(0.0, 0.0, 150_015.0, 15.0).query("a").step_s == 30.0


@pytest.mark.parametrize(
    ("wait", "interval_end_s", "is_slow"),
    [("10m", 600.0, False), ("10m", 599.0, True), ("9m50s", 600.0, False), ("9m50s", 594.0, True)],
)
def test_a_wait_fits_where_the_last_evaluation_is_late_enough(
    tmp_path, wait, interval_end_s, is_slow
):
    """Whole evaluations count, from the first of the scenario itself."""
    rule = {"alert": "A", "expr": "a > 5", "for": wait}
    run = run_of(tmp_path, rule, end_s=interval_end_s, factor=2.0)
    (only,) = silences(run, [])
    seconds = {"10m": 1200.0, "9m50s": 1180.0}[wait]
    assert only.too_slow_s == (seconds if is_slow else None)


def test_the_clock_is_a_finding_where_the_scenario_names_no_time(tmp_path):
    """What can never hold is one too, unless it was named already."""
    written = {"alert": "A", "expr": "a > 5 and on() hour() > 8"}, {"alert": "B", "expr": "up > 1"}
    run = run_of(tmp_path, *written)
    clock, never = rule_findings(run)
    assert clock.startswith("alert A: it reads the clock (hour()), and the scenario names no time")
    assert never.startswith("alert B: nothing in this world makes `up > 1` true: its left side")
    assert rule_findings(run, silences(run, [])) == (clock,)
    assert rule_findings(run_of(tmp_path, *written, epoch_s=EPOCH_S + 3600.0)) == (never,)


def test_of_rules_of_one_name_those_that_fired_are_no_silence(tmp_path):
    """A pending one is; the labels that a rule sets to a fixed text tell which it was."""
    page, ticket, templated = (
        {"alert": "A", "expr": "a > 5", "labels": {"severity": text}}
        for text in ("page", "ticket", "{{ $value }}")
    )
    fired = Timeline(
        "A", (("severity", "page"), ("x", "1")), (Episode(0, None, 9), Episode(15, 30, 45))
    )
    pending = Timeline("A", (("severity", "ticket"),), (Episode(0, None, 9),))
    run = run_of(tmp_path, page, ticket, templated)
    lines = silences(run, [fired, pending])
    assert [(each.labels, each.shadowed) for each in lines] == [((("severity", "ticket"),), False)]
    assert len(silences(run, [])) == 3


def test_a_check_knows_recordings_alerts_and_the_clocks_of_a_run(tmp_path):
    """With the labels that each recording sets."""
    record = {"record": "r", "expr": "a", "labels": {"kind": "one"}}
    run = run_of(tmp_path, record, {"alert": "A", "expr": "r"}, scrape_s=5.0, factor=3.0)
    check = emptiness_check(run)
    assert [(each.name, dict(each.labels)) for each in check.recordings] == [("r", {"kind": "one"})]
    assert (check.alerts, check.scrape_s, check.factor) == ({"A"}, 5.0, 3.0)
    assert check.metrics == run.rules.metrics


def test_a_wait_that_does_not_fit_is_said_with_both_times():
    """In words of a person."""
    assert too_slow_text(3600.0, 1800.0).startswith(
        "its `for` of 1h is longer than the scenario's 30m: nothing that begins in it can"
    )
