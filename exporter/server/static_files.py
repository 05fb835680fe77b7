"""The files that draw the page, and what a browser may do with it.

Served from memory, by an own list of names, so no path leads anywhere else. The policy lets nothing
run but these files, and lets them talk to this server alone: text of a user's scenario, rule or
label that looks like markup stays text.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from charts.assets import STATIC

if TYPE_CHECKING:
    from pathlib import Path

PATH: Final = "/static"
TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of the page and of its files."""


class StaticFiles:
    """The files below one folder whose kinds are in `TYPES`, by their paths."""

    def __init__(self, folder: Path = STATIC) -> None:
        """Read them all: some hundred kilobytes."""
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in TYPES
        }

    def __contains__(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    async def show(self, request: web.Request) -> web.Response:
        """Answer with a file; 404 for any other name."""
        name = request.match_info["name"]
        body = self._files.get(name)
        if body is None:
            return web.Response(status=404, text="there is no such file\n", headers=HEADERS)
        # Asked for anew each time, and only sent when it is another: an update shows at once.
        tag = sha256(body).hexdigest()[:16]
        headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-cache", hdrs.ETAG: f'"{tag}"'}
        if any(each.value == tag for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        kind = TYPES[name[name.rindex(".") :]]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
