"""Fixtures of the fault API: a served world, without and with a token."""

from __future__ import annotations

import pytest

from tests.exporter.server.fault_api.served import start


@pytest.fixture
async def serve():
    """Return a function that serves a world, with a token or without."""
    started = []

    async def serve(token=None):
        started.append(await start(token))
        return started[-1]

    yield serve
    for served in started:
        await served.client.close()


@pytest.fixture
async def served(serve):
    """Return a served world without a token."""
    return await serve()
