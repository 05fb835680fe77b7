"""Tables between marks: filled by name, everything around them untouched."""

from __future__ import annotations

import pytest

from documents.marked_tables import fill_tables, markdown_table

PAGE = "before\n<!-- `make docs` writes {} -->\n{}<!-- end -->\nafter\n"


def test_a_table_has_a_line_for_its_header_and_for_each_row():
    """Header, rule, rows."""
    assert markdown_table(("a", "b"), [("1", "2"), ("3", "4")]) == (
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n"
    )


@pytest.mark.parametrize("old", ["", "| old |\n", "anything\n\nat all\n"])
def test_what_stands_between_the_marks_is_replaced(old):
    """And nothing else."""
    filled = fill_tables(PAGE.format("one", old), {"one": lambda: "| new |\n"})
    assert filled == PAGE.format("one", "| new |\n")


def test_each_table_is_filled_by_its_name():
    """Two tables of one page are not mixed up."""
    page = PAGE.format("one", "") + PAGE.format("two", "")
    filled = fill_tables(page, {"one": lambda: "1\n", "two": lambda: "2\n"})
    assert filled == PAGE.format("one", "1\n") + PAGE.format("two", "2\n")


def test_an_unknown_name_is_an_error():
    """Otherwise a misspelt mark would keep its table out of date."""
    with pytest.raises(KeyError, match="tow"):
        fill_tables(PAGE.format("tow", ""), {"two": str})
