"""Whether the faults of a scenario did what they declared: a fault without effect proves nothing.

Pure; called by both judges once a scenario is lived, with what the world says its faults did and
what the exporter saw of those that strike the observability path. Each sentence makes the verdict
invalid: an alert that stayed silent, or fired, under a fault that was none says nothing of a rule.
"""

from __future__ import annotations

from itertools import groupby
from math import isclose
from typing import TYPE_CHECKING, Final, Literal

from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.scrape_path.effect_counter import ScrapeEffectCounter
    from simulator.snapshot import FaultEffect
    from simulator.world import World

    Standing = Literal["effective", "weak", "unclear", "idle"]

HONEST_DEVIATIONS: Final = 4.0
"""So far below its expectation may an honest fault stay by chance."""
IDLE_DEVIATIONS: Final = 3.0
"""So far from the base may a world without the fault come by chance."""


def weak_faults(world: World, path: ScrapeEffectCounter) -> tuple[str, ...]:
    """Return a sentence for every fault of the world's plan so far that had no effect.

    `path` counts what those who scraped the world met. Ask before the world is forked for another
    plan, and once it has lived to the end of this one.
    """
    effects = path.complete(world.effects())
    begun = {one.name for one in effects}
    unborn = tuple(
        f"fault {fault.name} ({fault.kind}) had no effect: it never began, though it was due"
        f" {format_duration(fault.start_s)} after the start"
        for fault in world.plan.faults
        if fault.name not in begun and fault.start_s < world.plan_s
    )
    return (*judge_effects(effects), *unborn)


def judge_effects(effects: Iterable[FaultEffect]) -> tuple[str, ...]:
    """Return a sentence for every fault whose measures of effect stay below what was declared.

    Of several measures none may be weak, and one must be sure.
    """
    sentences = []
    order = sorted(effects, key=lambda one: (one.began_ns, one.name))
    for _, group in groupby(order, key=lambda one: (one.began_ns, one.name)):
        measures = list(group)
        standings = [standing_of(one) for one in measures]
        for wanted in ("weak", "unclear", "idle"):
            told = [o for o, s in zip(measures, standings, strict=True) if s == wanted]
            if told and (wanted == "weak" or "effective" not in standings):
                sentences.append(_tell(told[0], standing_of(told[0])))
                break
    return tuple(sentences)


def standing_of(effect: FaultEffect) -> Standing:
    """Say how far a measure came from the base towards what was to be expected.

    Chance is allowed for on both sides: what an honest fault may miss by is not held against it,
    and what a world without the fault shows now and then is no effect.
    """
    due = effect.expected - effect.base
    done = effect.measured - effect.base
    if isclose(effect.expected, effect.base, rel_tol=1e-9, abs_tol=1e-9):
        return "idle"
    if due < 0:
        due, done = -due, -done
    needed = min(effect.least * due, due - HONEST_DEVIATIONS * effect.spread)
    chance = IDLE_DEVIATIONS * effect.noise
    if done > chance and done >= needed:
        return "effective"
    return "unclear" if needed <= 0 or effect.least * due <= chance else "weak"


def _tell(effect: FaultEffect, standing: Standing) -> str:
    who = f"fault {effect.name} ({effect.fault})"
    if standing == "idle":
        return f"{who} had nothing to act on: {effect.idle}"
    measured, declared = _figure(effect.measured), _figure(effect.expected)
    told = f"{measured} {effect.unit} measured, {declared} declared"
    if standing == "unclear":
        told += f", and {_figure(effect.base)} without it: too little or too short to tell"
    return f"{who} had no effect: {told}"


def _figure(value: float) -> str:
    """Write a number for people: whole from a thousand on, else four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
