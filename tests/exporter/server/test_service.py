"""A world behind its server until something ends it: page and pacer beside each other."""

from __future__ import annotations

import asyncio
import os
import signal
from types import SimpleNamespace

import aiohttp
import pytest

from exporter.server.app import bind, build_app, describe_url
from exporter.server.exposition import Exposition
from exporter.server.service import WorldService, _stop, describe_stop, serve_world
from simulator.pacer import SystemClock
from tests.fakes import FakeWorld


class ScriptedReporter:
    """A reporter that keeps every sentence, and ends or raises when it is run."""

    def __init__(self, error=None):
        """Raise `error` at once if there is one, else report for ever."""
        self.error, self.said, self.cancelled = error, [], False

    def say(self, sentence):
        """Keep it."""
        self.said.append(sentence)

    async def run(self):
        """Raise, or wait to be cancelled."""
        if self.error:
            raise self.error
        try:
            await asyncio.sleep(3600)
        finally:
            self.cancelled = True


@pytest.fixture
def exposition():
    """Return a world behind a page, in real time."""
    return Exposition(FakeWorld(), SystemClock(), version="1", scenario="small")


@pytest.fixture(autouse=True)
def _handlers():
    """Restore the handlers of signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(exposition, reporter, *, announce=lambda: None, **end):
    """Return the coroutine of a service on a free port."""
    service = WorldService(exposition, reporter, **{"until_s": 3600, "exit_at_end": False, **end})
    return service.run(build_app(exposition), bind("127.0.0.1", 0), announce)


async def test_a_page_is_served_and_its_world_paced_inside_the_block_only(exposition):
    """The pacer's task is given to the block, and has ended after it; so has the server."""
    with bind("127.0.0.1", 0) as listener:
        url = describe_url(listener)
        async with (
            serve_world(build_app(exposition), listener, exposition.pacer.run) as pacing,
            aiohttp.ClientSession() as client,
        ):
            await asyncio.sleep(0.2)
            assert (await client.get(f"{url}/metrics")).status == 200
            assert exposition.pace().elapsed_s > 0.1
            assert not pacing.done()
        assert pacing.cancelled()
        async with aiohttp.ClientSession() as client:
            with pytest.raises(aiohttp.ClientError):
                await client.get(f"{url}/metrics")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_service_with_its_status(exposition, number):
    """128 and the number; the reporter is cancelled and prints a last sentence."""
    reporter = ScriptedReporter()
    status = await run(exposition, reporter, announce=lambda: os.kill(os.getpid(), number))
    assert status == 128 + number
    assert reporter.said == ["stopped (0 scrapes served)"]
    assert reporter.cancelled


@pytest.mark.parametrize("exit_at_end", [True, False])
async def test_the_end_of_the_scenario_ends_the_service_only_if_it_should(exposition, exit_at_end):
    """Status 0; without the option the world goes on, and that is reported."""
    reporter = ScriptedReporter()
    service = asyncio.ensure_future(run(exposition, reporter, until_s=0.1, exit_at_end=exit_at_end))
    if exit_at_end:
        assert await asyncio.wait_for(service, 30.0) == 0
        assert reporter.said == ["the scenario has ended", "stopped (0 scrapes served)"]
        return
    async with asyncio.timeout(30.0):
        while not reporter.said:  # noqa: ASYNC110 - a list has no event to wait for
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not service.done()
    assert reporter.said == ["the scenario has ended, the world keeps running"]
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)


async def test_an_error_of_the_reporter_ends_the_service(exposition):
    """A run that cannot go on is reported by an exception, which is raised to the caller."""
    with pytest.raises(RuntimeError, match="planted"):
        await run(exposition, ScriptedReporter(RuntimeError("planted")))


def test_a_second_signal_changes_nothing():
    """The first has ended the service already: its status stays."""
    loop = asyncio.new_event_loop()
    stopped = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        _stop(stopped, number)
    loop.close()
    assert stopped.result() == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("scrapes", "sentence"), [(0, "0 scrapes"), (1, "1 scrape"), (1200, "1,200 scrapes")]
)
def test_the_last_sentence_counts_the_scrapes(scrapes, sentence):
    """One is no plural."""
    assert describe_stop(SimpleNamespace(scrapes_served=scrapes)) == f"stopped ({sentence} served)"
