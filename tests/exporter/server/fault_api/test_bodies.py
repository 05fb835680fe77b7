"""Bodies within their limits, and what a change raises as a refusal of its own status."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from documents.mistakes import InputError, Place, gather
from exporter.server.fault_api import bodies
from exporter.server.fault_api.control import FaultConflictError
from exporter.server.fault_api.guard import RequestRefusedError


class SentBody:
    """A request whose body is read by `read`."""

    def __init__(self, error=None):
        """Raise an error instead of the body."""
        self.error = error

    async def read(self):
        """Return the body."""
        if self.error is not None:
            raise self.error
        return b"body"


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (web.HTTPRequestEntityTooLarge(1, 2), 413, "the body is too long"),
        (web.RequestPayloadError("cut"), 400, "did not arrive as its head announced"),
        (ConnectionResetError(), 400, "did not arrive as its head announced"),
        (TimeoutError(), 408, "the body must arrive within 5 s"),
    ],
)
async def test_a_body_that_does_not_arrive_is_refused(error, status, sentence):
    """Each reason by its own status."""
    with pytest.raises(RequestRefusedError) as refusal:
        await bodies.read_body(SentBody(error))
    assert refusal.value.status == status
    assert sentence in str(refusal.value)
    assert await bodies.read_body(SentBody()) == b"body"


async def test_a_body_that_never_ends_is_refused_when_its_time_is_over(monkeypatch):
    """The client holds no connection open."""
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_S", 0.01)
    slow = SentBody()
    slow.read = asyncio.Event().wait
    with pytest.raises(RequestRefusedError, match=r"within 0\.01 s") as refusal:
        await bodies.read_body(slow)
    assert refusal.value.status == 408


def mistaken():
    """Return an error of two mistakes."""
    place = Place("body", 1, 1)
    return gather([*place.error("first").mistakes, *place.error("second").mistakes])


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            FaultConflictError("in effect", "drop"),
            409,
            "a fault called 'drop' is in effect: change it or end it first",
        ),
        (InputError("no such fault"), 400, "no such fault"),
        (mistaken(), 400, "body:1:1: first; body:1:1: second"),
        (ValueError("no number"), 400, "no number"),
        (OverflowError("int too large"), 400, "the body holds a number that is out of range"),
    ],
)
def test_what_a_change_raises_is_a_refusal_with_its_sentence(error, status, sentence):
    """A conflict is not the body's fault; every mistake is named."""

    def change():
        raise error

    with pytest.raises(RequestRefusedError) as refusal:
        bodies.attempt(change)
    assert (refusal.value.status, str(refusal.value)) == (status, sentence)
    assert bodies.attempt(lambda: 7) == 7


def test_a_mistake_of_ours_is_no_refusal():
    """It is an internal error, and shows."""
    with pytest.raises(KeyError):
        bodies.attempt(lambda: {}["x"])


def test_an_answer_is_json_that_nobody_keeps():
    """With further headers beside."""
    answer = bodies.answer_json({"a": 1}, status=201, headers={"X-Own": "y"})
    assert (answer.status, answer.text) == (201, '{"a": 1}')
    assert (answer.headers["Cache-Control"], answer.headers["X-Own"]) == ("no-store", "y")
