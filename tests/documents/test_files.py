"""Files are read within a bound, and written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from documents.files import files_below, read_text, write_whole
from documents.mistakes import InputError
from documents.yaml_reader import YAML_BYTES_MAX, load


def test_a_file_that_cannot_be_read_is_reported_by_name(tmp_path):
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


def test_a_path_that_no_system_takes_is_one_line_too():
    """Python's own refusal of a null byte does not reach the user as a traceback."""
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        read_text("a\0b", bytes_max=1)


def test_a_mark_of_byte_order_is_no_part_of_the_text(tmp_path):
    """Editors on Windows write it in front."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_text(path, bytes_max=100) == "a: 1\n"


def test_a_file_may_be_as_long_as_its_bound(tmp_path):
    """A byte more is too long."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"12345")
    assert read_text(path, bytes_max=5) == "12345"
    with pytest.raises(InputError, match="the file must be at most 4 bytes long"):
        read_text(path, bytes_max=4)


def test_a_byte_that_is_no_text_is_counted_in_the_first_line_as_well(tmp_path):
    """In the first line as in any other."""
    path = tmp_path / "a.yaml"
    for raw, place in (
        (b"\xff", "1:1: the text must be UTF-8, got byte 0xff"),
        (b"a\nb\nc\xff\n", "3:2: the text must be UTF-8, got byte 0xff"),
        (b"\xff\xfea\x00\x05", "1:5: the text must be UTF-8, got byte 0x05"),
    ):
        path.write_bytes(raw)
        with pytest.raises(InputError, match=rf"a\.yaml:{place}$"):
            read_text(path, bytes_max=10)


def test_what_the_system_refuses_is_refused_in_its_words(tmp_path):
    """A path through a file: without the number of the error."""
    (tmp_path / "a.yaml").touch()
    path = tmp_path / "a.yaml" / "b.yaml"
    with pytest.raises(InputError) as caught:
        read_text(path, bytes_max=10)
    assert str(caught.value) == f"{path}: cannot be read: {os.strerror(errno.ENOTDIR)}"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_what_is_marked_as_utf_16_is_read_as_such(tmp_path, encoding):
    """Whichever byte of a letter comes first."""
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffa: \u00e9\n".encode(encoding))
    assert read_text(path, bytes_max=100) == "a: \u00e9\n"


def test_the_files_below_a_folder_are_its_regular_ones_in_order(tmp_path):
    """Neither hidden ones nor those in hidden folders, and nothing that is no file."""
    for name in ("b/z", "b/a", "a.txt", ".git/x", ".hidden", "c/d/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe")
    names = [str(path.relative_to(tmp_path)) for path in files_below(tmp_path)]
    assert names == ["a.txt", "b/a", "b/z", "c/d/e"]


def test_what_is_no_file_is_called_what_it_is_and_left_closed(tmp_path):
    """A pipe is not waited for; its handle is not kept either."""
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - a count
    for path, kind in ((tmp_path / "pipe", "a pipe"), ("/dev/null", "a device")):
        with pytest.raises(InputError, match=f": a file is needed here, this is {kind}$"):
            read_text(path, bytes_max=5)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - a count


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    """The old text stays until the new one is complete."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208 - hidden files too
    write_whole(path, "new")
    assert path.read_text() == "new"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_can_be_read_by_those_whom_the_users_mask_lets(tmp_path, mask, mode):
    """Neither by nobody else, as a temporary file, nor by everybody against the user's will."""
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "a.txt", "text")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode
