"""How a Prometheus that someone else runs finds a live world: a target, by HTTP or in a file.

The HTTP server answers it at `TARGETS` (`http_sd_configs`); the front door writes the same document
into a file (`file_sd_configs`). The label is the job that the pack's rules ask for.
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import hdrs, web

from exporter.target import JOB

TARGETS: Final = "/sd/targets"


def describe_target(address: str) -> list[dict[str, Any]]:
    """Return the document that names `address` (host:port), as Prometheus reads it."""
    return [{"targets": [address], "labels": {"job": JOB}}]


async def answer_targets(request: web.Request) -> web.Response:
    """Answer with this server, by the name at which it was reached: from a container, another."""
    return web.json_response(
        describe_target(request.host), headers={hdrs.CACHE_CONTROL: "no-store"}
    )
