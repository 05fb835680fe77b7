"""The judge in real time on the real stack: notifications, both clocks, what each fault gives."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from agentaskit_sim.front.pack_files import PACK, PACK_ROUTING
from scenarios.scenario import Acceptance
from simulator.faults.kinds.catalogue import FAULTS
from tests.machine_lag import needs_quiet_machine
from tests.verifier.judges import NoWatcher
from tests.verifier.simulations import NINETEEN, pack_panels, pack_rules, scenario_of
from verifier.pack.routes.routing import load_routing
from verifier.pack.rules import join, load_rules
from verifier.real_time import run as module
from verifier.real_time.run import RealTimeRun, RealTimeSetup, run_in_real_time
from verifier.suite import run_suite
from verifier.time_compression import TimeCompression
from verifier.virtual_time.healthy_world import HealthyWorlds

STORY = """\
duration: 6m
load: {{rate: 2000}}
faults:
  - {{name: leak, fault: sandbox_leak, start: 30s, duration: 4m, parameters: {{share: {share}}}}}
expectations:
  - alert: SandboxPoolExhaustion
    receivers: [{receiver}]
    fires_within: 2m50s
    resolves_within: 1m20s
"""


BOARDS = PACK / "dashboards"


BAD_JOIN = """\
groups:
  - name: mine
    rules:
      - alert: BadJoin
        expr: agentaskit_sandbox_pool_available > on (job) agentaskit_sandbox_pool_total
