"""What a seed of the swarm stands for: its trial, drawn from nothing but the seed.

Small rough systems mostly, now and then a larger one, so that thousands of seeds take minutes.
Everything is rounded to what a scenario file can say, so that a trial can be written as one.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from documents.durations import format_duration, parse_duration
from scenarios.fault_fields import target_keys
from simulator.bounds import BoundError
from simulator.faults.fault import Fault
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts
from simulator.faults.targets import Targets
from simulator.load import BASE_RATE_PER_S, Burst, Daily, Load, Stage
from simulator.topology import SANDBOXES, Tier, Topology
from tests.simulator.faults.samples import SAMPLES
from tests.simulator.random_worlds import OF_CELLS, random_topology
from tests.swarm.trial import TRAFFIC, Action, Trial

if TYPE_CHECKING:
    from simulator.faults.parameters import Parameters

KINDS = tuple(name for name, kind in FAULTS.items() if kind.facts.aims_at != "router")
"""What can happen to one cell: there is no router in front of it."""
SEVERAL_CELLS = 0.06
"""The share of trials that are of two to four cells behind a router."""
READINGS = 10
HEAL_MS = (1500, 5000)
FAULTS_MAX, ACTIONS_MAX = 6, 6
MANY_FAULTS = 34
"""More than can be in effect at once, so that one is refused."""


def draw_trial(seed: int) -> Trial:
    """Return the trial of a seed."""
    rng = np.random.default_rng([seed, 9])
    topology, rate = _draw_system(rng)
    heal_ms = int(rng.integers(*HEAL_MS))
    faults = _draw_faults(rng, topology, heal_ms)
    shape = _draw_load(rng, rate, heal_ms)
    warm = rng.random() < 0.25 and shape.trace_s is None
    trial = Trial(
        seed=seed,
        topology=topology,
        shape=shape,
        faults=faults,
        actions=_draw_actions(rng, topology, faults, heal_ms),
        readings_ms=tuple(sorted(_draw_ms(rng, heal_ms) for _ in range(READINGS))),
        heal_ms=heal_ms,
        warm_s=round(float(rng.uniform(0.2, 2)), 3) if warm else 0.0,
        probe_per_s=round(float(rng.uniform(5, 200)), 3),
    )
    # From a stream of its own: what one cell is does not hang on whether there are several.
    return _draw_cells(np.random.default_rng([seed, 9, 1]), trial)


# The system


def _draw_cells(rng: np.random.Generator, trial: Trial) -> Trial:
    """Return a trial as it is, or of several such cells, with faults of cells and of the router."""
    if rng.random() >= SEVERAL_CELLS or trial.shape.trace_s is not None:
        return trial
    cells = int(rng.integers(2, 5))
    weights = tuple(round(float(rng.uniform(0.1, 3)), 3) for _ in range(cells))
    topology = replace(
        trial.topology,
        cells=cells,
        cell_weights=weights if rng.random() < 0.5 else (),
        router_ramp_s=round(float(rng.uniform(1, 4)), 3),
    )
    faults = []
    for number, kinds in enumerate((("router_stale",), ("cell_down",), OF_CELLS)):
        fault = draw_fault(rng, topology, f"cells-{number}", kinds)
        # The router looks once a second: what is shorter it mostly misses.
        seen_s = round(float(rng.uniform(1, 3)), 3)
        start_s = _draw_ms(rng, trial.heal_ms) / 1000
        faults.append(replace(fault, start_s=start_s, duration_s=max(seen_s, fault.duration_s)))
    return replace(trial, topology=topology, faults=(*trial.faults, *faults))


def _draw_system(rng: np.random.Generator) -> tuple[Topology, float]:
    """Return a system and a rate that it may or may not be able to serve."""
    dice = rng.random()
    if dice < 0.005:
        return Topology(recycle_per_s=float(rng.choice([0.0, 5.0]))), BASE_RATE_PER_S
    scale = 8 if dice < 0.03 else 1
    rough = random_topology(rng)
    topology = replace(
        rough,
        tiers=_draw_tiers(rng, scale),
        target_utilisation=float(rng.choice([0.5, 0.8, 1.0])),
        scaling_memory_s=float(rng.choice([0.5, 2.0, 5.0])),
        recycle_per_s=float(rng.choice([0.0, 1.0, 5.0])),
        scale_up_per_s=int(rng.integers(1, 50)),
        scale_down_per_s=int(rng.integers(2, 20)),
        message_upward_share=float(rng.choice([0.0, 0.3, 1.0])),
        cpu_per_message_s=float(rng.choice([0.0, 20e-6, 1e-3])),
    )
    rate = float(rng.uniform(20, 1500)) * scale
    if rng.random() < 0.03:
        # So many tasks that every stream is drawn anew in the middle; most are turned away.
        rate = 15_000.0
    return _rounded(topology), round(rate, 3)


def _draw_tiers(rng: np.random.Generator, scale: int) -> tuple[Tier, ...]:
    """Return the built-in tiers with few agents; at least one takes each class."""
    kinds: list[tuple[Any, ...]] = [("coordination",), ("work",), ("work", "coordination")]
    takes = [kinds[number] for number in (0, 1, *rng.integers(0, 3, 4))]
    return tuple(
        Tier(
            name=built_in.name,
            agents=int(rng.integers(1, 10)) * scale,
            takes=takes[number],
            scales=number > 0 and bool(rng.random() < 0.6),
            speed=round(float(rng.choice([1.0, rng.uniform(0.5, 2)])), 3),
            base_memory_bytes=built_in.base_memory_bytes,
        )
        for number, built_in in enumerate(Topology().tiers)
    )


def _rounded(part: Any) -> Any:
    """Return a value of the topology with every number as a scenario file would have it."""
    changes: dict[str, object] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, tuple) and value and hasattr(value[0], "__dataclass_fields__"):
            changes[field.name] = tuple(_rounded(each) for each in value)
        elif field.name.endswith("_s") and not field.name.endswith("_per_s"):
            changes[field.name] = parse_duration(format_duration(value))
        elif isinstance(value, np.generic):
            changes[field.name] = value.item()
    return replace(part, **changes)


# The load


def _draw_load(rng: np.random.Generator, rate: float, heal_ms: int) -> Load:
    if rng.random() < 0.12:
        count = int(rng.integers(1, 1500))
        return Load(trace_s=tuple(np.sort(rng.integers(0, heal_ms + 1000, count) / 1000).tolist()))
    stages = [
        Stage(duration_s=_draw_ms(rng, 1500) / 1000, target=target)
        for target in (float(rng.choice([0.0, rng.uniform(0, 2) * rate])), rate)
    ]
    return Load(
        rate=rate,
        stages=tuple(stages) if rng.random() < 0.4 else (),
        burst=Burst(factor=4, every_s=0.7, last_s=0.3) if rng.random() < 0.3 else None,
        daily=Daily(amplitude=0.5) if rng.random() < 0.2 else None,
    )


# Faults


def _draw_faults(rng: np.random.Generator, topology: Topology, heal_ms: int) -> tuple[Fault, ...]:
    count = int(rng.integers(0, FAULTS_MAX + 1))
    together = rng.random() < 0.03
    if together:
        count = MANY_FAULTS
    faults: list[Fault] = []
    for number in range(count):
        again = faults and rng.random() < 0.15
        kinds = (faults[-1].kind,) if again else KINDS
        fault = draw_fault(rng, topology, f"fault-{number}", kinds)
        length_ms = round(fault.duration_s * 1000)
        start_ms = 0 if together or rng.random() < 0.1 else _draw_ms(rng, heal_ms)
        if together:
            length_ms = max(heal_ms, length_ms)
        faults.append(replace(fault, start_s=start_ms / 1000, duration_s=length_ms / 1000))
    return tuple(faults)


def draw_fault(
    rng: np.random.Generator, topology: Topology, name: str, kinds: tuple[str, ...] = KINDS
) -> Fault:
    """Return a fault of one of the kinds, with targets that fit the system, at the plan's start."""
    while True:
        kind = str(rng.choice(kinds))
        duration_ms = int(rng.integers(50, 3000))
        ramp_ms = int(rng.choice([0, rng.integers(0, duration_ms)]))
        try:
            parameters = draw_parameters(rng, kind)
            parameters.require_fit(topology)
        except BoundError:
            continue
        return Fault(
            name=name,
            parameters=parameters,
            start_s=0.0,
            duration_s=duration_ms / 1000,
            ramp_s=ramp_ms / 1000,
            targets=_draw_targets(rng, kind, topology),
        )


