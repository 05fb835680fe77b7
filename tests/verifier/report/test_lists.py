"""Each list of the report holds the alerts that it says it holds, and no others."""

from __future__ import annotations

import pytest

from scenarios.library.files import library
from tests.verifier.outcomes import alert, delivery, fired, outcome, unjudged
from verifier.report.lists import WAY_OUT, lists
from verifier.report.seed_lines import SEEDS

QUIET = alert("Quiet", "silent")
FAILED = alert("Failed", "silent", ok=False, reason="it fired; by far", firing_s=5.0)
VACUOUS = alert("Vacuous", "silent", ok=False, reason="it could not fire", vacuous="no series")
ACCEPTED = alert("Accepted", "silent", vacuous="no series", accepted="not ours")
ELSEWHERE = alert("Elsewhere", "silent", vacuous="too short", could_fire_in="long")
BOTH = alert("Both", "silent", vacuous="too short", accepted="not ours", could_fire_in="long")
EXPLAINED = alert("Explained", "explained", reason="the queue grows", firing_s=9.0)
UNFIRED = alert("Unfired", "explained", reason="it may fire")
UNEXPLAINED = alert("Unexplained", "explained", ok=False, reason="too long", firing_s=9.0)
EVERY = (QUIET, FAILED, VACUOUS, ACCEPTED, ELSEWHERE, EXPLAINED, UNFIRED, UNEXPLAINED, fired("Due"))


def shown(*outcomes):
    """Return the lines of each part of the report."""
    return {part.heading: part.lines for part in lists(outcomes)}


@pytest.mark.parametrize(
    ("heading", "lines"),
    [
        (
            "Failed",
            ["drop: Failed: it fired\n    by far", "drop: Unexplained: too long"],
        ),
        ("Vacuous: could not have fired", ["Vacuous: no series", WAY_OUT]),
        ("Also fired, as explained", ["drop: Explained: the queue grows"]),
        ("Silent, as expected", ["drop: 1 of 9 alerts"]),
        ("Did not fire, and need not", ["drop: Unfired"]),
        (
            "Could not have fired, and need not",
            ["Accepted (accepted: not ours)", "Elsewhere (long is long enough)"],
        ),
        ("Panels", ["all 1 answered"]),
    ],
)
def test_an_alert_stands_in_the_list_of_what_it_did(heading, lines):
    """An accepted alert that could not have fired did not stay silent as expected."""
    parts = shown(outcome(alerts=EVERY))
    assert parts[heading] == lines
    assert len(parts) == 7


@pytest.mark.parametrize(
    ("verdict", "count"),
    [(QUIET, 1), (FAILED, 0), (VACUOUS, 0), (ACCEPTED, 0), (ELSEWHERE, 0), (UNFIRED, 0)],
)
def test_only_a_silence_that_says_something_is_counted(verdict, count):
    """What could not have fired is not counted, whoever accepted it; series count once."""
    parts = shown(outcome(alerts=(verdict, verdict, fired("Due"))))
    assert parts["Silent, as expected"] == [f"drop: {count} of 2 alerts"]
    assert ("Vacuous: could not have fired" in parts) is (verdict is VACUOUS)


def test_a_scenario_that_could_not_be_judged_counts_no_silence():
    """It stands in a list of its own."""
    parts = shown(outcome(alerts=(QUIET,)), unjudged())
    assert parts["Silent, as expected"] == ["drop: 1 of 1 alerts"]
    assert parts["Could not be judged"] == [f"burn: {unjudged().invalid[0]}"]


