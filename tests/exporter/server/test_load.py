"""Many scrapers and hostile clients against a real `serve`: no errors, nobody forgotten.

Nothing is asserted on time, which is a matter of the machine: `make bench-scrapes` measures it.
"""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.hostile_clients import HOSTILE, misbehave_together
from benchmarks.scrape_clients import scrape_regularly
from benchmarks.scrape_peers import count_series, fetch, lengthen, value_of
from benchmarks.serve import Serve

PATIENCE_S = 120.0
"""For a machine that does a lot besides."""


@pytest.fixture(scope="module")
def address():
    """Give the address of a served world whose page has 10,000 series."""
    with Serve() as serve:
        host, _, port = serve.target.rpartition(":")
        lengthen((host, int(port)), 10_000)
        yield host, int(port)


@pytest.mark.long
async def test_fifty_scrapers_of_ten_thousand_series_meet_no_error(address):
    """And nothing is dropped."""
    tally = await scrape_regularly(address, 50, 10)
    assert (tally.errors, len(tally.latencies_s)) == (0, 500)
    page = await asyncio.to_thread(fetch, address)
    assert count_series(page) == 10_000
    assert value_of(page, "agentaskit_sim_series_dropped_total") == 0


@pytest.mark.long
async def test_hostile_clients_are_all_cut_and_patient_ones_meet_no_error(address):
    """Every kind of them, beside ten who scrape."""
    cut, tally = await asyncio.gather(
        misbehave_together(address, 5, PATIENCE_S), scrape_regularly(address, 10, 20)
    )
    assert set(cut) == {behaviour.name for behaviour in HOSTILE}
    assert all(end is not None for ends in cut.values() for end in ends)
    assert (tally.errors, len(tally.latencies_s)) == (0, 200)
