"""No accepted number overflows the kernel or hangs it: the corners of what is accepted are run.

The proof stands in ARCHITECTURE.md, "Why nothing overflows"; this looks for what it forgot.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace
from math import nextafter

import numpy as np
import pytest

from simulator.bounds import TIME_MAX_S, BoundError
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts
from simulator.kernel import loop as k
from simulator.kernel.state import CPU_NS_MAX
from simulator.kernel.streams import Streams
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import AT_ONCE_MAX, FAULTS_MAX, Plan
from simulator.topology import FLEET_MAX, TIERS_MAX, Topology
from simulator.world import World
from tests.simulator.faults import corners
from tests.simulator.kernel.laws import broken_laws
from tests.simulator.worlds import fault, load, make, small

CORNERS = 12
BASE = Topology()
PARTS = [
    (BASE.tiers[0], corners.TIER),
    (BASE.classes[0], corners.TASK_CLASS),
    (BASE.priorities[0], corners.PRIORITY),
    (BASE.sandboxes[0], corners.POOL),
    (BASE, corners.TOPOLOGY),
    (Load(), corners.LOAD),
    (Stage(duration_s=1, target=1), corners.STAGE),
    (Burst(factor=1, every_s=1, last_s=1), corners.BURST),
    (Daily(amplitude=1), corners.DAILY),
]
TOGETHER = {("triple_share", "triple_share"), ("hosts", "hosts"), ("cpus_per_host", "hosts")}
NUMBERS = [(part, name, limits[name]) for part, limits in PARTS for name in limits]


@pytest.mark.parametrize(("part", "limits"), PARTS)
def test_every_number_has_a_least_and_a_most(part, limits):
    """A new number must be added to the corners, or its field is named here."""
    numbers = {
        field.name
        for field in fields(part)
        if isinstance(getattr(part, field.name), (int, float)) and field.name != "scales"
    }
    assert numbers == set(limits)


def refusal_of(part, name, value):
    """Return why a number is refused, or None."""
    try:
        replace(part, **{name: value})
    except BoundError as refused:
        return refused
    return None


@pytest.mark.parametrize(("part", "name", "limits"), NUMBERS)
def test_the_corners_lie_at_the_bounds(part, name, limits):
    """Just beyond either of its limits a number is refused by its name; it is accepted at them."""
    low, high = limits
    whole = isinstance(getattr(part, name), int)
    for beyond in (
        (low - 1, high + 1) if whole else (nextafter(low, -np.inf), nextafter(high, np.inf))
    ):
        with pytest.raises(BoundError) as refused:
            replace(part, **{name: beyond})
        assert refused.value.field == name
    for at in (low, high):
        refused = refusal_of(part, name, at)
        # Shares have to add up, CPUs and agents are bounded together: not this number's own rule.
        assert refused is None or (
            (name, refused.field) in TOGETHER
            and ("together" in refused.rule or "leave" in refused.rule)
        )


@pytest.mark.parametrize("kind", FAULTS.values())
def test_every_number_of_a_fault_has_a_least_and_a_most(kind):
    """Shares are above 0, and nothing else is without a least and a most."""
    for parameter in parameter_facts(kind):
        bound = parameter.bound
        assert bound.most is not None, parameter.field
        assert bound.least is not None or bound.above == 0, parameter.field


def test_corners_break_no_bound():
    """Compiled, as everybody runs it."""
    wrong = {seed: corners.run_corner(seed) for seed in range(CORNERS)}
    assert not any(wrong.values()), wrong


def uncompiled(repository, first, count):
    """Return how corners end in a process of their own: exit status, output, errors."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.simulator.faults.corners", str(first), str(count)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout, run.stderr


def test_corners_overflow_nowhere(repository):
    """Uncompiled, where numpy tells of every integer and real that does not fit."""
    assert uncompiled(repository, 0, CORNERS) == (0, "", "")


@pytest.mark.long
def test_many_corners_overflow_nowhere(repository):
    """The same, for a thousand."""
    assert uncompiled(repository, 1000, 1000) == (0, "", "")


def test_a_number_that_leaves_its_bounds_is_found():
    """Planted: a sum near the end of an int64, and a slowness that is no number."""
    world = corners.corner_world(3)
    world._state.histogram_sum[0] = (1 << 62) + 1
    world._state.agent_real[0, k.SLOWNESS] = np.nan
    assert corners.out_of_bounds(world) == ["histogram_sum", "agent_real"]


