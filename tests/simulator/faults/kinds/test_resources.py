"""Memory leaks, CPU is stolen and hosts are slow, as declared."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.faults.effective_parameters import LEAK_MAX_BYTES_PER_S
from simulator.faults.kinds.resources import MemoryLeak
from simulator.faults.parameters import TimeScale
from simulator.kernel import loop as k
from simulator.snapshot import CPU_MODES
from tests.simulator.faults.samples import (
    between,
    effect,
)
from tests.simulator.worlds import fault, make, small

STEAL = CPU_MODES.index("steal")


def test_memory_leak_grows_by_its_rate_until_a_restart():
    """36 workers leak 1 MB a second each; what leaked stays, and only restarts give it back."""
    leak = fault("memory_leak", bytes_per_s=1e6, tiers=("worker",), duration_s=10.0)
    world, calm = make(leak), make()
    _, after = between(world, 1.0, 10.95)
    _, calm_after = between(calm, 1.0, 10.95)
    expected = [0, 36 * 99 * 100_000]
    assert (after.memory_bytes - calm_after.memory_bytes).tolist() == expected
    assert effect(after, "memory_leak") == expected[1]
    world.advance(20.0)
    assert world.leaked_bytes == 36 * 100 * 100_000
    restarted = make(leak, recycle_per_s=20.0)
    restarted.advance(20.0)
    assert restarted.leaked_bytes == 0


def test_cpu_contention_steals_its_share_of_its_hosts():
    """Half of host 1's two CPUs for ten seconds: ten CPU seconds of steal there, none elsewhere."""
    world = make(fault("cpu_contention", share=0.5, hosts=(1,)))
    before, after = between(world, 1.0, 11.0)
    stolen = (after.cpu_ns - before.cpu_ns)[:, STEAL]
    assert stolen.tolist() == [0, 0, 5 * 10**9, 5 * 10**9, 0, 0, 0, 0]
    assert effect(after, "cpu_contention") == pytest.approx(10.0)


def test_cpu_contention_beyond_capacity_slows_the_work_there():
    """When a host's CPUs are asked for one and a half times, work takes one and a half times."""
    tight = {"hosts": 4, "cpus_per_host": 1, "cpu_per_busy_agent": 0.1, "rate": 60.0,
             "cpu_background_share": 0.0, "cpu_per_message_s": 0.0}  # fmt: skip
    calm, world = make(**tight), make(fault("cpu_contention", share=1.0), **tight)
    means = []
    for simulated in (calm, world):
        before, after = between(simulated, 2.0, 62.0)
        count = after.task_duration.counts.sum() - before.task_duration.counts.sum()
        means.append((after.task_duration.sum_ns - before.task_duration.sum_ns) / count)
        idle = (after.cpu_ns - before.cpu_ns)[:, CPU_MODES.index("idle")]
    # Shares of a core are kept in thousandths: two of them may be lost in rounding.
    assert idle.max() <= 0.002 * 60 * 10**9
    # About 60 x 45 ms / 4 hosts are busy beside the one that starts: 1 + 0.1 x (1 + 0.7 or more).
    assert 1.15 < means[1] / means[0] < 1.3


def test_slow_host_slows_all_that_its_agents_do_and_no_other_agent():
    """Work, messages and starts on host 1 take three times as long; elsewhere nothing changes."""
    world, calm = make(fault("slow_host", factor=3.0, hosts=(1,)), rate=100.0), make(rate=100.0)
    before, after = between(world, 1.0, 61.0)
    between(calm, 1.0, 61.0)
    slow, base = world._state, calm._state
    here = base.agent[:, k.HOST] == 1
    factor = np.where(here, 3.0, 1.0)
    for column in (k.SLOWNESS, k.START_SLOWNESS):
        assert (slow.agent_real[:, column] == factor * base.agent_real[:, column]).all()
    assert (slow.inbox[:, k.INBOX_NS] == factor * base.inbox[:, k.INBOX_NS]).all()
    count = after.task_duration.counts.sum() - before.task_duration.counts.sum()
    mean_s = (after.task_duration.sum_ns - before.task_duration.sum_ns) / count / 1e9
    everywhere = between(make(fault("slow_host", factor=3.0), rate=100.0), 1.0, 61.0)[1]
    means_s = [
        state.task_duration.sum_ns / state.task_duration.counts.sum() / 1e9
        for state in (calm.snapshot(), everywhere)
    ]
    assert means_s[1] / means_s[0] == pytest.approx(3, rel=0.05)
    assert means_s[0] * 1.1 < mean_s < means_s[1] * 0.9
    assert effect(after, "slow_host") == pytest.approx(mean_s, rel=0.03)


@pytest.mark.parametrize("share", [0.0, 0.08])
def test_what_a_neighbour_takes_is_expected_with_background_work_and_without(share):
    """Half of eight CPUs for ten seconds."""
    world = make(fault("cpu_contention", share=0.5), cpu_background_share=share)
    world.advance(11.0)
    (done,) = world.effects()
    assert done.expected == pytest.approx(40.0, rel=0.01)
    assert done.measured == pytest.approx(40.0, rel=0.01)


def test_a_leak_in_compressed_time_is_no_larger_than_the_largest_and_is_felt_until_all_restarted():
    """Sixty times as fast; 40 agents, five a second, unless nobody is restarted."""
    scale = TimeScale(factor=60.0, scrape_timeout_share=0.5)
    small_leak, large_leak = (MemoryLeak(bytes_per_s=rate) for rate in (1e6, 1e9))
    assert small_leak.compressed(scale) == MemoryLeak(bytes_per_s=6e7)
    assert large_leak.compressed(scale) == MemoryLeak(bytes_per_s=LEAK_MAX_BYTES_PER_S)
    assert small_leak.felt_after_end_s(small(recycle_per_s=5.0)) == 8.0
    assert small_leak.felt_after_end_s(small(recycle_per_s=0.0)) == 0.0


def test_two_neighbours_take_no_more_than_all_of_a_host():
    """Seven tenths each, of eight CPUs for ten seconds; the background gets its part of them."""
    world = make(*(fault("cpu_contention", name=name, share=0.7) for name in ("a", "b")))
    world.advance(11.0)
    for done in world.effects():
        assert done.measured == pytest.approx(done.expected, rel=0.02)
        assert done.expected < 80.0


def test_a_leak_of_one_agent_is_expected_of_that_one():
    """Nothing is taken off for the others."""
    world = make(fault("memory_leak", bytes_per_s=1e6, tiers=("lead",), fraction=0.25))
    world.advance(11.0)
    (done,) = world.effects()
    assert done.measured == pytest.approx(done.expected, rel=0.03)
    assert done.expected == pytest.approx(1e7, rel=0.03)
