"""Cells of episodes made by hand, and the opposite that is put to the judge."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from documents.mistakes import Place
from tests.verifier.alerts import rule_files
from tests.verifier.simulations import scenario_of
from verifier.coverage.cells import AlertCourse, Observation
from verifier.coverage.counterfactuals import changed, is_accepted, is_refused, with_firing
from verifier.coverage.episode_cells import episode_cells, misrouted, routed
from verifier.evaluation.timeline import Episode, Timeline

LABELS = (("pool", "x"),)
FAULT = "- {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.4}}\n"
SCENARIO = scenario_of(f"duration: 10m\nfaults:\n{FAULT}expectations: []\n")


def course(*episodes, for_s=60.0, others=(), labels=LABELS, rule_labels=(), expr="x < 5"):
    """Return what the alerts of a rule did: one timeline with these episodes."""
    (group,) = rule_files("A", expr=expr).groups
    (rule,) = group.rules
    rule = replace(rule, for_s=for_s, labels=rule_labels, position=Place("r.yaml", 1, 1))
    group = replace(group, interval_s=15.0, rules=(rule,))
    own = (Timeline("A", labels, tuple(episodes)),) if episodes else ()
    return AlertCourse(0, group, rule, own, others, (labels,))


FIRED = Episode(60.0, 120.0, 300.0)
AGAIN = Episode(400.0, 460.0, None)
NEAR = Episode(500.0, None, 560.0)


def shown(observations):
    """Return cell and words of what was observed; all of it binds."""
    every = list(observations)
    assert all((each.number, each.binds) == (0, True) for each in every)
    return [(each.cell, each.shown) for each in every]


def test_what_fired_and_resolved_has_the_first_and_the_last_time(asked):
    """The opposites: it never fired, it never resolved; what was pending alone stays."""
    earlier = Episode(10.0, 70.0, 90.0)
    assert shown(episode_cells(SCENARIO, course(FIRED, earlier, NEAR))) == [
        ("fires", "fired at 1m10s"),
        ("resolves", "resolved at 5m"),
        ("near_for", "held for 45s of 1m from 8m20s"),
    ]
    silent, endless, fired = asked
    assert silent == [NEAR]
    assert endless == [replace(FIRED, resolved_s=None), replace(earlier, resolved_s=None), NEAR]
    assert fired == [FIRED, earlier, replace(NEAR, firing_s=545.0)]


@pytest.mark.parametrize(
    ("episodes", "for_s", "cells"),
    [
        ([], 60.0, []),
        ([AGAIN], 60.0, ["fires"]),
        ([FIRED], 60.0, ["fires", "resolves"]),
        ([Episode(-100.0, -40.0, 0.0)], 60.0, []),  # past
        ([Episode(-100.0, -40.0, 1.0)], 60.0, ["fires", "resolves"]),
        ([Episode(0.0, None, 45.0)], 60.0, ["near_for"]),  # half a minute of one
        ([Episode(0.0, None, 44.9)], 60.0, []),
        ([Episode(-1.0, None, 60.0)], 60.0, []),
        ([Episode(500.0, None, None)], 60.0, []),
        ([NEAR], 0.0, []),
    ],
)
def test_each_cell_is_shown_by_its_own_episodes(asked, episodes, for_s, cells):
    """Of the scenario, not of its past; a `for` is nearly met from half of it on."""
    named = [cell for cell, _ in shown(episode_cells(SCENARIO, course(*episodes, for_s=for_s)))]
    assert named == cells
    assert len(asked) == len(cells)


def test_the_nearest_of_several_is_the_one_that_held_longest(asked):
    """The first of equals."""
    shorter, longer = Episode(100.0, None, 150.0), Episode(200.0, None, 260.0)
    same = Episode(300.0, None, 360.0)
    for order in ((shorter, longer, same), (longer, shorter, same)):
        [(_, words)] = shown(episode_cells(SCENARIO, course(*order)))
        assert words == "held for 45s of 1m from 3m20s"
    assert asked[0] == [shorter, replace(longer, firing_s=245.0), same]


@dataclass
class Routes:
    """Routing of which is known who is notified, and who is muted until a date."""

    receivers: tuple[str, ...]
    muted: str = ""
    until_s: float = 0.0

    def receivers_of(self, labels):
        """Return all of them."""
        assert labels == {"alertname": "A", "pool": "x"}
        return self.receivers

    def muting(self, labels, receiver, date_s):
        """Mute one of them."""
        assert labels["alertname"] == "A"
        return "muted" if receiver == self.muted and date_s < self.until_s else None


def expecting(*lines):
    """Return the scenario with these expectations on A."""
    text = "".join(f"- {{alert: A, cause: gone, {line}}}\n" for line in lines)
    return scenario_of(f"duration: 10m\nfaults:\n{FAULT}expectations:\n{text}")


FIRES = "fires_within: 3m"


@pytest.mark.parametrize(
    ("receivers", "routes", "said"),
    [
        ("[a, b]", Routes(("b", "a")), ("routed to b, a", True)),
        ("[a]", Routes(("a", "b")), ("routed to a, b", False)),
        ("[a, b]", Routes(("a",)), ("routed to a", False)),
        (None, Routes(("a",)), ("routed to a", False)),
        ("[a]", Routes(()), None),
        ("[a]", Routes(("a", "b"), "b", 1121.0), ("routed to a", True)),
        ("[a]", Routes(("a", "b"), "b", 1120.0), ("routed to a, b", False)),
        ("[a]", Routes(("a",), "a", 1e9), None),
    ],
)
def test_who_is_notified_when_it_fires_is_held_by_an_expectation_that_names_them(
    receivers, routes, said
):
    """Exactly these, in any order; at the date at which it fires."""
    scenario = expecting(FIRES + (f", receivers: {receivers}" if receivers else ""))
    notified = list(routed(scenario, course(NEAR, FIRED), routes, 1000.0))
    assert [(each.shown, each.binds) for each in notified] == ([said] if said else [])
    assert all((each.cell, each.number) == ("notified", 0) for each in notified)
    assert list(routed(scenario, course(NEAR), routes, 1000.0)) == []


def test_an_alert_is_misrouted_when_no_notification_of_it_goes_where_it_should():
    """One that does is enough, and without a name nobody can be wrong."""
    scenario = expecting(FIRES + ", receivers: [a, b]")
    right, wrong = (
        Observation(number=0, cell="notified", shown=f"routed to {name}", binds=name == "a, b")
        for name in ("a, b", "c")
    )
    assert misrouted([wrong], scenario, "A") == "routed to c, expected a, b"
    assert misrouted([wrong, right], scenario, "A") is None
    assert misrouted([right], scenario, "A") is None
    assert misrouted([], scenario, "A") is None
    assert misrouted([wrong], expecting(FIRES), "A") is None
    assert misrouted([wrong], scenario, "B") is None


def test_the_judge_is_asked_about_one_rule_with_the_others_of_its_name():
    """Expectations on other alerts are no matter, and what a template would say is not known."""
    other = Timeline("A", (("pool", "y"),), (FIRED,))
    labelled = expecting(f"{FIRES}, labels: {{pool: y}}")
    assert is_accepted(labelled, course(others=(other,)))
    assert not is_accepted(labelled, course(others=()))
    templated = course(FIRED, rule_labels=(("pool", "{{ $labels.p }}"),))
    assert is_accepted(labelled, templated)
    assert not is_accepted(labelled, course(FIRED))
    on_others = replace(labelled.expectations[0], alert="B", labels=())
    assert is_accepted(replace(labelled, expectations=(on_others,)), course())
    exact = expecting(f"{FIRES}, labels: {{pool: x}}")
    exact = replace(
        exact, expectations=(replace(exact.expectations[0], no_other_labels=True, labels=()),)
    )
    assert is_accepted(exact, templated)
    assert is_refused(exact, course(), (Timeline("A", LABELS, (FIRED,)),))


def test_a_firing_is_put_among_the_episodes_of_its_labels():
    """In the place of those that it overlaps; what only touches it stays."""
    before, after = Episode(0.0, None, 60.0), Episode(120.0, None, 180.0)
    inside, open_ = Episode(70.0, None, 80.0), Episode(170.0, None, None)
    new = Episode(60.0, 90.0, 120.0)
    rest = Timeline("A", (("pool", "y"),), (inside,))
    own = Timeline("A", LABELS, (inside, after, before))
    assert with_firing([own, rest], "A", LABELS, new) == [
        rest, Timeline("A", LABELS, (before, new, after)),
    ]  # fmt: skip
    assert with_firing([rest], "A", LABELS, new)[-1] == Timeline("A", LABELS, (new,))
    [late] = with_firing(
        [replace(own, episodes=(open_,))], "A", LABELS, Episode(200.0, 201.0, 210.0)
    )
    assert late.episodes == (Episode(200.0, 201.0, 210.0),)
    assert changed([own], lambda each: None if each is inside else each)[0].episodes == (
        after, before,
    )  # fmt: skip
