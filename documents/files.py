"""Text files read within a bound, and written whole or not at all."""

from __future__ import annotations

import codecs
import os
import tempfile
from pathlib import Path

from documents.mistake_kinds import BrokenRule, Shown, UnreadableFile
from documents.mistakes import InputError, Place


def read_text(path: str | Path, *, bytes_max: int) -> str:
    """Read a UTF-8 text file of at most `bytes_max` bytes; raise `InputError` when it is not.

    UTF-16 is read where a mark at its start says so, as editors on Windows write it.
    """
    place = Place(str(path))
    try:
        with Path(path).open("rb") as file:
            raw = file.read(bytes_max + 1)
    except FileNotFoundError:
        raise place.error(UnreadableFile("no such file")) from None
    except IsADirectoryError:
        raise place.error(UnreadableFile("a file is needed here, this is a directory")) from None
    except OSError as error:
        raise place.error(UnreadableFile(f"cannot be read: {error.strerror or error}")) from None
    except ValueError as error:  # a path with a null byte
        raise place.error(UnreadableFile(f"cannot be read: {error}")) from None
    if len(raw) > bytes_max:
        raise place.error(BrokenRule("the file", f"be at most {bytes_max} bytes long"))
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return raw.decode("utf-16")
        return raw.decode("utf-8-sig")  # an editor on Windows may have written a byte order mark
    except UnicodeDecodeError as error:
        raise _encoding_error(raw, error.start, place.path) from None


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
