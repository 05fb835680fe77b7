"""Each of Grafana's formats, of one value, of a list of one, of several and of none."""

from __future__ import annotations

import pytest

from verifier.dashboards.formats import VariableValue, write_value

PLAIN = VariableValue("v", ("a.b",))
MARKS = VariableValue("v", ("a\\b'c\"d/e",))
OF_ONE = VariableValue("v", ("a.b",), is_list=True, several=True)
NONE = VariableValue("v", ())
EMPTY_LIST = VariableValue("v", (), is_list=True, several=True)
ALL_OF_TWO = VariableValue("v", ("a", "b"), is_list=True, several=True, stands_for_all=True)
EVERYTHING = VariableValue("v", (), literal=".*,", stands_for_all=True)


@pytest.mark.parametrize(
    "line",
    [
        ("", "a.b", "a\\\\b\\\\'c\"d/e", r"a\\.b", "", "()"),
        ("csv", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("distributed", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("doublequote", '"a.b"', '"a\\b\'c\\"d/e"', '"a.b"', "", ""),
        ("glob", "a.b", "a\\b'c\"d/e", "a.b", "{}", "{}"),
        ("html", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("join", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("json", '"a.b"', '"a\\\\b\'c\\"d/e"', '["a.b"]', '""', "[]"),
        ("lucene", "a.b", "a\\\\b'c\\\"d\\/e", '("a.b")', "", "__empty__"),
        ("percentencode", "a.b", "a%5Cb%27c%22d%2Fe", "%7Ba.b%7D", "", "%7B%7D"),
        ("pipe", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("queryparam", "var-v=a.b", "var-v=a%5Cb%27c%22d%2Fe", "var-v=a.b", "", ""),
        ("raw", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("regex", r"a\.b", "a\\\\b'c\"d\\/e", r"a\.b", "()", "()"),
        ("singlequote", "'a.b'", "'a\\b\\'c\"d/e'", "'a.b'", "", ""),
        ("sqlstring", "'a.b'", "'a\\b''c\"d/e'", "'a.b'", "", ""),
        ("text", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
        ("uriencode", "a.b", "a%5Cb%27c%22d/e", "a.b", "", ""),
        ("date:YYYY", "a.b", "a\\b'c\"d/e", "a.b", "{}", "{}"),  # not known: as `glob`
        ("pipe:x", "a.b", "a\\b'c\"d/e", "a.b", "", ""),
    ],
)
def test_a_format_writes_every_kind_of_value(line: tuple[str, ...]) -> None:
    """A plain value, one with marks, a list of one, no value, no value of a list.

    What is no list is not written as one, and marks are escaped as each form has it.
    """
    form, *expected = line
    written = [write_value(value, form) for value in (PLAIN, MARKS, OF_ONE, NONE, EMPTY_LIST)]
    assert written == expected


@pytest.mark.parametrize(
    ("form", "two", "everything"),
    [
        ("", "(a|b)", ".*,"),
        ("html", "a, b", ".*,"),
        ("uriencode", "a,b", ".*,"),
        ("percentencode", "%7Ba%2Cb%7D", ".%2A%2C"),
        ("queryparam", "var-v=%24__all", ".*,"),
        ("regex:x", "(a|b)", ".*,"),
        ("unknown", "{a,b}", ".*,"),
        ("text", "All", "All"),
    ],
)
def test_all_of_a_list_or_a_value_that_stands_for_all(form: str, two: str, everything: str) -> None:
    """The latter as it is in every form but two."""
    assert write_value(ALL_OF_TWO, form) == two
    assert write_value(EVERYTHING, form) == everything


def test_one_of_several_is_a_regular_expression_though_no_list() -> None:
    """As a repeated panel has it: each mark of RE2 is escaped twice, a slash is none."""
    value = VariableValue("v", ("a.$^*{}[]'+?()|/\\b",), several=True)
    marks = "".join(f"\\\\{mark}" for mark in "$^*{}[]'+?()|")
    assert write_value(value) == f"a\\\\.{marks}/\\\\\\\\b"
