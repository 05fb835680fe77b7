"""Whether the faults of a scenario had the effect that they declare.

Pure; called by both judges at the end of a scenario, with what the world measured of its faults
and what the exporter counted for those that affect the scrape path. Each sentence makes the verdict
invalid: whether an alert fires under a fault without effect says nothing about its rule.
"""

from __future__ import annotations

from itertools import groupby
from math import isclose
from typing import TYPE_CHECKING, Final, Literal

from documents.amounts import figure, measured_figures
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.cells.system import SimulatedSystem
    from simulator.snapshot import FaultEffect

    EffectStatus = Literal["effective", "ineffective", "inconclusive", "idle"]

SHORTFALL_DEVIATIONS: Final = 4.0
"""How many standard deviations a working fault may stay below its declared effect: by the normal
distribution fewer than 1 in 30,000 do."""
NOISE_DEVIATIONS: Final = 3.0
"""How many standard deviations from the base a world without the fault may be measured: by the
normal distribution about 1 in 740 is further above it."""


def faults_without_effect(
    world: SimulatedSystem, effects: tuple[FaultEffect, ...]
) -> tuple[str, ...]:
    """Return a sentence for every fault of the world's plan so far that had no effect.

    `effects` are the world's, completed by what was counted of its scrapes. Ask at the end of the
    plan, before the world is forked for another.
    """
    started = {effect.name for effect in effects}
    never_began = tuple(
        f"fault {fault.name} ({fault.kind}) had no effect: it never began, though it was due"
        f" {format_duration(fault.start_s)} after the start"
        for fault in world.plan.faults
        if fault.name not in started and fault.start_s < world.plan_s
    )
    return (*ineffective_faults(effects), *never_began)


def measured_effects(effects: Iterable[FaultEffect]) -> dict[str, str]:
    """Return, for each fault by name, what was measured of it and what it declares."""
    texts: dict[str, list[str]] = {}
    for effect in sorted(effects, key=_fault_of):
        if effect_status(effect) != "idle":
            texts.setdefault(f"{effect.name} ({effect.fault})", []).append(_figures(effect))
    return {
        subject.rpartition(" (")[0]: f"{subject} did: {', and '.join(dict.fromkeys(figures))}"
        for subject, figures in texts.items()
    }


def ineffective_faults(effects: Iterable[FaultEffect]) -> tuple[str, ...]:
    """Return a sentence for every fault whose measured effect stays below the declared one.

    Of the measures of a fault none may be ineffective, and at least one must be effective.
    """
    sentences = []
    in_order = sorted(effects, key=_fault_of)
    for _, group in groupby(in_order, key=_fault_of):
        by_status: dict[EffectStatus, FaultEffect] = {}
        for effect in group:
            by_status.setdefault(effect_status(effect), effect)
        if "effective" in by_status and "ineffective" not in by_status:
            continue
        worst: tuple[EffectStatus, ...] = ("ineffective", "inconclusive", "idle")
        status = next(status for status in worst if status in by_status)
        sentences.append(_sentence(by_status[status], status))
    return tuple(sentences)


def effect_status(effect: FaultEffect) -> EffectStatus:
    """Say how far a measure came from the base towards the declared effect.

    Random deviations are allowed for on both sides: by how much a working fault may fall short,
    and how far a world without the fault may be from the base.
    """
    declared = effect.expected - effect.base
    measured = effect.measured - effect.base
    if isclose(effect.expected, effect.base, rel_tol=1e-9, abs_tol=1e-9):
        return "idle"
    if declared < 0:
        declared, measured = -declared, -measured
    required = min(effect.least * declared, declared - SHORTFALL_DEVIATIONS * effect.spread)
    noise = NOISE_DEVIATIONS * effect.noise
    if measured > noise and measured >= required:
        return "effective"
    # Too few events, or too short: even a full effect might be measured like none.
    undecidable = required <= 0 or effect.least * declared <= noise
    return "inconclusive" if undecidable else "ineffective"


def _fault_of(effect: FaultEffect) -> tuple[int, str]:
    return effect.began_ns, effect.name


def _sentence(effect: FaultEffect, status: EffectStatus) -> str:
    fault = f"fault {effect.name} ({effect.fault})"
    if status == "idle":
        return f"{fault} had nothing to act on: {effect.idle}"
    figures = _figures(effect)
    if status == "inconclusive":
        figures += f", and {figure(effect.base)} without it: too little or too short to tell"
    return f"{fault} had no effect: {figures}"


def _figures(effect: FaultEffect) -> str:
    return measured_figures(effect.measured, effect.expected, effect.unit)
