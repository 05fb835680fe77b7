"""The client of the fault API: URLs, and servers that are no world or answer with an error."""

from __future__ import annotations

import socket

import pytest
from aiohttp import web

from agentaskit_sim.fault_client import FaultClient
from documents.mistakes import InputError
from exporter.server.app import bind, describe_url
from exporter.server.landing import API
from tests.agentaskit_sim.served import running
from verifier.errors import JudgeError


@pytest.mark.parametrize("url", ["127.0.0.1:9464", "ftp://localhost", "http://", "http://a/b"])
def test_anything_but_an_http_url_is_refused(command, url):
    """With an example."""
    done = command("fault", "list", "--url", url)
    assert done.status == 2
    assert "--url must be like http://127.0.0.1:9464" in done.err


def test_where_no_world_answers_the_status_is_3_and_the_error_says_what_to_do(command):
    """Nothing listens, or something else does."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = command("fault", "list", "--url", f"http://127.0.0.1:{port}")
    assert done.status == 3
    assert "(connection refused): start `agentaskit-sim serve` or `up`" in done.err
    with bind("127.0.0.1", 0) as listener, running(web.Application(), listener):
        done = command("fault", "list", "--url", describe_url(listener))
    assert done.status == 3
    assert "is no world of this program (status 404)" in done.err


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (400, InputError, "planted"),
        (401, InputError, "the world asks for its token: --token-file or AGENTASKIT_SIM_TOKEN"),
        (500, JudgeError, "could not answer: planted"),
    ],
)
def test_an_error_of_the_world_has_its_reason(status, error, message):
    """A refusal is the user's mistake, a failure of the server is not."""

    async def refuse(_):
        return web.json_response({"error": "planted"}, status=status)

    app = web.Application()
    app.router.add_get(f"{API}/faults", refuse)
    with bind("127.0.0.1", 0) as listener, running(app, listener):
        client = FaultClient(describe_url(listener))
        with pytest.raises(error, match=message):
            client.list_all()


@pytest.mark.parametrize("name", ["../faults", "a/b", "a b", "", "ü"])
def test_a_name_that_would_lead_to_another_path_is_refused(name):
    """Before anything is sent."""
    with pytest.raises(InputError, match="a fault's name must be lower-case words"):
        FaultClient("http://127.0.0.1:1").end(name)
