"""Who may use the fault API: tokens, host names and addresses."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from exporter.server.fault_api.guard import build_guard
from tests.exporter.server.fault_api.served import DROP, FAULTS, TOKEN


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"],
)  # fmt: skip
async def test_without_the_token_nothing_changes(serve, authorization):
    """Whatever the write; reading needs no token."""
    served = await serve(TOKEN)
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await served.call("POST", body=DROP, headers=right))[0] == 201
    before = served.state()
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path, body in (
        ("POST", "", {"fault": "agent_hang"}),
        ("PATCH", "/gone", {"duration": "1m"}),
        ("DELETE", "/gone", None),
        ("DELETE", "", None),
    ):
        status, document = await served.call(method, path, body, headers=headers)
        assert status == 401
        assert "needs the server's token" in document["error"]
    assert served.state() == before
    assert (await served.call("GET"))[0] == 200
    assert (await served.call("DELETE", headers=right))[0] == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:9464", "127.0.0.1:1", "[::1]:9464"])
async def test_loopback_names_are_accepted_with_any_port(served, host):
    """A forwarded port differs from the server's."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert (await served.call("POST", body=DROP, headers=headers))[0] == 201


@pytest.mark.parametrize(
    ("sockname", "host", "token", "status"),
    [
        ("192.0.2.5", "192.0.2.5:9464", None, 403),
        ("192.0.2.5", "192.0.2.5:9464", TOKEN, 200),
        ("::ffff:192.0.2.5", "192.0.2.5:9464", TOKEN, 200),
        ("192.0.2.5", "192.0.2.6:9464", TOKEN, 403),
        ("127.0.0.1", "127.0.0.1:9464", None, 200),
    ],
)
async def test_a_server_beyond_loopback_needs_a_token(sockname, host, token, status):
    """And its Host is the address that the client connected to."""
    transport = type("Transport", (), {"get_extra_info": lambda *_: (sockname, 9464)})()
    transport.is_closing = lambda: False
    headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
    request = make_mocked_request("DELETE", FAULTS, headers=headers, transport=transport)

    async def answer(_):
        return web.Response()

    answered = await build_guard(token)(request, answer)
    assert answered.status == status
