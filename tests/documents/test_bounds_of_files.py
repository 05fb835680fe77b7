"""What no reader of files takes: numbers, texts, depths and files outside the common bounds."""

from __future__ import annotations

import gc
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from documents import yaml_reader
from documents.document import first_too_large
from documents.durations import parse_duration
from documents.files import FILES_MAX, files_below, read_text
from documents.mistake_kinds import Remark
from documents.mistakes import InputError, Mistake, Place
from documents.yaml_reader import parse, parse_json, parse_texts
from scenarios.build import read_trace
from verifier.pack.durations import parse_duration_s

if TYPE_CHECKING:
    from pathlib import Path

HUGE = "9" * 5000


@pytest.mark.parametrize("read", [parse, parse_json])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (HUGE, "a whole number must be one that 64 bits can hold, got a larger one"),
        ("1" + "0" * 400, "a whole number must be one that 64 bits can hold, got a larger one"),
        ("18446744073709551616", "a whole number must be one that 64 bits can hold"),
        ("1e400", "a number must be one that 64 bits can hold, got a larger one"),
        ('"a\\ud800b"', "text must be Unicode, got half a letter, \\ud800"),
        ('{"\\udfff": 1}', "text must be Unicode, got half a letter, \\udfff"),
    ],
)
def test_a_value_that_no_reader_can_use_is_refused_with_its_place(read, value, rule):
    """The same bounds in YAML and in JSON."""
    with pytest.raises(InputError) as caught:
        read(f'{{"a":\n {value}}}', "f")
    line, column = (2, 3) if value[0] == "{" else (2, 2)
    assert str(caught.value).startswith(f"f:{line}:{column}: {rule}")


@pytest.mark.parametrize("read", [parse, parse_json])
def test_the_largest_values_are_read(read):
    """What 64 bits hold, and a letter that UTF-16 writes as two halves."""
    text = '{"a": 18446744073709551615, "b": -9223372036854775808, "c": "\\ud83d\\ude00"}'
    expected = {"a": (1 << 64) - 1, "b": -(1 << 63), "c": "\U0001f600"}
    assert read(text, "f").data == expected


def test_a_megabyte_of_small_values_in_json_is_refused():
    """Each value costs its place as well: eight megabytes were four gigabytes."""
    with pytest.raises(InputError, match="the file must hold at most 200000 values"):
        parse_json(f"[{'1,' * 250_000}1]", "f.json")
    deep = "[" * 100 + "1," * 40_000 + "1" + "]" * 100
    with pytest.raises(InputError, match="the file must hold at most 200000 values"):
        parse_json(deep, "f.json")


def test_merges_of_merges_are_refused_before_they_are_built():
    """Five hundred bytes that took more than twenty-five seconds."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    with pytest.raises(InputError, match=r"bomb\.yaml:7:14: the file must hold"):
        parse("\n".join(lines), "bomb.yaml")


@pytest.mark.parametrize("form", ["[%s]", "{<<: [%s]}", "{x: [%s]}"])
@pytest.mark.parametrize("read_text", [parse, lambda *named: next(parse_texts(*named))])
def test_aliases_are_counted_before_anything_is_built(monkeypatch, form, read_text):
    """To build two hundred thousand values takes a second; a value that is not built is free."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {form % ', '.join([f'*a{i - 1}'] * 9)}" for i in range(1, 12)]
    monkeypatch.setattr(yaml_reader._Builder, "build", lambda *_: pytest.fail("it was built"))
    with pytest.raises(InputError, match="the file must hold at most 200000 values"):
        read_text("\n".join(lines), "bomb.yaml")


