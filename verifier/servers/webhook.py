"""The webhook's server program: writes each delivery into the ledger, and only then answers 200.

Started by `verifier.servers.receiver` as a script of its own, so it imports little of this
project. Alertmanager sends every delivery that was not answered 200 again, so a `kill -9` at any
moment loses nothing that was answered; and what could not be read again is never kept. Loopback
only; any path but the secret one gets 404, any host but this machine 403.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from exporter.server.connection_limits import GuardedSite, build_runner, note_requests
from exporter.server.host_check import is_local, refuse_misdirected
from verifier.servers.ledger import read_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

BODY_BYTES_MAX: Final = 16 << 20
"""Thousands of alerts in one group; a longer body is no delivery of ours."""
BODY_TIMEOUT_S: Final = 10.0
SHUTDOWN_S: Final = 1.0


class LedgerFile:
    """A file of whole JSON lines, written by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; a last line without its end will be overwritten."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._whole_bytes = path.read_bytes().rfind(b"\n") + 1

    def append(self, record: Mapping[str, object]) -> None:
        """Add one line and sync it to the disk; raise OSError, with no line added, if that fails.

        A line that was cut off, by a crash or a full disk, is removed before the next is written.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        if os.fstat(self._file).st_size != self._whole_bytes:
            # Safe while others read: what is removed has no line end, so no reader has used it.
            os.ftruncate(self._file, self._whole_bytes)
        written = 0
        while written < len(line):
            written += os.write(self._file, line[written:])
        self._whole_bytes += len(line)
        os.fsync(self._file)


class Webhook:
    """The handler of deliveries."""

    def __init__(self, ledger: LedgerFile) -> None:
        """Write into `ledger`."""
        self._ledger = ledger

    async def deliver(self, request: web.Request) -> web.Response:
        """Store a delivery: 200 once it is on the disk, 500 if it cannot be written.

        Anything else than a delivery is answered 400, 413 or 415. Alertmanager tries again after a
        500 and gives up after the others.
        """
        received_s = time.time()
        if request.content_type != "application/json":
            return web.Response(status=415, text="a delivery must be application/json\n")
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = json.loads(await request.read())
        except TimeoutError:
            return web.Response(status=408, text="a delivery must arrive in time\n")
        except (ValueError, RecursionError, web.RequestPayloadError, ConnectionError):
            body = None
        mistake = find_mistake(body, received_s)
        if mistake:
            return web.Response(status=400, text=f"{mistake}\n")
        try:
            self._ledger.append({"received_s": received_s, "body": body})
        except OSError as error:
            sys.stderr.write(f"level=error a delivery could not be stored: {error}\n")
            return web.Response(status=500, text=f"the delivery could not be stored: {error}\n")
        return web.Response(text="stored\n")


def find_mistake(body: object, received_s: float) -> str:
    """Return why a JSON value is not Alertmanager's webhook message, or nothing if it is one."""
    if not isinstance(body, dict) or body.get("version") != "4":
        return "a delivery must be webhook JSON, version 4"
    if not isinstance(body.get("alerts"), list):
        return "a delivery must have a list of alerts"
    if not all(isinstance(body.get(key), str) for key in ("receiver", "groupKey")):
        return "a delivery must name its receiver and its group"
    try:
        read_delivery(body, received_s)
    except (ValueError, RecursionError) as error:
        # As ASCII: what was sent may hold half a character, which no answer can.
        return f"a delivery must be what Alertmanager sends: {str(error)[:200]!a}"
    return ""


@web.middleware
async def refuse_foreign(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse who names another host: a page in a browser could reach it by a name of its own."""
    if not is_local(request):
        return web.Response(status=403, text="Host must be this machine\n")
    return await handler(request)


def build_app(ledger: LedgerFile, prefix: str) -> web.Application:
    """Return the app: a POST below `prefix` is a delivery, anything else is refused."""
    app = web.Application(
        client_max_size=BODY_BYTES_MAX,
        middlewares=[note_requests, refuse_misdirected, refuse_foreign],
    )
    app.router.add_post(f"{prefix}/{{receiver:.+}}", Webhook(ledger).deliver)
    return app


async def serve(app: web.Application, port: int, port_file: Path) -> None:
    """Serve on loopback until killed; write the port that it listens on into `port_file`.

    The file appears whole, by renaming: the parent reads it as soon as it is there.
    """
    runner = build_runner(app, shutdown_s=SHUTDOWN_S)
    await runner.setup()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    await GuardedSite(runner, listener).start()
    unfinished = port_file.with_suffix(".new")
    unfinished.write_text(str(listener.getsockname()[1]), encoding="ascii")
    unfinished.replace(port_file)
    await asyncio.Event().wait()


def main(arguments: list[str]) -> None:
    """Run with: directory of the ledger, its file name, port (0: any), path prefix."""
    directory, name, port, prefix = arguments
    try:
        app = build_app(LedgerFile(Path(directory, name)), prefix)
        asyncio.run(serve(app, int(port), Path(directory, "port")))
    except OSError as error:
        sys.exit(f"level=error {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
