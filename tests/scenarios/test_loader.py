"""Scenarios are found by name or path; the bundled ones hold no mistake."""

from __future__ import annotations

import re

import pytest

from documents.mistakes import InputError
from scenarios.library.files import library, resolve
from scenarios.loader import load_scenario


def test_a_bundled_scenario_is_found_by_its_name():
    """Names resolve to the library, paths to themselves, and a near name is offered."""
    assert resolve("traffic-drop") in library()
    for path in ("my/own.yaml", "my/own", "own.yaml", "own.yml"):
        assert str(resolve(path)) == path
    with pytest.raises(InputError) as caught:
        resolve("trafic-drop")
    assert str(caught.value) == (
        "no bundled scenario is called 'trafic-drop', did you mean 'traffic-drop'?"
    )
    with pytest.raises(InputError, match="see `agentaskit-sim scenarios list`"):
        resolve("zzz")


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_every_bundled_scenario_loads(path):
    """The library holds no mistake, and refers editors to its schema."""
    assert load_scenario(path).name == path.stem
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../scenario.schema.json"


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_no_story_counts_the_alerts(path):
    """How many there are, the rules decide that are run with it: 19, or 29 with the extras."""
    assert re.search(r"\d+ alerts", load_scenario(path).story) is None


def test_the_oldest_outage_of_the_bad_month_leaves_its_window_in_time():
    """After the errors of now are over, and before the alert must have resolved, as it is told."""
    month_s = 30 * 86_400.0
    scenario = load_scenario(resolve("budget-spent"))
    ((trickle,), (expected, *_)) = scenario.plan.faults, scenario.expectations
    oldest = max(scenario.past.incidents, key=lambda incident: incident.ago_s)
    begins_to_leave_s = month_s - oldest.ago_s
    left_s = begins_to_leave_s + oldest.duration_s
    assert trickle.start_s + expected.fires_within_s < trickle.end_s < begins_to_leave_s
    assert left_s < trickle.end_s + expected.resolves_within_s < scenario.duration_s
    others = [each for each in scenario.past.incidents if each is not oldest]
    assert all(month_s - each.ago_s > scenario.duration_s for each in others)
