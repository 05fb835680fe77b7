"""A receipt says what was sent, in which time, and whether all of it is there, once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.schemas.validation import validate
from verifier.stores.receipt import (
    SCHEMA,
    SHOWN_MAX,
    HeldDifference,
    Receipt,
    receipt_document,
    receipt_lines,
)

SPAN = "2026-03-02T09:00:00Z to 2026-03-02T10:00:00Z"
SINCE_MS, UNTIL_MS = 1_772_442_000_000, 1_772_445_600_000
WHOLE = Receipt(
    samples=3000, series=12, first_ms=SINCE_MS, last_ms=UNTIL_MS, requests=4, retries=0,
    bytes=2_500_000, lost=0, missing=0, doubled=0, changed=0, seconds=1.5,
)  # fmt: skip
LESS = HeldDifference((("__name__", "up"), ("job", "a")), SINCE_MS, UNTIL_MS, 241, 240)


def lines(receipt):
    """Return what a person reads."""
    return list(receipt_lines(receipt, "http://store"))


def test_a_whole_receipt_says_when_how_much_and_how_fast():
    """In three lines."""
    assert lines(WHOLE) == [
        f"Sent 3,000 samples of 12 series to http://store, {SPAN}: 2,000 a second",
        "4 requests, 2.5 MB",
        "Found again: every sample, none twice",
    ]


def test_what_was_tried_again_and_what_was_lost_are_said():
    """Neither keeps it from being whole."""
    again = replace(WHOLE, retries=1, lost=7)
    assert lines(again)[1:] == [
        "4 requests, 2.5 MB, 1 attempt more; 7 samples were lost there and sent again",
        "Found again: every sample, none twice",
    ]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("missing", "1 missing, 0 too many, 0 series changed"),
        ("doubled", "0 missing, 1 too many, 0 series changed"),
        ("changed", "0 missing, 0 too many, 1 series changed"),
    ],
)
def test_any_difference_is_said_with_its_first_places(field, text):
    """Not more of them than are read."""
    receipt = replace(WHOLE, differences=(LESS,) * (SHOWN_MAX + 1), **{field: 1})
    assert not receipt.whole
    said = lines(receipt)
    assert said[-1] == f"NOT FOUND AGAIN: {text}"
    assert said[2:-1] == [str(LESS)] * SHOWN_MAX


def test_a_difference_is_named_by_its_series_and_its_time():
    """As many samples as were sent, and others, is one as well."""
    span = f"from {SPAN}"
    assert str(LESS) == f'up{{job="a"}}: 240 of 241 samples, {span}'
    other = replace(LESS, held=241)
    assert str(other) == f'up{{job="a"}}: 241 samples, not those that were sent, {span}'


def test_the_document_says_the_same():
    """By its published schema."""
    receipt = replace(WHOLE, retries=1, lost=2, missing=3, doubled=4, changed=5,
                      differences=(LESS,))  # fmt: skip
    document = receipt_document(receipt, scenario="drop", seed=7, url="http://store")
    validate(document, json.loads(SCHEMA.read_text()))
    assert {name: document[name] for name in ("retries", "lost", "missing", "doubled")} == {
        "retries": 1, "lost": 2, "missing": 3, "doubled": 4,
    }  # fmt: skip
    assert (document["changed"], document["seconds"], document["samples_per_s"]) == (5, 1.5, 2000)
    assert (document["from"], document["to"]) == ("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z")
    (difference,) = document["differences"]
    assert (difference["sent"], difference["held"]) == (241, 240)
    assert (difference["from"], difference["to"]) == (document["from"], document["to"])
    assert replace(WHOLE, seconds=0.0).samples_per_s == 0.0


@pytest.mark.parametrize(
    ("held", "text"),
    [
        (240, "240 of 241 samples"),
        (241, "241 samples, not those that were sent"),
        (242, "242 of 241 samples"),
    ],
)
def test_a_series_that_is_held_otherwise_is_said_by_its_count_or_its_samples(held, text):
    """As many may be others."""
    since, until = SPAN.split(" to ")
    line = str(replace(LESS, held=held))
    assert line == f'up{{job="a"}}: {text}, from {since} to {until}'


@pytest.mark.parametrize(("seconds", "per_s"), [(0.0, 0.0), (0.5, 6000.0), (1.0, 3000.0)])
def test_how_many_samples_a_second_is_known_of_any_time(seconds, per_s):
    """None, where no time passed."""
    assert replace(WHOLE, seconds=seconds).samples_per_s == per_s


def test_the_document_has_times_to_the_millisecond():
    """And a rate to a tenth."""
    timed = replace(WHOLE, seconds=1.23456)
    document = receipt_document(timed, scenario="s", seed=1, url="http://a")
    assert (document["seconds"], document["samples_per_s"]) == (1.235, 2430.0)
