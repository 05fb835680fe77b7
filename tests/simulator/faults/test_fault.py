"""A fault climbs its ramp, and affects its targets and no other agent."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from simulator.bounds import BoundError
from simulator.faults.fault import climbed
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import Targets, name_targets
from simulator.kernel import loop as k
from tests.simulator.faults.samples import (
    SAMPLES,
    between,
    parameters_of,
)
from tests.simulator.worlds import fault, make


def test_a_ramp_climbs_second_by_second_to_its_full_strength():
    """Magnitude at the middle of each second of the ramp, then the whole, then nothing."""
    surge = fault("traffic_drop", share=0.8, start_s=0.7, ramp_s=4.0, duration_s=6.0)
    world = make(surge)
    seen = []
    for instant_s in (0.69, 0.7, 1.69, 1.7, 2.8, 4.69, 4.7, 6.69, 6.7):
        world.advance(instant_s)
        s = world.snapshot()
        seen.append(s.faults[0].magnitude if s.faults else 0.0)
        assert s.arrival_rate == pytest.approx(400 * (1 - seen[-1]))
    assert seen == pytest.approx([0, 0.1, 0.1, 0.3, 0.5, 0.7, 0.8, 0.8, 0])


@pytest.mark.parametrize(
    ("passed_s", "length_s", "part"),
    [(0.0, 0.2, 0.5), (0.1, 0.2, 0.5), (1.9, 2.5, 0.6), (2.1, 2.5, 0.9), (2.5, 2.5, 1.0)],
)
def test_the_last_step_of_a_ramp_may_be_shorter(passed_s, length_s, part):
    """It is held at its own middle."""
    assert climbed(round(passed_s * 1e9), round(length_s * 1e9)) == pytest.approx(part)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"), ({"start_s": -1.0}, "start_s"), ({"duration_s": 0.0}, "duration_s"),
        ({"duration_s": 4e8}, "duration_s"), ({"ramp_s": -1.0}, "ramp_s"),
        ({"ramp_s": 5.1}, "ramp_s"), ({"ramp_s": 5.0}, None), ({"start_s": 0.0}, None),
    ],
)  # fmt: skip
def test_a_fault_refuses_times_that_cannot_be(changes, field):
    """A ramp may take all of its time, and no more."""
    drop = fault("traffic_drop", share=0.5, duration_s=5.0)
    if field is None:
        assert replace(drop, **changes) != drop
        return
    with pytest.raises(BoundError) as refused:
        replace(drop, **changes)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("targets", "field"),
    [({"hosts": (4,)}, "hosts"), ({"cells": (1,)}, "cells"), ({"tiers": ("leads",)}, "tiers")],
)
def test_targets_just_beyond_what_is_there_are_refused(targets, field):
    """Hosts 0 to 3, cell 0, and tiers by their names."""
    with pytest.raises(BoundError) as refused:
        make(fault("slow_start", factor=2.0, **targets))
    assert refused.value.field == field


@pytest.mark.parametrize(("fraction", "agents"), [(0.01, 1), (0.37, 1), (0.4, 2), (0.9, 4)])
def test_a_fraction_is_rounded_to_whole_agents_but_to_one_at_least(fraction, agents):
    """Of four leads."""
    world = make(fault("memory_leak", bytes_per_s=1e4, tiers=("lead",), fraction=fraction))
    world.advance(1.0)
    assert (world._state.agent[:, k.LEAK_PER_TICK] > 0).sum() == agents


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, nan])
def test_a_fraction_of_nothing_or_of_more_than_all_is_refused(fraction):
    """Above 0 and at most 1."""
    with pytest.raises(BoundError, match="fraction must be above 0 and at most 1"):
        Targets(fraction=fraction)


def test_targets_are_named_as_a_person_wrote_them():
    """One of a kind in the singular; nothing where all are meant."""
    named = Targets(cells=(1,), tiers=("lead",), hosts=(0, 2), fraction=0.995)
    words = name_targets(named.in_words())
    assert words == "cell 1, tier lead, hosts 0, 2, fraction 0.995"
    assert name_targets(Targets(sandboxes=("A", "C")).in_words()) == "sandboxes A, C"
    assert name_targets(Targets().in_words()) == ""


def test_a_ramp_of_failures_climbs_in_the_metric():
    """The failing share of each second follows the ramp."""
    world = make(fault("task_failure", share=1.0, ramp_s=10.0, duration_s=20.0), rate=600.0)
    failed = []
    for second in range(1, 12):
        before, after = between(world, second, second + 1)
        ended = (after.tasks_processed - before.tasks_processed).sum(axis=0)
        failed.append(ended[1] / ended.sum())
    assert failed == pytest.approx([0.05 + 0.1 * n for n in range(10)] + [1.0], abs=0.07)


@pytest.mark.parametrize(
    "kind", [kind for kind, parameters in FAULTS.items() if parameters.facts.aims_at == "agents"]
)
def test_a_fault_changes_its_targets_and_no_other_agent(kind):
    """Tier, hosts and fraction intersect; all others keep the base to the bit."""
    targets = {"tiers": ("worker",), "hosts": (1, 2), "fraction": 0.5}
    world = make(fault(kind, **SAMPLES[kind], **targets))
    world.advance(1.0)
    base, now = parameters_of(make()), parameters_of(world)
    changed = {
        agent
        for table in ("agent", "inbox", "agent_real")
        for agent in range(40)
        if now[table][agent] != base[table][agent]
    }
    if kind == "message_flood":
        changed = set(world._state.flood_targets[: world._state.head[k.FLOOD_TARGETS]].tolist())
    assert len(changed) == 9
    assert all(agent >= 4 and agent % 4 in (1, 2) for agent in changed)


def test_a_fraction_is_drawn_by_the_faults_own_name():
    """The same name targets the same agents, whatever else goes on; another name, others."""

    def targets(name, *others):
        world = make(*others, fault("memory_leak", name=name, bytes_per_s=1e4, fraction=0.4))
        world.advance(1.0)
        return np.flatnonzero(world._state.agent[:, k.LEAK_PER_TICK]).tolist()

    assert len(targets("one")) == 16
    assert targets("one") == targets("one", fault("agent_hang"), fault("slow_start", factor=2.0))
    assert targets("one") != targets("two")
