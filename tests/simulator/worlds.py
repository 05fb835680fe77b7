"""Small worlds for the tests: quick to build and to simulate, deterministic from a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from simulator.faults.fault import Fault, Targets
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.topology import (
    PRIORITIES,
    SANDBOXES,
    Priority,
    SandboxPool,
    TaskClass,
    Tier,
    Topology,
)
from simulator.world import World

MEAN_S = 0.01
"""Mean service time of a `station`."""
PATIENT = {"queue_limit": 20_000, "wait_limit_s": 1e6}
SAMPLES = {
    "agent_crash": {"rate_per_s": 5.0},
    "crash_loop": {"alive_s": 0.2},
    "agent_hang": {},
    "slow_start": {"factor": 4.0},
    "task_slowdown": {"factor": 3.0},
    "task_failure": {"share": 0.3},
    "dependency_outage": {"share": 0.5, "latency_s": 0.3},
    "traffic_surge": {"factor": 2.0},
    "traffic_drop": {"share": 0.6},
    "capacity_demand": {"agents": 39},
    "bus_partition": {"loss": 1.0},
    "message_flood": {"rate_per_s": 5000.0},
    "slow_consumer": {"factor": 50.0},
    "sandbox_leak": {"share": 0.5},
    "sandbox_crash": {"share": 0.5},
    "memory_leak": {"bytes_per_s": 1e6},
    "cpu_contention": {"share": 0.5},
    "slow_host": {"factor": 3.0},
    "exporter_down": {},
    "counter_reset": {},
    "scrape_slow": {"delay_s": 3.0},
    "scrape_truncated": {"share": 0.5},
    "series_vanish": {"share": 0.25},
    "cardinality_burst": {"series": 100},
}
"""Parameters of every kind of fault; the catalogue's tests say when one is missing."""


def small(**changes: Any) -> Topology:
    """Return 4 leads and 36 workers on 4 hosts, about half used by 400 tasks a second."""
    tiers = (
        Tier(name="lead", agents=4, takes=("coordination",)),
        Tier(name="worker", agents=36, takes=("work",), scales=True),
    )
    pools = tuple(SandboxPool(name=name, slots=8, share=0.1) for name in SANDBOXES)
    base = Topology(
        tiers=tiers, sandboxes=pools, hosts=4, active_floor=40, recycle_per_s=0.0, error_share=0.0
    )
    return replace(base, **changes)


def station(agents, *, distribution="exponential", sigma=0.5, shares=(0, 0, 1, 0), **changes):
    """Return a bare queueing station: `agents` servers, and nothing that costs time but service."""
    settings = {
        "tiers": (Tier(name="server", agents=agents, takes=("work",)),),
        "classes": (
            TaskClass(
                name="work", share=1, mean_service_s=MEAN_S, sigma=sigma, distribution=distribution
            ),
            TaskClass(name="coordination", share=0, mean_service_s=MEAN_S),
        ),
        "priorities": tuple(
            Priority(name=name, share=share, **PATIENT)
            for name, share in zip(PRIORITIES, shares, strict=True)
        ),
        "sandboxes": tuple(SandboxPool(name=name, slots=8, share=0) for name in SANDBOXES),
        "triple_share": 0.0, "first_result_share": 0.0, "gateway_overhead_s": 0.0,
        "rate_limit_per_s": 1e9, "rate_limit_burst": 10_000_000, "dependency_share": 0.0,
        "messages_at_first_result": 0, "messages_at_completion": 0, "inbox_service_s": 1e-9,
        "hosts": 1, "cpus_per_host": 1024, "active_floor": 1,
    }  # fmt: skip
    return small(**{**settings, **changes})


def load(rate: float = 400.0, **changes: Any) -> Load:
    """Return a load that `small` handles with ease."""
    return Load(rate=rate, **changes)


def fault(kind: str, *, name: str = "", start_s=1.0, duration_s=1000.0, **options: Any) -> Fault:
    """Return a fault by its catalogue name; options are ramp, targets and parameters."""
    own = {word: options.pop(word) for word in ("ramp_s",) if word in options}
    aim = {
        word: options.pop(word)
        for word in ("tiers", "hosts", "sandboxes", "fraction")
        if word in options
    }
    return Fault(
        name=name or kind,
        parameters=FAULTS[kind](**options),
        start_s=start_s,
        duration_s=duration_s,
        targets=Targets(**aim),
        **own,
    )


def make(*faults: Fault, seed: int = 7, rate: float = 400.0, **changes: Any) -> World:
    """Return a world of `small(**changes)` with `faults` in its plan."""
    return World(small(**changes), Plan(load=load(rate), faults=faults), seed)


# --- random ones


def _random_parameters(chance: np.random.Generator, kind: str) -> dict[str, float]:
    """Return parameters from a tenth of the sample's to five times as much, within their bounds."""
    drawn: dict[str, float] = {}
    for parameter in parameter_facts(FAULTS[kind]):
        sample, bound = SAMPLES[kind][parameter.field], parameter.bound
        lowest = sample / 10 if bound.least is None else max(sample / 10, bound.least)
        highest = sample * 5 if bound.most is None else min(sample * 5, bound.most)
        number = float(chance.uniform(lowest, highest))
        drawn[parameter.field] = round(number) if isinstance(sample, int) else number
    return drawn


