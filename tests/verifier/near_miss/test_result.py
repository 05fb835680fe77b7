"""What a search came to, said of a boundary that was made by hand."""

from __future__ import annotations

import json

import pytest

from documents.yaml_reader import parse
from scenarios.loader import parse_scenario
from tests.schemas.validation import validate
from tests.verifier.alerts import rule_files
from verifier.near_miss.knobs import Knob
from verifier.near_miss.margin import SafeValue, SeedResult
from verifier.near_miss.probing import Nearness
from verifier.near_miss.result import SCHEMA, near_miss_document, near_miss_lines
from verifier.near_miss.search import Boundary, Probe
from verifier.near_miss.searching import NearMiss, SearchRequest

TEXT = "name: drop\nstory: A drop.\nseed: 7\nduration: 20m\n"
SHARE = Knob(name="share", fault="gone", steps=(), value=0.4, low=0.0, high=1.0)
RESULTS = (SeedResult(7, ("430 from 1m", "429 from 5m")), SeedResult(9, ("431 from 1m",)))
UP = (
    Probe(0.1, fired=False, nearness=Nearness(440.0, 400.0, 0.0, 60.0)),
    Probe(0.2, fired=False, nearness=Nearness(410.0, 400.0, 45.0, 60.0)),
    Probe(0.21, fired=True, nearness=Nearness(390.0, 400.0, 60.0, 60.0)),
    Probe(0.3, fired=True),
    Probe(0.4, fired=True, nearness=Nearness(0.0, 0.0, 60.0, 60.0)),
)


def missed(boundary, safe, **changes):
    """Return the near miss of a boundary."""
    request = SearchRequest(
        scenario=parse_scenario(TEXT, "drop.yaml"), document=parse(TEXT, "drop.yaml").data,
        target=None, schema=None, rules=rule_files("Low"), routing=None, alert="Low", knob=SHARE,
        cell="near_threshold", seeds=(7, 9),
    )  # fmt: skip
    values = {"text": TEXT, "explained": (), "results": RESULTS} | changes
    return NearMiss(request=request, boundary=boundary, safe=safe, **values)


def test_both_sides_of_the_boundary_and_the_safe_value_are_said_each_with_its_own():
    """Where more is what fires, the largest silent value is beside the smallest that fires."""
    miss = missed(Boundary(UP[1], UP[2], UP), SafeValue(0.18, 0.19, RESULTS), explained=("High",))
    assert list(near_miss_lines(miss)) == [
        "Low: a near miss of its threshold by share of gone in drop",
        "  largest silent         0.2  410, 102.5 % of the threshold 400, held for 45s of 1m",
        "  smallest firing       0.21  390, 97.5 % of the threshold 400, held for 1m of 1m",
        "  near miss             0.18  on seeds 7, 9; so is 0.19",
        "    seed 7: 430 from 1m",
        "    seed 9: 431 from 1m",
        "  High fires as well: it is explained in the scenario",
        "  5 probes for the boundary",
    ]


def test_where_less_fires_the_words_change_sides_and_a_second_boundary_is_said():
    """Silent below what fires, too."""
    firing, silent, odd = Probe(0.2, fired=True), Probe(0.21, fired=False), Probe(0.1, fired=False)
    boundary = Boundary(silent, firing, (odd, firing, silent))
    lines = list(near_miss_lines(missed(boundary, SafeValue(0.25, 0.23, RESULTS))))
    assert lines[1:3] == ["  smallest silent       0.21", "  largest firing         0.2"]
    miss = missed(boundary, SafeValue(0.25, 0.23, RESULTS))
    document = near_miss_document(miss.request, miss)
    assert document["near_miss"]["not_monotone"] == [{"silent": 0.1, "firing": 0.2}]
    assert "  not monotone: it fires at 0.2 and is silent at 0.1, so" in "\n".join(lines)


def test_the_document_has_every_probe_with_what_was_measured():
    """Nothing where nothing is known."""
    miss = missed(Boundary(UP[1], UP[2], UP), SafeValue(0.18, 0.19, RESULTS))
    document = near_miss_document(miss.request, miss)
    validate(document, json.loads(SCHEMA.read_text()))
    assert (document["scenario"], document["parameter"], document["unit"]) == (
        "drop",
        "share",
        None,
    )
    said = document["near_miss"]
    assert (said["value"], said["nearer"]) == (0.18, 0.19)
    assert (said["silent"]["value"], said["firing"]["value"]) == (0.2, 0.21)
    assert said["probes"][1] == {
        "value": 0.2, "fired": False, "measured": 410.0, "threshold": 400.0,
        "share": pytest.approx(1.025), "held_s": 45.0, "for_s": 60.0,
    }  # fmt: skip
    assert said["probes"][3] == {
        "value": 0.3, "fired": True, "measured": None, "threshold": None, "share": None,
        "held_s": None, "for_s": None,
    }  # fmt: skip
    assert said["probes"][4] == {
        "value": 0.4, "fired": True, "measured": 0.0, "threshold": 0.0, "share": None,
        "held_s": 60.0, "for_s": 60.0,
    }  # fmt: skip
    assert near_miss_document(miss.request, "why not")["reason"] == "why not"


@pytest.mark.parametrize(
    ("nearness", "distance", "words"),
    [
        ((90.0, 100.0, 0.0, 0.0), 0.1, "90, 90.0 % of the threshold 100"),
        ((120.0, 100.0, 30.0, 60.0), 0.2, "120, 120.0 % of the threshold 100, held for 30s of 1m"),
        ((3.0, 0.0, 0.0, 0.0), float("inf"), "3, the threshold 0"),
        ((None, None, 30.0, 60.0), float("inf"), "held for 30s of 1m"),
        ((None, None, 0.0, 0.0), float("inf"), "no number is known"),
    ],
)
def test_how_near_an_alert_came_is_a_share_of_its_threshold(nearness, distance, words):
    """On either side of it; of 0 there is no share."""
    near = Nearness(*nearness)
    assert near.distance == pytest.approx(distance)
    assert near.words == words
