"""What the world counted in a run beside what its exporter showed, scrape by scrape."""

from __future__ import annotations

import numpy as np
import pytest

from tests.verifier.simulations import scenario_of, simulate, total

FAILING = (
    "duration: 30m\nfaults: [{name: f, fault: task_failure, start: 5m, duration: 8m,"
    " parameters: {share: 0.5}}]\nload: {rate: 1000}\n"
)
MORE_LOAD = "duration: 20m\nload: {rate: 1000, stages: [{duration: 0s, target: 300}]}\n"


@pytest.mark.parametrize("text", [FAILING, MORE_LOAD], ids=["a fault", "another load"])
def test_the_world_itself_counts_what_its_exporter_does(text):
    """In every scrape, also in those that are drawn; and every scrape is of one kind."""
    simulation = simulate(scenario_of(text))
    truth = simulation.truth
    for quantity, name in (
        ("requests", "http_requests_total"),
        ("tasks processed", "agentaskit_tasks_processed_total"),
    ):
        exported = np.diff(total(simulation.history, name))
        times_s = truth.times_s[-len(exported) :]
        counted = [float(truth.layout.part(truth.at(at_s), quantity).sum()) for at_s in times_s]
        assert counted == exported[-len(counted) :].tolist()
    drawn_s = sum(to_s - max(from_s, 0.0) for from_s, to_s in simulation.resampled if to_s > 0)
    assert drawn_s > 0
    assert drawn_s + simulation.exact_s == scenario_of(text).duration_s


ONE_DOWN = """\
duration: 12m
load: {rate: 1000}
topology: {cells: 2}
faults:
- {name: d, fault: exporter_down, start: 3m, duration: 3m, targets: {cells: [1]}}
"""


def test_a_scrape_that_one_of_two_cells_did_not_bring_is_not_whole():
    """What the other brought is less than the world counted."""
    disturbed_s = simulate(scenario_of(ONE_DOWN)).truth.disturbed_s
    assert disturbed_s.tolist() == list(range(180, 360, 15))
