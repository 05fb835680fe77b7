"""JSON is read as the standard library reads it, with the place of every key and value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import json_reader
from documents.mistakes import InputError
from documents.yaml_reader import parse_json


def test_json_values_have_their_place_too():
    """A dashboard's mistake has its line and column, tabs and all."""
    text = '{\n\t"title": "SLA",\n\t"panels": [\n\t\t{"id": 1, "expr": "up"}\n\t]\n}\n'
    document = parse_json(text, "d.json")
    assert document.data == json.loads(text)
    assert document.position(("panels", 0, "expr")) == (4, 21)
    assert document.key_position(("panels", 0, "expr")) == (4, 13)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "d.json:1:1: this is not JSON: a value is missing"),
        ('{"a": 1,}', "d.json:1:9: this is not JSON: expected a key in double quotes"),
        ('{"a": 1\n "b": 2}', "d.json:2:2: this is not JSON: expected ','"),
        ('{"a" 1}', "d.json:1:6: this is not JSON: expected ':'"),
        ("[1, 2", "d.json:1:6: this is not JSON: expected ','"),
        ('["x', "d.json:1:2: this is not JSON: unterminated string starting at"),
        ('{"a": NaN}', "d.json:1:7: this is not JSON: unexpected 'N'"),
        ("{} {}", "d.json:1:4: this is not JSON: the document has ended"),
        ("{}x", "d.json:1:3: this is not JSON: the document has ended"),
        ("[1,\n]", "d.json:2:1: this is not JSON: unexpected ']'"),
        ('{\n"a":\n1, "a": 2}', "d.json:3:4: duplicate key 'a', first given in line 2"),
        ('{"a": 1,\n "a": 2}', "d.json:2:2: duplicate key 'a', first given in line 1"),
        ('{"a"\n}', "d.json:2:1: this is not JSON: expected ':'"),
        ('{"a":', "d.json:1:6: this is not JSON: a value is missing"),
        ("[1,", "d.json:1:4: this is not JSON: a value is missing"),
        ("[1] \n 2", "d.json:2:2: this is not JSON: the document has ended"),
        ('[1,\n"\n"]', "d.json:2:2: this is not JSON: invalid control character at"),
        ("[Infinity]", "d.json:1:2: this is not JSON: unexpected 'I'"),
        ("[-x]", "d.json:1:2: this is not JSON: expecting value"),
        ("[" * 200, "d.json:1:130: values must be nested at most 128 deep"),
    ],
)
def test_a_json_mistake_is_reported_with_its_place(text, message):
    """One exact line for each kind of mistake."""
    with pytest.raises(InputError) as caught:
        parse_json(text, "d.json")
    assert str(caught.value) == message


@pytest.mark.parametrize("space", ["\f", "\v", "\u00a0", "\ufeff"])
def test_only_the_four_spaces_of_json_are_spaces(space):
    """RFC 8259: blank, tab, line feed, carriage return."""
    assert parse_json("\r\n\t [\r1 ]\r", "d.json").data == [1]
    with pytest.raises(InputError, match="this is not JSON"):
        parse_json(f"[{space}1]", "d.json")


def test_a_document_may_be_as_deep_as_the_bound():
    """One level more is too deep."""
    assert parse_json("[" * 128 + "1" + "]" * 128, "d.json").data
    with pytest.raises(InputError, match="nested at most 128 deep"):
        parse_json("[" * 129 + "1" + "]" * 129, "d.json")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 1, "\t"]))
def test_json_reads_as_the_standard_library_reads_it(value, indent):
    """The walk that notes places changes no value."""
    text = json.dumps(value, indent=indent, allow_nan=False)
    assert parse_json(text, "d.json").data == json.loads(text)


@pytest.mark.parametrize(
    ("values", "depth", "weight"), [(9, 0, 10), (8, 15, 32), (4, 16, 26), (3, 31, 57)]
)
def test_as_many_values_are_read_as_the_bound(monkeypatch, values, depth, weight):
    """From sixteen steps on each counts as two, from thirty-two as three; one more is too many."""
    monkeypatch.setattr(json_reader, "VALUES_MAX", weight)
    opening, closing = "[" * depth, "]" * depth
    assert parse_json(f"{opening}[{', '.join('1' * values)}]{closing}", "d.json").data
    with pytest.raises(InputError, match="the file must hold at most"):
        parse_json(f"{opening}[{', '.join('1' * (values + 1))}]{closing}", "d.json")


def test_every_value_and_key_has_its_place():
    """Of a list, of what is in it, of what follows a line's end."""
    document = parse_json('[\n 1,\n{"a" :\n[]}]', "d.json")
    assert document.values == {
        (): (1, 1), (0,): (2, 2), (1,): (3, 1), (1, "a"): (4, 1),
    }  # fmt: skip
    assert document.keys == {(1, "a"): (3, 2)}
