"""The topology refuses every number that no system can have, and names its field."""

from __future__ import annotations

from dataclasses import fields, replace
from math import nan

import pytest

from simulator.bounds import BoundError
from simulator.topology import Priority, SandboxPool, TaskClass, Tier, Topology

BASE = Topology()
WORK, COORDINATION = BASE.classes
SHARED = tuple(
    replace(pool, share=share)
    for pool, share in zip(BASE.sandboxes, (0.5, 0.25, 0.25), strict=True)
)
"""Pools that all tasks together need."""


def refusal(make):
    """Return the refusal that `make` raises; its field must be one of the class it guards."""
    with pytest.raises(BoundError) as raised:
        make()
    return raised.value


@pytest.mark.parametrize(
    ("make", "owner", "field"),
    [
        (lambda: Tier(name="", agents=1, takes=("work",)), "tier", "name"),
        (lambda: Tier(name="t", agents=0, takes=("work",)), "tier t", "agents"),
        (lambda: Tier(name="t", agents=1_000_001, takes=("work",)), "tier t", "agents"),
        (lambda: Tier(name="t", agents=1, takes=()), "tier t", "takes"),
        (lambda: Tier(name="t", agents=1, takes=("work",), speed=0.0), "tier t", "speed"),
        (lambda: replace(BASE.tiers[0], base_memory_bytes=-1), "tier cecca", "base_memory_bytes"),
        (lambda: replace(BASE.tiers[0], task_memory_bytes=-1), "tier cecca", "task_memory_bytes"),
        (lambda: replace(WORK, share=1.1), "class work", "share"),
        (lambda: replace(WORK, mean_service_s=0.0), "class work", "mean_service_s"),
        (lambda: replace(WORK, sigma=3.1), "class work", "sigma"),
        (lambda: Priority(name="low", share=-0.1), "priority low", "share"),
        (lambda: Priority(name="low", share=1, queue_limit=0), "priority low", "queue_limit"),
        (lambda: Priority(name="low", share=1, wait_limit_s=nan), "priority low", "wait_limit_s"),
        (lambda: SandboxPool(name="A", slots=0, share=0), "sandbox A", "slots"),
        (lambda: SandboxPool(name="A", slots=1, share=2), "sandbox A", "share"),
    ],
)
def test_a_part_refuses_its_numbers_by_field(make, owner, field):
    """Each part of the system, one number wrong at a time."""
    error = refusal(make)
    assert (error.owner, error.field) == (owner, field)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"priorities": BASE.priorities[::-1]}, "priorities",
         "exactly critical, high, normal, low in this order"),
        ({"sandboxes": BASE.sandboxes[1:]}, "sandboxes", "exactly A, B, C in this order"),
        ({"classes": (WORK, WORK)}, "classes", "exactly work, coordination in this order"),
        ({"tiers": ()}, "tiers", "at least one, each with a name of its own"),
        ({"tiers": BASE.tiers[:1] * 2}, "tiers", "at least one, each with a name of its own"),
        ({"tiers": BASE.tiers[:4]}, "tiers",
         "a list in which at least one tier takes 'work' tasks"),
        ({"classes": (replace(WORK, share=0.5), COORDINATION)}, "classes",
         "parts whose shares add up to 1"),
        ({"priorities": (Priority(name="critical", share=1), *BASE.priorities[1:])}, "priorities",
         "parts whose shares add up to 1"),
        ({"sandboxes": tuple(replace(pool, share=0.4) for pool in BASE.sandboxes)}, "sandboxes",
         "parts whose shares add up to at most 1"),
        ({"triple_share": 0.9}, "triple_share",
         "at most 0.7, which the sandboxes' shares leave of 1"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_refused(changes, field, rule):
    """Every part is right by itself; the whole is not."""
    error = refusal(lambda: Topology(**changes))
    assert (error.field, error.rule) == (field, rule)


def test_a_class_without_a_share_needs_no_tier():
    """A share of 0: the tiers that would take it may be missing."""
    classes = (replace(WORK, share=1.0), replace(COORDINATION, share=0.0))
    assert Topology(tiers=BASE.tiers[4:], classes=classes).fleet == 835


@pytest.mark.parametrize(
    "name",
    [field.name for field in fields(Topology) if not isinstance(getattr(BASE, field.name), tuple)],
)
def test_every_number_of_the_system_has_a_bound_and_names_its_field(name):
    """No field may be forgotten: one below every range is refused, and by its own name."""
    assert refusal(lambda: replace(BASE, **{name: -1})).field == name


WORKERS = Tier(name="workers", agents=1, takes=("work", "coordination"))


@pytest.mark.parametrize(
    ("within", "beyond", "field"),
    [
        ({"tiers": tuple(replace(WORKERS, name=f"{n}") for n in range(100))},
         {"tiers": tuple(replace(WORKERS, name=f"{n}") for n in range(101))}, "tiers"),
        ({"tiers": (replace(WORKERS, agents=99_999), replace(WORKERS, name="one"))},
         {"tiers": (replace(WORKERS, agents=100_000), replace(WORKERS, name="one"))}, "tiers"),
        ({"hosts": 10_000, "cpus_per_host": 1}, {"hosts": 10_001, "cpus_per_host": 1}, "hosts"),
        ({"hosts": 9, "cpus_per_host": 1024}, {"hosts": 10, "cpus_per_host": 1024}, "hosts"),
        ({"cells": 2, "cell_weights": (0.001, 1000.0)}, {"cells": 2, "cell_weights": (0.0009, 1.0)},
         "cell_weights"),
        ({"cells": 2, "cell_weights": (1.0, 1.0)}, {"cells": 2, "cell_weights": (1.0, 1001.0)},
         "cell_weights"),
        ({"triple_share": 0.7}, {"triple_share": 0.700001}, "triple_share"),
        ({"classes": (replace(WORK, share=0.95 + 9e-10), COORDINATION)},
         {"classes": (replace(WORK, share=0.95 + 2e-9), COORDINATION)}, "classes"),
        ({"classes": (replace(WORK, share=0.95 - 9e-10), COORDINATION)},
         {"classes": (replace(WORK, share=0.95 - 2e-9), COORDINATION)}, "classes"),
        ({"triple_share": 0.0, "sandboxes": SHARED}, {"triple_share": 1e-6, "sandboxes": SHARED},
         "triple_share"),
    ],
)  # fmt: skip
def test_parts_may_be_together_as_many_as_there_is_room_for_and_no_more(within, beyond, field):
    """Tiers, their agents, CPUs, weights of cells and shares."""
    made = Topology(**within)
    assert {name: getattr(made, name) for name in within} == within
    assert refusal(lambda: Topology(**beyond)).field == field


def test_the_fleet_is_the_sum_of_the_tiers():
    """The built-in system: 928 agents."""
    assert BASE.fleet == sum(tier.agents for tier in BASE.tiers) == 928


def test_shares_of_decimal_fractions_add_up():
    """0.7 + 0.1 + 0.1 + 0.1 is not 1 in binary, and is accepted all the same."""
    shares = (0.7, 0.1, 0.1, 0.1)
    assert sum(shares) != 1
    priorities = tuple(
        replace(priority, share=share)
        for priority, share in zip(BASE.priorities, shares, strict=True)
    )
    assert Topology(priorities=priorities).priorities == priorities


def test_a_service_time_may_be_of_any_law():
    """The three distributions of service times."""
    for distribution in ("lognormal", "exponential", "deterministic"):
        assert TaskClass(name="work", share=1, mean_service_s=1, distribution=distribution)
