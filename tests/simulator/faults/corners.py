"""Worlds at the corners of what is accepted: every number at its least or its most.

`python -m tests.simulator.faults.corners FIRST COUNT` runs some of them uncompiled, where numpy
reports an integer that does not fit; `NUMBA_DISABLE_JIT=1` must be set. Fleets are small and times
short, for a corner has two million tasks a second.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from simulator.bounds import TIME_MAX_S
from simulator.faults.fault import Fault
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.kinds.traffic import CapacityDemand
from simulator.faults.parameters import Parameters, parameter_facts
from simulator.faults.targets import Targets
from simulator.kernel import loop as k
from simulator.load import RATE_MAX_PER_S, SOJOURN_S, Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.topology import (
    BYTES_MAX,
    CELLS_MAX,
    COUNT_MAX,
    CPUS_MAX,
    FLEET_MAX,
    HOUR_S,
    PRIORITIES,
    SANDBOXES,
    TASK_TIMES,
    TICK_TIMES,
    Priority,
    SandboxPool,
    TaskClass,
    Tier,
    Topology,
)
from simulator.world import World

Limits = dict[str, tuple[float, float]]

TIER: Limits = {
    "agents": (1, FLEET_MAX), "speed": (1e-3, 1e3), "base_memory_bytes": (0, BYTES_MAX),
    "task_memory_bytes": (0, BYTES_MAX),
}  # fmt: skip
TASK_CLASS: Limits = {"share": (0, 1), "mean_service_s": TASK_TIMES, "sigma": (0, 3)}
PRIORITY: Limits = {"share": (0, 1), "queue_limit": (1, FLEET_MAX), "wait_limit_s": TICK_TIMES}
POOL: Limits = {"slots": (1, COUNT_MAX), "share": (0, 1)}
TOPOLOGY: Limits = {
    "triple_share": (0, 1), "merge_s": (0, HOUR_S), "first_result_share": (0, 1),
    "gateway_overhead_s": (0, HOUR_S), "rate_limit_per_s": (1e-3, 1e9),
    "rate_limit_burst": (1, 10_000_000), "max_retries": (0, 10), "error_share": (0, 1),
    "dependency_share": (0, 1), "messages_at_first_result": (0, 100),
    "messages_at_completion": (0, 100), "message_upward_share": (0, 1),
    "inbox_limit": (1, 100_000), "inbox_service_s": (1e-9, 60.0),
    "message_bytes_min": (0, 1 << 20), "request_bytes": (0, 1 << 30),
    "response_bytes": (0, 1 << 30), "queued_task_bytes": (0, 1 << 30),
    "startup_mean_s": TASK_TIMES, "startup_sigma": (0, 3), "recycle_per_s": (0, FLEET_MAX),
    "active_floor": (1, COUNT_MAX), "target_utilisation": (0.01, 100.0),
    "scaling_memory_s": TICK_TIMES, "scale_up_per_s": (1, COUNT_MAX),
    "scale_down_per_s": (1, COUNT_MAX), "watchdog_s": TICK_TIMES, "restart_backoff_s": TICK_TIMES,
    "restart_backoff_limit_s": TICK_TIMES, "hosts": (1, CPUS_MAX), "cpus_per_host": (1, 1024),
    "cpu_per_busy_agent": (0, 1024.0), "cpu_per_message_s": (0, 0.01),
    "cpu_background_share": (0, 1), "cells": (1, CELLS_MAX), "router_ramp_s": (1.0, HOUR_S),
}  # fmt: skip
LOAD: Limits = {"rate": (0, RATE_MAX_PER_S)}
STAGE: Limits = {"duration_s": (0, TIME_MAX_S), "target": (0, RATE_MAX_PER_S)}
BURST: Limits = {"factor": (0, 100), "every_s": SOJOURN_S, "last_s": SOJOURN_S}
DAILY: Limits = {"amplitude": (0, 1), "peak_s": (-TIME_MAX_S, TIME_MAX_S)}
"""The bounds of every number; a test holds them against what each class refuses."""

LENGTHS = (0.5, 0.47, 0.03)
WINDOW_S = 0.0001
"""What is simulated around a control tick: 200 tasks, at the highest rate."""
ONSET_S = 0.1 - WINDOW_S / 2


def _corner(rng: np.random.Generator, limits: Limits, **fixed: Any) -> dict[str, Any]:
    numbers = {name: limits[name][int(rng.integers(2))] for name in limits}
    return {**numbers, **fixed}


def _shares(rng: np.random.Generator, count: int) -> list[float]:
    """Return shares of 1: all of it at one place, or drawn."""
    if rng.random() < 0.5:
        return np.eye(count)[rng.integers(count)].tolist()
    return rng.dirichlet(np.ones(count)).tolist()


def corner_topology(rng: np.random.Generator) -> Topology:
    """Return a system of few agents with every other number at one of its bounds."""
    laws = ("lognormal", "exponential", "deterministic")
    tiers = tuple(
        Tier(name=f"tier{number}", takes=("work", "coordination"), scales=bool(rng.random() < 0.5),
             **_corner(rng, TIER, agents=int(rng.integers(2, 5))))
        for number in range(2)
    )  # fmt: skip
    classes = tuple(
        TaskClass(name=name, distribution=str(rng.choice(laws)),
                  **_corner(rng, TASK_CLASS, share=share))
        for name, share in zip(("work", "coordination"), _shares(rng, 2), strict=True)
    )  # fmt: skip
    priorities = tuple(
        # Long queues are few: each of them is 32 megabytes to look through.
        Priority(name=name, **_corner(rng, PRIORITY, share=share,
                                      queue_limit=int(rng.choice([1, 50, FLEET_MAX], p=LENGTHS))))
        for name, share in zip(PRIORITIES, _shares(rng, 4), strict=True)
    )  # fmt: skip
    needs = _shares(rng, 5)
    pools = tuple(
        SandboxPool(name=name, **_corner(rng, POOL, share=share))
        for name, share in zip(SANDBOXES, needs, strict=False)
    )
    numbers = _corner(rng, TOPOLOGY, triple_share=needs[3], hosts=int(rng.integers(1, 4)))
    return Topology(tiers=tiers, classes=classes, priorities=priorities, sandboxes=pools, **numbers)


def corner_parameters(rng: np.random.Generator, kind: type[Parameters], fleet: int) -> Parameters:
    """Return the numbers of a kind, each at one of its bounds; a share that may not be 0 near it.

    Capacity for a fleet is the one number that the topology bounds.
    """
    if kind is CapacityDemand:
        return CapacityDemand(agents=int(rng.choice([1, fleet])))
    numbers = {}
    for parameter in parameter_facts(kind):
        bound = parameter.bound
        least = bound.least if bound.least is not None else 1e-300
        numbers[parameter.field] = least if rng.random() < 0.3 else bound.most
    return kind(**numbers)


def _corner_fault(rng: np.random.Generator, name: str, topology: Topology) -> Fault:
    kind = FAULTS[str(rng.choice(list(FAULTS)))]
    duration_s = float(rng.choice([0.0002, 5.0, TIME_MAX_S]))
    return Fault(
        name=name,
        parameters=corner_parameters(rng, kind, topology.fleet),
        start_s=float(rng.choice([0.0, ONSET_S, 0.1])),
        duration_s=duration_s,
        ramp_s=float(rng.choice([0.0, duration_s])),
        targets=Targets(fraction=float(rng.choice([1e-300, 1.0]))),
    )


def corner_world(seed: int) -> World:
    """Return a world at a corner: idle or at work until `ONSET_S`, then at any of the loads."""
    rng = np.random.default_rng(seed)
    topology = corner_topology(rng)
    jump = _corner(
        rng, STAGE, duration_s=0, target=float(rng.choice([1e-300, 1e4, RATE_MAX_PER_S]))
    )
    quiet = Stage(duration_s=ONSET_S, target=float(rng.choice([0, 30])))
    load = Load(
        rate=quiet.target,
        stages=(quiet, Stage(**jump)),
        burst=Burst(**_corner(rng, BURST)) if rng.random() < 0.5 else None,
        daily=Daily(**_corner(rng, DAILY)) if rng.random() < 0.5 else None,
    )
    if rng.random() < 0.2:
        load = Load(trace_s=(0.0, *[0.05] * 300, *[ONSET_S] * 300, TIME_MAX_S))
    faults = tuple(
        _corner_fault(rng, f"fault{number}", topology)
        for number in range(int(rng.choice([0, 3, 20, 62])))
    )
    return World(topology, Plan(load=load, faults=faults), seed)


def out_of_bounds(world: World) -> list[str]:
    """Names of the tables with a number that is not well within an int64, or is not finite."""
    s, limit = world._state, 1 << 62
    # Drawn bits fill 63 of the 64: they are no quantity.
    drawn = {"w", "x", "bits", "crash_bits", "flood_bits"}
    names = []
    for name, table in s._asdict().items():
        if name in drawn or name == "real_head":
            continue
        if table.dtype == np.int64:
            fits = bool((table <= limit).all() and (table >= -limit).all())
        else:
            # A recorded trace that has ended has only gaps without an end.
            fits = not np.isnan(table).any() and (name == "gaps" or bool(np.isfinite(table).all()))
        if not fits:
            names.append(name)
    head = np.delete(s.real_head, k.GAP_LEFT)
    return names if np.isfinite(head).all() else [*names, "real_head"]


def run_corner(seed: int) -> list[str]:
    """Run a corner's world around three ticks, far apart; names of what left its bounds.

    In between it is taken as far ahead as its plan and its clock allow.
    """
    world = corner_world(seed)
    wrong = []
    for _ in range(3):
        _skip_to(world, _next_tick_ns(world) - round(WINDOW_S * 1e9 / 2))
        for until_ns in (world.now_ns + round(WINDOW_S * 1e9 / 4), _next_tick_ns(world) + 1000):
            if until_ns - world.now_ns < WINDOW_S * 1e9:
                world.advance_ns(until_ns)
            wrong += out_of_bounds(world)
            snapshot = world.snapshot()
            if (snapshot.memory_bytes < 0).any() or (snapshot.cpu_ns < 0).any():
                wrong.append("snapshot")
            if any(not np.isfinite(effect.measured) for effect in world.effects()):
                wrong.append("effects")
        _skip_to(world, k.CLOCK_MAX_NS - 10**9)
    return sorted(set(wrong))


def _next_tick_ns(world: World) -> int:
    return int(world._state.head[k.NEXT_TICK])


def _skip_to(world: World, at_ns: int) -> None:
    """Take a world ahead to an instant, or to the next change of its plan."""
    world.skip_ns(max(min(world.next_change_ns(), at_ns) - world.now_ns, 0))


def main() -> int:
    """Run corners with every overflow an error; prints those that broke a bound."""
    first, count = (int(argument) for argument in sys.argv[1:3])
    failed = 0
    for seed in range(first, first + count):
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            wrong = run_corner(seed)
        if wrong:
            failed += 1
            sys.stdout.write(f"corner {seed}: {wrong}\n")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
