"""Which address of a Prometheus or an Alertmanager a person can open: what answers is asked.

Debian's Prometheus shows alerts below /classic/, or nowhere; its Alertmanager has no page at all.
Where there is no page, the address of the API stands, which answers everywhere.
"""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING, Final

from verifier.servers.binaries import find
from verifier.servers.foreign_server import ServerUnreachable

if TYPE_CHECKING:
    from verifier.servers.foreign_server import ForeignServer

PROMETHEUS_PAGES: Final = ("/alerts", "/classic/alerts")
PROMETHEUS_API: Final = "/api/v1/alerts"
ALERTMANAGER_PAGE: Final = "/#/alerts"
ALERTMANAGER_API: Final = "/api/v2/alerts"


def prometheus_page(server: ForeignServer) -> str:
    """Return the address of its alerts: the first page that answers, else the API.

    While the server does not answer at all, the usual page.
    """
    for path in PROMETHEUS_PAGES:
        if _body(server, path) is not None:
            return f"{server.url}{path}"
    answers = _body(server, PROMETHEUS_API) is not None
    return f"{server.url}{PROMETHEUS_API if answers else PROMETHEUS_PAGES[0]}"


def alertmanager_page(server: ForeignServer) -> tuple[str, str | None]:
    """Return the address of its alerts, and a command that shows them where there is no page."""
    body = _body(server, "/")
    # The page is a program; without one the server says in plain words that it has none.
    if body is None or b"<script" in body:
        return f"{server.url}{ALERTMANAGER_PAGE}", None
    amtool = find("amtool")
    command = f"{_typed(amtool)} --alertmanager.url={server.url} alert" if amtool else None
    return f"{server.url}{ALERTMANAGER_API}", command


def _body(server: ForeignServer, path: str) -> bytes | None:
    try:
        return server.get(path)
    except ServerUnreachable:
        return None


def _typed(program: os.PathLike[str]) -> str:
    """Return a program as it can be typed: by its name where PATH leads to it."""
    path = os.fspath(program)
    name = os.path.basename(path)  # noqa: PTH119 - a name is wanted, not a path
    on_path = shutil.which(name)
    return name if on_path and os.path.realpath(on_path) == path else shlex.quote(path)
