"""Same seed, same bytes: however often it is read, in any steps and process, compiled or not."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import fields, replace

import numpy as np
import pytest

from simulator.faults.fault import Fault
from simulator.kernel import loop as k
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.snapshot import DurationHistogram
from simulator.topology import PRIORITIES, Priority
from simulator.world import World
from tests.simulator.random_worlds import random_scenario
from tests.simulator.worlds import fault, make, small

WRITE_FINGERPRINT = """
import sys
from dataclasses import replace
from hashlib import sha256
from simulator.world import World
from tests.simulator.random_worlds import random_scenario
digest = sha256()
for seed in map(int, sys.argv[2:]):
    topology, plan = random_scenario(seed)
    world = World(topology, plan, seed)
    world.advance(float(sys.argv[1]))
    digest.update(world.fingerprint())
print(digest.hexdigest())
"""


def fingerprint_here(until_s, seeds):
    """Return the digest of random worlds simulated by this process."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setattr(sys, "argv", ["here", str(until_s), *map(str, seeds)])
        exec(WRITE_FINGERPRINT, {})  # noqa: S102 - the same program as elsewhere
    return printed.getvalue().strip()


def fingerprint_elsewhere(repository, until_s, seeds, **environment):
    """Return the digest of random worlds simulated by a process of its own."""
    command = [sys.executable, "-c", WRITE_FINGERPRINT, str(until_s), *map(str, seeds)]
    path = f"{repository}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_two_processes_with_different_hash_seeds_give_the_same_bytes(repository):
    """No set or dictionary order reaches the world."""
    seed = next(each for each in ("1", "2") if each != os.environ.get("PYTHONHASHSEED"))
    elsewhere = fingerprint_elsewhere(repository, 3.0, range(5), PYTHONHASHSEED=seed)
    assert len(elsewhere) == 64
    assert elsewhere == fingerprint_here(3.0, range(5))


def test_the_uncompiled_kernel_gives_the_same_bytes(repository):
    """The same source, run by Python, through overlapping faults of many kinds."""
    seeds = [*range(4), 23, 42]
    kinds = {planned.kind for seed in seeds for planned in random_scenario(seed)[1].faults}
    assert len(kinds) >= 12
    plain = fingerprint_elsewhere(repository, 0.6, seeds, NUMBA_DISABLE_JIT="1")
    assert plain == fingerprint_here(0.6, seeds)


def test_another_seed_gives_other_bytes():
    """The comparison itself can fail."""
    first, second = make(seed=1), make(seed=2)
    for world in (first, second):
        world.advance(0.5)
    assert first.fingerprint() != second.fingerprint()


@pytest.mark.sampled(12)
@pytest.mark.parametrize("seed", range(30))
def test_neither_steps_nor_readings_change_a_byte(seed):
    """One leap, and many small steps with a snapshot after each, end in the same world."""
    topology, plan = random_scenario(seed)
    leap, steps = (World(topology, plan, seed) for _ in range(2))
    chance = np.random.default_rng([seed, 2])
    for instant_s in np.sort(chance.uniform(0, 4, 60)):
        steps.advance(instant_s)
        steps.snapshot()
    for world in (leap, steps):
        world.advance(4.0)
    assert leap.fingerprint() == steps.fingerprint()


def test_readings_between_time_outs_change_no_byte():
    """Tasks that waited too long leave at their instant, not at the next reading."""
    impatient = tuple(
        Priority(name=name, share=0.25, wait_limit_s=0.03 + 0.01 * number)
        for number, name in enumerate(PRIORITIES)
    )
    unseen, watched = (make(rate=3000.0, priorities=impatient) for _ in range(2))
    for step in range(1, 301):
        watched.advance(step / 100)
        watched.snapshot()
    unseen.advance(3.0)
    assert unseen.snapshot().tasks_timed_out[1:].min() > 1000
    assert unseen.fingerprint() == watched.fingerprint()


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_fork_goes_on_as_its_original(seed):
    """Both carry out the rest of the plan alike, and neither affects the other."""
    topology, plan = random_scenario(seed)
    original = World(topology, plan, seed)
    original.advance(1.7)
    fork = original.fork()
    fork.advance(4.0)
    forked = fork.fingerprint()
    original.advance(4.0)
    assert forked == original.fingerprint() == fork.fingerprint()


