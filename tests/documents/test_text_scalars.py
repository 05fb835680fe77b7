"""Files of programs that put scalars into text fields: each is what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError
from documents.yaml_reader import load, load_texts

if TYPE_CHECKING:
    from pathlib import Path

AS_WRITTEN = [
    *("0042", "1.10", "1e3", "True", "0x1F", "12345678901234567890", "2026-01-05", "12:30:45"),
    *("yes", ".inf", "0o17", "1_000.5", "-.5", "50%", "a:b", "😀"),
]


def write(tmp_path: Path, content: str | bytes) -> Path:
    """Write a file."""
    path = tmp_path / "file.yml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_a_plain_scalar_is_its_text(tmp_path: Path, text: str) -> None:
    """Whatever YAML 1.2 or 1.1 would make of it."""
    assert load(write(tmp_path, f"a: {text}\n"), scalars="text").data == {"a": text}


def test_typed_scalars_would_have_lost_some_of_them(tmp_path: Path) -> None:
    """The planted fault: the other way of reading, on the same texts."""
    lines = "".join(f"- {text}\n" for text in AS_WRITTEN)
    typed = load(write(tmp_path, lines)).data
    assert isinstance(typed, list)
    assert sum(str(value) != text for value, text in zip(typed, AS_WRITTEN, strict=True)) >= 8


def test_nothing_is_nothing_and_quotes_make_text(tmp_path: Path) -> None:
    """`null` in quotes is a word, and a key that is nothing is no key."""
    text = "a:\nb: ~\nc: null\nd: 'null'\ne: ''\nf: !!str\n~: g\nh: !own 0042\ni: !!binary aGk=\n"
    assert load(write(tmp_path, text), scalars="text").data == {
        "a": None,
        "b": None,
        "c": None,
        "d": "null",
        "e": "",
        "f": "",
        "h": "0042",
        "i": "hi",
    }


def test_the_first_document_is_read_and_the_others_on_demand(tmp_path: Path) -> None:
    """As programs in Go do; a mistake in a later one is raised when it is its turn."""
    path = write(tmp_path, "a: 1\n---\nb: 2\n---\nc: [\n")
    assert load(path, scalars="text").data == {"a": "1"}
    documents = load_texts(path)
    assert next(documents).data == {"a": "1"}
    second = next(documents)
    assert (second.data, str(second.place(("b",)))) == ({"b": "2"}, f"{path}:3:4")
    with pytest.raises(InputError, match=r":\d+:\d+: this is not YAML"):
        next(documents)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\na: 1\n"])
def test_a_file_without_a_value_is_one_document_that_is_nothing(tmp_path: Path, text: str) -> None:
    """Empty, only comments, or a first document without a value."""
    assert load(write(tmp_path, text), scalars="text").data is None


@pytest.mark.parametrize(
    "content",
    [
        "a: {b: c}\t\n",
        "a:\tb: c\n".replace("\tb: c", " {b:\tc}"),
        "\ufeffa:\r\n  b: c\r\n",
        "a:\n  b: c\n".encode("utf-16"),
        '{"a":\n\t{\t"b":\t"c"}}',
        "a:\n  b: c \t \n",
        "?\ta\n: b: c\n".replace("?\ta\n: b: c", "a: {b:\t\tc}"),
    ],
)
def test_what_gos_reader_takes_is_read(tmp_path: Path, content: str | bytes) -> None:
    """Tabs where they separate, marks of the byte order, line ends of Windows, JSON."""
    assert load(write(tmp_path, content), scalars="text").data == {"a": {"b": "c"}}


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2\n", "a: [\n", "\ta: 1\n", "a: *b\n", "a: &a [*a]\n", "[a]: b\n"]
)
def test_mistakes_are_refused_with_their_place(tmp_path: Path, text: str) -> None:
    """Duplicate keys, tabs as indentation, circles: as in the other way of reading."""
    with pytest.raises(InputError, match=r"file\.yml:\d+:\d+: "):
        load(write(tmp_path, text), scalars="text")


def test_tabs_behind_marks_are_spaces_and_every_place_stays(tmp_path: Path) -> None:
    """Behind a dash, a comma and a colon; in front of what is refused as well."""
    document = load(write(tmp_path, "-\t\ta\n- [b,\tc]\n- d:\t\te\n"), scalars="text")
    assert document.data == ["a", ["b", "c"], {"d": "e"}]
    assert [document.position(steps) for steps in ((0,), (1, 1), (2, "d"))] == [
        (1, 4), (2, 7), (3, 7),
    ]  # fmt: skip


@pytest.mark.parametrize("binary", ["x", "/w=="])
def test_binary_text_is_base64_of_utf_8(tmp_path: Path, binary: str) -> None:
    """Half a group of letters, or a byte that is no letter."""
    with pytest.raises(InputError, match=r"file\.yml:1:4: binary text must be base64 of UTF-8"):
        load(write(tmp_path, f"a: !!binary {binary}\n"), scalars="text")


def test_a_key_that_is_the_word_null_in_quotes_is_a_key(tmp_path: Path) -> None:
    """One that is nothing is none, whatever stands beside it."""
    text = "'null': 1\n~: 2\nnull: 3\nb: 4\n"
    assert load(write(tmp_path, text), scalars="text").data == {"null": "1", "b": "4"}
