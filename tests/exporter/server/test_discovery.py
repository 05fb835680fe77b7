"""Where the world is, as Prometheus asks for it; see test_up for a Prometheus that does."""

from __future__ import annotations

import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.server.discovery import TARGETS, TargetsHandler, describe_targets
from exporter.target import Target

PROMETHEUS_ACCEPTS = re.compile(r'(?i)^application/json(;\s*charset=("utf-8"|utf-8))?$')
"""From Prometheus's discovery/http/http.go."""


@pytest.fixture
async def client():
    """Return a client of a server with no other route."""
    app = web.Application()
    app.router.add_get(TARGETS, TargetsHandler(1).show)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_target_is_the_server_by_the_name_it_was_asked_by(client):
    """From a container the machine has another name than from itself."""
    for host in (f"127.0.0.1:{client.port}", "host.docker.internal:9464"):
        answer = await client.get(TARGETS, headers={"Host": host})
        assert PROMETHEUS_ACCEPTS.match(answer.headers["Content-Type"])
        assert answer.headers["Cache-Control"] == "no-store"
        assert await answer.json() == describe_targets(host)
        assert describe_targets(host) == [{"targets": [host], "labels": {"job": "agentaskit"}}]
    assert (await client.post(TARGETS)).status == 405


def test_one_world_has_the_job_of_its_target_and_several_cells_have_its_instance_too():
    """As the past of each is stored."""
    target = Target("theirs", "host:1")
    assert describe_targets("a:2", 1, target) == [{"targets": ["a:2"], "labels": {"job": "theirs"}}]
    assert [group["labels"] for group in describe_targets("a:2", 2, target)] == [
        {
            "job": "theirs", "instance": f"host:1/cells/{cell}", "cell": f"{cell}",
            "__metrics_path__": f"/cells/{cell}/metrics",
        }
        for cell in range(2)
    ]  # fmt: skip
