"""All labels that an alert carries, where an expectation says that there are no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentaskit_sim.foreign.bundled_expectations import leave_out_bundled
from documents.mistakes import InputError
from scenarios.library.files import library
from scenarios.loader import load_scenario
from tests.verifier.judge.small_scenario import ALERTS, GOOD, scenario_with, timeline, verdict_on
from tests.verifier.simulations import NINETEEN, pack_rules
from verifier.coverage.cells import AlertCourse
from verifier.coverage.counterfactuals import is_accepted
from verifier.judge.alert_verdicts import judge
from verifier.judge.expectations.impossible import check_expectations
from verifier.judge.failures.culprit import FailedCase, likely_culprit
from verifier.time_compression import TimeCompression, allow_for_inertia

EXACT = (
    "{alert: Throughput, labels: {severity: low}, no_other_labels: true, fires_within: 7m,"
    " resolves_within: 3m}"
)
OF_CPUS = [
    timeline("Throughput", GOOD, severity="low", cpu=cpu, instance="a:1") for cpu in ("0", "1")
]
"""A rule that compares each CPU by itself."""


def _noisy_neighbour():
    """Return the bundled scenario of HighCPUUtilization."""
    return next(load_scenario(path) for path in library() if path.stem == "noisy-neighbour")


def test_an_alert_for_each_series_is_not_the_one_that_was_meant():
    """Each of them fails, and its rule is blamed; without the key all of them pass."""
    failed = judge(scenario_with(EXACT), ALERTS[:1], OF_CPUS)
    assert {(each.ok, each.reason) for each in failed} == {
        (False, "carries cpu and instance as well, it must have no other labels")
    }
    culprit = likely_culprit(FailedCase(verdict=failed[0], numbers=None))
    assert culprit.suspect == "rule"
    assert culprit.because.startswith("it fires for each cpu and instance by itself")
    plain = EXACT.replace(" no_other_labels: true,", "")
    assert all(each.ok for each in judge(scenario_with(plain), ALERTS[:1], OF_CPUS))


def test_one_with_these_labels_alone_passes():
    """One with fewer is not expected at all, as ever."""
    good = timeline("Throughput", GOOD, severity="low")
    assert verdict_on(judge(scenario_with(EXACT), ALERTS, [good])).ok
    verdicts = judge(scenario_with(EXACT), ALERTS[:1], [timeline("Throughput", GOOD)])
    assert {each.expected: each.ok for each in verdicts} == {"fires": False, "unexpected": False}


def test_a_more_precise_expectation_judges_what_it_names():
    """An alert with more labels belongs to the expectation that names them."""
    both = (EXACT, EXACT.replace("severity: low", "severity: low, cpu: '0', instance: 'a:1'"))
    first, second, third = judge(
        scenario_with(*both),
        ALERTS[:1],
        [timeline("Throughput", GOOD, severity="low"), *OF_CPUS],
    )
    assert [(each.ok, each.other_labels) for each in (first, second, third)] == [
        (True, ()), (False, ("cpu", "instance")), (True, ()),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["silent: true", "explained: why not"])
def test_only_an_alert_that_must_fire_has_it(kind):
    """Another one has nothing that could carry labels."""
    with pytest.raises(InputError, match="no_other_labels must be used with fires_within"):
        scenario_with(f"{{alert: Throughput, {kind}, no_other_labels: true}}")


def test_false_is_no_value():
    """It is left out where it does not hold."""
    with pytest.raises(InputError, match="no_other_labels must be true"):
        scenario_with(EXACT.replace("no_other_labels: true", "no_other_labels: false"))


def test_a_label_that_the_rule_sets_must_be_named():
    """That can never hold, and is refused before anything runs."""
    scenario = _noisy_neighbour()
    expectation, *_ = scenario.expectations
    assert expectation.no_other_labels
    check_expectations([expectation], pack_rules(*NINETEEN))
    short = replace(expectation, labels=(("severity", "warning"),))
    with pytest.raises(InputError, match="label component of HighCPUUtilization must be named"):
        check_expectations([short], pack_rules(*NINETEEN))


def test_it_binds_the_bundled_rules_and_both_clocks():
    """An own rule under a bundled alert's name may have what labels it likes."""
    scenario = _noisy_neighbour()
    real_time, *_ = allow_for_inertia(scenario, TimeCompression(30.0)).expectations
    assert real_time.no_other_labels
    ((own,), _) = leave_out_bundled([scenario], ["HighCPUUtilization"])
    assert not own.expectations[0].no_other_labels


@pytest.mark.parametrize(("severity", "accepted"), [("low", False), ("{{ $labels.cpu }}", True)])
def test_coverage_accepts_what_the_judge_accepts(severity, accepted):
    """Where a template makes a label, coverage does not know the labels, and does not ask."""
    ((group, rule), *_) = pack_rules(*NINETEEN).alerts
    rule = replace(rule, alert="Throughput", labels=(("severity", severity),))
    course = AlertCourse(0, group, rule, tuple(OF_CPUS), (), ())
    assert is_accepted(scenario_with(EXACT), course) is accepted
