"""Text files read within a bound, and written whole or not at all."""

from __future__ import annotations

import codecs
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, Shown, UnreadableFile
from documents.mistakes import InputError, Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_KINDS: Final[tuple[tuple[Callable[[int], bool], str], ...]] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


FILES_MAX: Final = 10_000
"""Files in a folder and below it: more are a disk, named by mistake."""


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file to be read; raise `InputError` for anything else.

    A pipe may never end and a device may never say a word: neither is waited for.
    """
    place = Place(str(path))
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise place.error(UnreadableFile("no such file")) from None
    except OSError as error:
        raise place.error(UnreadableFile(f"cannot be read: {error.strerror or error}")) from None
    except ValueError as error:  # a path with a null byte
        raise place.error(UnreadableFile(f"cannot be read: {error}")) from None
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    kind = next((words for matches, words in _KINDS if matches(mode)), "something else")
    raise place.error(UnreadableFile(f"a file is needed here, this is {kind}"))


def read_bytes(path: str | Path, *, bytes_max: int) -> bytes:
    """Read a regular file of at most `bytes_max` bytes; raise `InputError` when it is not."""
    place = Place(str(path))
    with open_regular(path) as file:
        try:
            raw = file.read(bytes_max + 1)
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            raise place.error(UnreadableFile(reason)) from None
    if len(raw) > bytes_max:
        raise place.error(BrokenRule("the file", f"be at most {bytes_max} bytes long"))
    return raw


def read_text(path: str | Path, *, bytes_max: int) -> str:
    """Read a UTF-8 text file of at most `bytes_max` bytes; raise `InputError` when it is not.

    UTF-16 is read where a mark at its start says so, as editors on Windows write it.
    """
    raw = read_bytes(path, bytes_max=bytes_max)
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return raw.decode("utf-16")
        return raw.decode("utf-8-sig")  # an editor on Windows may have written a byte order mark
    except UnicodeDecodeError as error:
        raise _encoding_error(raw, error.start, str(path)) from None


def files_below(folder: Path) -> list[Path]:
    """Return the regular files in a folder and in those below it, without hidden ones, in order.

    What vanishes or cannot be read meanwhile is left out. Raises `InputError` for a folder with
    more than `FILES_MAX`.
    """
    regular: list[Path] = []
    for inside, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(inside, name) for name in names if not name.startswith("."))
        regular += (path for path in paths if path.is_file())
        if len(regular) > FILES_MAX:
            raise Place(str(folder)).error(f"the folder holds more than {FILES_MAX:,} files")
    return sorted(regular)


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that its name never stands for half of it; raise `OSError`."""
    # In the same folder, since only within one file system is a rename atomic.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(by_umask(0o666))  # mkstemp lets nobody else read, whatever the user said
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def by_umask(mode: int) -> int:
    """Return `mode` less what this process's mask takes away, as a new file would have it.

    The one way to read the mask is to set it; what another thread makes meanwhile is private.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    return mode & ~mask


def _encoding_error(raw: bytes, at: int, path: str) -> InputError:
    line = raw.count(b"\n", 0, at) + 1
    column = at - raw.rfind(b"\n", 0, at)
    value = Shown(raw[at], f"byte 0x{raw[at]:02x}")
    return Place(path, line, column).error(BrokenRule("the text", "be UTF-8", value))
