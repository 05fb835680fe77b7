"""Makes a document smaller, line by line, as long as the same happens when it is read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_MAX: Final = 10.0
"""How long a document is shrunk, at most."""


def shrink(content: bytes, still_happens: Callable[[bytes], bool]) -> bytes:
    """Return the content without lines that do not matter: halves first, then smaller parts."""
    until_s = time.monotonic() + SECONDS_MAX
    lines = content.split(b"\n")
    length = len(lines) // 2
    while length:
        start = 0
        while start < len(lines) and time.monotonic() < until_s:
            fewer = lines[:start] + lines[start + length :]
            if still_happens(b"\n".join(fewer)):
                lines = fewer
            else:
                start += length
        length //= 2
    return b"\n".join(lines)
