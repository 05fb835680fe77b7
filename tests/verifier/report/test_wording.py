"""How reports name alerts and write times."""

from tests.verifier.outcomes import alert
from verifier.report.wording import time_cell, title


def test_an_alert_is_named_by_the_labels_in_which_it_differs():
    """What all its siblings have in common is left out; an alert alone needs no labels."""
    low = alert("Queue", labels=(("priority", "low"), ("severity", "warning")))
    high = alert("Queue", labels=(("priority", "high"), ("severity", "warning")))
    assert str(title(low, [low, high])) == "Queue{priority=low}"
    assert str(title(low, [low])) == "Queue"


def test_a_time_stands_with_its_limit():
    """A dash for what did not happen, no limit where there is none."""
    assert str(time_cell(330.0, 420.0)) == "5m30s of 7m"
    assert str(time_cell(330.0)) == "5m30s"
    assert str(time_cell(None, 420.0)) == "- of 7m"
