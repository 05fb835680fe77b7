"""What each kind of fault is measured to do: what the recorded figures are compared with.

Two faults of the kind overlap on ramps, the second on fewer targets, beside milder ones of many
kinds. While both are in effect and after their end each measure of both is recorded whole, and the
statuses in between. Figures have six digits: sums of reals may differ in the last bit elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.cells.system import build_system
from simulator.plan import Plan
from simulator.topology import TaskClass, Tier
from tests.simulator.faults.samples import OF_THE_ROUTER, SAMPLES, TARGETS, WORLDS
from tests.simulator.worlds import fault, load, small

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from simulator.snapshot import FaultEffect, FaultStatus

EFFECTS = Path(__file__).parent / "effects.json"
IN_EFFECT_S, ENDED_S = 6.25, 10.5
BOTH = ("first", "second")
UNEVEN = {
    "tiers": (
        Tier(name="lead", agents=4, takes=("coordination",), speed=0.8),
        Tier(name="worker", agents=36, takes=("work",), scales=True, speed=1.2),
    ),
    "classes": (
        TaskClass(name="work", share=0.9, mean_service_s=0.05),
        TaskClass(name="coordination", share=0.1, mean_service_s=0.02),
    ),
    "recycle_per_s": 4.0, "error_share": 0.01, "triple_share": 0.04, "first_result_share": 0.3,
    "dependency_share": 0.12, "cpus_per_host": 3,
}  # fmt: skip
"""A system of which no two parts are alike, so that none can be taken for another."""
FEWER = {
    "agents": {"tiers": ("worker",), "hosts": (0, 1, 3)}, "hosts": {"hosts": (1,)},
    "sandboxes": {"sandboxes": ("B",)},
}  # fmt: skip
"""Targets of the second fault, by what its kind aims at."""
BESIDE = (
    fault("task_slowdown", name="slow", factor=1.5, tiers=("worker",), start_s=2.0, duration_s=7.0),
    fault("slow_host", name="host", factor=1.25, hosts=(2,), start_s=2.0, duration_s=7.0),
    fault("cell_brownout", name="brownout", factor=1.1, start_s=2.0, duration_s=7.0, ramp_s=5.0),
    fault("task_failure", name="errors", share=0.1, hosts=(0, 1), start_s=2.0, duration_s=7.0),
    fault("dependency_outage", name="down", share=0.2, latency_s=0.05, start_s=2.0, duration_s=7.0),
    fault("message_flood", name="flood", rate_per_s=900.0, start_s=2.0, duration_s=7.0),
    fault("slow_consumer", name="consumers", factor=1.5, start_s=2.0, duration_s=7.0),
    fault("slow_start", name="starts", factor=1.5, start_s=2.0, duration_s=7.0),
    fault("traffic_surge", name="surge", factor=1.2, start_s=2.0, duration_s=7.0),
    fault("traffic_drop", name="drop", share=0.1, start_s=2.0, duration_s=7.0),
    fault("sandbox_leak", name="leak", share=0.25, sandboxes=("B",), start_s=2.0, duration_s=7.0),
    fault("sandbox_crash", name="crash", share=0.25, sandboxes=("B",), start_s=2.0, duration_s=7.0),
)  # fmt: skip


def figures_of(kind: str) -> list[str]:
    """Return a line for each effect and each status of two faults of a kind."""
    settings = {**UNEVEN, **WORLDS.get(kind, {})}
    rate = settings.pop("rate", 400.0)
    cells = 2 if kind in OF_THE_ROUTER else 1
    plan = Plan(load=load(rate), faults=(*_two(kind), *BESIDE))
    world = build_system(small(cells=cells, **settings), plan, 11)
    world.advance(IN_EFFECT_S)
    statuses = world.snapshot().faults
    in_effect = world.effects()
    world.advance(ENDED_S)
    return [_line(each) for each in (*statuses, *in_effect, *world.effects()) if each.name in BOTH]


def recorded() -> dict[str, list[str]]:
    """Return the lines that were recorded, by kind."""
    lines: dict[str, list[str]] = json.loads(EFFECTS.read_text(encoding="utf-8"))
    return lines


def _two(kind: str) -> tuple[Fault, Fault]:
    first = fault(
        kind, name="first", start_s=1.0, duration_s=8.0, ramp_s=3.5,
        **SAMPLES[kind], **TARGETS.get(kind, {}),
    )  # fmt: skip
    fewer = FEWER.get(first.parameters.facts.aims_at, {})
    second = fault(
        kind, name="second", start_s=3.25, duration_s=6.5, ramp_s=5.0, **SAMPLES[kind], **fewer
    )
    return first, replace(second, parameters=replace(first.parameters))


def _line(value: FaultEffect | FaultStatus) -> str:
    return "; ".join(
        f"{field} {each:.6g}" if isinstance(each, float) else f"{field} {each}"
        for field, each in asdict(value).items()
    )
