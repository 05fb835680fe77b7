"""Files are read with the place of every value, and every mistake is one line that names it."""

from __future__ import annotations

import math

import pytest

from documents import document, yaml_reader
from documents.document import Document, decimal
from documents.mistakes import InputError
from documents.yaml_reader import load, load_all, load_texts, parse

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


def test_every_value_has_its_line_and_column():
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
    assert parse("# a remark\n\n  a: 1\n", "f").position(("nowhere",)) == (3, 3)


def test_merged_mappings_are_merged_and_what_stands_beside_wins():
    """`<<` is understood, as in the rule files people have."""
    assert parse(GOOD, "rules.yaml").data["used"] == {"depth": 3, "width": 4}
    overridden = parse("a: &a {x: 1, y: 2}\nb: {x: 9, <<: *a}\n", "f.yaml")
    assert overridden.data["b"] == {"x": 9, "y": 2}


def test_only_plain_values_are_made():
    """YAML 1.2 types: `yes` and dates are text, quoted numbers stay text."""
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
        ("[" * 5000, "f.yaml:1:66: values must be nested at most 64 deep"),
        (
            "--- a\n--- b\n",
            (
                "f.yaml:2:1: this is not YAML: expected a single document in the stream begun in"
                " line 1, but found another document"
            ),
        ),
    ],
)
def test_a_yaml_mistake_is_reported_with_its_place(text, message):
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


def test_the_suffix_says_how_a_file_is_read(tmp_path):
    """`.json` is strict JSON; the same text in a `.yaml` file is YAML."""
    for name in ("a.json", "a.yaml"):
        (tmp_path / name).write_text('{"a": [1]}')
        assert load(tmp_path / name).data == {"a": [1]}
    (tmp_path / "b.json").write_text("a: [1]")
    with pytest.raises(InputError, match="this is not JSON"):
        load(tmp_path / "b.json")


def test_a_text_that_is_read_again_is_as_new(tmp_path):
    """Short texts are parsed once; nobody meets what another did with the values, or old ones."""
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n~: 2\nb: [x]\n")
    for _ in range(2):
        assert next(load_texts(path)).data == {"a": "1", "b": ["x"]}
        typed = load_all(path)[0].data
        assert typed == {"a": 1, "~": 2, "b": ["x"]}
        typed["b"].append("of one reader")
    path.write_text("a: 2\n")
    assert load(path).data == {"a": 2}
    assert next(load_texts(path)).data == {"a": "2"}


def test_where_nothing_has_a_place_a_document_begins():
    """A mistake of an empty file stands at its first letter; without a key, at the value."""
    empty = Document("f", None, {}, {})
    assert (empty.position(("a", 1)), empty.key_position(())) == ((1, 1), (1, 1))
    document = parse("a:\n  b: 1\n", "f")
    assert str(document.error("wrong", ("a", "b")).mistakes[0]) == "f:2:6: wrong"
    assert str(document.error("wrong", ("a", "b"), at_key=True).mistakes[0]) == "f:2:3: wrong"
    assert document.position(("none",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "number"), [("9" * 18, 10**18 - 1), ("9" * 19, None), ("-1", None)]
)
def test_a_text_of_plain_digits_is_a_number_as_far_as_it_surely_fits(text, number):
    """Eighteen nines fit into 64 bits with a sign."""
    assert decimal(text) == number


@pytest.mark.parametrize(
    ("read", "name", "mebibytes"),
    [
        (load, "a.yaml", 1), (load, "a.json", 8), (load_all, "a.yaml", 8), (load_all, "a.json", 8),
        (lambda path: next(load_texts(path)), "a.yaml", 4),
        (lambda path: load(path, scalars="text"), "a.json", 4),
    ],
)  # fmt: skip
def test_a_file_may_be_as_long_as_what_it_is_for(tmp_path, monkeypatch, read, name, mebibytes):
    """What people write is short, what programs write is long."""
    limits = []

    def read_text(_, *, bytes_max):
        limits.append(bytes_max)
        return "[]"

    monkeypatch.setattr(yaml_reader, "read_text", read_text)
    read(tmp_path / name)
    assert limits == [mebibytes << 20]


