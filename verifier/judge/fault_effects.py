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
    from collections.abc import Collection, Iterable, Mapping, Sequence

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
    in_each = frozenset(fault.name for fault in world.plan.faults if fault.targets.cells)
    return (*ineffective_faults(effects, in_each), *never_began)


def measured_effects(effects: Iterable[FaultEffect]) -> dict[str, str]:
    """Return, for each fault by name, what was measured of it and what it declares.

    Cells in which it did the same are named together.
    """
    figures: dict[str, dict[int | None, list[str]]] = {}
    for effect in sorted(effects, key=_fault_of):
        if effect_status(effect) != "idle":
            in_cells = figures.setdefault(f"{effect.name} ({effect.fault})", {})
            in_cells.setdefault(effect.cell, []).append(_figures(effect))
    return {
        subject.rpartition(" (")[0]: f"{subject} did: {'; '.join(_by_cell(in_cells))}"
        for subject, in_cells in figures.items()
    }


def _by_cell(figures: Mapping[int | None, Iterable[str]]) -> list[str]:
    """Return what was measured, once for all cells in which it is the same."""
    cells: dict[str, list[int]] = {}
    for cell, texts in figures.items():
        alike = cells.setdefault(", and ".join(dict.fromkeys(texts)), [])
        if cell is not None:
            alike.append(cell)
    return [f"{_in_cells(numbers)}{text}" for text, numbers in cells.items()]


def _in_cells(numbers: Sequence[int]) -> str:
    """Say in which cells something was measured; nothing for a system that is one."""
    if len(numbers) == 1:
        return f"in cell {numbers[0]}: "
    return f"in each of the cells {', '.join(map(str, numbers))}: " if numbers else ""


def ineffective_faults(
    effects: Iterable[FaultEffect], in_each: Collection[str] = ()
) -> tuple[str, ...]:
    """Return a sentence for every fault whose measured effect stays below the declared one.

    Of the measures of a fault none may be ineffective, and at least one must be effective: in each
    cell, for the faults named `in_each`, for these name their cells; in any of all cells otherwise.
    """

    def judged_by_itself(effect: FaultEffect) -> tuple[int, str, int]:
        cell = effect.cell if effect.name in in_each else None
        return (*_fault_of(effect), -1 if cell is None else cell)

    sentences = []
    in_order = sorted(effects, key=judged_by_itself)
    for _, group in groupby(in_order, key=judged_by_itself):
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
    if effect.cell is not None:
        fault += f" in cell {effect.cell}"
    if status == "idle":
        return f"{fault} had nothing to act on: {effect.idle}"
    figures = _figures(effect)
    if status == "inconclusive":
        figures += f", and {figure(effect.base)} without it: too little or too short to tell"
    return f"{fault} had no effect: {figures}"


def _figures(effect: FaultEffect) -> str:
    return measured_figures(effect.measured, effect.expected, effect.unit)
