"""Bytes that no client library would send, to a whole server: refused, never an error of ours."""

from __future__ import annotations

import gzip
import json
import logging

import pytest

from tests.exporter.server.fault_api.served import DROP, TOKEN, build
from tests.exporter.server.raw_requests import listening, status_of

BODY = json.dumps(DROP).encode()
ZIPPED = gzip.compress(BODY)
PLACE = b"POST /api/v1/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n"
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"
AUTHORIZED = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"


def post(*headers, body=BODY):
    """Return a request to begin a fault."""
    return PLACE + JSON + b"".join(headers) + LENGTH % len(body) + body


REQUESTS = {
    "a token that is no UTF-8": (post(b"Authorization: Bearer \xff\r\n"), 401),
    "a token of high bytes": (post(b"Authorization: Bearer \xc3\xbf\xfe\r\n"), 401),
    "a scheme that is no UTF-8": (post(b"Authorization: \xff \xff\r\n"), 401),
    "no token": (post(), 401),
    "garbage that says it is gzip": (
        post(AUTHORIZED, b"Content-Encoding: gzip\r\n", body=b"garbage"), 415),
    "gzip": (post(AUTHORIZED, b"Content-Encoding: gzip\r\n", body=ZIPPED), 415),
    "deflate that ends early": (
        post(AUTHORIZED, b"Content-Encoding: deflate\r\n", body=ZIPPED[:9]), 415),
    "an encoding that is no UTF-8": (post(AUTHORIZED, b"Content-Encoding: \xff\r\n"), 415),
    "two encodings": (post(AUTHORIZED, b"Content-Encoding: gzip, br\r\n"), 415),
    "an origin that is no UTF-8": (post(AUTHORIZED, b"Origin: http://\xff\r\n"), 403),
    "a type that is no UTF-8": (
        PLACE + AUTHORIZED + b"Content-Type: \xff\r\n" + LENGTH % 2 + b"{}", 415),
    "a page asked for with a body that says it is gzip": (
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
        + LENGTH % 7 + b"garbage", 200),
    "a port that is no number": (
        b"GET /api/v1/faults HTTP/1.1\r\nHost: 127.0.0.1:x\r\n\r\n", 400),
    "a name that is not ours": (b"GET /api/v1/faults HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
    "an absolute target": (
        b"GET http://127.0.0.1/api/v1/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200),
    "an absolute target of another server": (
        b"GET http://evil.example/api/v1/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 421),
    "an absolute target with a port that is no number": (
        b"GET http://127.0.0.1:x/api/v1/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
    "a fault whose name is no UTF-8": (
        b"GET /api/v1/faults/%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404),
    "a body that is no UTF-8": (post(AUTHORIZED, body=b'{"fault": "\xff"}'), 400),
    "a chunk of no length": (
        PLACE + JSON + AUTHORIZED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
    "what is well": (post(AUTHORIZED), 201),
}  # fmt: skip


@pytest.fixture
async def address():
    """Give the address of a whole server, with its limits, a token, and a world that stands."""
    async with listening(build(TOKEN)[-1]) as address:
        yield address


@pytest.mark.sampled(10)
@pytest.mark.parametrize("name", REQUESTS)
async def test_it_gets_its_status_and_no_line_in_the_log(address, name, caplog):
    """Never a 5xx; and the next who asks is answered."""
    request, status = REQUESTS[name]
    with caplog.at_level(logging.WARNING):
        assert await status_of(address, request) == status
        assert await status_of(address, b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n") == 200
    assert not caplog.records


async def test_every_one_of_them_has_its_own_status(address):
    """One server answers them all."""
    for name, (request, status) in REQUESTS.items():
        assert await status_of(address, request) == status, name


async def test_a_comparison_of_texts_would_be_an_error_of_ours(address, monkeypatch, caplog):
    """A token that is no ASCII cannot be compared as text: that was answered with 500."""
    monkeypatch.setattr("exporter.server.fault_api.guard._bytes", lambda text: text)
    request, _ = REQUESTS["a token that is no UTF-8"]
    with caplog.at_level(logging.WARNING):
        assert await status_of(address, request) == 500
    assert caplog.records
