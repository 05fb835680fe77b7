"""How a user's own Prometheus discovers a served world: its target, over HTTP or in a file.

The HTTP server answers with it at `TARGETS` (`http_sd_configs`); the front door writes the same
document into a file (`file_sd_configs`). The label is the job that the pack's rules select.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypedDict

from aiohttp import hdrs, web

from exporter.target import CELL, CELL_PATH, OURS, Target

TARGETS: Final = "/sd/targets"


class TargetGroup(TypedDict):
    """One entry of a Prometheus discovery document."""

    targets: list[str]
    labels: dict[str, str]


def describe_targets(
    address: str, cells: int = 1, target: Target | None = None
) -> list[TargetGroup]:
    """Return the document that names `address` (host:port), as Prometheus reads it.

    Several cells are as many targets, each with its path and its labels: instances of `address`,
    as one world is where nobody names its instance, or of a `target` whose past is stored.
    """
    target = target or replace(OURS, instance=address)
    if cells == 1:
        return [{"targets": [address], "labels": {"job": target.job}}]
    return [_describe_cell(address, cell, target.of_cell(cell)) for cell in range(cells)]


def _describe_cell(address: str, cell: int, target: Target) -> TargetGroup:
    own = {"job": target.job, "instance": target.instance, CELL: target.cell}
    return {"targets": [address], "labels": {**own, "__metrics_path__": _path_of(cell)}}


def metrics_paths(cells: int) -> tuple[str, ...]:
    """Return where the pages of so many cells are; of one world, where it always is."""
    return ("/metrics",) if cells == 1 else tuple(map(_path_of, range(cells)))


def _path_of(cell: int) -> str:
    return f"{CELL_PATH.format(cell=cell)}/metrics"


class TargetsHandler:
    """Answers discovery."""

    def __init__(self, cells: int) -> None:
        """Answer for so many cells."""
        self._cells = cells

    async def show(self, request: web.Request) -> web.Response:
        """Answer with this server under the name that the client used: a container has another."""
        return web.json_response(
            describe_targets(request.host, self._cells),
            headers={hdrs.CACHE_CONTROL: "no-store"},
        )
