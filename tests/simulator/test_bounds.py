"""A refused value is data, and its sentence is made of it."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan, nextafter

import pytest

from simulator.bounds import BoundError, require, require_positive, require_share, require_within
from simulator.load import Burst, Daily, Load, LoadChange, Stage
from simulator.topology import Topology
from tests.simulator.worlds import fault

TEN_YEARS_S = 315_360_000
BASE = replace(Topology(), sandboxes=tuple(replace(p, share=0.0) for p in Topology().sandboxes))
CHANGE = LoadChange(stages=(Stage(duration_s=1.0, target=1.0),), start_s=0.0, from_per_s=1.0)
DROP = fault("traffic_drop", share=0.5)
LIMITS = {
    BASE: {
        "triple_share": (0, 1), "first_result_share": (0, 1), "error_share": (0, 1),
        "dependency_share": (0, 1), "message_upward_share": (0, 1), "cpu_background_share": (0, 1),
        "inbox_service_s": (1e-9, 60.0), "startup_mean_s": (1e-6, 86_400.0),
        "watchdog_s": (1e-3, TEN_YEARS_S), "restart_backoff_s": (1e-3, TEN_YEARS_S),
        "restart_backoff_limit_s": (1e-3, TEN_YEARS_S), "scaling_memory_s": (1e-3, TEN_YEARS_S),
        "merge_s": (0, 3600.0), "gateway_overhead_s": (0, 3600.0), "cpu_per_message_s": (0, 0.01),
        "router_ramp_s": (1.0, 3600.0), "rate_limit_burst": (1, 10_000_000),
        "max_retries": (0, 10), "messages_at_first_result": (0, 100),
        "messages_at_completion": (0, 100), "inbox_limit": (1, 100_000),
        "message_bytes_min": (0, 1_048_576), "request_bytes": (0, 1_073_741_824),
        "response_bytes": (0, 1_073_741_824), "queued_task_bytes": (0, 1_073_741_824),
        "active_floor": (1, 1_000_000), "scale_up_per_s": (1, 1_000_000),
        "scale_down_per_s": (1, 1_000_000), "hosts": (1, 5_000), "cpus_per_host": (1, 1024),
        "cells": (1, 1000), "rate_limit_per_s": (1e-3, 1e9), "target_utilisation": (0.01, 100.0),
        "recycle_per_s": (0, 100_000.0), "cpu_per_busy_agent": (0, 1024.0),
        "startup_sigma": (0, 3.0),
    },
    BASE.tiers[0]: {
        "agents": (1, 100_000), "speed": (1e-3, 1e3), "base_memory_bytes": (0, 1_099_511_627_776),
        "task_memory_bytes": (0, 1_099_511_627_776),
    },
    BASE.classes[0]: {"share": (0, 1), "mean_service_s": (1e-6, 86_400.0), "sigma": (0, 3.0)},
    BASE.priorities[0]: {
        "share": (0, 1), "queue_limit": (1, 100_000), "wait_limit_s": (1e-3, TEN_YEARS_S),
    },
    BASE.sandboxes[0]: {"slots": (1, 1_000_000), "share": (0, 1)},
    CHANGE.stages[0]: {"duration_s": (0, TEN_YEARS_S), "target": (0, 2e6)},
    Burst(factor=2.0, every_s=1.0, last_s=1.0): {
        "factor": (0, 100.0), "every_s": (0.01, TEN_YEARS_S), "last_s": (0.01, TEN_YEARS_S),
    },
    Daily(amplitude=1.0): {"amplitude": (0, 1.0), "peak_s": (-TEN_YEARS_S, TEN_YEARS_S)},
    Load(): {"rate": (0, 2e6)},
    CHANGE: {"start_s": (0, TEN_YEARS_S)},
    DROP: {"start_s": (0, TEN_YEARS_S), "duration_s": (5e-324, TEN_YEARS_S), "ramp_s": (0, 1000.0)},
}  # fmt: skip
"""The least and the most of every number, whatever else stands in what it belongs to."""


def test_a_refusal_keeps_its_parts_and_makes_the_sentence():
    """Code reads the parts; a person gets the sentence."""
    agents = 0
    with pytest.raises(BoundError) as raised:
        require(1 <= agents <= 9, "agents", "1 to 9", agents, owner="tier micro")
    error = raised.value
    assert (error.owner, error.field, error.rule, error.value) == (
        "tier micro", "agents", "1 to 9", 0,
    )  # fmt: skip
    assert str(error) == "tier micro: agents must be 1 to 9, got 0"
    assert str(BoundError("seed", "at least 0", -1)) == "seed must be at least 0, got -1"


@pytest.mark.parametrize(
    ("check", "accepted", "refused"),
    [
        (require_share, (0, 0.5, 1), (-1e-9, 1.1, nan, inf)),
        (require_positive, (1e-9, 3), (0, -1, nan, inf)),
    ],
)
def test_shares_and_positive_numbers_have_their_bounds(check, accepted, refused):
    """The ends that belong to the range pass; numbers that are not finite never do."""
    for value in accepted:
        check("x", value)
    for value in refused:
        with pytest.raises(BoundError):
            check("x", value)


@pytest.mark.parametrize(
    ("holder", "field", "limits"),
    [
        (holder, field, limits)
        for holder, all_of in LIMITS.items()
        for field, limits in all_of.items()
    ],
)
def test_a_number_may_be_its_least_and_its_most_and_nothing_beyond(holder, field, limits):
    """Of the topology and its parts, the load and its, and the times of a fault."""
    for limit in limits:
        assert getattr(replace(holder, **{field: limit}), field) == limit
    least, most = limits
    is_count = isinstance(getattr(holder, field), int)
    beyond = (least - 1, most + 1) if is_count else (nextafter(least, -inf), nextafter(most, inf))
    for value in beyond:
        with pytest.raises(BoundError) as raised:
            replace(holder, **{field: value})
        assert raised.value.field == field


@pytest.mark.parametrize(
    ("durations_s", "holds"),
    [((0.0,), False), ((TEN_YEARS_S, 1.0), False), ((TEN_YEARS_S, 0.0), True), ((1e-9,), True)],
)
def test_a_change_of_the_load_takes_some_time_and_at_most_ten_years(durations_s, holds):
    """All of its stages together."""
    stages = tuple(Stage(duration_s=duration_s, target=1.0) for duration_s in durations_s)
    if holds:
        assert replace(CHANGE, stages=stages).end_s == sum(durations_s)
        return
    with pytest.raises(BoundError) as raised:
        replace(CHANGE, stages=stages)
    assert (raised.value.owner, raised.value.field) == ("load change", "duration_s")


def test_a_range_that_is_left_says_its_limits_twice():
    """In its rule, as numbers and with their unit, and as data."""
    for value in (0.5, 2.5, nan, inf):
        with pytest.raises(BoundError) as raised:
            require_within("x", value, (1, 2), owner="box", unit="s")
        assert str(raised.value) == f"box: x must be 1 to 2 s, got {value}"
        assert raised.value.limits == (1, 2)
    require_within("x", 1.0, (1, 2))
    require_within("x", 2.0, (1, 2))
