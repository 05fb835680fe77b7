"""Overlays: what they add to a scenario, and every mistake that they can hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError, gather
from scenarios.library.files import resolve
from scenarios.loader import load_scenario
from scenarios.overlay import apply_overlays, check_scenario_names, load_overlay
from scenarios.scenario import Acceptance

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.scenario import Scenario

GOOD = """\
scenarios:
  traffic-drop:
    expectations:
    - {alert: Mine, cause: %s, fires_within: 5m, resolves_within: 3m}
  '*':
    expectations:
    - {alert: Watchdog, explained: it always fires}
    - {alert: Mine, silent: true}
accept:
- {alert: NeverHere, reason: its metric comes from another exporter}
- {panel: Board / Title, reason: drawn from another source}
"""


def applied(scenario, *overlays):
    """Return the scenario with the overlays; raise all mistakes that were noted."""
    mistakes = []
    overlaid = apply_overlays(scenario, overlays, mistakes.append)
    if mistakes:
        raise gather(mistakes)
    return overlaid


@pytest.fixture
def scenario() -> Scenario:
    """Return a bundled scenario."""
    return load_scenario(resolve("traffic-drop"))


@pytest.fixture
def cause(scenario) -> str:
    """Return the name of its only fault."""
    return scenario.plan.faults[0].name


def written(folder: Path, text: str) -> Path:
    """Write an overlay."""
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_an_overlay_adds_expectations_by_name_and_to_all(tmp_path, scenario, cause):
    """Causes and times are those of the scenario; its own expectations stay."""
    overlay = load_overlay(written(tmp_path, GOOD % cause))
    overlaid = applied(scenario, overlay)
    added = overlaid.expectations[len(scenario.expectations) :]
    assert [(e.alert, e.expected) for e in added] == [("Mine", "fires"), ("Watchdog", "explained")]
    assert added[0].onset_s == scenario.plan.faults[0].start_s
    assert added[0].end_s == scenario.plan.faults[0].end_s
    assert overlaid.expectations[: len(scenario.expectations)] == scenario.expectations


def test_what_stands_under_the_star_gives_way_to_the_scenario_s_own(tmp_path, scenario):
    """What is said of one scenario is more precise."""
    own = scenario.expectations[0].alert
    text = f"scenarios: {{'*': {{expectations: [{{alert: {own}, silent: true}}]}}}}"
    overlaid = applied(scenario, load_overlay(written(tmp_path, text)))
    assert overlaid.expectations == scenario.expectations


def test_what_is_accepted_reaches_the_scenario_with_its_place(tmp_path, scenario, cause):
    """Alerts and panels alike."""
    overlay = load_overlay(written(tmp_path, GOOD % cause))
    accepted = applied(scenario, overlay).accepted
    assert [a.subject for a in accepted] == ["NeverHere", "Board / Title"]
    places = [(each.place.line, each.place.column) for each in accepted]
    assert places == [(10, 11), (11, 11)]


def test_what_several_overlays_accept_is_all_accepted(tmp_path, scenario):
    """In their order, after what the scenario accepts itself."""
    overlays = [
        load_overlay(written(tmp_path, f"accept: [{{alert: {alert}, reason: x}}]"))
        for alert in ("First", "Second")
    ]
    own = replace(scenario, accepted=(Acceptance("Own", "y"),))
    assert [a.subject for a in applied(own, *overlays).accepted] == ["Own", "First", "Second"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("scenario: {}", "1: unknown key 'scenario', did you mean 'scenarios'?"),
        ("accept: [{alert: A}]", "10: the key 'reason' is missing in accept[0]"),
        ("accept: [{alert: A, reason: ''}]", "29: accept[0].reason must be non-empty, got ''"),
        ("accept: [{alert: '', reason: x}]", "18: accept[0].alert must be non-empty, got ''"),
        ("accept: [{panel: '', reason: x}]", "18: accept[0].panel must be non-empty, got ''"),
        (
            "accept: [{alert: A, reason: x}, {reason: x}]",
            "33: what is accepted must have exactly one of the keys 'alert' and 'panel', got none",
        ),
        (
            "accept: [{alert: A, panel: B / C, reason: x}]",
            "10: what is accepted must have exactly one of the keys 'alert' and 'panel', got both",
        ),
        (
            "scenarios: {'*': {expectations: [{alert: A, cause: gone, explained: x}]}}",
            "45: cause must not stand under '*': scenarios have their own causes",
        ),
        (
            "scenarios: {traffic-drop: {expectations: [{alert: A, silent: true, fro: 5m}]}}",
            (
                "68: unknown key 'fro', the keys are alert, labels, no_other_labels, cause,"
                " fires_within, resolves_within, pends_for, fires_after, resolves_after,"
                " receivers, notifies_resolved, silent and 1 more"
            ),
        ),
    ],
)
def test_a_mistake_of_the_file_is_reported_with_its_place(tmp_path, text, sentence):
    """Keys and values alike."""
    path = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        load_overlay(path)
    assert str(error.value) == f"{path}:1:{sentence}"


def test_all_mistakes_of_an_overlay_are_reported_together(tmp_path):
    """What is accepted and what stands under the star."""
    star = "{alert: A, cause: b, explained: x}, {alert: B, cause: c, silent: true}"
    text = f"accept: [{{reason: x}}]\nscenarios: {{'*': {{expectations: [{star}]}}}}\n"
    with pytest.raises(InputError) as error:
        load_overlay(written(tmp_path, text))
    places = [line.split(":")[1:3] for line in str(error.value).splitlines()]
    assert places == [["1", "10"], ["2", "45"], ["2", "81"]]


@pytest.mark.parametrize(
    ("expectation", "sentence"),
    [
        ("{alert: A, cause: gonne, fires_within: 5m}", "no fault or incident is called 'gonne'"),
        ("{alert: A, fires_within: 3h}", "fires_within must end by"),
        ("{alert: A}", "an expectation must have exactly one of the keys"),
    ],
)
def test_a_mistake_beside_its_scenario_is_reported(tmp_path, scenario, expectation, sentence):
    """As in the scenario's own file, at the overlay's line."""
    text = f"scenarios:\n  traffic-drop:\n    expectations:\n    - {expectation}\n"
    overlay = load_overlay(written(tmp_path, text))
    with pytest.raises(InputError) as error:
        applied(scenario, overlay)
    assert sentence in str(error.value)
    assert f"{tmp_path / 'mine.yaml'}:4:" in str(error.value)


def test_an_alert_that_the_scenario_expects_already_is_refused(tmp_path, scenario):
    """An overlay takes nothing away."""
    own = scenario.expectations[0]
    text = (
        "scenarios: {traffic-drop: {expectations: [{silent: true,"
        f" alert: {own.alert}, labels: {dict(own.labels)}}}]}}}}"
    )
    with pytest.raises(InputError) as error:
        applied(scenario, load_overlay(written(tmp_path, text)))
    assert f"{own.alert} is expected twice, first in {own.place}" in str(error.value)


def test_an_alert_that_is_expected_twice_hides_no_other_mistake(tmp_path, scenario):
    """Neither those of the next overlay nor what is asked of the other expectations."""
    silent = "{alert: A, silent: true}"
    twice = f"scenarios: {{traffic-drop: {{expectations: [{silent}, {silent}]}}}}"
    first, second = load_overlay(written(tmp_path, twice)), tmp_path / "second.yaml"
    second.write_text("scenarios: {traffic-drop: {expectations: [{alert: B, fires_within: 3h}]}}")
    mistakes = []
    overlaid = apply_overlays(scenario, [first, load_overlay(second)], mistakes.append)
    assert ["twice" in line for line in str(gather(mistakes)).splitlines()] == [True, False]
    assert [e.alert for e in overlaid.expectations][-3:] == ["A", "A", "B"]


def test_an_unknown_scenario_is_reported_with_the_nearest(tmp_path):
    """A misspelt name would add nothing."""
    overlay = load_overlay(written(tmp_path, "scenarios: {trafic-drop: {}}"))
    with pytest.raises(InputError, match="no scenario is called 'trafic-drop', did you mean 'tra"):
        check_scenario_names(overlay, ["traffic-drop", "fast-burn"])


def test_the_star_and_the_names_that_there_are_are_known(tmp_path, cause):
    """Neither is a misspelt name."""
    check_scenario_names(load_overlay(written(tmp_path, GOOD % cause)), ["traffic-drop"])


def test_an_empty_overlay_changes_nothing(tmp_path, scenario):
    """Comments alone are no mistake."""
    overlay = load_overlay(written(tmp_path, "# nothing yet\n"))
    assert applied(scenario, overlay) == scenario


@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("name", ["traffic-drop", "'*'"])
def test_an_alert_is_expected_once_in_every_scenario_too(tmp_path, scenario, files, name):
    """Twice under `*`, or twice under the scenario, in one overlay or in two."""
    paths = [tmp_path / f"{number}.yaml" for number in range(files)]
    mine = ", ".join(["{alert: Mine, silent: true}"] * (3 - files))
    for path in paths:
        path.write_text(f"scenarios: {{{name}: {{expectations: [{mine}]}}}}", encoding="utf-8")
    with pytest.raises(InputError) as error:
        applied(scenario, *map(load_overlay, paths))
    first = "line 1" if files == 1 else f"{paths[0]}:1"
    assert f"Mine is expected twice, first in {first}" in str(error.value)
