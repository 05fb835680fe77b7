"""A world to be replayed, and the scrapes of its run."""

from __future__ import annotations

import numpy as np

from simulator.faults.fault import Fault
from simulator.faults.kinds.sandboxes import SandboxLeak
from simulator.faults.kinds.scrape_path import ExporterDown
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from verifier.real_time.replay import Scrapes


def leaking_world():
    """Return a world with a leak at 4 s, and without its exporter from 8 to 9 s."""
    faults = (
        Fault(name="leak", parameters=SandboxLeak(share=0.95), start_s=4.0, duration_s=3.0),
        Fault(name="gone", parameters=ExporterDown(), start_s=8.0, duration_s=1.0),
    )
    return World(Topology(), Plan(faults=faults), 7)


def two_scrapes_a_second(start_s):
    """Twelve seconds of scrapes, two a second, those failed that the exporter refused."""
    at_ns = (np.arange(1, 25) * 500_000_000).astype(np.int64)
    refused = (at_ns >= 8_000_000_000) & (at_ns < 9_000_000_000)
    return Scrapes(start_s + at_ns / 1e9, np.where(refused, -1, at_ns), np.full(24, 0.01))
