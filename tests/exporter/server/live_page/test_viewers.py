"""Those who look on, without a server: who is fed, who is cut, who finds no place."""

from __future__ import annotations

from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from exporter.server.live_page.viewers import Viewer, Viewers


class NotedTransport:
    """A transport of a client that has gone to sleep."""

    def __init__(self):
        """Be open."""
        self.ended = []

    def abort(self):
        """Note that whatever is unsent is given up."""
        self.ended.append("abort")


@pytest.fixture
def seats():
    """Keep the seats of a test's viewers until its end."""
    with ExitStack() as seats:
        yield seats


def looking_on(viewers, seats):
    """Return a viewer in a seat, and its transport."""
    transport = NotedTransport()
    request = SimpleNamespace(transport=transport)
    return seats.enter_context(viewers._seat(request)), transport


async def test_who_does_not_read_is_cut_at_once_and_the_others_go_on(seats):
    """What waited for it is sent to nobody; it looks on no more."""
    viewers = Viewers()
    sleeper, asleep = looking_on(viewers, seats)
    reader, awake = looking_on(viewers, seats)
    for number in range(6):
        viewers.send(b"%d" % number)
        assert await reader.next_event() == b"%d" % number
    assert await sleeper.next_event() == b""
    assert (asleep.ended, awake.ended) == (["abort"], [])
    assert (sleeper.ended, reader.ended, len(viewers)) == (True, False, 1)


async def test_without_a_connection_there_is_nothing_to_cut():
    """It has gone already."""
    viewer = Viewer(None)
    viewer.push(b"0")
    viewer.drop()
    assert await viewer.next_event() == b""


async def test_the_end_comes_after_what_waits_and_the_seat_is_free(seats):
    """Whether its server ends or the client goes."""
    viewers = Viewers()
    viewer, transport = looking_on(viewers, seats)
    viewers.send(b"last")
    viewers.close()
    assert [await viewer.next_event() for _ in range(2)] == [b"last", b""]
    assert len(viewers) == 1
    seats.close()
    assert (len(viewers), transport.ended) == (0, [])


@pytest.mark.parametrize("closed", [True, False])
async def test_who_finds_no_place_hears_when_to_come_again(seats, closed):
    """Too many look on, or the server is ending; one place less than all is one."""
    viewers = Viewers(viewers_max=2)
    looking_on(viewers, seats)
    if closed:
        viewers.close()
    else:
        looking_on(viewers, seats)
    refused = await viewers.follow(SimpleNamespace(transport=None), b"first")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert refused.text == '{"error": "at most 2 can look on: close another page first"}'
    assert len(viewers) == (1 if closed else 2)
