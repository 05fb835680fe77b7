"""The webhook's server program: writes each delivery into the ledger, and only then answers 200.

Started by `verifier.servers.receiver` as a script of its own, which is why it imports nothing of
this project. Alertmanager sends again whatever was not answered 200, so a `kill -9` at any moment
loses nothing that was answered. Loopback only; whoever does not know the path gets 404.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from aiohttp import web

BODY_BYTES_MAX: Final = 16 << 20
SHUTDOWN_S: Final = 1.0


class LedgerFile:
    """A file of whole JSON lines; used by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it; cut off a last line that was torn."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._whole_bytes = path.read_bytes().rfind(b"\n") + 1

    def append(self, record: dict[str, Any]) -> None:
        """Add one line and have it on the disk; raise OSError, with no line added, if it cannot."""
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        if os.fstat(self._file).st_size != self._whole_bytes:
            os.ftruncate(self._file, self._whole_bytes)  # never a whole line: readers may go on
        written = 0
        while written < len(line):
            written += os.write(self._file, line[written:])
        self._whole_bytes += len(line)
        os.fsync(self._file)


class Webhook:
    """The one answer of the server."""

    def __init__(self, ledger: LedgerFile) -> None:
        """Write into `ledger`."""
        self._ledger = ledger

    async def deliver(self, request: web.Request) -> web.Response:
        """Keep a delivery; 200 once it is on the disk, 400, 413 or 415 for what is none, else 500.

        Alertmanager tries again after a 500 and gives up after the others.
        """
        received_s = time.time()
        if request.content_type != "application/json":
            return web.Response(status=415, text="a delivery must be application/json\n")
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            body = None
        if not is_delivery(body):
            return web.Response(status=400, text="a delivery must be webhook JSON, version 4\n")
        try:
            self._ledger.append({"received_s": received_s, "body": body})
        except OSError as error:
            sys.stderr.write(f"level=error a delivery could not be kept: {error}\n")
            return web.Response(status=500, text=f"the delivery could not be kept: {error}\n")
        return web.Response(text="kept\n")


def is_delivery(body: object) -> bool:
    """Tell whether a JSON value has the shape of Alertmanager's webhook message."""
    if not isinstance(body, dict) or body.get("version") != "4":
        return False
    alerts = body.get("alerts")
    texts = all(isinstance(body.get(key), str) for key in ("receiver", "groupKey"))
    return texts and isinstance(alerts, list) and all(isinstance(one, dict) for one in alerts)


def build_app(ledger: LedgerFile, prefix: str) -> web.Application:
    """Return the app: POST below `prefix` is a delivery, all else refused."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_post(f"{prefix}/{{receiver:.+}}", Webhook(ledger).deliver)
    return app


async def serve(app: web.Application, port: int, port_file: Path) -> None:
    """Serve on loopback until killed; write the port that was had, whole, into `port_file`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    unfinished = port_file.with_suffix(".new")
    unfinished.write_text(str(runner.addresses[0][1]), encoding="ascii")
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
