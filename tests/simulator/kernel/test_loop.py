"""The loop's physics: what queueing theory knows exactly, it reproduces within statistical error.

Every comparison is of batch means with theory, at four standard errors; no tolerance is chosen.
"""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import SANDBOXES, SandboxPool, Tier
from simulator.world import World
from tests.simulator.kernel.test_batch_means import agrees, erlang_c
from tests.simulator.worlds import MEAN_S, fault, recent_durations_s, small, station

BATCHES = 32
SAMPLES = 400


class Batches:
    """A world observed in equal batches after a warm-up: exact sums, and sampled levels."""

    def __init__(self, world, arrivals_per_batch, rate):
        """Simulate a tenth of the whole as a warm-up, then observe batch after batch."""
        self.waits, self.waited, self.queued, self.busy, self.rates, self.done = (
            [] for _ in range(6)
        )
        batch_ns = round(arrivals_per_batch / rate * 1e9)
        world.advance_ns(BATCHES * batch_ns // 10)
        for _ in range(BATCHES):
            self._observe(world, batch_ns)

    def _observe(self, world, batch_ns):
        s, begins = world._state, world.now_ns
        answered, summed = self._answered(s)
        arrived = s.priority[:, k.ARRIVED].sum()
        ended, timed = s.histogram[k.TASK_DURATION].sum(), s.histogram_sum[k.TASK_DURATION]
        depths, busy = [], []
        for sample in range(1, SAMPLES + 1):
            world.advance_ns(begins + batch_ns * sample // SAMPLES)
            depths.append(s.priority[:, k.DEPTH].copy())
            busy.append(s.host[0, k.BUSY])
        now, now_summed = self._answered(s)
        count = now - answered
        assert 1000 < count < k.RECENT
        last = s.recent[k.RESPONSE_DURATION, np.arange(answered, now) & (k.RECENT_MASK)]
        self.waits.append((now_summed - summed) / count / 1e9)
        self.waited.append((last > 1).mean())
        self.queued.append(np.mean(depths, axis=0))
        self.busy.append(np.mean(busy))
        self.rates.append((s.priority[:, k.ARRIVED].sum() - arrived) / batch_ns * 1e9)
        self.done.append(
            (s.histogram_sum[k.TASK_DURATION] - timed)
            / (s.histogram[k.TASK_DURATION].sum() - ended)
            / 1e9
        )

    @staticmethod
    def _answered(s):
        """Return how many tasks have a first result, and their total wait (hand-over: 1 ns)."""
        count = s.histogram[k.RESPONSE_DURATION].sum()
        return count, s.histogram_sum[k.RESPONSE_DURATION] - count


def observe(topology, rate, *, seed=11, arrivals=20_000):
    """Return the batches of a station under Poisson arrivals."""
    world = World(topology, Plan(load=Load(rate=rate)), seed)
    return Batches(world, arrivals, rate)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("servers", "utilisation"), [(1, 0.7), (2, 0.9), (5, 0.7), (10, 0.9), (40, 0.7), (40, 0.95)]
)
def test_an_exponential_station_follows_erlang(servers, utilisation):
    """M/M/c: share that waits C, mean wait C / (c mu - lambda), utilisation, and Little's law."""
    rate = servers * utilisation / MEAN_S
    offered = servers * utilisation
    batches = observe(station(servers), rate)
    waits = erlang_c(servers, offered)
    agrees(batches.waited, waits)
    agrees(batches.waits, waits / (servers / MEAN_S - rate))
    agrees(batches.busy, offered)
    agrees(batches.done, MEAN_S)
    in_queue = np.sum(batches.queued, axis=1)
    agrees(in_queue - np.multiply(batches.rates, batches.waits), 0.0)
    agrees(batches.busy - np.multiply(batches.rates, batches.done), 0.0)


def test_a_delay_beyond_the_theory_is_detected():
    """Planted: half a millisecond in every hand-over. Theory and world then differ."""
    batches = observe(station(5, inbox_service_s=0.0005), 350.0)
    with pytest.raises(AssertionError, match="sigma from"):
        agrees(batches.waits, erlang_c(5, 3.5) / (500.0 - 350.0))
    with pytest.raises(AssertionError, match="sigma from"):
        agrees(batches.busy, 3.5)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("distribution", "second_moment"),
    [("exponential", 2.0), ("deterministic", 1.0), ("lognormal", exp(0.8**2))],
)
def test_one_server_follows_pollaczek_and_khinchine(distribution, second_moment):
    """M/G/1: mean wait lambda E[S^2] / (2 (1 - rho)), whatever the distribution of service."""
    batches = observe(station(1, distribution=distribution, sigma=0.8), 75.0, arrivals=40_000)
    agrees(batches.waits, 75.0 * second_moment * MEAN_S**2 / (2 * (1 - 0.75)))
    agrees(batches.waited, 0.75)


