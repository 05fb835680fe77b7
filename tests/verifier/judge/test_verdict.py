"""The closed verdict: every rule of it with a planted violation that is caught by name."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from documents.mistakes import InputError
from scenarios.loader import parse_scenario
from tests.verifier.outcomes import difference, live
from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.judgement import judge, missing_history
from verifier.judge.verdict import (
    UNKNOWN_ENGINE,
    AlertVerdict,
    Engine,
    PanelVerdict,
    ScenarioOutcome,
    document,
    overall,
    verdict_schema,
)

ALERTS = ("Throughput", "Queue", "Latency")
SCENARIO = """\
name: s
story: From 3m to 12m something is wrong.
seed: 1
duration: 30m
faults:
  - {name: gone, fault: agent_hang, start: 3m, duration: 9m}
"""
FIRES = "{alert: Throughput, fires_within: 7m, resolves_within: 3m}"


def scenario_with(*expectations, more=""):
    """Return a scenario with one fault from 180 s to 720 s and these expectations."""
    listed = "".join(f"  - {one}\n" for one in expectations)
    return parse_scenario(f"{SCENARIO}{more}expectations:\n{listed or '  []'}\n", "s.yaml")


def timeline(alert, *episodes, **labels):
    """Return a timeline of (pending, firing, resolved) episodes."""
    return Timeline(alert, tuple(sorted(labels.items())), tuple(Episode(*one) for one in episodes))


def one(verdicts, alert):
    """Return the only verdict on `alert`."""
    (found,) = [verdict for verdict in verdicts if verdict.alert == alert]
    return found


GOOD = (210.0, 510.0, 780.0)


def test_an_alert_that_does_as_it_should_holds():
    """Its times are told from the onset of its cause."""
    verdicts = judge(scenario_with(FIRES), ALERTS, [timeline("Throughput", GOOD, severity="w")])
    verdict = one(verdicts, "Throughput")
    assert (verdict.expected, verdict.ok, verdict.cause) == ("fires", True, "gone")
    assert (verdict.pending_s, verdict.firing_s, verdict.resolved_s) == (30.0, 330.0, 600.0)
    assert (verdict.onset_s, verdict.cause_end_s) == (180.0, 540.0)
    assert verdict.labels == (("severity", "w"),)
    assert verdict.reason == "fired 5m30s after the onset, resolved 1m after the end of its cause"
    assert all(one.ok for one in verdicts)
    assert [one.alert for one in verdicts] == list(ALERTS)


@pytest.mark.parametrize(
    ("episodes", "reason"),
    [
        ([], "never fired"),
        ([(210.0, None, 240.0)], "never fired, it was only pending, at the longest for 30s"),
        ([(210.0, 601.0, 780.0)], "fired 7m1s after the onset, 1s later than its 7m"),
        ([(150.0, 450.0, 780.0)], "its condition held 30s before its cause began"),
        ([(210.0, 510.0, None)], "still firing when the scenario ended, due 3m after its cause"),
        (
            [(210.0, 510.0, 930.0)],
            "resolved 3m30s after the end of its cause, 30s later than its 3m",
        ),
        (
            [GOOD, (800.0, 900.0, 1000.0)],
            "resolved 4m40s after the end of its cause, 1m40s later than its 3m",
        ),
        (
            [(150.0, 900.0, None)],
            (
                "its condition held 30s before its cause began; fired 12m after the onset, 5m later"
                " than its 7m; still firing when the scenario ended, due 3m after its cause"
            ),
        ),
    ],
)
def test_an_alert_that_does_otherwise_fails_with_the_reason(episodes, reason):
    """Too late, too early, too long, again, or not at all."""
    found = [timeline("Throughput", *episodes)] if episodes else []
    verdict = one(judge(scenario_with(FIRES), ALERTS, found), "Throughput")
    assert (verdict.expected, verdict.ok, verdict.reason) == ("fires", False, reason)


def test_the_bounds_themselves_are_in_time():
    """Firing and resolving exactly at the bound holds."""
    found = [timeline("Throughput", (210.0, 600.0, 900.0))]
    assert one(judge(scenario_with(FIRES), ALERTS, found), "Throughput").ok


def test_an_alert_need_not_resolve_when_nothing_says_so():
    """Without `resolves_within` it may fire to the end."""
    scenario = scenario_with("{alert: Throughput, fires_within: 7m}")
    verdict = one(
        judge(scenario, ALERTS, [timeline("Throughput", (210.0, 510.0, None))]), "Throughput"
    )
    assert (verdict.ok, verdict.resolved_s) == (True, None)


def test_an_alert_that_nobody_named_fails_the_scenario_by_name():
    """The verdict is closed, also before the fault."""
    found = [timeline("Throughput", GOOD), timeline("Latency", (15.0, 60.0, 90.0), le="x")]
    verdict = one(judge(scenario_with(FIRES), ALERTS, found), "Latency")
    assert (verdict.expected, verdict.ok, verdict.labels) == ("unexpected", False, (("le", "x"),))
    assert verdict.reason == "it fired at 1m, and nobody expects or explains it"
    assert (verdict.pending_s, verdict.firing_s, verdict.onset_s) == (15.0, 60.0, 0.0)


def test_an_always_true_rule_is_caught():
    """A rule that was planted among the rules and fires from the first moment is not passed by."""
    verdicts = judge(scenario_with(), (*ALERTS, "Planted"), [timeline("Planted", (0.0, 0.0, None))])
    assert one(verdicts, "Planted").expected == "unexpected"


def test_pending_alone_is_silence_unless_it_is_forbidden():
    """A scenario may forbid that an alert nobody expects is even pending."""
    found = [timeline("Queue", (300.0, None, 330.0))]
    allowed = one(judge(scenario_with(FIRES), ALERTS, found), "Queue")
    assert (allowed.expected, allowed.ok) == ("silent", True)
    assert allowed.reason == "stayed silent, it was only pending, from 5m"
    strict = scenario_with(FIRES, more="pending: forbidden\n")
    forbidden = one(judge(strict, ALERTS, found), "Queue")
    assert (forbidden.expected, forbidden.ok) == ("unexpected", False)
    assert forbidden.reason == "it was only pending, from 5m, and nobody expects or explains it"


def test_a_silent_alert_that_fires_fails():
    """Also when it is silent under some labels only."""
    scenario = scenario_with("{alert: Queue, labels: {priority: high}, silent: true}")
    quiet = one(judge(scenario, ALERTS, []), "Queue")
    assert (quiet.expected, quiet.ok, quiet.reason) == ("silent", True, "stayed silent")
    loud = one(judge(scenario, ALERTS, [timeline("Queue", GOOD, priority="high")]), "Queue")
    assert (loud.expected, loud.ok) == ("silent", False)
    assert loud.reason == "it fired at 8m30s, it has to stay silent"


def test_pending_breaks_a_silence_only_where_it_is_forbidden():
    """The same option holds for alerts that are named silent."""
    found = [timeline("Queue", (300.0, None, 330.0))]
    silent = "{alert: Queue, silent: true}"
    assert one(judge(scenario_with(silent), ALERTS, found), "Queue").ok
    strict = scenario_with(silent, more="pending: forbidden\n")
    assert not one(judge(strict, ALERTS, found), "Queue").ok


def test_an_explained_alert_may_fire_or_not():
    """Firing before the cause that explains it is not explained."""
    scenario = scenario_with("{alert: Latency, explained: queues grow, cause: gone}")
    absent = one(judge(scenario, ALERTS, []), "Latency")
    fired = one(judge(scenario, ALERTS, [timeline("Latency", GOOD)]), "Latency")
    early = one(judge(scenario, ALERTS, [timeline("Latency", (100.0, 200.0, 300.0))]), "Latency")
    assert (absent.expected, absent.ok, absent.firing_s) == ("explained", True, None)
    assert (fired.ok, fired.reason, fired.firing_s) == (True, "queues grow", 330.0)
    assert (early.ok, early.reason) == (False, "its condition held 1m20s before its cause began")


def test_labels_say_which_series_is_expected():
    """An expectation with labels leaves the other label sets of its alert unexpected."""
    scenario = scenario_with("{alert: Queue, labels: {priority: low}, fires_within: 7m}")
    low, high = timeline("Queue", GOOD, priority="low"), timeline("Queue", GOOD, priority="high")
    verdicts = [v for v in judge(scenario, ALERTS, [low, high]) if v.alert == "Queue"]
    assert [(v.expected, v.labels) for v in verdicts] == [
        ("fires", (("priority", "low"),)),
        ("unexpected", (("priority", "high"),)),
    ]


def test_the_most_precise_expectation_speaks_for_a_series():
    """A general one takes what no other names."""
    scenario = scenario_with(
        "{alert: Queue, fires_within: 7m}", "{alert: Queue, labels: {priority: high}, silent: true}"
    )
    low, high = timeline("Queue", GOOD, priority="low"), timeline("Queue", GOOD, priority="high")
    verdicts = [v for v in judge(scenario, ALERTS, [low, high]) if v.alert == "Queue"]
    assert [(v.expected, v.ok) for v in verdicts] == [("fires", True), ("silent", False)]


def test_every_series_of_an_expected_alert_has_to_resolve():
    """The first one meets the bound on firing; all of them the bound on resolving."""
    scenario = scenario_with("{alert: Queue, fires_within: 7m, resolves_within: 3m}")
    late = timeline("Queue", (210.0, 700.0, 890.0), priority="low")
    stuck = timeline("Queue", (210.0, 710.0, None), priority="normal")
    verdicts = judge(scenario, ALERTS, [stuck, timeline("Queue", GOOD, priority="high"), late])
    told = {dict(v.labels)["priority"]: v.ok for v in verdicts if v.alert == "Queue"}
    assert told == {"high": True, "low": True, "normal": False}


def test_two_causes_each_need_their_own_firing():
    """An alert expected from two faults must fire for both."""
    more = "  - {name: again, fault: agent_hang, start: 15m, duration: 5m}\n"
    scenario = scenario_with(
        "{alert: Queue, cause: gone, fires_within: 7m, resolves_within: 3m}",
        "{alert: Queue, cause: again, fires_within: 7m, resolves_within: 3m}",
        more=more,
    )
    both = [timeline("Queue", GOOD, (950.0, 1250.0, 1300.0))]
    told = [
        (v.cause, v.ok, v.firing_s) for v in judge(scenario, ALERTS, both) if v.alert == "Queue"
    ]
    assert told == [("gone", True, 330.0), ("again", True, 350.0)]
    only_first = [timeline("Queue", GOOD)]
    told = [(v.cause, v.ok) for v in judge(scenario, ALERTS, only_first) if v.alert == "Queue"]
    assert told == [("gone", True), ("again", False)]


def test_an_incident_of_the_past_counts_from_the_start():
    """Its alert may be active from before the scenario; what was over by then is not judged."""
    more = (
        "history:\n  incidents:\n"
        "    - {name: old, fault: task_failure, ago: 2h, duration: 1h, parameters: {share: 0.1}}\n"
    )
    scenario = scenario_with("{alert: Queue, cause: old, fires_within: 15m}", more=more)
    firing_since = [
        timeline("Queue", (-5000.0, -4400.0, None)),
        timeline("Latency", (-90.0, -60.0, -30.0)),
    ]
    verdicts = judge(scenario, ALERTS, firing_since)
    assert (one(verdicts, "Queue").ok, one(verdicts, "Queue").firing_s) == (True, -4400.0)
    assert one(verdicts, "Latency").expected == "silent"


def test_a_scenario_without_its_fault_fails():
    """Nothing happens, so what was expected is missing."""
    verdicts = judge(scenario_with(FIRES), ALERTS, [])
    assert [verdict.ok for verdict in verdicts] == [False, True, True]


def test_an_expected_alert_that_no_rule_defines_is_a_mistake():
    """It is told with its place in the scenario, all of them together."""
    scenario = scenario_with("{alert: Throughputs, fires_within: 7m}", "{alert: X, silent: true}")
    with pytest.raises(InputError) as caught:
        judge(scenario, ALERTS, [])
    assert str(caught.value).splitlines() == [
        "s.yaml:8:13: no rule is called 'Throughputs', did you mean 'Throughput'?",
        "s.yaml:9:13: no rule is called 'X', the rules define 3 others",
    ]


def test_a_window_without_its_history_is_named():
    """Six hours are not thirty days; a metric nobody reads back needs nothing."""
    needed = {"http_requests_total": 2_592_000.0, "up": 300.0, "idle": 0.0}
    reasons = missing_history(needed, {"http_requests_total": 21_600.0, "up": 300.0})
    assert reasons == (
        "http_requests_total: a window of 30d needs as much history before the start, there is 6h",
    )
    assert missing_history(needed, {"http_requests_total": 2_592_000.0, "up": 300.0}) == ()


@pytest.mark.parametrize(
    ("keys", "receivers", "due"),
    [
        ("", None, False),
        (", resolves_within: 3m", None, True),
        (", resolves_within: 3m, notifies_resolved: false", None, False),
        (", receivers: [slack], notifies_resolved: true", ("slack",), True),
        (", receivers: []", (), False),
    ],
)
def test_a_verdict_says_who_had_to_be_told(keys, receivers, due):
    """Also that it is over: with a bound on resolving, unless the expectation says otherwise."""
    scenario = scenario_with(f"{{alert: Throughput, fires_within: 7m{keys}}}")
    for found in ([], [timeline("Throughput", GOOD)]):
        verdict = one(judge(scenario, ALERTS, found), "Throughput")
        assert (verdict.receivers, verdict.notifies_resolved) == (receivers, due)


def test_times_are_written_to_a_tenth_of_a_second():
    """What is finer in real time is the machine's, not the alert's."""
    found = [timeline("Throughput", (210.0, 510.1234, 930.0567))]
    assert one(judge(scenario_with(FIRES), ALERTS, found), "Throughput").reason == (
        "resolved 3m30.1s after the end of its cause, 30.1s later than its 3m"
    )


def outcome(**changes):
    """Return an outcome that holds, changed."""
    good = ScenarioOutcome(
        name="s",
        seed=1,
        engine=Engine(name="prometheus", version="2.42.0"),
        duration_s=1800.0,
        exact_s=600.0,
        resampled_s=1200.0,
        wall_s=2.0,
        alerts=judge(scenario_with(FIRES), ALERTS, [timeline("Throughput", GOOD)]),
        panels=(
            PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=True, reason="1 series"),
        ),
    )
    return replace(good, **changes)


def test_the_verdict_of_a_scenario_follows_from_its_parts():
    """One alert or panel that is not ok fails it; what could not be judged is invalid."""
    bad_alert = AlertVerdict(alert="A", labels=(), expected="unexpected", ok=False, reason="fired")
    bad_panel = PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=False, reason="nothing")
    assert outcome().verdict == "pass"
    assert outcome(alerts=(bad_alert,)).verdict == "fail"
    assert outcome(panels=(bad_panel,)).verdict == "fail"
    assert outcome(alerts=(bad_alert,), invalid=("no history",)).verdict == "invalid"
    assert outcome().times_real_time == 900.0


def test_a_run_passes_only_when_every_scenario_does():
    """A failure is certain even beside what could not be judged; an empty run proves nothing."""
    failed = outcome(alerts=(replace(outcome().alerts[0], ok=False),))
    invalid = outcome(invalid=("no history",))
    assert overall([outcome(), outcome()]) == "pass"
    assert overall([outcome(), invalid]) == "invalid"
    assert overall([failed, invalid]) == "fail"
    assert overall([]) == "invalid"


def test_the_document_follows_its_published_schema():
    """Whatever the verdict is."""
    schema = verdict_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failed = outcome(alerts=judge(scenario_with(FIRES), ALERTS, []))
    invalid = outcome(engine=UNKNOWN_ENGINE, invalid=("no history",), alerts=(), panels=())
    told = live(clocks=(difference(), difference(real_s=None, ok=False)), notes=("cut",))
    for run in ([outcome()], [failed], [invalid, outcome()], [told]):
        validator.validate(json.loads(json.dumps(document(run), allow_nan=False)))
    told = document([invalid, outcome()])
    assert told["engine"] == {"name": "prometheus", "version": "2.42.0"}


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("engine",),
        ("scenarios", 0),
        ("scenarios", 0, "alerts", 0),
        ("scenarios", 0, "alerts", 0, "deliveries", 0),
        ("scenarios", 0, "alerts", 0, "latency"),
        ("scenarios", 0, "clocks", 0),
    ],
)
def test_no_key_of_the_document_may_be_missing_or_unknown(path):
    """The schema is closed at every level, so it cannot fall behind the document."""
    validator = jsonschema.Draft202012Validator(verdict_schema())
    keys = list(part_at(document([live(clocks=(difference(),))]), path))
    for key in keys:
        told = document([live(clocks=(difference(),))])
        del part_at(told, path)[key]
        assert not validator.is_valid(told), key
    told = document([live(clocks=(difference(),))])
    part_at(told, path)["extra"] = 1
    assert not validator.is_valid(told)


def part_at(told, path):
    """Return the part of a document at `path`."""
    for step in path:
        told = told[step]
    return told
