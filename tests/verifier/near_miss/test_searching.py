"""A whole search in a small world: what it returns is a near miss, and nothing else can pass."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from agentaskit_sim.front.pack_files import PACK_ROUTING
from documents.yaml_reader import parse
from scenarios.loader import parse_scenario
from tests.schemas.validation import validate
from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY
from verifier.coverage.observing import CoverageJudge
from verifier.near_miss import searching
from verifier.near_miss.knobs import knobs_of
from verifier.near_miss.margin import SafeValue, SeedResult, margins, safe_value
from verifier.near_miss.result import SCHEMA, near_miss_document, near_miss_lines
from verifier.near_miss.search import NoNearMissError
from verifier.near_miss.searching import NearMissSearch, SearchRequest
from verifier.pack.routes.routing import load_routing

TEXT = """\
name: drop
story: |
  Traffic is gone.
seed: 1
duration: 5m30s
load: {rate: 500}
faults:
  - {name: gone, fault: traffic_drop, start: 1m, duration: 3m30s, parameters: {share: 0.3}}
expectations:
  - {alert: Low, cause: gone, fires_within: 4m}
"""
RATE = "sum(rate(agentaskit_tasks_processed_total[1m]))"


class SilentWatcher:
    """Keeps the lines of a search."""

    def __init__(self):
        """Know of none yet."""
        self.lines = []

    def say(self, message):
        """Keep it."""
        self.lines.append(message)

    def progress(self, progress):
        """Show nothing."""

    def done(self, outcome):
        """Note nothing."""


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Return the alert that is searched, one that fires before it, and one that never does."""
    return rules(
        tmp_path_factory.mktemp("rules"),
        {"alert": "Low", "expr": f"{RATE} < 400", "for": "1m"},
        {"alert": "Lower", "expr": f"{RATE} < 475", "for": "1m"},
        {"alert": "Both", "expr": f"{RATE} < 400 and {RATE} > 1", "for": "1m"},
    )


def request(read, alert="Low", parameter="share", **others):
    """Return the request of a search on two seeds."""
    scenario, document = parse_scenario(TEXT, "drop.yaml"), parse(TEXT, "drop.yaml").data
    knob = next(k for k in knobs_of(scenario, document) if k.name == parameter)
    return SearchRequest(
        scenario=scenario, document=document, target=Path("near.yaml"), schema=None, rules=read,
        routing=load_routing(PACK_ROUTING), alert=alert, knob=knob, seeds=(1, 2),
        cell="near_for" if parameter == "duration" else "near_threshold", **others,
    )  # fmt: skip


def search(asked):
    """Return a search that shares the healthy worlds of all tests."""
    return NearMissSearch(asked, SilentWatcher(), 1, HEALTHY)


@pytest.fixture(scope="module")
def miss(read):
    """Return the near miss of a threshold."""
    return search(request(read, low=0.17, high=0.21, probes_max=3)).run()


@pytest.mark.ci
def test_the_near_miss_is_silent_and_proven_on_every_seed(read, miss):
    """By the judge of `coverage`, asked here once more, of the text as it would be saved."""
    assert miss.boundary.silent.value < miss.boundary.firing.value
    assert miss.safe.value < miss.safe.nearer < miss.boundary.firing.value
    scenario = parse_scenario(miss.text, "near.yaml")
    outcome = CoverageJudge(read, load_routing(PACK_ROUTING))(HEALTHY, scenario, lambda _: None)
    assert outcome.verdict == "pass"
    proven = {(each.number, each.cell) for each in outcome.observations if each.binds}
    assert (0, "near_threshold") in proven
    assert [each.seed for each in miss.results] == [1, 2]


def test_what_fires_as_well_is_explained_and_what_is_expected_stays(miss):
    """The searched alert must be silent; the expectation that it fires is gone."""
    expectations = parse(miss.text, "near.yaml").data["expectations"]
    assert expectations[0] == {"alert": "Low", "silent": True}
    assert [(each["alert"], "explained" in each) for each in expectations[1:]] == [("Lower", True)]


def test_the_result_is_said_and_a_document(miss):
    """How near it came, in words and by the published schema."""
    said = "\n".join(near_miss_lines(miss))
    assert "Low: a near miss of its threshold by share of gone in drop" in said
    assert "% of the threshold 400, held for" in said
    assert "Lower fires as well" in said
    schema = json.loads(SCHEMA.read_text())
    validate(near_miss_document(miss.request, miss), schema)
    validate(near_miss_document(miss.request, "why not"), schema)


def test_a_value_that_fires_is_never_reported_as_a_near_miss(read, monkeypatch):
    """Planted: margins on the firing side, and a choice of the first of them, unjudged."""
    asked = replace(request(read, low=0.19, high=0.25, probes_max=2), seeds=(1,))
    probe, searches = cache(search(asked)._probe), search(asked)
    monkeypatch.setattr(NearMissSearch, "_probe", lambda _, value: probe(value))
    monkeypatch.setattr(searching, "margins", lambda *_, **__: iter([0.25]))
    with pytest.raises(NoNearMissError, match="no value beside that is a near miss"):
        searches.run()
    monkeypatch.setattr(searching, "safe_value", lambda *_: SafeValue(0.25, 0.25, ()))
    monkeypatch.setattr(searching, "COMPLETE_MAX", 1)
    with pytest.raises(NoNearMissError, match=r"Low: it fired at .*, it must stay silent"):
        searches.run()


def test_a_condition_of_two_comparisons_has_no_near_value(read):
    """It is said at the first probe, not after a search."""
    with pytest.raises(NoNearMissError, match="not one comparison with a number"):
        search(request(read, alert="Both")).run()


@pytest.mark.long
def test_a_near_miss_of_the_wait_is_searched_by_the_duration(read):
    """It holds for at least half of its `for`, and ends before it fires."""
    asked = request(read, parameter="duration", low=30.0, high=150.0)
    miss = search(asked).run()
    assert miss.boundary.upwards
    assert miss.safe.value < miss.boundary.silent.value
    assert all("held for" in each.shown[0] for each in miss.results)


def test_two_neighbouring_margins_must_hold_and_the_further_is_taken():
    """Planted: one that holds by chance beside one that does not."""
    holds, fails = (SeedResult(1, ("near",)),), (SeedResult(1, (), "it fired"),)
    judged = {0.9: holds, 0.8: fails, 0.7: holds, 0.6: holds}
    safe = safe_value(iter(judged), judged.__getitem__)
    assert (safe.value, safe.nearer) == (0.6, 0.7)
    assert safe_value(iter([0.9, 0.8]), judged.__getitem__) == fails


def test_margins_lead_away_from_the_firing_side():
    """Whichever side that is."""
    knob = request(None).knob
    for upwards in (True, False):
        values = [*margins(knob, 0.5, 0.0, upwards=upwards)]
        assert values == sorted(values, reverse=upwards)
        assert all((value < 0.5) == upwards for value in values)
