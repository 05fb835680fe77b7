"""The benchmark's peer simulates the same system: without that, its speed would mean nothing."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simpy_bus import ArithmeticBus, EventBus
from benchmarks.simpy_world import SimpyWorld
from simulator.load import BASE_RATE_PER_S
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World

WARM_S, UNTIL_S, SIMPY_S = 20.0, 40.0, 4.0
HISTOGRAMS = ("response_duration", "http_request_duration", "task_duration")


def far_apart(ours, theirs):
    """Return what differs by more than a few per cent, with both values."""
    tolerance = {"executions per task": 0.05}
    return {
        name: (value, theirs[name])
        for name, value in ours.items()
        if abs(value - theirs[name]) > tolerance.get(name, 0.03) * max(value, 1e-3)
    }


def measure_simpy(topology, bus=ArithmeticBus, until_s=SIMPY_S):
    """Run the peer and return its physics, and its distributions of durations."""
    model = SimpyWorld(topology, rate_per_s=BASE_RATE_PER_S, seed=1, bus=bus)
    model.advance(until_s)
    durations = (model.response_durations, model.http_durations, model.task_durations)
    physics = {
        "tasks per second": model.arrived / until_s,
        "messages per task": model.bus.sent / model.completed,
        "executions per task": sum(pool.executions for pool in model.pools) / model.completed,
        "agents running": len(model.agents),
        **{name: row.mean_s for name, row in zip(HISTOGRAMS, durations, strict=True)},
    }
    return physics, [np.cumsum(row.counts) / sum(row.counts) for row in durations]


@pytest.fixture(scope="module")
def world():
    """Return the world's physics over twenty seconds, and its distributions of durations."""
    world = World(Topology(), Plan(), seed=42)
    world.advance(WARM_S)
    before = world.snapshot()
    world.advance(UNTIL_S)
    now = world.snapshot()
    passed_s = UNTIL_S - WARM_S
    tasks = int((now.tasks_processed - before.tasks_processed).sum())
    physics = {
        "tasks per second": int((now.tasks_arrived - before.tasks_arrived).sum()) / passed_s,
        "messages per task": (now.messages_sent - before.messages_sent) / tasks,
        "executions per task": (now.sandbox_executions - before.sandbox_executions).sum() / tasks,
        "agents running": int(now.active_agents.sum()),
    }
    distributions = []
    for name in HISTOGRAMS:
        old, new = getattr(before, name), getattr(now, name)
        counts = new.counts - old.counts
        physics[name] = (new.sum_ns - old.sum_ns) / 1e9 / counts.sum()
        distributions.append(np.cumsum(counts) / counts.sum())
    return physics, distributions


@pytest.fixture(scope="module")
def simpy():
    """Return the same of the peer."""
    return measure_simpy(Topology())


@pytest.mark.ci
def test_rates_means_and_messages_agree_within_a_few_per_cent(world, simpy):
    """Tasks, messages, executions, agents, and the mean of every duration."""
    assert far_apart(world[0], simpy[0]) == {}


@pytest.mark.ci
@pytest.mark.parametrize("which", range(len(HISTOGRAMS)), ids=HISTOGRAMS)
def test_durations_have_the_same_distribution(world, simpy, which):
    """At no bucket's bound do the two differ by more than one part in a hundred."""
    assert np.abs(world[1][which] - simpy[1][which]).max() < 0.01


@pytest.mark.ci
def test_another_system_is_noticed(world):
    """Planted: work that takes a tenth longer, and one message more for each task."""
    work, coordination = Topology().classes
    slower = replace(work, mean_service_s=1.1 * work.mean_service_s)
    other = Topology(classes=(slower, coordination), messages_at_completion=7)
    differing = far_apart(world[0], measure_simpy(other, until_s=2.0)[0])
    assert {"messages per task", "task_duration"} <= set(differing)


@pytest.mark.long
def test_both_buses_give_the_same_system(simpy):
    """With an event for each message or with none: the same arrivals, the same durations."""
    physics, _ = measure_simpy(Topology(), bus=EventBus)
    assert physics == pytest.approx(simpy[0], rel=1e-6)
