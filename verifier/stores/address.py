"""Where a store is written to and asked, and what goes with every request: headers, TLS.

Values only. Whatever may be a secret is in no text that this program prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

PUSHED: Final = (
    ("/api/v1/write", ""),  # Prometheus, VictoriaMetrics
    ("/prometheus/api/v1/write", "/prometheus"),
    ("/api/v1/push", "/prometheus"),  # Mimir
)
"""How a URL that is written to ends, and what stands in its place in the one that is asked."""


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """One URL of a store, in parts. Make it by `read_url`."""

    text: str
    scheme: str
    host: str
    port: int | None
    path: str


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A store that takes remote write and has Prometheus's query API.

    `tls` is None for what is trusted by default.
    """

    write: StoreUrl
    ask: StoreUrl
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


def read_url(text: str) -> StoreUrl:
    """Return a URL in parts; raise ValueError, with the rule, for anything else.

    A user name, a password or a query in it would be printed: they are refused, and not repeated.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if "@" in text or parts.query or parts.fragment:
        raise ValueError("be an HTTP URL without user name, password, query or fragment")
    if parts.scheme not in {"http", "https"} or not host or not text.isprintable():
        raise ValueError("be an HTTP URL")
    return StoreUrl(text.rstrip("/"), parts.scheme, host, port, parts.path.rstrip("/"))


def asked_at(write_url: str) -> str | None:
    """Return where a store is asked that is written to at a URL, None where that is not known."""
    text = write_url.rstrip("/")
    for end, instead in reversed(PUSHED):
        if text.endswith(end):
            return text.removesuffix(end) + instead
    return None
