"""A served world begins warm and healthy under its own load, with its plan still to come."""

from __future__ import annotations

import pytest

from tests.verifier.simulations import scenario_of
from verifier.real_time.world import WARM_UP_S, build_world


@pytest.mark.parametrize("rate", [0, 100, 400])
def test_a_world_warms_up_under_the_load_of_its_scenario(rate: int) -> None:
    """No other load's queues and fleet; a fault that begins at once has done nothing before."""
    fault = "{name: gone, fault: traffic_drop, start: 0s, duration: 1m, parameters: {share: 0.5}}"
    world = build_world(scenario_of(f"duration: 5m\nload: {{rate: {rate}}}\nfaults:\n- {fault}\n"))
    snapshot = world.snapshot()
    assert snapshot.tasks_arrived.sum() == pytest.approx(rate * WARM_UP_S, rel=0.05)
    assert world.plan_s == 0.0
    assert [fault.name for fault in world.plan.faults] == ["gone"]
