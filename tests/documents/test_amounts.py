"""A number agrees with its noun, whatever stands beside the noun."""

from __future__ import annotations

import pytest

from documents.amounts import amount, figure, listed, measured_figures
from simulator.faults.kinds.catalogue import FAULTS


@pytest.mark.parametrize(
    ("figure", "nouns", "text"),
    [
        (0, "scrapes", "0 scrapes"),
        (1, "scrapes", "1 scrape"),
        (1200, "scrapes", "1,200 scrapes"),
        ("1", "failed scrapes", "1 failed scrape"),
        ("1.0", "failed scrapes", "1.0 failed scrapes"),
        ("1", "crashes", "1 crash"),
        ("1", "restarts seen", "1 restart seen"),
        ("1", "arrivals per second", "1 arrival per second"),
        ("1", "seconds, mean delay of a scrape", "1 second, mean delay of a scrape"),
        ("1", "series missing from a scrape, mean", "1 series missing from a scrape, mean"),
        ("1", "stolen CPU seconds", "1 stolen CPU second"),
        ("1", "caches", "1 cache"),
        ("1", "queries of panels", "1 query of panels"),
        ("1", "tasks of agents", "1 task of agents"),
    ],
)
def test_one_thing_is_called_in_the_singular(figure, nouns, text):
    """The first noun only; a number that is written with decimals keeps the plural."""
    assert amount(figure, nouns) == text


def test_every_unit_of_an_effect_reads_well_after_one():
    """No unit of the catalogue is cut to something that is no word."""
    ones = {amount("1", kind.facts.effect_unit) for kind in FAULTS.values()}
    assert ones == {
        "1 crash",
        "1 hang",
        "1 second, mean start-up",
        "1 lost message",
        "1 flood message",
        "1 message waiting, mean of a target",
        "1 leaked byte",
        "1 stolen CPU second",
        "1 second, mean task",
        "1 leaked slot",
        "1 slot down",
        "1 failed scrape",
        "1 restart seen",
        "1 second, mean delay of a scrape",
        "1 share lost of a scrape, mean",
        "1 series missing from a scrape, mean",
        "1 further series in a scrape, mean",
        "1 failed task",
        "1 agent fewer",
        "1 health check missed",
        "1 arrival per second",
        "1 active agent",
    }


@pytest.mark.parametrize(
    ("names", "text"),
    [("A", "A"), ("AB", "A and B"), ("ABA", "A and B"), ("ABC", "A, B and C")],
)
def test_names_are_listed_as_a_sentence_lists_them(names, text):
    """Each once, with one `and`."""
    assert listed(names) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (5.157e-05, "0.0000516"),
        (-5.157e-05, "-0.0000516"),
        (0.000999, "0.000999"),
        (0.07924, "0.07924"),
        (0.0010004, "0.001"),
        (999.94, "999.9"),
        (12345.6, "12,346"),
        (-12345.6, "-12,346"),
        (1000.0, "1,000"),
        (0.001, "0.001"),
        (2.5e-07, "0.00000025"),
        (1e-07, "0.0000001"),
        (6.5e-10, "6.5e-10"),
        (float("inf"), "+inf"),
        (float("nan"), "+nan"),
    ],
)
def test_a_number_is_written_as_people_read_it(value, text):
    """An exponent only where all digits would be zeros."""
    assert figure(value) == text


@pytest.mark.parametrize(
    ("measured", "declared", "nouns", "text"),
    [
        (1.0, 4.0, "crashes", "1 crash measured, 4 declared"),
        (42027.0, 42223.0, "failed tasks", "42,027 failed tasks measured, 42,223 declared"),
        (
            0.1095,
            0.1096,
            "seconds, mean task",
            "mean task 0.1095 s measured, 0.1096 s declared",
        ),
        (
            30.0,
            31.0,
            "series missing from a scrape, mean",
            "series missing from a scrape, mean: 30 measured, 31 declared",
        ),
    ],
)
def test_what_was_measured_stands_beside_what_was_declared(measured, declared, nouns, text):
    """Of nouns with a comma the part behind it says of what."""
    assert measured_figures(measured, declared, nouns) == text


def test_every_unit_of_an_effect_makes_a_whole_sentence():
    """No number stands between a unit and what it is the unit of, as in `2 seconds, mean task`."""
    for kind in FAULTS.values():
        text = measured_figures(2.0, 3.0, kind.facts.effect_unit)
        rest = text.partition("2")[2]
        assert rest.endswith(" declared")
        assert " measured, 3" in rest
        assert "," not in rest.replace(" measured, 3", "")