def test_a_fork_with_a_plan_begins_that_plan_at_its_own_instant():
    """Old faults are gone with the old plan, and the new one's times count from the fork."""
    world = make(fault("task_slowdown", factor=5.0, start_s=0.5))
    world.advance(2.0)
    fork = world.fork(Plan(load=world.plan.load, faults=(fault("exporter_down", start_s=1.0),)))
    assert fork.origin_s == 2.0
    fork.advance(2.9)
    assert fork.snapshot().faults == ()
    fork.advance(3.0)
    assert [active.name for active in fork.snapshot().faults] == ["exporter_down"]
    assert [active.name for active in world.snapshot().faults] == ["task_slowdown"]


def test_a_fork_of_a_recorded_load_keeps_its_trace_and_takes_no_other_plan():
    """Recorded gaps cannot be drawn from for another load."""
    load = Load(trace_s=(0.1, 0.2, 3.0))
    world = World(small(), Plan(load=load), 1)
    world.advance(1)
    with pytest.raises(ValueError, match="recorded trace"):
        world.fork(Plan())
    fork = world.fork()
    fork.advance(3)
    assert fork.snapshot().tasks_arrived.sum() == 3


LOADS = {
    "steady": Load(rate=400.0),
    "stages": Load(
        rate=100.0,
        stages=(
            Stage(duration_s=2.7, target=500),
            Stage(duration_s=0, target=350),
            Stage(duration_s=1.1, target=350),
            Stage(duration_s=2.3, target=60),
        ),
    ),
    "burst": Load(rate=200.0, burst=Burst(factor=3.0, every_s=1.0, last_s=0.7)),
    "daily": Load(rate=400.0, daily=Daily(amplitude=0.9, peak_s=20_000.0)),
    "trace": Load(trace_s=tuple(np.linspace(0.013, 7.9, 2000).tolist())),
}
DISTURBANCES = (
    fault("task_slowdown", factor=3.0, start_s=0.123456789, duration_s=4.9, ramp_s=2.71),
    fault("agent_crash", rate_per_s=20.0, start_s=1.1, duration_s=3.3, ramp_s=3.0),
    fault("message_flood", rate_per_s=500.0, start_s=1.7, duration_s=0.37),
    fault("sandbox_crash", share=0.5, start_s=2.0, duration_s=1.0 / 3.0),
    fault("agent_hang", fraction=0.5, start_s=0.7, duration_s=1.0),
)


@pytest.mark.parametrize("shape", LOADS)
def test_a_fault_leaves_every_arrival_as_it_was(shape):
    """Every instant of arrival, to the nanosecond, is the same with and without faults."""
    calm, faulty = (
        World(small(), Plan(load=LOADS[shape], faults=faults), 5) for faults in ((), DISTURBANCES)
    )
    assert arrival_instants(calm, 8.0) == arrival_instants(faulty, 8.0)


def arrival_instants(world, until_s):
    """Return when the next arrival was due, read every millisecond."""
    instants = []
    for step in range(1, int(until_s * 1000) + 1):
        world.advance_ns(step * 1_000_000)
        instants.append(int(world._state.head[1]))
    assert world.snapshot().tasks_arrived.sum() > 500
    return instants


def test_ending_a_fault_by_hand_is_ending_it_by_plan():
    """`inject` and `end` at run time give the same world as a plan with the same times."""
    slow = fault("task_slowdown", factor=4.0, start_s=1.0, duration_s=1.5)
    planned = make(slow)
    by_hand = make()
    by_hand.advance(0.25)
    by_hand.inject(fault("task_slowdown", factor=4.0, start_s=1.0, duration_s=50.0))
    by_hand.advance(2.5)
    by_hand.end("task_slowdown")
    for world in (planned, by_hand):
        world.advance(4.0)
    assert planned.fingerprint() == by_hand.fingerprint()


def increments(world, passed_ns):
    """Return by how much every counter grows, and every gauge as it ends."""
    before = world.snapshot()
    world.advance_ns(world.now_ns + passed_ns)
    after = world.snapshot()
    growth = {}
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if isinstance(old, DurationHistogram):
            old, new = np.append(old.counts, old.sum_ns), np.append(new.counts, new.sum_ns)
        if field.name != "faults":
            growth[field.name] = (np.asarray(new) - np.asarray(old)).tolist() if field.name not in (
                "tiers", "priorities", "sandboxes", "exporter_up", "scrape_path",
            ) else new  # fmt: skip
    return growth


