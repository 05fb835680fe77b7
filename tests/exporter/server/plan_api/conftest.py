"""Served worlds for every test of the load and the scenarios."""

from __future__ import annotations

import pytest

from tests.exporter.server.plan_api.served import start_plan


@pytest.fixture
async def serve():
    """Return a function that serves a world, with a token or with another load."""
    started = []

    async def serve(token=None, load=None, **options):
        served = await start_plan(token, load, **options)
        started.append(served.client)
        return served

    yield serve
    for client in started:
        await client.close()
