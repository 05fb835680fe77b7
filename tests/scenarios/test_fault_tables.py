"""The tables of faults in the documentation agree with the code."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from documents.marked_tables import fill_tables
from scenarios.fault_tables import FAULT_TABLES, effects_table, parameters_table
from scenarios.schema.derived import key_of
from simulator.faults.kinds.catalogue import FAULTS

PAGES = {"docs/scenarios.md": "parameters", "docs/fault.md": "effects"}


def cells_of(table, fault):
    """Return the cells of a fault's one row."""
    (row,) = re.findall(rf"^\| `{fault}` \| (.*) \|$", table, re.MULTILINE)
    return row.split(" | ")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_holds_the_tables_that_the_code_writes(page, repository):
    """Whoever adds or changes a fault runs `make docs`."""
    text = (repository / page).read_text(encoding="utf-8")
    assert f"<!-- `make docs` writes {PAGES[page]} -->" in text
    assert fill_tables(text, FAULT_TABLES) == text, "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_differs_is_detected_and_corrected(page, repository):
    """A cell that differs, a row that is missing; nothing outside the marks is touched."""
    text = (repository / page).read_text(encoding="utf-8")
    for wrong in (
        text.replace("| `slow_start` |", "| `slow_begin` |"),
        re.sub(r"^\| `memory_leak` .*\n", "", text, flags=re.MULTILINE),
    ):
        assert wrong != text
        assert fill_tables(wrong, FAULT_TABLES) == text
    with pytest.raises(KeyError, match="recipes"):
        fill_tables(text.replace(f"writes {PAGES[page]} -->", "writes recipes -->"), FAULT_TABLES)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_row_with_its_targets_parameters_and_bounds(fault):
    """The first line of its class, what it targets, each parameter under its key of the file."""
    what, aims_at, parameters = cells_of(parameters_table(), fault)
    assert what
    assert aims_at == FAULTS[fault].facts.aims_at
    keys = re.findall(r"(?:^|; )`(\w+)`", parameters)
    assert keys == [key_of(field.name) for field in fields(FAULTS[fault])]
    assert keys or parameters == "none"


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_row_with_its_effect(fault):
    """What is measured and what is expected, neither of them empty."""
    measured, expected = cells_of(effects_table(), fault)
    assert (measured, expected) == (FAULTS[fault].facts.measured, FAULTS[fault].facts.expected)
    assert measured
    assert expected


def test_a_parameter_is_shown_with_its_default_and_its_bounds():
    """Durations as in a file, great numbers in groups."""
    table = parameters_table()
    assert "`alive` (200ms) from every start to the next death: 1ms to 1d" in table
    assert "`latency` (200ms) more for every call: 0s to 1h" in table
    assert "`series` more on every page: 1 to 10,000 |" in table