def _random_fault(chance: np.random.Generator, name: str, topology: Topology) -> Fault:
    kind = str(chance.choice(list(FAULTS)))
    targets: dict[str, Any] = {}
    if chance.random() < 0.3:
        targets["tiers"] = (str(chance.choice([tier.name for tier in topology.tiers])),)
    elif chance.random() < 0.3:
        targets["hosts"] = (int(chance.integers(topology.hosts)),)
    if chance.random() < 0.4:
        targets["sandboxes"] = (str(chance.choice(SANDBOXES)),)
    if chance.random() < 0.4:
        targets["fraction"] = chance.uniform(0.01, 1)
    duration_s = chance.uniform(0.1, 3)
    return Fault(
        name=name,
        parameters=FAULTS[kind](**_random_parameters(chance, kind)),
        start_s=chance.choice([0.0, chance.uniform(0, 3)]),
        duration_s=duration_s,
        ramp_s=chance.choice([0.0, chance.uniform(0, duration_s)]),
        targets=Targets(**targets),
    )


def _shares(chance: np.random.Generator, count: int) -> list[float]:
    return chance.dirichlet(np.ones(count)).tolist()


def random_topology(chance: np.random.Generator) -> Topology:
    """Return a small system (8 to 60 agents) with tight queues, pools, inboxes and hosts."""
    takes = [("coordination",), ("work",), ("work", "coordination"), ("work",)]
    tiers = tuple(
        Tier(
            name=f"tier{number}",
            agents=int(chance.integers(2, 16)),
            takes=takes[number],
            scales=number > 0 and chance.random() < 0.6,
            speed=chance.uniform(0.5, 2),
        )
        for number in range(int(chance.integers(2, 5)))
    )
    laws = ("lognormal", "exponential", "deterministic")
    work = chance.uniform(0.3, 1)
    classes = tuple(
        TaskClass(
            name=name, share=share, mean_service_s=chance.uniform(0.002, 0.1),
            distribution=str(chance.choice(laws)),
        )
        for name, share in (("work", work), ("coordination", 1 - work))
    )  # fmt: skip
    priorities = tuple(
        Priority(
            name=name, share=share, queue_limit=int(chance.integers(1, 200)),
            wait_limit_s=chance.uniform(0.02, 2),
        )
        for name, share in zip(PRIORITIES, _shares(chance, 4), strict=True)
    )  # fmt: skip
    needs = _shares(chance, 5)
    pools = tuple(
        SandboxPool(name=name, slots=int(chance.integers(1, 20)), share=share)
        for name, share in zip(SANDBOXES, needs, strict=False)
    )
    return Topology(
        tiers=tiers, classes=classes, priorities=priorities, sandboxes=pools,
        triple_share=needs[3], dependency_share=chance.uniform(0, 0.5),
        first_result_share=chance.random(), merge_s=chance.choice([0.0, 0.01]),
        gateway_overhead_s=chance.choice([0.0, 0.0005, 0.01]),
        rate_limit_per_s=chance.choice([300.0, 30_000.0]),
        rate_limit_burst=int(chance.integers(1, 100)), max_retries=int(chance.integers(0, 4)),
        error_share=chance.choice([0.0, 0.05]),
        messages_at_first_result=int(chance.integers(0, 6)),
        messages_at_completion=int(chance.integers(0, 12)),
        inbox_limit=int(chance.integers(1, 60)), inbox_service_s=chance.uniform(1e-5, 5e-3),
        startup_mean_s=chance.uniform(0.005, 0.2), recycle_per_s=chance.choice([0.0, 20.0]),
        active_floor=int(chance.integers(1, 40)), watchdog_s=chance.uniform(0.05, 2),
        restart_backoff_s=chance.uniform(0.01, 0.5), restart_backoff_limit_s=0.6,
        hosts=int(chance.integers(1, 6)), cpus_per_host=int(chance.integers(1, 4)),
        cpu_per_busy_agent=chance.choice([0.01, 0.3]),
    )  # fmt: skip


def random_scenario(seed: int) -> tuple[Topology, Plan]:
    """Return a random small system and up to seven overlapping faults within four seconds."""
    chance = np.random.default_rng(seed)
    topology = random_topology(chance)
    rate = chance.uniform(50, 1500)
    stages = (
        Stage(duration_s=chance.uniform(0, 2), target=chance.uniform(0, 2000)),
        Stage(duration_s=chance.uniform(0, 2), target=rate),
    )
    load = Load(
        rate=rate,
        stages=stages if chance.random() < 0.4 else (),
        burst=Burst(factor=4, every_s=0.7, last_s=0.3) if chance.random() < 0.3 else None,
        daily=Daily(amplitude=0.5) if chance.random() < 0.3 else None,
    )
    faults = tuple(
        _random_fault(chance, f"fault{number}", topology)
        for number in range(int(chance.integers(0, 8)))
    )
    return topology, Plan(load=load, faults=faults)
