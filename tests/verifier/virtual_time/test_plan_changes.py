"""What of a plan changes the world, and how much is simulated of it: the path of scrapes, none."""

from __future__ import annotations

import pytest

from simulator.faults.kinds.catalogue import FAULTS
from simulator.plan import Plan
from tests.simulator.faults.samples import ON_THE_PATH, SAMPLES
from tests.simulator.worlds import fault
from tests.verifier.simulations import scenario_of, simulate
from verifier.virtual_time.plan_changes import changes_world

DROP = (
    "{name: d, fault: traffic_drop, start: 2m, duration: 2m, ramp: 30s, parameters: {share: 0.5}}"
)
DOWN = "{name: e, fault: exporter_down, start: 1m, duration: 5m}"


def plan_of(*faults, load="{rate: 1000}"):
    """Return the plan of a scenario of ten minutes."""
    return scenario_of(f"duration: 10m\nload: {load}\nfaults: [{', '.join(faults)}]\n").plan


@pytest.mark.parametrize(
    ("from_s", "to_s", "changes"),
    [
        (45, 60, False),
        (60, 75, False),
        (105, 119, False),
        (105, 120, True),
        (135, 140, True),
        (150, 165, True),
        (151, 239, False),
        (225, 240, True),
        (240, 255, True),
        (241, 255, False),
        (345, 360, False),
    ],
)
def test_an_edge_of_the_path_alone_is_none_of_the_world(from_s, to_s, changes):
    """A fault of the world changes it at its start, throughout its ramp, and at its end."""
    assert changes_world(plan_of(DROP, DOWN), from_s, to_s) is changes


def test_a_load_that_varies_may_change_the_world_at_any_time():
    """Whatever faults there are."""
    staged = plan_of(DOWN, load="{rate: 1000, stages: [{duration: 5m, target: 900}]}")
    assert changes_world(staged, 45, 75)
    assert not changes_world(plan_of(DOWN), 45, 75)


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_but_those_of_the_path_changes_the_world(kind):
    """What those of the path leave as it is stands in `test_scrape_path`: every byte of it."""
    plan = Plan(faults=(fault(kind, start_s=60.0, duration_s=300.0, **SAMPLES[kind]),))
    assert changes_world(plan, 45, 60) is (kind not in ON_THE_PATH)


# --- what is simulated of it

SMALL = "load: {rate: 1000}\n"
DOWNTIME = "duration: 20m\nfaults: [{name: d, fault: exporter_down, start: 5m, duration: 10m}]\n"
FEWER = ", {name: f, fault: traffic_drop, start: 5m, duration: 10m, parameters: {share: 0.2}}]"


@pytest.mark.parametrize(("further", "exact_s"), [("]", 45), (FEWER, 540)])
def test_a_world_whose_scrapes_alone_fail_is_as_steady_as_it_was(further, exact_s):
    """Only the scrapes around its ends are simulated. Planted: a fault of the world as well."""
    simulation = simulate(scenario_of(DOWNTIME.replace("}]", "}" + further) + SMALL))
    assert simulation.exact_s == pytest.approx(exact_s, abs=30)
    assert simulation.exact_s + simulation.resampled_s == 1800


AGAIN = """faults:
  - {name: d, fault: traffic_drop, start: 1m, duration: 2m, parameters: {share: 0.2}}
"""


def test_what_is_healthy_again_is_known_after_three_minutes():
    """Planted: with another load than before it takes as long as any steady state."""
    again = simulate(scenario_of("duration: 12m\n" + AGAIN + SMALL))
    assert again.exact_s == (3 + 3) * 60
    stages = "{duration: 3m, target: 1000}, {duration: 0s, target: 1003}"
    other = simulate(
        scenario_of("duration: 12m\n" + AGAIN + f"load: {{rate: 1000, stages: [{stages}]}}\n")
    )
    assert other.exact_s == (3 + 5) * 60
