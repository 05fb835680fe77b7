"""What a snapshot derives from its arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.snapshot import AGENT_STATES
from tests.fakes import FLEET, make_snapshot


def test_an_agent_is_active_when_it_is_idle_busy_or_hung():
    """Stopped, starting and crashed agents are not."""
    active = {"idle", "busy", "hung"}
    for place, state in enumerate(AGENT_STATES):
        agents = np.zeros((len(FLEET), len(AGENT_STATES)), np.int64)
        agents[:, place] = FLEET
        snapshot = replace(make_snapshot(), agents=agents)
        expected = list(FLEET) if state in active else [0] * len(FLEET)
        assert snapshot.active_agents.tolist() == expected, state


def test_the_time_is_given_in_seconds_too():
    """Nanoseconds of the world's clock, as seconds."""
    assert make_snapshot(now_ns=1_500_000_000).time_s == 1.5