def draw_parameters(rng: np.random.Generator, kind: str) -> Parameters:
    """Return parameters from a tenth of the sample's to five times as much, within their bounds."""
    drawn: dict[str, Any] = {}
    for parameter in parameter_facts(FAULTS[kind]):
        sample, bound = SAMPLES[kind][parameter.field], parameter.bound
        lowest = sample / 10 if bound.least is None else max(sample / 10, bound.least)
        highest = sample * 5 if bound.most is None else min(sample * 5, bound.most)
        number = round(float(rng.uniform(lowest, highest)), 3) or lowest
        if rng.random() < 0.05 and bound.most is not None and kind not in ENDLESS:
            number = float(bound.most)
        drawn[parameter.field] = round(number) if isinstance(sample, int) else number
    return FAULTS[kind](**drawn)


ENDLESS = ("crash_loop", "traffic_surge", "message_flood")
"""Kinds that are not drawn at their bounds: an agent that lives for a day, or so many events that
one trial takes minutes."""


def _draw_targets(rng: np.random.Generator, kind: str, topology: Topology) -> Targets:
    keys = target_keys(FAULTS[kind], topology)
    targets: dict[str, Any] = {}
    dice = rng.random()
    if "cells" in keys and rng.random() < 0.7:
        targets["cells"] = (int(rng.integers(topology.cells)),)
    if "tiers" in keys and dice < 0.3:
        targets["tiers"] = (str(rng.choice([tier.name for tier in topology.tiers])),)
    elif "hosts" in keys and dice < 0.5:
        targets["hosts"] = (int(rng.integers(topology.hosts)),)
    if "sandboxes" in keys and rng.random() < 0.4:
        targets["sandboxes"] = (str(rng.choice(SANDBOXES)),)
    if "fraction" in keys and rng.random() < 0.4:
        targets["fraction"] = round(float(rng.uniform(0.01, 1)), 3)
    return Targets(**targets)


