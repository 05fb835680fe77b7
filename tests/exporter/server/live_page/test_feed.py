"""The feed by itself: when it ticks, what a newcomer gets, an alert on the page's axis."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from types import SimpleNamespace

import pytest

from exporter.server.live_page import feed as module
from exporter.server.live_page.feed import LiveFeed
from exporter.server.live_page.stack_board import AlertShown, StackBoard
from tests.exporter.server.live_page.watched import build
from tests.fakes import MockClock


class TickClock:
    """A loop whose time passes by its pauses and by the work of each tick."""

    def __init__(self, works_s):
        """Begin at 100 seconds; the feed is cancelled after as many ticks as `works_s` has."""
        self.now_s, self.ticks_s, self._works_s = 100.0, [], list(works_s)

    def time(self):
        """Return the time of the loop."""
        return self.now_s

    async def sleep(self, seconds):
        """Let time pass, never back."""
        self.now_s += max(0.0, seconds)

    def tick(self):
        """Note the time and work for a while."""
        if not self._works_s:
            raise asyncio.CancelledError
        self.ticks_s.append(self.now_s)
        self.now_s += self._works_s.pop(0)


def make_feed(board=None):
    """Return the feed of a small world."""
    return LiveFeed(build(clock=MockClock())[1], board)


async def test_a_feed_ticks_once_a_second_and_makes_up_for_no_tick_that_it_missed(monkeypatch):
    """The work of a tick shortens the pause; after a long one the seconds count from its end."""
    clock, feed = TickClock([0.0, 0.25, 2.5, 0.0, 0.0]), make_feed()
    loop = SimpleNamespace(get_running_loop=lambda: clock, sleep=clock.sleep)
    monkeypatch.setattr(module, "asyncio", loop)
    monkeypatch.setattr(feed, "tick", clock.tick)
    with suppress(asyncio.CancelledError):
        await feed.run()
    assert clock.ticks_s == [101.0, 102.0, 103.0, 105.5, 106.5]


async def test_a_newcomer_after_the_next_reading_is_shown_that_one():
    """Between two readings it is the same document."""
    feed = make_feed()
    first = await feed.newcomer()
    assert await feed.newcomer() is first
    for number in (1, 2):
        feed.tick()
        assert json.loads(await feed.newcomer())["reading"] == number


async def test_an_episode_has_its_three_instants_on_the_axis_of_the_page():
    """Pending, firing and resolved, each as seconds since the chart's start; none stays none."""
    board = StackBoard(rules={"Loud": "y < 1"})
    feed = make_feed(board)
    start_s = feed._starts_unix_s
    active = AlertShown(alert="Loud", labels=(), severity="page", pending_s=start_s + 2.0,
                        firing_s=start_s + 5.0)  # fmt: skip
    seen = []
    for alerts, at_s in (([active], 6.0), ([], 9.0)):
        board.show(alerts, (), (), start_s + at_s)
        (lane,) = feed._lanes()
        (episode,) = lane.episodes
        seen.append((episode.pending_s, episode.firing_s, episode.resolved_s))
    assert seen == [
        (pytest.approx(2.0), pytest.approx(5.0), None),
        (pytest.approx(2.0), pytest.approx(5.0), pytest.approx(9.0)),
    ]
