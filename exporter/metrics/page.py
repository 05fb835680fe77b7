"""The page that answers a scrape: one reading, rendered at most once per format and encoding.

A page is made of families that no longer change, so every client, in whatever format and however
many at a time, gets the same reading. The HTTP server holds one page per tick. No clock, no world.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

from prometheus_client import generate_latest as generate_text
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

GZIP_LEVEL: Final = 1
"""Labels repeat so much that the fastest level is small enough."""
TEXT: Final = CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS: Final = CONTENT_TYPE_OPENMETRICS
OPENMETRICS_RANGE: Final = "application/openmetrics-text"
TEXT_RANGES: Final = ("text/plain", "text/*", "*/*")


class Page:
    """The families of one reading; a `Collector` in prometheus_client's sense."""

    def __init__(self, families: Iterable[Metric]) -> None:
        """Keep `families`, which must not change after."""
        self._families = tuple(families)
        self._bodies: dict[tuple[str, bool], bytes] = {}

    def collect(self) -> Iterable[Metric]:
        """Return the families, in the catalogue's order."""
        return self._families

    def body(self, content_type: str, *, compressed: bool) -> bytes:
        """Return the page as `TEXT` or `OPENMETRICS`, with gzip if `compressed`."""
        key = (content_type, compressed)
        if key not in self._bodies:
            self._bodies[key] = self._render(content_type, compressed=compressed)
        return self._bodies[key]

    def _render(self, content_type: str, *, compressed: bool) -> bytes:
        if compressed:
            plain = self.body(content_type, compressed=False)
            # Without a time in its header, the same reading is the same bytes.
            return gzip.compress(plain, GZIP_LEVEL, mtime=0)
        render = generate_openmetrics if content_type == OPENMETRICS else generate_text
        return bytes(render(self))


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
