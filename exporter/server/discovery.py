"""How a user's own Prometheus discovers a served world: its target, over HTTP or in a file.

The HTTP server answers with it at `TARGETS` (`http_sd_configs`); the front door writes the same
document into a file (`file_sd_configs`). The label is the job that the pack's rules select.
"""

from __future__ import annotations

from typing import Final, TypedDict

from aiohttp import hdrs, web

from exporter.target import JOB

TARGETS: Final = "/sd/targets"


class TargetGroup(TypedDict):
    """One entry of a Prometheus discovery document."""

    targets: list[str]
    labels: dict[str, str]


def describe_target(address: str) -> list[TargetGroup]:
    """Return the document that names `address` (host:port), as Prometheus reads it."""
    return [{"targets": [address], "labels": {"job": JOB}}]


async def answer_targets(request: web.Request) -> web.Response:
    """Answer with this server under the name that the client used: a container has another."""
    return web.json_response(
        describe_target(request.host), headers={hdrs.CACHE_CONTROL: "no-store"}
    )