def test_priorities_follow_cobham():
    """Non-preemptive M/M/c: W_k = W_0 / ((1 - s_(k-1)) (1 - s_k)), queues by Little's law."""
    servers, utilisation, shares = 4, 0.9, (0.1, 0.2, 0.3, 0.4)
    rate = servers * utilisation / MEAN_S
    batches = observe(station(servers, shares=shares), rate, arrivals=40_000)
    idle_wait = erlang_c(servers, servers * utilisation) * MEAN_S / servers
    loads = np.concatenate([[0.0], np.cumsum(shares) * utilisation])
    for priority, share in enumerate(shares):
        wait = idle_wait / ((1 - loads[priority]) * (1 - loads[priority + 1]))
        agrees(np.array(batches.queued)[:, priority], rate * share * wait)


def test_a_sandbox_pool_follows_erlang_too():
    """Slots are servers: with agents to spare, tasks wait for one of five slots as in M/M/5."""
    slots, utilisation = 5, 0.8
    rate = slots * utilisation / MEAN_S
    pools = tuple(
        SandboxPool(name=name, slots=slots, share=share)
        for name, share in zip(SANDBOXES, (0, 1, 0), strict=True)
    )
    batches = observe(station(200, sandboxes=pools), rate)
    waits = erlang_c(slots, slots * utilisation)
    agrees(batches.waited, waits)
    agrees(batches.waits, waits / (slots / MEAN_S - rate))


def test_a_triple_verified_task_ends_with_the_slowest_of_three_and_a_merge():
    """Mean time: work x E[max of three lognormal factors] + merge, the maximum by quadrature."""
    topology = station(400, distribution="deterministic", triple_share=1.0, merge_s=0.003)
    pools = tuple(SandboxPool(name=name, slots=1000, share=0) for name in SANDBOXES)
    batches = observe(small(**{**fields_of(topology), "sandboxes": pools}), 2000.0)
    z = np.linspace(-8, 8, 20_001)
    density = np.exp(-(z**2) / 2) / sqrt(2 * np.pi)
    below = np.cumsum(density) * (z[1] - z[0])
    slowest = np.sum(3 * below**2 * density * np.exp(0.25 * z - 0.25**2 / 2)) * (z[1] - z[0])
    agrees(batches.done, MEAN_S * slowest + 0.003)


def fields_of(topology):
    """Return a topology's fields by name."""
    return {name: getattr(topology, name) for name in topology.__slots__}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("utilisation", [0.5, 0.8, 0.95])
def test_an_inbox_follows_pollaczek_and_khinchine(utilisation):
    """Poisson messages, constant handling: M/D/1, mean rho + rho^2 / (2 (1 - rho)) an inbox."""
    agents, handling_s = 16, 0.001
    topology = station(agents, inbox_service_s=handling_s, inbox_limit=100_000)
    flood = fault("message_flood", rate_per_s=agents * utilisation / handling_s, start_s=0.0)
    world = World(topology, Plan(load=Load(rate=0.0), faults=(flood,)), 3)
    world.advance(3)
    means = []
    for _ in range(BATCHES):
        batch = []
        for _ in range(60):
            world.advance_ns(world.now_ns + 20_000_000)
            batch.append(world.snapshot().messages_waiting / agents)
        means.append(np.mean(batch))
    agrees(means, utilisation + utilisation**2 / (2 * (1 - utilisation)))


@pytest.mark.parametrize("speed", [1.0, 0.5, 2.0])
def test_lognormal_service_has_its_mean_spread_and_median(speed):
    """Mean m / speed, variance of the log sigma^2, median m exp(-sigma^2 / 2) / speed."""
    tier = Tier(name="server", agents=400, takes=("work",), speed=speed)
    topology = station(400, distribution="lognormal", sigma=0.5, tiers=(tier,))
    world = World(topology, Plan(load=Load(rate=5000.0)), 8)
    world.advance(12.0)
    times = recent_durations_s(world, k.TASK_DURATION)
    count, mean_s = len(times), MEAN_S / speed
    assert count > 50_000
    spread = mean_s * sqrt(exp(0.25) - 1)
    assert abs(times.mean() - mean_s) < 4 * spread / sqrt(count)
    assert abs((times < mean_s * exp(-0.125)).mean() - 0.5) < 4 * 0.5 / sqrt(count)
    assert abs(np.log(times).var() - 0.25) < 4 * 0.25 * sqrt(2 / count)
