"""What must be true of a world whose faults and whose load have ended, exactly.

At the instant of the heal: the kernel's parameters are those of the control run. Once drained:
nobody waits or works, every message is handled, every slot is free, no agent is down, the fleet has
the size that its control wants, and nothing of a fault is in effect. A probe then sends the same
tasks to both worlds: unless one of them turned a task away, just as many succeed and fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.faults.kinds.catalogue import SCRAPE_PATH_FAULTS
from simulator.kernel import loop as k
from simulator.load import Load, Stage
from simulator.plan import Plan
from simulator.snapshot import ScrapePath
from tests.simulator.faults.samples import parameters_of
from verifier.judge.fault_effects import effect_status

if TYPE_CHECKING:
    from simulator.cells.system import SimulatedSystem
    from simulator.snapshot import FaultEffect, Snapshot
    from simulator.world import World
    from tests.swarm.trial import Trial

PROBE_S, PROBE_NS, PROBE_STEPS = 2.0, 10**9, 120
LEAST_NS = 10**9
ENDS_WORK = ("agent_crash", "crash_loop", "agent_hang", "sandbox_crash", "cell_down")
"""Kinds under which agents or slots are lost, and with them the tasks that others would act on."""
FAULTY_COUNTS = (k.CRASHED, k.HUNG, k.FLOODED, k.PARTITIONED)


def parameters_left(world: SimulatedSystem, calm: SimulatedSystem) -> list[str]:
    """What of the kernel's parameters differs from the control run's, at the heal.

    Of several cells each; the rates of their load are the router's, which still sees them ill.
    """
    shared = {"rates"} if len(world.cells) > 1 else set()
    return [
        f"nothing is left of a fault that has ended: {name}"
        for cell, healthy in zip(world.cells, calm.cells, strict=True)
        for name, value in parameters_of(cell).items()
        if name not in shared and value != parameters_of(healthy)[name]
    ]


def miscounted_reservation(world: World, s: Snapshot) -> list[str]:
    """Of several reservations the largest counts, as far as it has climbed."""
    largest = max((f.magnitude for f in s.faults if f.fault == "capacity_demand"), default=0)
    holds = world._state.head[k.RESERVED] == round(largest)
    return [] if holds else ["the largest reservation counts"]


def ineffective(world: SimulatedSystem, trial: Trial, reached: set[str]) -> list[str]:
    """Which faults did not have their declared effect, by the judge's own rule.

    Judged is who could show it: in effect for a second or more, at full strength from its start,
    never changed, and beside nothing that takes away what it acts on. The measures are made for
    minutes of time that passes, so no trial with a skip is judged. This looks for what is lost
    behind the kernel's parameters, which `declared_parameters` compares at every reading.
    """
    effects = [effect for effect in world.effects() if effect.fault not in SCRAPE_PATH_FAULTS]
    statuses = [effect_status(effect) for effect in effects]
    reached |= {f"effect: {status}" for status in statuses}
    if any(action.what == "skip" for action in trial.actions):
        return []
    judged = _plain_faults(trial)
    return [
        f"a fault has its declared effect: {effect}"
        for effect, status in zip(effects, statuses, strict=True)
        if status == "ineffective"
        and effect.name in judged
        and effect.ended_ns - effect.began_ns >= LEAST_NS
        and not any(_is_in_the_way(other, effect) for other in effects)
    ]


def _plain_faults(trial: Trial) -> set[str]:
    """The names under which every fault of a trial has no ramp and none was changed."""
    injected = [action.fault for action in trial.actions if action.what == "inject"]
    ramped = {fault.name for fault in (*trial.faults, *injected) if fault.ramp_s}
    changed = {action.name for action in trial.actions if action.what == "change"}
    return {fault.name for fault in (*trial.faults, *injected)} - ramped - changed


def _is_in_the_way(other: FaultEffect, effect: FaultEffect) -> bool:
    """Whether another fault, in effect at the same time, is of the kind or ends what it acts on."""
    is_same = (other.name, other.began_ns) == (effect.name, effect.began_ns)
    together = other.began_ns < effect.ended_ns and effect.began_ns < other.ended_ns
    entangled = other.fault == effect.fault or other.fault in ENDS_WORK
    return not is_same and together and entangled


def remains(world: SimulatedSystem) -> list[str]:
    """What has not drained yet, in any of the cells, or what the router still sees ill."""
    left = [text for cell in world.cells for text in _remains_of_cell(cell)]
    if len(world.cells) > 1 and min(world.router.health) < 1:
        left.append(f"health of the cells {world.router.health}")
    return left


def _remains_of_cell(world: World) -> list[str]:
    s = world.snapshot()
    state, head, agent = world._state, world._state.head, world._state.agent
    counts = dict(zip(("stopped", "starting", "idle", "busy", "hung", "crashed"),
                      s.agents.sum(axis=0).tolist(), strict=True))  # fmt: skip
    looping = int((agent[:, k.STAGE] == k.DIES).sum())
    provisioned = counts["starting"] + int(
        ((agent[:, k.PLACE] >= 0) & (agent[:, k.RETIRE] != k.STOP)).sum()
    )
    desired = int(head[k.DESIRED])
    left = {
        "tasks queued": int(s.queue_depth.sum()),
        "tasks in flight": int(s.tasks_in_flight.sum()),
        "messages waiting": s.messages_waiting,
        "slots not available": int((s.sandbox_total - s.sandbox_available).sum()),
        "agents down": counts["crashed"] + looping,
        "agents hung": counts["hung"],
        "backpressure": s.backpressure_level,
        "faults in effect": len(s.faults),
        "agents missing": max(0, desired - provisioned),
        "agents too many": max(
            0, provisioned - desired - desired // k.SURPLUS_PARTS - _restarted_per_tick(head)
        ),
        "demand remembered": int(_idle_fleet(state) != desired),
        "faults of the scrape path": int(s.scrape_path != ScrapePath() or not s.exporter_up),
    }
    return [f"{name} {count}" for name, count in left.items() if count]


def _restarted_per_tick(head) -> int:
    """How many agents a tick restarts: just when the fleet is scaled they cannot be stopped."""
    return int(head[k.RECYCLE_PER_TICK] // k.MICRO) + 1 if head[k.RECYCLE_PER_TICK] else 0


def _idle_fleet(state) -> int:
    """How many agents a fleet without any work keeps."""
    head = state.head
    kept = max(head[k.FIXED_AGENTS] + 1, head[k.FLOOR])
    return int(min(kept, head[k.FIXED_AGENTS] + head[k.SCALED_AGENTS]))


def differences(world: SimulatedSystem, calm: SimulatedSystem) -> list[str]:
    """What differs from the control run when both have drained.

    Which of several cells a task went to is the router's choice, and its share of the load is the
    same again.
    """
    several = len(world.cells) > 1
    alike = [
        part
        for pair in zip(world.cells, calm.cells, strict=True)
        for part in _alike_cells(*pair, same_arrivals=not several)
    ]
    if several:
        alike.append(("shares of the load", world.shares == calm.shares))
    return [f"a drained world agrees with the control run: {name}" for name, same in alike
            if not same]  # fmt: skip


def _alike_cells(world: World, calm: World, *, same_arrivals: bool) -> list[tuple[str, bool]]:
    ours, theirs = world.snapshot(), calm.snapshot()
    requests = [each.network_received_bytes[1] for each in (ours, theirs)]
    ended = (ours.tasks_rejected + ours.tasks_timed_out).sum() + ours.tasks_processed.sum()
    arrivals = [
        ("tasks that arrived", np.array_equal(ours.tasks_arrived, theirs.tasks_arrived)),
        ("bytes of requests", requests[0] == requests[1]),
    ]
    return [
        *(arrivals if same_arrivals else ()),
        ("desired agents", world._state.head[k.DESIRED] == calm._state.head[k.DESIRED]),
        ("slots", np.array_equal(ours.sandbox_available, theirs.sandbox_available)),
        ("parameters", parameters_of(world) == parameters_of(calm)),
        ("every arrived task has ended", ours.tasks_arrived.sum() == ended),
    ]


def probe(
    world: World, calm: World, trial: Trial, reached: set[str]
) -> tuple[World, World, list[str]]:
    """Send the same few tasks to both drained worlds; return those, and what differs."""
    stages = (Stage(duration_s=PROBE_S, target=trial.probe_per_s), Stage(duration_s=0, target=0))
    plan = Plan(load=Load(rate=trial.probe_per_s, stages=stages))
    worlds = (world.fork(plan), calm.fork(plan))
    before = [_counts(each) for each in worlds]
    for step in range(PROBE_STEPS):
        for each in worlds:
            each.advance_ns(each.now_ns + PROBE_NS)
        if step * PROBE_NS > PROBE_S * 1e9 and not any(_busy(each) for each in worlds):
            break
    ours, theirs = (
        {name: now[name] - then[name] for name in now}
        for now, then in zip(map(_counts, worlds), before, strict=True)
    )
    laws = [f"a healed world does it no more: {name}" for name in ("crashed, hung, flooded, lost",)
            if ours[name].any()]  # fmt: skip
    compared = ["arrived"]
    if not (ours["turned away"].any() or theirs["turned away"].any()):
        reached.add("healed: probe compared to the task")
        compared += ["ended", "retried"]
    laws += [
        f"a healed world answers as the control run: {name}"
        for name in compared
        if not np.array_equal(ours[name], theirs[name])
    ]
    return *worlds, laws


def _busy(world: World) -> bool:
    state = world._state
    working = np.isin(state.agent[:, k.STATE], (k.WORKING, k.HANGING))
    return bool(state.head[k.QUEUED] or working.any())


def _counts(world: World) -> dict[str, np.ndarray]:
    by_priority = world._state.priority
    return {
        "arrived": by_priority[:, k.ARRIVED].copy(),
        "turned away": by_priority[:, [k.REJECTED, k.TIMED_OUT]].sum(axis=0),
        "ended": by_priority[:, [k.COMPLETED, k.FAILED]].copy(),
        "retried": by_priority[:, k.RETRIED].copy(),
        "crashed, hung, flooded, lost": world._state.head[list(FAULTY_COUNTS)].copy(),
    }
