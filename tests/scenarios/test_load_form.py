"""Changes of the load as documents: read, refused with every mistake, written as they were sent."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from documents.mistakes import InputError
from scenarios.load_form import LoadForm
from simulator.load import LoadChange, Stage

CLIMB = {"stages": [{"target": 15000, "duration": "30s"}, {"target": 15000, "duration": "5m"}]}
STAGE = {"target": 1, "duration": "1s"}
REFUSED = [
    ({}, "the key 'stages' is missing"),
    ({"stages": []}, "stages must be a list of at least 1, got a list"),
    ({"stages": [STAGE] * 101}, "stages must be a list of at most 100, got a list"),
    ({"stages": [{"target": 5}]}, "the key 'duration' is missing in stages[0]"),
    (
        {"stages": [{**STAGE, "duration": 5}]},
        "stages[0].duration must be a duration with a unit, such as 1h30m, 200ms or 0s, got 5",
    ),
    (
        {"stages": [{**STAGE, "duration": "0s"}]},
        "stages must take more than 0s and at most 1h together, got 0s",
    ),
    (
        {"stages": [{**STAGE, "duration": "31m"}] * 2},
        "stages must take more than 0s and at most 1h together, got 1h2m",
    ),
    ({"stages": [{**STAGE, "target": -1}]}, "stage: target must be 0 to 2000000, got -1"),
    ({"stages": [{**STAGE, "target": "many"}]}, "stages[0].target must be a number, got 'many'"),
    ({"stages": [STAGE], "duraton": "1s"}, "unknown key 'duraton', the keys are stages"),
    (
        {"stages": [{"duration": "1h", "target": -1}, {"duration": "1h", "target": -2}]},
        (
            "stages must take more than 0s and at most 1h together, got 2h; stage: target must be"
            " 0 to 2000000, got -1; stage: target must be 0 to 2000000, got -2"
        ),
    ),
    ([], "the body must be a JSON object"),
    (None, "the body must be a JSON object"),
]


def test_stages_are_read_and_written_back():
    """In k6's words; times are durations with a unit."""
    stages = LoadForm().read(json.dumps(CLIMB).encode())
    assert stages == (
        Stage(duration_s=30.0, target=15000.0), Stage(duration_s=300.0, target=15000.0)
    )  # fmt: skip
    change = LoadChange(stages=stages, start_s=0.0, from_per_s=1.0)
    assert LoadForm().write(change) == CLIMB["stages"]


def test_stages_of_an_hour_together_are_read():
    """To the millisecond: the longest change that is allowed."""
    for durations in (["1h"], ["30m", "30m"]):
        stages = [{"target": 1, "duration": duration} for duration in durations]
        assert len(LoadForm().read(json.dumps({"stages": stages}).encode())) == len(durations)
    with pytest.raises(InputError):
        LoadForm().read(json.dumps({"stages": [{"target": 1, "duration": "60m1ms"}]}).encode())


@pytest.mark.parametrize(("body", "sentence"), REFUSED)
def test_each_mistake_is_named(body, sentence):
    """By the key and the rule."""
    with pytest.raises(InputError) as caught:
        LoadForm().read(json.dumps(body).encode())
    assert [str(mistake) for mistake in caught.value.mistakes] == sentence.split("; ")


def test_the_schema_takes_what_the_form_takes():
    """And refuses keys that are not there."""
    validator = Draft202012Validator(LoadForm().schema())
    assert validator.is_valid(CLIMB)
    assert not validator.is_valid({"stages": []})
    assert not validator.is_valid({**CLIMB, "colour": 1})