def test_an_alias_counts_each_time_and_within_itself_is_too_deep():
    """What is counted before is what is built."""
    text = "a: &a [1, 2]\nb: [*a, *a]\nc: {<<: {x: *a}}\n"
    document = parse(text, "f")
    node = next(yaml_reader._nodes(text))
    counts = {}
    assert first_too_large(node, counts) is None
    builder = yaml_reader._Builder("f")
    assert builder.build(node, ()) == document.data
    assert counts[id(node)] == builder.count
    with pytest.raises(InputError, match="values must be nested at most 64 deep"):
        parse("a: &a [*a]\n", "f")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[a, "])
def test_what_is_nested_too_deep_is_refused_at_once(opening):
    """The library's time grows with the square of the depth."""
    with pytest.raises(InputError, match=r"f:1:\d+: values must be nested at most 64 deep"):
        parse(opening * 20_000, "f")


def test_a_version_of_yaml_that_does_not_exist_is_refused():
    """The library stumbles over it."""
    with pytest.raises(InputError, match="this is not YAML: it cannot be read"):
        parse("%YAML 1.9\n---\na: 1\n", "f")


def test_an_anchor_of_a_name_twice_is_no_warning(recwarn):
    """YAML lets the later one stand for the name."""
    assert parse("a: &x 1\nb: &x 2\nc: *x\n", "f").data == {"a": 1, "b": 2, "c": 2}
    assert not recwarn.list


@pytest.mark.parametrize("parse_text", [parse_duration, parse_duration_s])
@pytest.mark.parametrize("text", ["9" * 400 + "s", "9999999999w"])
def test_a_duration_that_no_clock_counts_is_refused(parse_text, text):
    """Four hundred nines are more than a number holds."""
    with pytest.raises(InputError, match="duration must be at most"):
        parse_text(text)


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path):
    """A pipe without a writer, a device without an end, a directory, a path with a null byte."""
    os.mkfifo(tmp_path / "pipe")
    for path, kind in (
        (tmp_path / "pipe", "a pipe"),
        ("/dev/zero", "a device"),
        (tmp_path, "a directory"),
    ):
        with pytest.raises(InputError) as caught:
            read_text(path, bytes_max=10)
        assert str(caught.value) == f"{path}: a file is needed here, this is {kind}"
    with pytest.raises(InputError, match="null byte"):
        read_text("a\0b", bytes_max=10)


def test_a_folder_is_walked_in_order_without_what_is_hidden_or_no_file(tmp_path: Path):
    """A pipe in it, a link to nowhere, a hidden folder; and no more than can be files of a user."""
    for name in ("b/1.yaml", "a.yaml", ".git/x", "b/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to("gone")
    assert files_below(tmp_path) == [tmp_path / "a.yaml", tmp_path / "b/1.yaml"]


def test_a_folder_of_a_whole_disk_is_refused(tmp_path, monkeypatch):
    """It would be walked for minutes."""
    monkeypatch.setattr("documents.files.FILES_MAX", 2)
    for number in range(3):
        assert len(files_below(tmp_path)) == number
        (tmp_path / str(number)).touch()
    with pytest.raises(InputError, match="the folder holds more than 2 files"):
        files_below(tmp_path)
    assert FILES_MAX == 10_000


@pytest.mark.parametrize("line", ["inf", "nan", "-1", "1_0", "1e1000000", "\u0661", "0x1", HUGE])
def test_a_line_of_a_trace_that_is_no_time_is_refused(tmp_path, line):
    """Python's own words for numbers are more than a trace may hold."""
    path = tmp_path / "trace.txt"
    path.write_text(f"0\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_trace(path)
    assert str(caught.value).startswith(f"{path}:2:1: an arrival must be ")


def test_mistakes_are_one_line_each_and_no_more_than_can_be_read():
    """Control characters are written out, long texts cut, many mistakes counted."""
    error = Place("f", 1, 2).error(Remark("a\n  b\x1b[31m" + "x" * 5000))
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 600
    many = InputError(*(Mistake(Remark(str(number)), Place("f", number)) for number in range(50)))
    lines = str(many).splitlines()
    assert len(lines) == 31
    assert lines[-1] == "f: and 20 mistakes more"


def test_files_whose_mistakes_are_not_shown_are_named():
    """Whoever mends what is shown must know where else to look."""

    def lines_of(files):
        mistakes = (Mistake(Remark("x"), Place(f"{number:03}.yaml", 1)) for number in range(files))
        return str(InputError(*mistakes)).splitlines()

    assert lines_of(33)[30:] == ["and 3 mistakes more, in:", "030.yaml", "031.yaml", "032.yaml"]
    assert lines_of(70)[-2:] == ["059.yaml", "and 10 files more"]


def test_a_file_of_a_thousand_wrong_keys_is_refused_in_a_few_lines():
    """Each key would list all that would have been right."""
    from scenarios.loader import parse_scenario  # noqa: PLC0415 - the one reader of this file

    text = "".join(f"k{number}: 1\n" for number in range(5000))
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "s.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 31
    assert lines[-1] == "s.yaml: and many mistakes more"


def test_texts_that_are_kept_take_bounded_memory():
    """A hundred megabytes, though each letter were a value; a longer text is not kept."""
    room = yaml_reader.KEPT_LETTERS_MAX
    densest = f"[{'1,' * (room // 2 - 1)}1]"
    yaml_reader._kept_nodes.cache_clear()
    tracemalloc.start()
    yaml_reader.parse(densest[:-3] + "]", "dense.yaml")
    gc.collect()  # what was built of it and let go
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes > room
    assert kept_bytes * yaml_reader.KEPT_TEXTS < 100e6
    yaml_reader.parse(densest + " " * room, "long.yaml")
    assert yaml_reader._kept_nodes.cache_info().currsize == 1
