"""Files are read with the place of every value, and every mistake is one line that names it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.mistakes import InputError, Place, gather
from documents.sentences import did_you_mean
from documents.yaml_reader import YAML_BYTES_MAX, load, parse, parse_json

GOOD = """\
groups:
  - name: slo        # the first
    rules:
      - {alert: A, expr: "up == 0"}
      - alert: B
        expr: |
          sum(x)
shared: &shared
  depth: 3
used:
  <<: *shared
  width: 4
"""


def test_every_value_knows_its_line_and_column():
    """Values in block and flow style, list items and block text all have their place."""
    document = parse(GOOD, "rules.yaml")
    assert document.position(("groups", 0, "name")) == (2, 11)
    assert document.position(("groups", 0, "rules", 0, "expr")) == (4, 26)
    assert document.position(("groups", 0, "rules", 1, "expr")) == (6, 15)
    assert document.key_position(("groups", 0, "rules", 1, "expr")) == (6, 9)


def test_an_unknown_place_is_that_of_its_nearest_parent():
    """Asking for a key that is not there points at the mapping that lacks it."""
    document = parse(GOOD, "rules.yaml")
    assert document.position(("groups", 0, "rules", 1, "for")) == (5, 9)
    assert document.position(("nowhere", "at", "all")) == (1, 1)


def test_merged_mappings_are_merged_and_what_stands_beside_wins():
    """`<<` is understood, as in the rule files people have."""
    assert parse(GOOD, "rules.yaml").data["used"] == {"depth": 3, "width": 4}
    overridden = parse("a: &a {x: 1, y: 2}\nb: {x: 9, <<: *a}\n", "f.yaml")
    assert overridden.data["b"] == {"x": 9, "y": 2}


def test_only_plain_values_are_made():
    """YAML 1.2 words: `yes` and dates are text, quoted numbers stay text."""
    text = "{a: yes, b: 2026-01-05, c: '12', d: ~, e: 1e3, f: true, g: 0x10, 1: k}"
    expected = {
        "a": "yes",
        "b": "2026-01-05",
        "c": "12",
        "d": None,
        "e": 1000.0,
        "f": True,
        "g": 16,
        "1": "k",
    }
    assert parse(text, "f.yaml").data == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a', first given in line 1"),
        ("a: 1\n b: 2\n", "f.yaml:2:3: this is not YAML: mapping values are not allowed here"),
        (
            "a: [1,\nb: 2\n",
            (
                "f.yaml:3:1: this is not YAML: while parsing a flow sequence begun in line 1,"
                " expected ',' or ']', but got '<stream end>'"
            ),
        ),
        (
            "\ta: 1\n",
            (
                "f.yaml:1:1: this is not YAML: while scanning for the next token, found character"
                " '\\t' that cannot start any token"
            ),
        ),
        ("a: \x00\n", "f.yaml:1:4: this is not YAML: the character '\\x00' is not allowed"),
        ("a: *b\n", "f.yaml:1:4: this is not YAML: found undefined alias 'b'"),
        ("a: !!python/name:os.system x\n", "f.yaml:1:4: unknown tag"),
        ("a: !!int x\n", "f.yaml:1:4: a value tagged !!int must be of that type, got 'x'"),
        ("[a]: 1\n", "f.yaml:1:1: a key must be a single word, got a list"),
        ("a: {<<: [1]}\n", "f.yaml:1:10: '<<' must merge mappings"),
        ("a: &a [*a]\n", "f.yaml:1:4: values must be nested at most 64 deep"),
        ("[" * 5000, "f.yaml: values must be nested at most 64 deep"),
        (
            "--- a\n--- b\n",
            (
                "f.yaml:2:1: this is not YAML: expected a single document in the stream begun in"
                " line 1, but found another document"
            ),
        ),
    ],
)
def test_a_yaml_mistake_is_told_with_its_place(text, message):
    """One exact line for each kind of mistake."""
    with pytest.raises(InputError) as caught:
        parse(text, "f.yaml")
    assert str(caught.value).startswith(message)


def test_a_bomb_of_aliases_is_refused_before_it_is_built():
    """Nine lines that would be a billion values stop at the bound."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(InputError, match="the file must hold at most 200000 values"):
        parse("\n".join(lines), "bomb.yaml")


def test_json_values_know_their_place_too():
    """A dashboard's mistake can be told with its line, tabs and all."""
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
        ('{"a": 1,\n "a": 2}', "d.json:2:2: duplicate key 'a', first given in line 1"),
        ("[" * 200, "d.json:1:130: values must be nested at most 128 deep"),
    ],
)
def test_a_json_mistake_is_told_with_its_place(text, message):
    """One exact line for each kind of mistake."""
    with pytest.raises(InputError) as caught:
        parse_json(text, "d.json")
    assert str(caught.value) == message


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
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


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path):
    """Missing files, folders, other encodings and endless files are one line each."""
    missing = tmp_path / "none.yaml"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: caf\xe9\n")
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * (YAML_BYTES_MAX + 1))
    expected = {
        missing: f"{missing}: no such file",
        tmp_path: f"{tmp_path}: a file is needed here, this is a directory",
        latin: f"{latin}:2:7: the text must be UTF-8, got byte 0xe9",
        huge: f"{huge}: the file must be at most 1048576 bytes long",
    }
    for path, message in expected.items():
        with pytest.raises(InputError) as caught:
            load(path)
        assert str(caught.value) == message


def test_the_suffix_says_how_a_file_is_read(tmp_path):
    """`.json` is strict JSON; the same text in a `.yaml` file is YAML."""
    for name in ("a.json", "a.yaml"):
        (tmp_path / name).write_text('{"a": [1]}')
        assert load(tmp_path / name).data == {"a": [1]}
    (tmp_path / "b.json").write_text("a: [1]")
    with pytest.raises(InputError, match="this is not JSON"):
        load(tmp_path / "b.json")


def test_mistakes_are_gathered_in_the_order_of_the_file():
    """However they were found, a reader meets them from top to bottom, each once."""
    late = Place("f.yaml", 10, 1).error("late")
    early = Place("f.yaml", 9, 30).error("early")
    assert str(gather([late, early])) == "f.yaml:9:30: early\nf.yaml:10:1: late"
    assert str(gather([gather([late, early]), early])).count("\n") == 1


def test_a_near_word_is_offered_and_a_far_one_is_not():
    """Case does not matter for nearness."""
    assert did_you_mean("Mirco", ["micro", "board"]) == ", did you mean 'micro'?"
    assert did_you_mean("zzz", ["micro", "board"]) == ""