"""
"""There are several pools of each: the engine cannot tell which goes with which."""


def scenario(name, share=0.95, receiver="slack-warnings"):
    """Return a scenario of six minutes: twelve seconds in real time, compressed thirty times.

    A pool is as good as empty: at a share of 0.81 a fifth of a percent of all instants have a tenth
    of it free, at which an evaluation would make the alert begin anew.
    For some of the pack's alerts that is too short; they are accepted as they are.
    """
    alerts = {rule.alert for _, rule in pack_rules(*NINETEEN).alerts}
    return replace(
        scenario_of(STORY.format(share=share, receiver=receiver)),
        name=name,
        accepted=tuple(Acceptance(alert, "six minutes are short") for alert in alerts),
    )


def setup_of(*rules, panels=()):
    """Return a setup on both clocks, compressed thirty times, with these rules of the pack."""
    return RealTimeSetup(
        pack_rules(*rules),
        panels,
        load_routing(PACK_ROUTING),
        TimeCompression(30),
        both=True,
        healthy_worlds=HealthyWorlds(),
    )


@pytest.fixture(scope="module")
def outcomes(machine_lag, tmp_path_factory):  # noqa: ARG001 - sampled while the runs are under way
    """Return five runs beside each other: passing, cut, misrouted, too weak a fault, disarmed.

    They are about one alert, and evaluate its rules alone. The first is asked the panels of which
    nothing reads back far, and is replayed to compare both clocks.
    """
    replayed = setup_of("backpressure", panels=pack_panels("capacity"))
    setup, worlds = replace(replayed, panels=(), both=False), replayed.healthy_worlds
    file = tmp_path_factory.mktemp("rules") / "join.yaml"
    file.write_text(BAD_JOIN)
    weak = scenario("weak", share=0.1)
    never = replace(weak.expectations[0], alert="BadJoin", receivers=None)
    refusing = replace(weak, expectations=(*weak.expectations, never))
    runs = (
        (scenario("passing"), replayed),
        (scenario("cut"), replace(setup, limit_s=4.0)),
        (scenario("misrouted", receiver="pagerduty-critical"), setup),
        (refusing, replace(setup, rules=join((setup.rules, load_rules([file]))))),
        (scenario("disarmed"), setup),
    )
    setups = {scenario.name: setup for scenario, setup in runs}
    scenarios = [scenario for scenario, _ in runs]
    worlds.prepare(scenarios, setup.compression)
    judged = run_suite(
        scenarios,
        lambda scenario, report: judge(scenario, setups[scenario.name], report),
        NoWatcher(),
        jobs=len(runs),
    )
    return {outcome.name: outcome for outcome in judged}


def judge(scenario, setup, report):
    """Judge in a worker process, where disarmed faults disturb no other test."""
    if scenario.name == "disarmed":
        for kind in FAULTS.values():
            kind.compose = lambda *_: None
    return run_in_real_time(scenario, setup, report)


def of(outcome, alert="SandboxPoolExhaustion"):
    """Return the verdicts on one alert."""
    return [verdict for verdict in outcome.alerts if verdict.alert == alert]


def assert_ended(outcome, verdict):
    """Fail unless it has this verdict; the message says why the run was invalid, or what failed."""
    failed = [(each.alert, each.reason) for each in outcome.alerts if not each.ok]
    ended = f"{outcome.name}: {outcome.verdict}", *outcome.invalid, *failed
    assert outcome.verdict == verdict, ended


def test_a_run_with_another_verdict_is_reported_with_its_reason():
    """What a machine that stalled did to it is read in the log of the tests."""
    stalled = SimpleNamespace(name="cut", verdict="invalid", alerts=(), invalid=("it fell behind",))
    with pytest.raises(AssertionError, match=r"cut: invalid.*it fell behind"):
        assert_ended(stalled, "pass")


@pytest.mark.ci
@needs_quiet_machine
def test_an_alert_is_followed_to_the_receiver_and_back(outcomes):
    """Fired, notified, resolved, notified; no other alert; every panel has data."""
    assert outcomes["passing"].panels
    expect_followed(outcomes["passing"])


@pytest.mark.long
@needs_quiet_machine
def test_the_whole_pack_follows_an_alert_as_well():
    """Whose 30 days of history take a machine seconds to store."""
    setup = setup_of(*NINETEEN, panels=pack_panels(*(each.stem for each in BOARDS.glob("*.json"))))
    [outcome] = run_suite(
        [scenario("passing")],
        lambda each, report: judge(each, setup, report),
        NoWatcher(),
        jobs=1,
    )
    expect_followed(outcome)
    assert all(transition.ok for transition in outcome.clocks)


def expect_followed(outcome):
    """Fail unless the alert of three pools went to its receiver and back, and no other did."""
    assert_ended(outcome, "pass")
    assert (outcome.clock, outcome.compress) == ("real", 30.0)
    assert len(of(outcome)) == 3
    for verdict in of(outcome):
        assert {(d.receiver, d.status) for d in verdict.deliveries} == {
            ("slack-warnings", "firing"),
            ("slack-warnings", "resolved"),
        }
    assert {verdict.expected for verdict in outcome.alerts if verdict not in of(outcome)} == {
        "silent"
    }
    assert all(panel.ok for panel in outcome.panels)
    assert {dict(notification.labels)["alertname"] for notification in outcome.notifications} == {
        "SandboxPoolExhaustion"
    }


@pytest.mark.ci
@needs_quiet_machine
def test_the_time_to_the_notification_is_within_what_the_intervals_imply(outcomes):
    """Condition, pending, firing, notified, in this order; all pools share a group."""
    for verdict in of(outcomes["passing"]):
        assert verdict.latency is not None
        times = verdict.latency
        assert times.condition_s is not None
        assert times.notified_s is not None
        assert 0 < times.condition_s <= times.pending_s <= times.firing_s
    first = min(of(outcomes["passing"]), key=lambda verdict: verdict.latency.notified_s)
    assert first.latency.firing_s <= first.latency.notified_s <= first.latency.bound_s + 60


@pytest.mark.ci
@needs_quiet_machine
def test_both_clocks_see_the_same_transitions(outcomes):
    """Pending, firing and resolved of three pools: at the same evaluations."""
    clocks = outcomes["passing"].clocks
    assert sum(transition.alert == "SandboxPoolExhaustion" for transition in clocks) == 9
    assert all(transition.ok for transition in clocks), [
        transition.reason for transition in clocks if not transition.ok
    ]
    assert outcomes["weak"].clocks is None


@pytest.mark.ci
@needs_quiet_machine
def test_a_deadline_beyond_the_limit_is_not_judged_and_gets_a_note(outcomes):
    """Cut after four real seconds, before the alert is due to fire."""
    outcome = outcomes["cut"]
    assert_ended(outcome, "pass")
    assert outcome.duration_s == pytest.approx(120, abs=30)
    assert any("whether it fires was not judged" in note for note in outcome.notes)


@pytest.mark.ci
@needs_quiet_machine
def test_an_alert_that_reaches_the_wrong_receiver_fails_at_alertmanager(outcomes):
    """The hop is named, and who was notified instead."""
    outcome = outcomes["misrouted"]
    assert_ended(outcome, "fail")
    for verdict in of(outcome):
        assert verdict.broke_at == "alertmanager"
        assert "slack-warnings was notified, expected only pagerduty-critical" in verdict.reason


@pytest.mark.ci
@needs_quiet_machine
def test_an_alert_whose_fault_is_too_weak_breaks_in_the_world(outcomes):
    """The leak is real, and too small for the rule, which did what it says."""
    outcome = outcomes["weak"]
    assert_ended(outcome, "fail")
    (verdict,) = of(outcome)
    assert (verdict.ok, verdict.broke_at, verdict.deliveries) == (False, "world", ())
    assert "it must be < 0.1" in verdict.reason


@pytest.mark.ci
def test_a_rule_that_the_engine_refuses_fails_in_its_words(outcomes):
    """And not in those of the hop: that nothing fired says nothing of why."""
    (unjudged,) = outcomes["weak"].not_judged
    assert unjudged.subject == "alert BadJoin"
    assert unjudged.reason.startswith("Prometheus cannot evaluate it: found duplicate series")
    (verdict,) = of(outcomes["weak"], "BadJoin")
    assert "likely culprit: the rule, since Prometheus cannot evaluate it: found" in verdict.reason


@pytest.mark.ci
@needs_quiet_machine
def test_a_fault_that_composes_nothing_makes_the_run_invalid(outcomes):
    """The rule is not to blame: nothing in the world was affected."""
    outcome = outcomes["disarmed"]
    assert outcome.verdict == "invalid"
    (reason,) = outcome.invalid
    assert reason.startswith("fault leak (sandbox_leak) had no effect")
    (verdict,) = of(outcome)
    assert (verdict.ok, verdict.broke_at) == (False, "world")


@pytest.mark.ci
def test_a_run_without_limit_lasts_as_long_as_its_scenario():
    """No limit is an infinite one."""
    assert RealTimeSetup((), (), None, TimeCompression()).limit_s == math.inf


class Drifting:
    """An exposition whose pacer is so far behind real time, one time it is asked after another."""

    def __init__(self, drifts_s):
        """Drift by each of these in turn."""
        self._drifts_s = drifts_s

    @property
    def pacer(self):
        """The pacer, with the drift of now."""
        return SimpleNamespace(drift_s=next(self._drifts_s))


@pytest.mark.parametrize(
    ("drifts_s", "behind_s"),
    [((0.1, 2.5, 0.2), 2.5), ((3.0, 0.0), 3.0), ((0.1, 0.2, 0.3), 0.3), ((0.0,), 0.0)],
)
async def test_a_world_that_fell_behind_and_caught_up_has_fallen_behind(drifts_s, behind_s):
    """What it lacked in the middle of a run is not made good by its end."""
    drifts = iter(drifts_s)
    turns = iter([*([math.inf] * len(drifts_s)), 0.0])
    clock = SimpleNamespace(unix_s=lambda _: next(turns), scenario_s=lambda _: 1.0)
    observer = SimpleNamespace(clock=clock, stack=SimpleNamespace(check=lambda: None))
    reports = []
    setup = RealTimeSetup((), (), None, TimeCompression(30))
    run = RealTimeRun(scenario("late"), setup, reports.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "OBSERVE_EVERY_S", 0.0)
        await run._watch(observer, Drifting(drifts), until_s=10.0)
    assert run.behind_s == behind_s
    assert [report.phase for report in reports] == ["running"] * len(drifts_s)
