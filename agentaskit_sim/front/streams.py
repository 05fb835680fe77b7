"""Standard input, output and error as a command may rely on them: open, and ending it quietly.

Called once, before a command is chosen. A reader of standard output that has left, as `head` does,
ends the program with the status that a shell reports of SIGPIPE, and with no other word. A full
disk is one line and a status. A stream that the caller closed (`>&-`) leads nowhere.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, Final, TextIO

EXIT_PIPE: Final = 141
"""What a shell reports of a program that SIGPIPE ends."""
EXIT_UNWRITABLE: Final = 3
_CLOSED: Final = (errno.EPIPE, errno.ESHUTDOWN)
_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def guard_standard_streams() -> None:
    """Open what is closed; let a stream that cannot be written end the program as it should.

    A stream that is no file of this process, as in tests, is left alone.
    """
    _open_closed_streams()
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)


class _GuardedFile(io.FileIO):
    """A file descriptor that raises `SystemExit` when it cannot be written, then takes anything.

    `SystemExit` passes through every handler of errors on the way: neither the writer of a table
    nor the judge of a scenario takes it for a failure of its own.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self._ended = False

    def write(self, data: Any, /) -> int:
        if self._ended:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self._ended = True
            if error.errno in _CLOSED:
                raise SystemExit(EXIT_PIPE) from None
            if self.fileno() == 1:
                sys.stderr.write(f"standard output cannot be written: {error.strerror}\n")
                raise SystemExit(EXIT_UNWRITABLE) from None
            # Nobody can be told: the run goes on, and its status says how it ended.
            return memoryview(data).nbytes


def _open_closed_streams() -> None:
    """Lead closed streams nowhere: else the next file to be opened would take their number."""
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _guarded(stream: TextIO, number: int) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or _number(stream) != number:
        return stream
    # What cannot be said in the encoding of a terminal is shown by its number, and ends nothing.
    return io.TextIOWrapper(
        io.BufferedWriter(_GuardedFile(number)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering or stream.write_through,
    )


def _number(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
