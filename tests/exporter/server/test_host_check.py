"""What a request says of the server it is meant for."""

from __future__ import annotations

import logging

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from exporter.server.host_check import host_name, refuse_misdirected
from tests.exporter.server.raw_requests import listening, status_of
from tests.fakes import FakeWorld, MockClock

HOSTS = {
    "localhost": "localhost", "LOCALHOST:9464": "localhost", "127.0.0.1:1": "127.0.0.1",
    "[::1]": "::1", "[::1]:9464": "::1", "a-b.example:65535": "a-b.example", "my_host": "my_host",
    "": None, "127.0.0.1:x": None, "localhost:": None, "localhost:99999": None, ":9464": None,
    "a b": None, "a/b": None, "a@b": None, "a?b": None, "a#b": None, "[::1": None, "::1": None,
    "[::g]": None, "[1.2.3]": None, "\xff": None, "\udcff": None, "a" * 300: None, "-a": None,
}  # fmt: skip


@pytest.mark.parametrize(("host", "name"), HOSTS.items())
def test_a_host_is_a_name_or_an_address_with_a_port_or_without(host, name):
    """Anything else is none."""
    assert host_name(host) == name


@pytest.fixture
async def address():
    """Give the address of a server, with its limits and without a world that moves."""
    exposition = Exposition(FakeWorld(), MockClock(), version="1", scenario="calm")
    async with listening(build_app(exposition)) as address:
        yield address


REQUESTS = {
    b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": 200,
    b"GET /metrics HTTP/1.1\r\nHost: any.name:80\r\n\r\n": 200,
    b"GET /metrics HTTP/1.0\r\n\r\n": 200,
    b"GET http://127.0.0.1/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": 200,
    b"GET http://LOCALHOST/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n": 200,
    b"GET http://localhost/metrics HTTP/1.1\r\nHost: LocalHost\r\n\r\n": 200,
    b"GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": 421,
    b"GET http://127.0.0.1:1/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": 421,
    b"GET http:/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": 400,
    b"GET /metrics HTTP/1.1\r\n\r\n": 400,
    b"GET /metrics HTTP/1.1\r\nHost:\r\n\r\n": 400,
    b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:x\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n": 400,
    b"GET /sd/targets HTTP/1.1\r\nHost: a b\r\n\r\n": 400,
    b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n": 404,
    b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n": 400,
    b"GET //metrics HTTP/1.1\r\nHost: a\r\n\r\n": 404,
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n": 404,
    b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n": 421,
    b"BREW /metrics HTTP/1.1\r\nHost: a\r\n\r\n": 400,
    b"DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n": 405,
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n": 400,
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nAccept: \xff;q=\xff\r\nAccept-Encoding: \xff\r\n\r\n": 200,
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nExpect: nonsense\r\n\r\n": 417,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": 400,
    b"\x00" * 100 + b"\r\n\r\n": 400,
}  # fmt: skip


@pytest.mark.parametrize("request_bytes", REQUESTS)
async def test_odd_requests_get_their_status_and_no_line_in_the_log(address, request_bytes, caplog):
    """Never a 5xx; what a stranger sends is no event of ours."""
    with caplog.at_level(logging.WARNING):
        assert await status_of(address, request_bytes) == REQUESTS[request_bytes]
    assert not caplog.records


@pytest.mark.parametrize("hosts", [["a", "a"], ["a b"]])
async def test_who_names_no_server_is_refused_and_closed(hosts):
    """Two names are none, whatever the parser of the requests lets through."""
    headers = CIMultiDict([("Host", host) for host in hosts])
    answer = await refuse_misdirected(make_mocked_request("GET", "/", headers=headers), None)
    assert (answer.status, answer.keep_alive) == (400, False)
