"""Where the world is, as Prometheus asks for it; see test_up for a Prometheus that does."""

from __future__ import annotations

import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.server.discovery import TARGETS, TargetsHandler, describe_targets

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