# What is done by hand


def _draw_actions(
    rng: np.random.Generator, topology: Topology, planned: tuple[Fault, ...], heal_ms: int
) -> tuple[Action, ...]:
    count = ACTIONS_MAX if len(planned) == MANY_FAULTS else int(rng.integers(0, ACTIONS_MAX + 1))
    instants = sorted(_draw_ms(rng, heal_ms) for _ in range(count))
    known = list(planned)
    actions = []
    for number, at_ms in enumerate(instants):
        action = _draw_action(rng, topology, known, f"live-{number}")
        actions.append(replace(action, at_ms=at_ms))
        if action.what == "inject" and action.fault is not None:
            known.append(action.fault)
    return tuple(actions)


def _draw_action(
    rng: np.random.Generator, topology: Topology, known: list[Fault], name: str
) -> Action:
    dice = rng.random()
    others = [fault for fault in known if fault.kind not in TRAFFIC]
    if dice < 0.1:
        return Action(at_ms=0, what="skip", skip_ms=int(rng.integers(1, 60_000)))
    if dice < 0.2:
        return Action(at_ms=0, what="fork")
    if dice < 0.25:
        return Action(at_ms=0, what="end all")
    if dice < 0.6 or not others:
        fault = draw_fault(rng, topology, name)
        if others and fault.kind not in TRAFFIC and rng.random() < 0.1:
            fault = replace(fault, name=others[int(rng.integers(len(others)))].name)
        return Action(at_ms=0, what="inject", name=fault.name, fault=fault)
    subject = known[int(rng.integers(len(known)))]
    if dice < 0.8:
        return Action(at_ms=0, what="end", name=subject.name, fault=subject)
    changed = replace(subject, parameters=draw_parameters(rng, subject.kind), ramp_s=0.0)
    return Action(at_ms=0, what="change", name=subject.name, fault=changed)


def _draw_ms(rng: np.random.Generator, below_ms: int) -> int:
    """Return an instant; now and then a whole tick, so that instants coincide."""
    at_ms = int(rng.integers(0, below_ms))
    return at_ms // 100 * 100 if rng.random() < 0.3 else at_ms
