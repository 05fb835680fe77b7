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
from verifier.judge.failures.overlay import differing_labels, overlay_lines
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
