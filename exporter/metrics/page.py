"""The page that answers a scrape: one reading, rendered at most once per format and encoding.

A page is made of parts that no longer change, so every client, in whatever format and however
many at a time, gets the same reading. The HTTP server holds one page per tick. It knows no world.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Final, Protocol

from exporter.metrics.series_text import END, OPENMETRICS, TEXT, deflate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["OPENMETRICS", "TEXT", "Page", "PagePart", "accepts_gzip", "choose_content_type"]

OPENMETRICS_RANGE: Final = "application/openmetrics-text"
TEXT_RANGES: Final = ("text/plain", "text/*", "*/*")
_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""RFC 1952: deflate, no name, the fastest level, and no time: the same reading, the same bytes."""
_LAST_BLOCK: Final = b"\x03\x00"
"""RFC 1951: the empty block that ends a deflate stream."""


class PagePart(Protocol):
    """Whole families of a page."""

    def text(self, content_type: str) -> bytes:
        """Return them as `TEXT` or `OPENMETRICS`, without what ends a page."""

    def deflated(self, content_type: str) -> bytes:
        """Return the text as a stretch of a deflate stream."""


class Page:
    """The families of one reading."""

    def __init__(
        self, parts: Iterable[PagePart], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep `parts`, which must not change after; `monotonic` times the rendering."""
        self._parts, self._monotonic = tuple(parts), monotonic
        self._bodies: dict[tuple[str, bool], bytes] = {}
        self.rendering_s = 0.0
        """Time taken so far to render it, in all formats."""

    def body(self, content_type: str, *, compressed: bool) -> bytes:
        """Return the page as `TEXT` or `OPENMETRICS`, with gzip if `compressed`."""
        key = (content_type, compressed)
        if key not in self._bodies:
            started_s = self._monotonic()
            self._bodies[key] = self._render(content_type, compressed=compressed)
            self.rendering_s += self._monotonic() - started_s
        return self._bodies[key]

    def _render(self, content_type: str, *, compressed: bool) -> bytes:
        if not compressed:
            texts = [part.text(content_type) for part in self._parts]
            return b"".join((*texts, END[content_type]))
        plain = self._bodies.get((content_type, False)) or self._render(
            content_type, compressed=False
        )
        self._bodies[content_type, False] = plain
        # Compressed part by part: what has not changed since the last page is not compressed again.
        stretches = [part.deflated(content_type) for part in self._parts]
        check = zlib.crc32(plain).to_bytes(4, "little")
        length = (len(plain) % (1 << 32)).to_bytes(4, "little")
        end = deflate(END[content_type])
        return b"".join((_GZIP_HEAD, *stretches, end, _LAST_BLOCK, check, length))


def choose_content_type(accept: str) -> str:
    """Return the format that an Accept header prefers; text if it names none of ours.

    Quality values as in RFC 9110, section 12.5.1; between equals the first named wins.
    """
    choices = []
    for place, part in enumerate(accept.split(",")):
        media, parameters = _split(part)
        quality = _quality(parameters)
        if quality <= 0:
            continue
        if media == OPENMETRICS_RANGE and parameters.get("version", "1.0.0") == "1.0.0":
            choices.append((-quality, place, OPENMETRICS))
        elif media in TEXT_RANGES:
            choices.append((-quality, place, TEXT))
    return min(choices, default=(0, 0, TEXT))[2]


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header names gzip and does not forbid it."""
    codings = (_split(part) for part in accept_encoding.split(","))
    return any(coding == "gzip" and _quality(parameters) > 0 for coding, parameters in codings)


def _split(part: str) -> tuple[str, dict[str, str]]:
    """Split one element of an Accept header into its name and its parameters, in lower case."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    return name, dict(parameter.partition("=")[::2] for parameter in parameters)


def _quality(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
