"""Who may use the fault API: tokens, host names and addresses."""

from __future__ import annotations

import json

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
    headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
    answered = await guarded("DELETE", headers, token=token, sockname=(sockname, 9464))
    assert answered.status == status


async def guarded(method, headers, *, token=None, sockname=("127.0.0.1", 9464), error=None):
    """Return what the guard answers to a request, whose handler answers 200 or raises `error`."""
    transport = type("Transport", (), {"get_extra_info": lambda *_: sockname})()
    transport.is_closing = lambda: False
    headers = {"Host": "localhost", **headers}
    request = make_mocked_request(method, FAULTS, headers=headers, transport=transport)

    async def answer(_):
        if error is not None:
            raise error
        return web.Response()

    return await build_guard(token)(request, answer)


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "headers", "token"),
    [
        ("GET", {"Origin": "https://localhost"}, TOKEN),
        ("GET", {"Origin": "http://localhost"}, None),
        ("POST", {**JSON, "Authorization": f"bearer   {TOKEN} "}, TOKEN),
        ("PUT", {**JSON, "Content-Encoding": "Identity"}, None),
        ("DELETE", {}, None),
    ],
)
async def test_what_is_allowed_reaches_its_handler(method, headers, token):
    """Its own server under either scheme, a token with blanks around it, a body as it is."""
    assert (await guarded(method, headers, token=token)).status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("sockname", "token", "status"), [(None, None, 403), (("127.0.0.1", 1), TOKEN, 401)]
)
async def test_no_write_goes_without_its_token(method, sockname, token, status):
    """Nor one of which nobody knows where it comes from."""
    assert (await guarded(method, JSON, token=token, sockname=sockname)).status == status


async def test_a_refusal_says_how_it_can_be_mended_and_nobody_keeps_it():
    """What kind of token is missing, or which methods there are."""
    missing = await guarded("POST", JSON, token=TOKEN)
    other = await guarded("GET", {}, error=web.HTTPMethodNotAllowed("GET", ["PUT"]))
    for answer, status, sentence, header, value in (
        (missing, 401, "a change needs the server's token: Authorization: Bearer TOKEN",
         "WWW-Authenticate", "Bearer"),
        (other, 405, "method not allowed", "Allow", "PUT"),
    ):  # fmt: skip
        assert (answer.status, json.loads(answer.text)) == (status, {"error": sentence})
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers[header] == value
    assert "Allow" not in missing.headers
    assert "WWW-Authenticate" not in other.headers