KILLERS = [
    ({"cpu_per_busy_agent": 0.5}, fault("task_slowdown", factor=1e6, start_s=0.5, duration_s=1)),
    ({"inbox_service_s": 60.0}, fault("slow_consumer", factor=1e6, start_s=0.5, duration_s=1)),
    ({"startup_mean_s": 86_400.0, "recycle_per_s": 50.0},
     fault("slow_start", factor=1e6, start_s=0.5, duration_s=1)),
    ({"cpu_per_message_s": 0.01}, fault("message_flood", rate_per_s=1e5, start_s=0.5)),
    ({"rate_limit_per_s": 1e-3, "rate_limit_burst": 10_000_000}, None),
    ({"restart_backoff_s": 1e-3, "restart_backoff_limit_s": 1e-3, "startup_mean_s": 1e-6},
     fault("crash_loop", alive_s=1e-3, start_s=0.5)),
    ({}, fault("message_flood", rate_per_s=1e-3, ramp_s=TIME_MAX_S, duration_s=TIME_MAX_S)),
    ({}, fault("task_slowdown", factor=2, ramp_s=TIME_MAX_S, duration_s=TIME_MAX_S)),
]  # fmt: skip
"""What once ended the process, filled the memory or never came back, as far as it is accepted."""


@pytest.mark.parametrize(("changes", "planned"), KILLERS)
def test_what_once_killed_the_process_obeys_the_laws(changes, planned):
    """Two virtual seconds of each, with all conservation laws."""
    world = make(*([planned] if planned else []), **changes)
    world.advance(2.0)
    assert broken_laws(world.snapshot(), world.topology) == []
    assert corners.out_of_bounds(world) == []


@pytest.mark.parametrize("sigma", [0.0, 3.0])
def test_no_drawn_time_is_longer_than_the_clock_or_takes_no_time_to_start(sigma):
    """A day of sigma 3 has draws of years; a start of a microsecond has some of none."""
    classes = tuple(replace(entry, mean_service_s=86_400.0, sigma=3.0) for entry in BASE.classes)
    topology = small(classes=classes, startup_mean_s=1e-6, startup_sigma=sigma)
    streams = Streams(topology, 7, None)
    work = streams._draw_work(1_000_000, np.zeros(1_000_000, np.int64))
    assert work.min() > 0
    assert work.max() <= k.CLOCK_MAX_NS
    starts = np.zeros(100_000, np.int64)
    streams._fill_starts(starts)
    assert starts.min() >= 1000
    longest = Streams(replace(topology, startup_mean_s=86_400.0), 2, None)
    starts = np.zeros(1_000_000, np.int64)
    longest._fill_starts(starts)
    assert 0 < starts.min() <= starts.max() <= k.CLOCK_MAX_NS


def test_sums_of_durations_are_carried_and_stay_exact():
    """Just below the carry: the next observation passes it, and the snapshot's sum is whole."""
    world = make()
    world.advance(1.0)
    for planted, row in ((k.CARRY_NS - 10, k.TASK_DURATION), (k.CARRY_NS - 1, k.HTTP_DURATION)):
        world._state.histogram_sum[row] = planted
    plain = make()
    plain.advance(1.0)
    before = plain.snapshot()
    world.advance(2.0)
    plain.advance(2.0)
    assert world._state.histogram_carried[[k.TASK_DURATION, k.HTTP_DURATION]].tolist() == [1, 1]
    gained = plain.snapshot().task_duration.sum_ns - before.task_duration.sum_ns
    assert world.snapshot().task_duration.sum_ns == k.CARRY_NS - 10 + gained


def test_counters_of_bytes_stay_at_their_end():
    """Four exabytes: the counter stands still, and what was received is no more than was sent."""
    world = make()
    world.advance(1.0)
    world._state.head[k.SENT_MESSAGE_BYTES : k.RECEIVED_REQUEST_BYTES + 1] = k.BYTES_MAX - 1
    world.advance(1.3)
    assert set(world.snapshot().network_sent_bytes.tolist()) == {k.BYTES_MAX}
    assert broken_laws(world.snapshot(), world.topology) == []


def test_leaks_stay_at_their_end():
    """A gibibyte a second of every agent, and a leak that is nearly at its end."""
    world = make(fault("memory_leak", bytes_per_s=1 << 30, start_s=0.0))
    world.advance(0.1)
    world._state.agent[:, k.LEAKED_BYTES] = k.LEAKED_MAX_BYTES - 1
    world.advance(0.5)
    assert world.leaked_bytes == world.topology.fleet * k.LEAKED_MAX_BYTES
    world._ledger.in_effect["memory_leak"].account.expected_buildup[:] = k.LEAKED_MAX_BYTES
    assert world.effects()[0].expected <= world.leaked_bytes


