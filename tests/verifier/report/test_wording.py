"""How reports name alerts and write times."""

from dataclasses import replace

import pytest

from tests.verifier.judge.small_scenario import outcome
from tests.verifier.outcomes import alert
from verifier.judge.expectation_matching import FIRINGS_MAX
from verifier.report.wording import event_cell, fired_cell, pending_cell, time_cell, title


def test_an_alert_is_named_by_the_labels_in_which_it_differs():
    """What all its siblings have in common is left out; an alert alone needs no labels."""
    low = alert("Queue", labels=(("priority", "low"), ("severity", "warning")))
    high = alert("Queue", labels=(("priority", "high"), ("severity", "warning")))
    assert str(title(low, [low, high])) == "Queue{priority=low}"
    assert str(title(low, [low])) == "Queue"


def test_an_alert_of_a_cell_is_named_by_its_cell():
    """Also where it is alone: another cell's would be another alert. Its instance says no more."""
    first, second = (
        alert(
            "Down", labels=(("cell", cell), ("instance", f"x/cells/{cell}"), ("severity", "page"))
        )
        for cell in "01"
    )
    other = alert("Down", labels=(("cell", "0"), ("instance", "y"), ("severity", "page")))
    assert str(title(first, [first])) == "Down{cell=0}"
    assert str(title(second, [first, second])) == "Down{cell=1}"
    assert str(title(first, [first, other])) == "Down{cell=0,instance=x/cells/0}"


def test_a_time_stands_with_its_limit():
    """A dash for what did not happen, no limit where there is none."""
    assert str(time_cell(330.0, 420.0)) == "5m30s of 7m"
    assert str(time_cell(330.0)) == "5m30s"
    assert str(time_cell(None, 420.0)) == "- of 7m"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "30s"),
        ({"lost_pending": ((1.0, 2.0),)}, "30s (2nd time)"),
        ({"lost_pending": ((1.0, 2.0),) * 2}, "30s (3rd time)"),
        ({"lost_pending": ((1.0, 2.0),) * 10}, "30s (11th time)"),
        ({"lost_pending": ((1.0, 2.0),) * 20}, "30s (21st time)"),
        ({"lost_pending": ((1.0, 2.0),) * 111}, "30s (112th time)"),
        ({"lost_pending": ((1.0, 2.0),), "firing_s": None}, "30s"),
    ],
)
def test_an_alert_that_had_been_pending_before_it_fired_says_so(changes, text):
    """An alert that never fired shows its first time."""
    alert = replace(outcome().alerts[0], **changes)
    assert str(pending_cell(alert, time_cell(30.0))) == text


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (1, "30s of 7m"),
        (3, "30s (1st of 3) of 7m"),
        (FIRINGS_MAX, f"30s (1st of at least {FIRINGS_MAX}) of 7m"),
    ],
)
def test_an_alert_that_fired_again_says_so_where_it_first_fired(times, text):
    """Its limit is about the first time."""
    alert = replace(outcome().alerts[0], firings=((30.0, 40.0),) * times)
    assert str(fired_cell(alert, time_cell(30.0, 420.0))) == text


@pytest.mark.parametrize(
    ("changes", "seconds", "text"),
    [
        ({}, 330.0, "5m30s"),
        ({}, -20.0, "20s before the onset"),
        ({"cause": None, "onset_s": 0.0}, 330.0, "at 5m30s"),
        ({"cause": None, "onset_s": 0.0}, 0.0, "at 0s"),
        ({"cause": None, "onset_s": 0.0}, -170.25, "2m50.2s before the start"),
        # What began in the past counts from the start.
        ({"onset_s": 0.0}, 330.0, "at 5m30s"),
        ({"onset_s": 0.0}, -20.0, "20s before the start"),
        ({}, None, "-"),
        ({"cause": None, "onset_s": 0.0}, None, "-"),
    ],
)
def test_a_time_says_which_clock_it_counts_from(changes, seconds, text):
    """The onset of its cause, or the scenario's start; never with a sign."""
    each = replace(outcome().alerts[0], **changes)
    assert str(event_cell(each, seconds)) == text
    assert str(event_cell(each, seconds, 420.0)) == f"{text} of 7m"
