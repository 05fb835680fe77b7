"""What a snapshot derives from its arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.kernel import loop as k
from simulator.snapshot import AGENT_STATES, OUTCOMES, STATUSES, TRAFFIC
from tests.fakes import FLEET, make_snapshot
from tests.simulator.worlds import fault, make


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


def test_names_stand_where_the_kernel_counts():
    """Answers of the gateway and states of agents are numbers there."""
    assert dict(enumerate(STATUSES)) == {
        k.OK: "200", k.TOO_MANY: "429", k.ERROR: "500", k.UNAVAILABLE: "503", k.TIMEOUT: "504",
    }  # fmt: skip
    assert dict(enumerate(AGENT_STATES)) == {
        k.STOPPED: "stopped", k.STARTING: "starting", k.IDLE: "idle", k.WORKING: "busy",
        k.HANGING: "hung", k.CRASH: "crashed",
    }  # fmt: skip


def test_what_is_counted_of_tasks_and_of_the_network_has_the_name_of_it():
    """Nine of ten tasks fail; three bytes come with a request, five go."""
    world = make(fault("task_failure", share=0.9, start_s=0.0), request_bytes=3, response_bytes=5)
    world.advance(10.0)
    snapshot = world.snapshot()
    outcomes = dict(zip(OUTCOMES, snapshot.tasks_processed.sum(axis=0).tolist(), strict=True))
    answers = dict(zip(STATUSES, snapshot.http_requests.tolist(), strict=True))
    assert outcomes == {"completed": answers["200"], "failed": answers["500"]}
    assert outcomes["failed"] > 5 * outcomes["completed"] > 0
    received, sent = (
        dict(zip(TRAFFIC, moved.tolist(), strict=True))
        for moved in (snapshot.network_received_bytes, snapshot.network_sent_bytes)
    )
    assert received["request"] == 3 * snapshot.tasks_arrived.sum()
    assert sent["request"] == 5 * sum(answers.values())
    assert received["message"] == sent["message"] > 0
