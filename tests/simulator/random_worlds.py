"""Random small systems with random faults, for properties that must hold in every world."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from simulator.faults.fault import Fault
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts
from simulator.faults.targets import Targets
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
from tests.simulator.faults.samples import SAMPLES

OF_CELLS = tuple(n for n, kind in FAULTS.items() if kind.facts.aims_at in {"cells", "router"})
OF_ONE_WORLD = tuple(name for name in FAULTS if name not in OF_CELLS)


def _random_parameters(rng: np.random.Generator, kind: str) -> dict[str, float]:
    """Return parameters from a tenth of the sample's to five times as much, within their bounds."""
    drawn: dict[str, float] = {}
    for parameter in parameter_facts(FAULTS[kind]):
        sample, bound = SAMPLES[kind][parameter.field], parameter.bound
        lowest = sample / 10 if bound.least is None else max(sample / 10, bound.least)
        highest = sample * 5 if bound.most is None else min(sample * 5, bound.most)
        number = float(rng.uniform(lowest, highest))
        drawn[parameter.field] = round(number) if isinstance(sample, int) else number
    return drawn


def _random_fault(
    rng: np.random.Generator, name: str, topology: Topology, kinds: tuple[str, ...] = OF_ONE_WORLD
) -> Fault:
    kind = str(rng.choice(kinds))
    targets: dict[str, Any] = {}
    if rng.random() < 0.3:
        targets["tiers"] = (str(rng.choice([tier.name for tier in topology.tiers])),)
    elif rng.random() < 0.3:
        targets["hosts"] = (int(rng.integers(topology.hosts)),)
    if rng.random() < 0.4:
        targets["sandboxes"] = (str(rng.choice(SANDBOXES)),)
    if rng.random() < 0.4:
        targets["fraction"] = rng.uniform(0.01, 1)
    if topology.cells > 1 and FAULTS[kind].facts.aims_at != "router":
        chosen = rng.permutation(topology.cells)[: rng.integers(0, topology.cells)]
        targets["cells"] = tuple(sorted(chosen.tolist()))
    duration_s = rng.uniform(0.1, 3)
    return Fault(
        name=name,
        parameters=FAULTS[kind](**_random_parameters(rng, kind)),
        start_s=rng.choice([0.0, rng.uniform(0, 3)]),
        duration_s=duration_s,
        ramp_s=rng.choice([0.0, rng.uniform(0, duration_s)]),
        targets=Targets(**targets),
    )


def _shares(rng: np.random.Generator, count: int) -> list[float]:
    return rng.dirichlet(np.ones(count)).tolist()


def _tiers(rng: np.random.Generator) -> tuple[Tier, ...]:
    takes = [("coordination",), ("work",), ("work", "coordination"), ("work",)]
    return tuple(
        Tier(
            name=f"tier{number}",
            agents=int(rng.integers(2, 16)),
            takes=takes[number],
            scales=number > 0 and rng.random() < 0.6,
            speed=rng.uniform(0.5, 2),
        )
        for number in range(int(rng.integers(2, 5)))
    )


def _classes(rng: np.random.Generator) -> tuple[TaskClass, ...]:
    laws = ("lognormal", "exponential", "deterministic")
    work = rng.uniform(0.3, 1)
    return tuple(
        TaskClass(
            name=name, share=share, mean_service_s=rng.uniform(0.002, 0.1),
            distribution=str(rng.choice(laws)),
        )
        for name, share in (("work", work), ("coordination", 1 - work))
    )  # fmt: skip


def _priorities(rng: np.random.Generator) -> tuple[Priority, ...]:
    return tuple(
        Priority(
            name=name, share=share, queue_limit=int(rng.integers(1, 200)),
            wait_limit_s=rng.uniform(0.02, 2),
        )
        for name, share in zip(PRIORITIES, _shares(rng, 4), strict=True)
    )  # fmt: skip


def random_topology(rng: np.random.Generator) -> Topology:
    """Return a small system (8 to 60 agents) with tight queues, pools, inboxes and hosts."""
    tiers, classes, priorities = _tiers(rng), _classes(rng), _priorities(rng)
    needs = _shares(rng, 5)
    pools = tuple(
        SandboxPool(name=name, slots=int(rng.integers(1, 20)), share=share)
        for name, share in zip(SANDBOXES, needs, strict=False)
    )
    return Topology(
        tiers=tiers, classes=classes, priorities=priorities, sandboxes=pools,
        triple_share=needs[3], dependency_share=rng.uniform(0, 0.5),
        first_result_share=rng.random(), merge_s=rng.choice([0.0, 0.01]),
        gateway_overhead_s=rng.choice([0.0, 0.0005, 0.01]),
        rate_limit_per_s=rng.choice([300.0, 30_000.0]),
        rate_limit_burst=int(rng.integers(1, 100)), max_retries=int(rng.integers(0, 4)),
        error_share=rng.choice([0.0, 0.05]),
        messages_at_first_result=int(rng.integers(0, 6)),
        messages_at_completion=int(rng.integers(0, 12)),
        inbox_limit=int(rng.integers(1, 60)), inbox_service_s=rng.uniform(1e-5, 5e-3),
        startup_mean_s=rng.uniform(0.005, 0.2), recycle_per_s=rng.choice([0.0, 20.0]),
        active_floor=int(rng.integers(1, 40)), watchdog_s=rng.uniform(0.05, 2),
        restart_backoff_s=rng.uniform(0.01, 0.5), restart_backoff_limit_s=0.6,
        hosts=int(rng.integers(1, 6)), cpus_per_host=int(rng.integers(1, 4)),
        cpu_per_busy_agent=rng.choice([0.01, 0.3]),
    )  # fmt: skip


def random_scenario(seed: int) -> tuple[Topology, Plan]:
    """Return a random small system and up to seven overlapping faults within four seconds."""
    rng = np.random.default_rng(seed)
    topology = random_topology(rng)
    rate = rng.uniform(50, 1500)
    stages = (
        Stage(duration_s=rng.uniform(0, 2), target=rng.uniform(0, 2000)),
        Stage(duration_s=rng.uniform(0, 2), target=rate),
    )
    load = Load(
        rate=rate,
        stages=stages if rng.random() < 0.4 else (),
        burst=Burst(factor=4, every_s=0.7, last_s=0.3) if rng.random() < 0.3 else None,
        daily=Daily(amplitude=0.5) if rng.random() < 0.3 else None,
    )
    faults = tuple(
        _random_fault(rng, f"fault{number}", topology) for number in range(int(rng.integers(0, 8)))
    )
    return topology, Plan(load=load, faults=faults)


def random_system(seed: int) -> tuple[Topology, Plan]:
    """Return 1 to 20 random small cells, with faults of cells and of what is in them."""
    topology, plan = random_scenario(seed)
    rng = np.random.default_rng([seed, 2])
    cells = int(rng.integers(1, 21))
    weights = tuple(rng.uniform(0.1, 3, cells).tolist()) if rng.random() < 0.5 else ()
    ramp_s = float(rng.uniform(1, 4))
    topology = replace(topology, cells=cells, cell_weights=weights, router_ramp_s=ramp_s)
    kinds = OF_CELLS if cells > 1 else tuple(n for n in OF_CELLS if n != "router_stale")
    faults = [_random_fault(rng, f"cells{n}", topology, kinds) for n in range(3)]
    faults += [_random_fault(rng, f"inside{n}", topology) for n in range(2)]
    return topology, replace(plan, faults=tuple(faults))