@pytest.mark.parametrize(
    ("names", "where"),
    [
        (("a", "b", "c", "d"), " (a, b, c and 1 more)"),
        (("a", "b", "c"), " (a, b, c)"),
        (("a",), " (a)"),
    ],
)
@pytest.mark.parametrize(
    ("heading", "verdict", "line"),
    [
        ("Vacuous: could not have fired", VACUOUS, "Vacuous: no series"),
        ("Could not have fired, and need not", ACCEPTED, "Accepted (accepted: not ours)"),
        ("Could not have fired, and need not", BOTH, "Both (accepted: not ours)"),
    ],
)
def test_of_several_scenarios_a_line_names_at_most_three(heading, verdict, line, *, names, where):
    """And says how many more there are; of all of them none is named."""
    outcomes = [outcome(name, alerts=(verdict,)) for name in names]
    assert shown(*outcomes, outcome("other", alerts=()))[heading][0] == f"{line}{where}"
    everywhere = f" (in all {len(names)} scenarios)" if len(names) > 1 else ""
    assert shown(*outcomes)[heading][0] == f"{line}{everywhere}"


def test_an_alert_that_fired_in_any_scenario_is_not_among_those_that_never_fired():
    """Each once, in the order in which they were judged; of one scenario it says nothing.

    What was only pending did not fire.
    """
    first = outcome("a", alerts=(alert("B", "silent"), alert("A", "silent"), fired("C")))
    second = outcome("b", alerts=(alert("C", "silent"), alert("A", "silent"), fired("B")))
    assert shown(first, second)["Fired in no scenario"] == ["A"]
    assert "Fired in no scenario" not in shown(first)
    pending = alert("D", "silent", pending_s=3.0)
    third = outcome("c", alerts=(pending, alert("A", "silent")))
    assert shown(third, third)["Fired in no scenario"] == ["D", "A"]


def test_of_a_part_of_the_library_the_alerts_that_fired_in_no_scenario_are_counted():
    """Most of them are meant for the other scenarios; of the whole library each is named."""
    quiet = tuple(alert(name, "silent") for name in "ABCDE")
    some = [outcome(name, alerts=(*quiet, fired("F"))) for name in ("fast-burn", "slow-burn")]
    missing = len(library()) - 2
    assert shown(*some)["Fired in no scenario"] == [
        f"5 of 6 alerts: 2 scenarios ran, {missing} of the library did not"
    ]
    few = [outcome(name, alerts=quiet[:3]) for name in ("fast-burn", "slow-burn")]
    assert shown(*few)["Fired in no scenario"] == list("ABC")
    whole = [outcome(path.stem, alerts=quiet) for path in library()]
    assert shown(*whole)["Fired in no scenario"] == list("ABCDE")


def test_explained_alerts_of_one_name_are_told_apart():
    """By the labels in which they differ."""
    both = [
        alert("Down", "explained", reason="it may", firing_s=9.0, labels=(("disk", d), ("a", "b")))
        for d in "xy"
    ]
    lines = ["drop: Down{disk=x}: it may", "drop: Down{disk=y}: it may"]
    assert shown(outcome(alerts=tuple(both)))["Also fired, as explained"] == lines


def test_what_an_explained_alert_notified_is_said_beside_it():
    """Of the notifications that it fires alone."""
    sent = (delivery("pager", 9.0), delivery("chat", 99.0, "resolved"))
    loud = alert("Loud", "explained", reason="it may", firing_s=9.0, deliveries=sent)
    parts = shown(outcome(alerts=(loud,)))
    assert parts["Also fired, as explained"] == ["drop: Loud: it may (notified: pager)"]


def test_a_finding_of_several_scenarios_stands_once():
    """In the order in which it came."""
    several = outcome("a", findings=("y", "x")), outcome("b", findings=("x", "z"))
    assert shown(*several)["Findings in rules, dashboards and routing"] == ["y", "x", "z"]


@pytest.mark.parametrize(("ok", "weight"), [(True, "remark"), (False, "failure")])
def test_what_all_seeds_show_is_a_failure_only_where_one_fails(ok, weight):
    """A page begins with what failed."""
    runs = [outcome(f"drop@{n}", seed=n, alerts=(fired("A", ok=ok or n < 2),)) for n in (1, 2)]
    first, *_ = lists(runs)
    assert (first.heading, first.weight) == (SEEDS, weight)