def test_all_documents_of_a_yaml_file_and_the_one_of_a_json_file_are_read(tmp_path):
    """JSON stays strict."""
    (tmp_path / "a.yaml").write_text("a: 1\n---\n---\nb\n")
    assert [document.data for document in load_all(tmp_path / "a.yaml")] == [{"a": 1}, None, "b"]
    (tmp_path / "a.json").write_text("{a: 1}")
    with pytest.raises(InputError, match="this is not JSON"):
        load_all(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ("- ", ""), ("{a: ", "}"), ("? ", "")]
)
def test_a_document_may_be_as_deep_as_the_bound_in_either_style(opening, closing):
    """Sixty-four levels, brackets or blocks; a key that is no word is refused for that."""
    deepest = f"{opening * 64}x{closing * 64}"
    if opening == "? ":
        with pytest.raises(InputError, match="f:1:3: a key must be a single word, got a mapping"):
            parse(deepest, "f")
        return
    assert parse(deepest, "f").data
    with pytest.raises(InputError, match=r"f:1:\d+: values must be nested at most 64 deep"):
        parse(f"{opening * 65}x{closing * 65}", "f")


@pytest.mark.parametrize("text", ["[1, 2, 3, 4]", "[&a 1, *a, *a, 4]", "[1, {<<: {a: 1}}]"])
def test_as_many_values_are_read_as_the_bound(monkeypatch, text):
    """What holds others and what is merged counts; one more is too many."""
    for module in (document, yaml_reader):
        monkeypatch.setattr(module, "VALUES_MAX", 5)
    assert parse(text, "f").data
    with pytest.raises(InputError, match="the file must hold at most"):
        parse(text.replace("[", "[0, "), "f")


def test_of_two_merged_mappings_the_first_wins_and_what_is_in_quotes_is_a_key():
    """As YAML's merge key asks."""
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b], z: 4}\nd: {'<<': 1}\n"
    read = parse(text, "f").data
    assert (read["c"], read["d"]) == ({"x": 1, "y": 3, "z": 4}, {"<<": 1})
    assert parse("a: {!!merge x: {y: 1}}", "f").data == {"a": {"y": 1}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".INF", math.inf), ("-.inf", -math.inf), ("=", "="), ("2026-01-05T10:00:00Z",) * 2,
        ("!!int '7'", "7"), ("!!str 7", "7"), (f"{'0' * 399}7", 7), ("null", None), ("-0x10", -16),
        ('"\\ud83d\\ude00"', "\U0001f600"), ("False", False), ("0o17", 15), ("1_000", 1000),
    ],
)  # fmt: skip
def test_a_scalar_is_what_yaml_means_by_it(text, value):
    """Infinity is a number, whatever its letters; what is in quotes is text."""
    read = parse(f"a: {text}", "f").data["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: c\x07d\ne: 1\n", "f:2:5: this is not YAML: the character '\\x07' is not"),
        ("a: {<<: [{}, 2]}", "f:1:14: '<<' must merge mappings"),
        ("? {a: 1}\n: 2\n", "f:1:3: a key must be a single word, got a mapping"),
        (f"a: {'0' * 400}7", "f:1:4: a whole number must be one that 64 bits can hold, got a la"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", "f:4:3: duplicate key 'b', first given in line 2"),
        ("a: 'b\n\n  c", "f:3:4: this is not YAML: while scanning a quoted scalar begun in line 1"),
        ("--- a\n...\n# b\n--- c\n", "f:4:1: this is not YAML: expected a single document"),
    ],
)
def test_a_mistake_further_down_has_its_own_place(text, message):
    """Neither that of the line before nor of what it is in."""
    with pytest.raises(InputError) as caught:
        parse(text, "f")
    assert str(caught.value).startswith(message)
