"""Tasks take longer, fail and wait for their dependency, as declared."""

from __future__ import annotations

from math import sqrt

import pytest

from tests.simulator.faults.samples import (
    assert_near,
    between,
    effect,
)
from tests.simulator.worlds import fault, make


def test_task_slowdown_multiplies_the_work_of_its_targets():
    """Workers take three times as long, leads do not; as many tasks come through."""
    slow = fault("task_slowdown", factor=3.0, tiers=("worker",), duration_s=80.0)
    world, calm = make(slow, rate=100.0), make(rate=100.0)
    before, after = between(world, 2.0, 62.0)
    calm_before, calm_after = between(calm, 2.0, 62.0)
    count = after.task_duration.counts.sum() - before.task_duration.counts.sum()
    mean_s = (after.task_duration.sum_ns - before.task_duration.sum_ns) / count / 1e9
    calm_count = calm_after.task_duration.counts.sum() - calm_before.task_duration.counts.sum()
    calm_mean_s = (
        (calm_after.task_duration.sum_ns - calm_before.task_duration.sum_ns) / calm_count / 1e9
    )  # fmt: skip
    assert abs(count - calm_count) < 20
    assert mean_s / calm_mean_s == pytest.approx(0.95 * 3 + 0.05, rel=0.03)
    assert after.dispatched[0] == calm_after.dispatched[0]
    assert effect(after, "task_slowdown") == pytest.approx(mean_s, rel=0.02)


def test_task_failure_fails_its_share_on_its_targets():
    """30 % of what workers end is an error 500; leads fail nothing."""
    world = make(fault("task_failure", share=0.3, tiers=("worker",)))
    before, after = between(world, 1.0, 31.0)
    completed, failed = (after.finished - before.finished)[1]
    total = completed + failed
    assert_near(failed / total, 0.3, sqrt(0.3 * 0.7 / total))
    assert after.finished[0, 1] == 0
    assert after.http_requests[2] == after.tasks_processed[:, 1].sum() == failed
    assert effect(after, "task_failure") == failed


def test_dependency_outage_delays_and_fails_those_who_call_it():
    """A fifth of the tasks call it: half of those fail, and each takes 0.3 s longer."""
    outage = fault("dependency_outage", share=0.5, latency_s=0.3)
    world, calm = (make(*faults, rate=80.0, dependency_share=0.2) for faults in ((outage,), ()))
    _, calm_after = between(calm, 1.0, 61.0)
    before, after = between(world, 1.0, 61.0)
    ended = after.tasks_processed.sum(axis=0) - before.tasks_processed.sum(axis=0)
    total = ended.sum()
    assert_near(ended[1] / total, 0.1, sqrt(0.1 * 0.9 / total))
    slower_s = [
        state.response_duration.sum_ns / state.response_duration.counts.sum() / 1e9
        for state in (calm_after, after)
    ]
    assert_near(slower_s[1] - slower_s[0], 0.2 * 0.3, 0.3 * sqrt(0.2 * 0.8 / total) + 0.001)
    assert effect(after, "dependency_outage") == ended[1]


def test_of_slower_agents_fewer_failures_are_expected():
    """All that the agents of one host end fails, and they take ten times as long as the others."""
    here = {"tiers": ("worker",), "hosts": (1,)}
    slow, fails = (
        fault("task_slowdown", factor=10.0, **here),
        fault("task_failure", share=1.0, **here),
    )
    world = make(slow, fails, rate=1500.0)
    world.advance(31.0)
    done = next(each for each in world.effects() if each.fault == "task_failure")
    tasks = world.snapshot().finished[1].sum()
    assert 0 < done.expected < 0.1 * tasks
