"""The live judge on the real stack: who was told, both clocks, what each planted fault gives."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from agentaskit_sim.inputs import PACK_ROUTING
from simulator.faults.catalogue import FAULTS
from tests.verifier.simulations import pack_panels, pack_rules, scenario_of
from verifier.pack.routing import load_routing
from verifier.real_time.run import RealTimeSetup, run_in_real_time
from verifier.suite import run_suite
from verifier.time_compression import TimeCompression
from verifier.virtual_time.healthy_world import HealthyWorlds

STORY = """\
duration: 6m
faults:
  - {{name: leak, fault: sandbox_leak, start: 30s, duration: 4m, parameters: {{share: {share}}}}}
expectations:
  - alert: SandboxPoolExhaustion
    receivers: [{receiver}]
    fires_within: 2m50s
    resolves_within: 1m20s
"""


def scenario(name, share=0.81, receiver="slack-warnings"):
    """A scenario of ten real seconds at thirty times the pace."""
    return replace(scenario_of(STORY.format(share=share, receiver=receiver)), name=name)


@pytest.fixture(scope="module")
def outcomes():
    """Runs beside each other: sound, cut short, misrouted, too small a fault, and one disarmed."""
    setup = RealTimeSetup(
        pack_rules("slo", "performance", "backpressure"),
        pack_panels(),
        load_routing(PACK_ROUTING),
        TimeCompression(30),
        healthy_worlds=HealthyWorlds(),
    )
    runs = (
        (scenario("sound"), replace(setup, both=True)),
        (scenario("cut"), replace(setup, limit_s=4.0)),
        (scenario("misrouted", receiver="pagerduty-critical"), setup),
        (scenario("weak", share=0.1), setup),
        (scenario("disarmed"), setup),
    )
    setups = {scenario.name: setup for scenario, setup in runs}
    setup.healthy_worlds.prepare([scenario for scenario, _ in runs], setup.compression)
    for _ in range(3):  # real time is not always there on a machine that others share
        found = run_suite(
            [scenario for scenario, _ in runs],
            lambda scenario, report: judge(scenario, setups[scenario.name], report),
            Quiet(),
            jobs=len(runs),
        )
        if not any("too busy" in reason for outcome in found for reason in outcome.invalid):
            break
    return {outcome.name: outcome for outcome in found}


def judge(scenario, setup, report):
    """Judge in a worker process, where a disarmed injector disturbs nobody else."""
    if scenario.name == "disarmed":
        for kind in FAULTS.values():
            kind.compose = lambda *_: None
    return run_in_real_time(scenario, setup, report)


class Quiet:
    """Nobody watches."""

    def progress(self, progress):
        """Hear nothing of it."""

    def done(self, outcome):
        """Nor of this."""


def of(outcome, alert="SandboxPoolExhaustion"):
    """The verdicts on one alert."""
    return [one for one in outcome.alerts if one.alert == alert]


def test_an_alert_is_followed_to_the_receiver_and_back(outcomes):
    """Fired, told, resolved, told again; nothing else; every panel answers."""
    outcome = outcomes["sound"]
    assert (outcome.verdict, outcome.invalid) == ("pass", ())
    assert (outcome.clock, outcome.compress) == ("real", 30.0)
    assert len(of(outcome)) == 3
    for one in of(outcome):
        assert {(d.receiver, d.status) for d in one.deliveries} == {
            ("slack-warnings", "firing"),
            ("slack-warnings", "resolved"),
        }
    assert {one.expected for one in outcome.alerts if one not in of(outcome)} == {"silent"}
    assert all(panel.ok for panel in outcome.panels)
    assert {dict(one.labels)["alertname"] for one in outcome.notifications} == {
        "SandboxPoolExhaustion"
    }


def test_the_time_until_somebody_knows_is_within_what_the_intervals_imply(outcomes):
    """Condition, pending, firing, notified, in this order; all pools share a group."""
    for one in of(outcomes["sound"]):
        assert one.latency is not None
        times = one.latency
        assert times.condition_s is not None
        assert 0 < times.condition_s <= times.pending_s <= times.firing_s
    first = min(of(outcomes["sound"]), key=lambda one: one.latency.notified_s)
    assert first.latency.firing_s <= first.latency.notified_s <= first.latency.bound_s + 60


def test_both_clocks_see_the_same_transitions(outcomes):
    """Pending, firing and resolved of three pools: at the same evaluations."""
    clocks = outcomes["sound"].clocks
    assert sum(one.alert == "SandboxPoolExhaustion" for one in clocks) == 9
    assert all(one.ok for one in clocks), [one.reason for one in clocks if not one.ok]
    assert outcomes["weak"].clocks is None


def test_what_lies_beyond_a_limit_is_not_judged_and_that_is_told(outcomes):
    """Cut after four real seconds, before the alert is due to fire."""
    outcome = outcomes["cut"]
    assert outcome.verdict == "pass"
    assert outcome.duration_s == pytest.approx(120, abs=30)
    assert any("whether it fires was not judged" in note for note in outcome.notes)


def test_an_alert_that_reaches_the_wrong_receiver_fails_at_alertmanager(outcomes):
    """The hop is named, and who was told instead."""
    outcome = outcomes["misrouted"]
    assert outcome.verdict == "fail"
    for one in of(outcome):
        assert one.broke_at == "alertmanager"
        assert "slack-warnings was notified, expected only pagerduty-critical" in one.reason


def test_an_alert_that_does_not_fire_breaks_at_the_rule(outcomes):
    """The leak is real, and too small for the rule: no scrape failed, nothing was told."""
    outcome = outcomes["weak"]
    assert outcome.verdict == "fail"
    (one,) = of(outcome)
    assert (one.ok, one.broke_at, one.deliveries) == (False, "rule", ())


def test_a_fault_whose_injector_does_nothing_makes_the_run_invalid(outcomes):
    """Nobody may say that the rule is at fault: the world was never struck."""
    outcome = outcomes["disarmed"]
    assert outcome.verdict == "invalid"
    (reason,) = outcome.invalid
    assert reason.startswith("fault leak (sandbox_leak) had no effect")
    (one,) = of(outcome)
    assert (one.ok, one.broke_at) == (False, "world")


def test_a_run_without_limit_lasts_as_long_as_its_scenario():
    """No limit is an infinite one."""
    assert RealTimeSetup((), (), None, TimeCompression()).limit_s == math.inf
