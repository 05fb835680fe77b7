"""The overlay that a report prints is taken when it is pasted back, and makes its alerts ok."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from scenarios.overlay import apply_overlays, load_overlay
from tests.verifier.alerts import rule_files
from tests.verifier.judge.small_scenario import outcome, scenario_with, timeline
from verifier.judge.alert_verdicts import judge
from verifier.judge.failures.explanation import FailureExplainer
from verifier.judge.failures.overlay import (
    active_fault,
    differing_labels,
    is_over,
    overlay_lines,
    since_onset,
    stanza,
)
from verifier.judge.verdict import FailureEvidence

EARLY, LATE, OPEN = (210.0, 240.0, 780.0), (210.0, 630.0, 790.0), (210.0, 630.0, None)


def explained(scenario, timelines, rules):
    """Return the verdicts on timelines, each unexpected one with what the overlay needs."""
    explainer = FailureExplainer(SimpleNamespace(rules=rules), scenario, {}, ("s", 1800.0))
    verdicts = judge(scenario, ("Errors",), timelines)
    return tuple(
        replace(each, evidence=FailureEvidence(overlay=explainer._overlay(each, verdicts)))
        for each in verdicts
    )


def pasted(tmp_path, lines, timelines):
    """Return the verdicts of a scenario with an overlay of these lines."""
    path = tmp_path / "pasted.yaml"
    path.write_text("\n".join(lines) + "\n")
    mistakes = []
    scenario = apply_overlays(scenario_with(), [load_overlay(path)], mistakes.append)
    assert mistakes == []
    return judge(scenario, ("Errors",), timelines)


@pytest.mark.parametrize(
    "timelines",
    [
        # Two rules of one name, as a page and a ticket of one objective.
        [
            timeline("Errors", EARLY, severity="page", team="a"),
            timeline("Errors", LATE, severity="ticket", team="a"),
        ],
        # One of them lets its alert carry fewer labels.
        [timeline("Errors", EARLY), timeline("Errors", LATE, severity="ticket")],
        # Two series of one rule.
        [timeline("Errors", EARLY, queue="low"), timeline("Errors", LATE, queue="high")],
        # Two rules, one of them with two series.
        [
            timeline("Errors", EARLY, queue="low", severity="page"),
            timeline("Errors", LATE, queue="high", severity="page"),
            timeline("Errors", OPEN, queue="high", severity="ticket"),
        ],
    ],
)
def test_alerts_of_one_name_are_told_apart_by_their_labels(tmp_path, timelines):
    """No two expectations are of the same alerts, and each holds those that it was made for."""
    rules = rule_files("Errors")
    verdicts = explained(scenario_with(), timelines, rules)
    lines = overlay_lines([outcome(alerts=verdicts)])
    held = pasted(tmp_path, lines, timelines)
    assert [(each.ok, each.expected) for each in held] == [(True, "fires")] * len(timelines)
    assert "team" not in "".join(lines)


def test_a_label_that_tells_two_rules_apart_is_named_where_only_one_of_them_fired():
    """And where both fired at once; series of one rule that need the same need one expectation."""
    files = rule_files("Errors")
    (group,) = files.groups
    page, ticket = (
        replace(group.rules[0], labels=(("severity", severity), ("team", "a")))
        for severity in ("page", "ticket")
    )
    files = replace(files, groups=(replace(group, rules=(page, ticket)),))
    series = [timeline("Errors", EARLY, severity="page", queue=queue) for queue in ("low", "high")]
    verdicts = explained(scenario_with(), series, files)
    (line,) = overlay_lines([outcome(alerts=verdicts)])[3:]
    assert line.startswith("    - {alert: Errors, labels: {severity: page}, cause: gone, fires")


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ([], set()),
        ([(("severity", "page"),)], set()),
        ([(("severity", "page"), ("team", "a")), (("severity", "ticket"), ("team", "a"))],
         {"severity"}),
        ([(("team", "a"),), ()], {"team"}),
    ],
)  # fmt: skip
def test_the_labels_that_tell_rules_apart_are_those_that_not_all_of_them_set(rules, names):
    """To the same text."""
    assert differing_labels(rules) == names


@pytest.mark.parametrize(
    ("second", "limits"),
    [
        (LATE, "fires_within: 8m, resolves_within: 2m}"),
        # On one seed it does not resolve: then no limit on that would hold on both.
        (OPEN, "fires_within: 8m}"),
    ],
)
def test_seeds_of_a_scenario_need_one_expectation_with_room_for_all(tmp_path, second, limits):
    """Under the name of the scenario, which is no other on its second seed."""
    rules = rule_files("Errors")
    runs = [[timeline("Errors", episode)] for episode in (EARLY, second)]
    outcomes = [
        outcome(name=f"s@{seed}", seed=seed, alerts=explained(scenario_with(), run, rules))
        for seed, run in enumerate(runs, 1)
    ]
    lines = overlay_lines(outcomes)
    assert lines == [
        "scenarios:", "  s:", "    expectations:",
        f"    - {{alert: Errors, cause: gone, {limits}",
    ]  # fmt: skip
    for run in runs:
        assert all(each.ok for each in pasted(tmp_path, lines, run))


PAGE, TICKET = {"severity": "page"}, {"severity": "ticket"}
PAST = (
    "history:\n  incidents:\n"
    "    - {name: old, fault: task_failure, ago: 2h, duration: 1h, parameters: {share: 0.1}}\n"
    "    - {name: older, fault: task_failure, ago: 9h, duration: 1h, parameters: {share: 0.1}}\n"
)


def unexpected(scenario, *timelines):
    """Return the verdicts on alerts that a scenario does not expect."""
    verdicts = judge(scenario, ("Errors",), timelines)
    return [each for each in verdicts if each.expected == "unexpected"]


@pytest.mark.parametrize(
    "timelines",
    [
        [timeline("Errors", EARLY, queue="low", **PAGE), timeline("Errors", LATE, **TICKET)],
        [
            timeline("Errors", EARLY, queue="low", **PAGE),
            timeline("Errors", LATE, queue="high", **PAGE),
        ],
        [
            timeline("Errors", EARLY, queue="low", **PAGE),
            timeline("Errors", EARLY, queue="low", **TICKET),
            timeline("Errors", LATE, queue="high", **TICKET),
        ],
    ],
    ids=["one series of each", "one rule with two", "one of them with two"],
)
def test_series_of_one_rule_are_told_apart_beside_the_label_of_their_rule(tmp_path, timelines):
    """By that label always, though only one of the rules fired; by their own where they differ."""
    scenario = scenario_with()
    verdicts = unexpected(scenario, *timelines)
    names = frozenset({"severity"})
    texts = [stanza(each, scenario, verdicts, names) for each in verdicts]
    assert all("severity: " in text for text in texts)
    lines = ["scenarios:", "  s:", "    expectations:", *(f"    - {text}" for text in texts)]
    assert [each.ok for each in pasted(tmp_path, lines, timelines)] == [True] * len(timelines)


@pytest.mark.parametrize(
    ("episode", "text"),
    [
        ((1700.0, 1800.0, None), "{alert: Errors, cause: gone, fires_within: 27m}"),
        ((1700.0, 1801.0, None), "{alert: Errors, explained: "),
        ((210.0, 240.0, 720.0), "cause: gone, fires_within: 2m, resolves_within: 1m}"),
        ((210.0, 240.0, 700.0), "resolves_within: 1m}  # it resolved 20s before gone ended"),
        ((100.0, 120.0, 700.0), "{alert: Errors, explained: "),
        ((210.0, None, 700.0), "{alert: Errors, explained: "),
    ],
)
def test_what_an_overlay_proposes_lies_within_the_scenario(episode, text):
    """With a cause that had begun, and limits that a scenario of half an hour may have."""
    scenario = scenario_with(more="pending: forbidden\n")
    (verdict,) = unexpected(scenario, timeline("Errors", episode))
    assert text in stanza(verdict, scenario, [verdict])


def test_a_fault_that_ends_with_the_scenario_leaves_no_time_to_resolve():
    """No limit is proposed, which would have to be 0."""
    to_the_end = "  - {name: last, fault: agent_hang, start: 20m, duration: 10m}\n"
    scenario = scenario_with(more=to_the_end)
    (verdict,) = unexpected(scenario, timeline("Errors", (1210.0, 1240.0, 1790.0)))
    proposed = stanza(verdict, scenario, [verdict])
    assert "cause: last, fires_within: 2m}  # it resolved 10s before" in proposed


def test_beside_an_expectation_of_its_name_an_alert_is_named_by_all_its_labels():
    """The one that is there would count for it otherwise."""
    scenario = scenario_with("{alert: Errors, labels: {severity: page}, fires_within: 7m}")
    (verdict,) = unexpected(scenario, timeline("Errors", EARLY, team="a", **TICKET))
    assert "labels: {severity: ticket, team: a}" in stanza(verdict, scenario, [verdict])


@pytest.mark.parametrize(
    ("pending_s", "name", "over"),
    [
        (-7200.0, "old", True),
        (-7201.0, "older", True),
        (179.0, "old", True),
        (180.0, "gone", False),
        (719.0, "gone", False),
        (720.0, "gone", True),
    ],
)
def test_the_fault_that_had_begun_last_is_in_effect_until_it_ends(pending_s, name, over):
    """From its very start, and to its end, which it is over by; an incident always is."""
    scenario = scenario_with(more=PAST)
    (verdict,) = unexpected(scenario, timeline("Errors", (pending_s, pending_s, 1000.0)))
    assert (active_fault(verdict, scenario), is_over(verdict, scenario)) == (name, over)
    assert (since_onset(verdict, scenario) is None) is (name != "gone")
    caused = replace(verdict, cause="gone")  # then its own sentence counts from there
    assert since_onset(caused, scenario) is None


def test_of_two_faults_the_one_that_began_last_is_the_cause():
    """And what an alert needs for the one is beside what it needs for the other."""
    again = "  - {name: again, fault: agent_hang, start: 10m, duration: 9m}\n"
    scenario = scenario_with(more=again)
    runs = [timeline("Errors", each) for each in (EARLY, (700.0, 720.0, 1000.0))]
    outcomes = [
        outcome(
            name=f"s@{seed}", seed=seed, alerts=explained(scenario, [run], rule_files("Errors"))
        )
        for seed, run in enumerate(runs, 1)
    ]
    first, second = overlay_lines(outcomes)[3:]
    assert "cause: gone, fires_within: 2m" in first
    assert "cause: again, fires_within: 3m" in second


def test_the_room_for_all_seeds_is_that_of_the_longest():
    """Ten minutes are more than nine."""
    rules = rule_files("Errors")
    runs = [timeline("Errors", (210.0, fired_s, 780.0)) for fired_s in (680.0, 740.0)]
    outcomes = [
        outcome(name=f"s@{seed}", seed=seed, alerts=explained(scenario_with(), [run], rules))
        for seed, run in enumerate(runs, 1)
    ]
    (line,) = overlay_lines(outcomes)[3:]
    assert "fires_within: 10m, resolves_within: 2m" in line