def test_a_world_ends_where_its_clocks_do():
    """A refusal, neither a wrong number nor a signal; a thousand CPUs fill their accounts first."""
    world = make()
    with pytest.raises(BoundError, match="since the world began"):
        world.advance_ns(k.CLOCK_MAX_NS + 1)
    with pytest.raises(BoundError, match="skip"):
        world.skip_ns(k.CLOCK_MAX_NS + 1)
    # A world that is nearly there already: a bound that is left out shows in a second, not a year.
    world.skip_ns(k.CLOCK_MAX_NS - world.now_ns - 10)
    world.advance_ns(k.CLOCK_MAX_NS)
    with pytest.raises(BoundError, match="since the world began"):
        world.advance_ns(k.CLOCK_MAX_NS + 1)
    large = World(small(hosts=2, cpus_per_host=1024), Plan(load=load()), 3)
    large.skip_ns((1 << 52) + 1)
    large.advance_ns(large.now_ns + 10**7)
    # What was skipped used nothing; what is simulated fills the accounts, those of each host alike.
    large._state.host[:, k.IDLE_NS] = CPU_NS_MAX // 5 * 3
    large.advance_ns(large.now_ns + 10**7)
    large._state.host[:, k.IDLE_NS] = CPU_NS_MAX - 10**12
    with pytest.raises(BoundError, match="1024 CPUs"):
        large.advance_ns(large.now_ns + 10**9)


def test_loads_and_faults_together_ask_for_no_more_than_the_most():
    """Bursts, a day's curve and surges multiply: two million tasks a second are the end."""
    surge = fault("traffic_surge", factor=100, start_s=0.0)
    world = World(small(), Plan(load=Load(rate=2e6), faults=(surge,)), 3)
    assert world._state.real_head[k.RATE] * 1e9 == pytest.approx(2e6)


def test_a_plan_has_no_more_faults_at_once_than_a_partition_has_bits():
    """62 partitions side by side and the message that says no to one more; then one by one."""
    partitions = [
        fault("bus_partition", name=f"p{number}", loss=0.5, fraction=0.3, start_s=0.1)
        for number in range(AT_ONCE_MAX + 1)
    ]
    world = make(*partitions[:-1])
    world.advance(0.3)
    assert broken_laws(world.snapshot(), world.topology) == []
    with pytest.raises(BoundError, match="at most 62 in effect at once, got 63"):
        make(*partitions)
    with pytest.raises(BoundError, match="at most 62 in effect at once"):
        world.inject(replace(partitions[-1], start_s=0.3))
    after = [replace(partitions[0], name=f"a{n}", start_s=n, duration_s=1.0) for n in range(70)]
    assert len(Plan(faults=tuple(after)).faults) == 70
    relay = [replace(p, name=f"r{n}", start_s=p.end_s) for n, p in enumerate(partitions[:-1])]
    assert len(Plan(faults=(*relay, *partitions[:-1])).faults) == 2 * AT_ONCE_MAX
    many = tuple(replace(after[0], name=str(n), start_s=n) for n in range(FAULTS_MAX + 1))
    with pytest.raises(BoundError, match="faults must be at most 10000"):
        Plan(faults=many)
    assert len(Plan(faults=many[1:]).faults) == FAULTS_MAX


def test_agents_cpus_and_tiers_are_bounded_together():
    """Each of them within its own bound, all of them not."""
    tier = BASE.tiers[-1]
    halves = (*BASE.tiers[:1], replace(tier, name="a", agents=60_000),
              replace(tier, name="b", agents=60_000))  # fmt: skip
    with pytest.raises(BoundError, match=f"tiers must be of at most {FLEET_MAX} agents together"):
        replace(BASE, tiers=halves)
    with pytest.raises(BoundError, match="hosts must be at most 156, for 10000 CPUs together"):
        replace(BASE, hosts=200, cpus_per_host=64)
    many = (*BASE.tiers[:1], *(replace(tier, name=f"t{n}", agents=1) for n in range(TIERS_MAX)))
    with pytest.raises(BoundError, match=f"tiers must be at most {TIERS_MAX}, got 101"):
        replace(BASE, tiers=many)