IMPATIENT = tuple(replace(priority, wait_limit_s=0.7) for priority in small().priorities)
LOADED = [
    ((fault("slow_consumer", factor=3.0),),
     {"rate": 700.0, "recycle_per_s": 3.0, "error_share": 0.01}),
    ((fault("task_slowdown", factor=20.0),), {"priorities": IMPATIENT}),
    ((fault("message_flood", rate_per_s=3.0),),
     {"rate": 300.0, "rate_limit_per_s": 200.0, "rate_limit_burst": 400}),
    ((fault("crash_loop", fraction=0.3), fault("dependency_outage", share=0.5, latency_s=2.0),
      fault("cpu_contention", share=0.9)), {"triple_share": 0.3, "restart_backoff_s": 0.8}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "loaded"), LOADED, ids=["slow inboxes", "time-outs", "a flood", "loops and calls"]
)
def test_a_skipped_interval_shifts_the_world_in_time_and_changes_nothing_else(faults, loaded):
    """After a skip every counter grows as it would have grown without it."""
    simulated, skipped = (make(*faults, **loaded) for _ in range(2))
    for world in (simulated, skipped):
        world.advance(5.0)
    skipped.skip_ns(37 * 10**9)
    assert skipped.now_s == 42.0
    for _ in range(5):
        assert increments(skipped, 10**9) == increments(simulated, 10**9)


def test_a_fingerprint_is_of_every_byte_whoever_has_read_before():
    """Between two ticks, read or not; another number of either array is another fingerprint."""
    world, read = make(), make()
    for each in (world, read):
        each.advance(2.06)
    read.snapshot()
    prints = [world.fingerprint(), read.fingerprint()]
    world._state.x[-1] += 1.0
    read._state.w[-1] += 1
    prints += [world.fingerprint(), read.fingerprint()]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_a_skip_never_passes_over_a_change():
    """A fault begins within the interval: refused, as is one that goes back; up to it may pass."""
    world = make(fault("slow_consumer", factor=3.0, start_s=4.0))
    world.advance(1.0)
    world.skip_ns(2 * 10**9)
    for passed_ns in (10**9 + 1, -1):
        with pytest.raises(ValueError, match="no longer than until the next change"):
            world.skip_ns(passed_ns)
    world.skip_ns(10**9)
    assert (world.now_ns, world.snapshot().faults) == (4 * 10**9, ())
    world.advance(4.0)
    assert len(world.snapshot().faults) == 1


def test_a_skip_goes_to_the_end_of_the_clock_and_no_further():
    """To the nanosecond."""
    world = make(rate=0.0)
    world.advance(1.0)
    with pytest.raises(ValueError, match=f"no longer than to {k.CLOCK_MAX_NS} ns since the world"):
        world.skip_ns(k.CLOCK_MAX_NS - 10**9 + 1)
    world.skip_ns(k.CLOCK_MAX_NS - 10**9)
    assert world.now_ns == k.CLOCK_MAX_NS


def test_time_never_runs_backwards():
    """An instant that has passed is refused, with its reason."""
    world = make()
    world.advance(1.0)
    with pytest.raises(ValueError, match="time must be 1000000000 ns or later, got 999999999"):
        world.advance_ns(999_999_999)


def test_a_fault_that_is_refused_leaves_the_plan_as_it_was():
    """After a refusal the world goes on with what it had."""
    world = make()
    world.advance(1.0)
    plan = world.plan
    for unknown in ({"tiers": ("nobody",)}, {"hosts": (99,)}, {"tiers": ("lead",), "hosts": (-1,)}):
        with pytest.raises(ValueError, match="fault task_slowdown: "):
            world.inject(fault("task_slowdown", factor=2.0, start_s=2.0, **unknown))
    with pytest.raises(ValueError, match="now or later"):
        world.inject(fault("task_slowdown", factor=2.0, start_s=0.5))
    assert world.plan == plan
    world.advance(3.0)
    assert isinstance(world.fork(), World)
    assert not any(isinstance(planned, Fault) for planned in world.plan.faults)
