"""What a compressed run adds to a latency, and which series and receivers it is about."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from documents.mistakes import InputError
from tests.verifier.alerts import rule_files
from tests.verifier.real_time.test_observation import (
    CAUSED,
    RESOLVED,
    ROUTING,
    delivered,
)
from tests.verifier.simulations import scenario_of
from verifier.evaluation.timeline import Episode, Timeline
from verifier.real_time.clock_comparison import _in_scenario_time, refuse_cells
from verifier.real_time.observation import RunObservation, RunObserver
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import Series
from verifier.time_compression import TimeCompression


class SlowCondition:
    """A Prometheus in which a condition held at the first instant that it is asked for."""

    def query_range(self, query):
        """Return a series with a label of its own, and keep the query."""
        self.query = query
        return [Series({"tier": "L1"}, np.array([query.start_s]), np.ones(1))]


def observed(server, factor, interval_s=30.0):
    """Return what observes a run whose rules are evaluated every 30 s of the scenario."""
    rules = rule_files(interval_s=interval_s)
    stack = SimpleNamespace(prometheus=server)
    clock = ScenarioClock(0.0, factor)
    return RunObserver(stack, rules, rules, ROUTING, TimeCompression(factor), clock, 0.0)


def test_a_scrape_of_a_compressed_run_is_longer_in_the_time_of_its_scenario():
    """Half a second is a minute of it; the evaluation is in its time already."""
    bounds = {}
    for factor in (1.0, 120.0):
        (timed,) = observed(SlowCondition(), factor).with_latency([CAUSED])
        bounds[factor] = timed.latency.bound_s - timed.latency.condition_s
    assert bounds[120.0] - bounds[1.0] == pytest.approx(60.0 - 15.0)


def test_a_series_with_a_label_that_the_alert_has_not_is_its_own():
    """A rule may add labels up; only one that differs is another alert's."""
    (timed,) = observed(SlowCondition(), 1.0).with_latency([replace(CAUSED, labels=())])
    assert timed.latency.condition_s is not None
    other = replace(CAUSED, labels=(("tier", "L2"),))
    (timed,) = observed(SlowCondition(), 1.0).with_latency([other])
    assert timed.latency.condition_s is None


def test_a_condition_is_asked_for_at_no_more_instants_than_a_query_may_have():
    """Back from the evaluation that saw it, however long before the cause began."""
    server = SlowCondition()
    late = replace(CAUSED, pending_s=200_000.0, firing_s=200_100.0)
    observed(server, 1.0).with_latency([late])
    assert server.query.step_s == 3.75
    asked_s = CAUSED.onset_s + 200_000.0 - server.query.start_s
    assert asked_s == pytest.approx(8000 * 3.75)


@pytest.mark.parametrize(
    ("changes", "goes_on"),
    [
        ({"receivers": ()}, False),
        (
            {"deliveries": (*delivered("firing", "resolved"), *delivered("firing", receiver="b"))},
            True,
        ),
        (
            {"deliveries": (*delivered("firing", "resolved"),
                            *delivered("firing", "resolved", receiver="b"))},
            False,
        ),
    ],
)  # fmt: skip
def test_a_run_goes_on_until_the_last_receiver_knows_of_the_end(changes, goes_on):
    """And not for one that was never notified that it fires."""
    observation = RunObservation(210.0, (replace(RESOLVED, **changes),), (), (), 50.0)
    assert observation.must_notify is goes_on


def test_clocks_are_compared_of_one_target_alone():
    """Several cells are several."""
    refuse_cells(scenario_of("duration: 6m\n"))
    for cells in (2, 3):
        with pytest.raises(InputError, match=f"the scenario has {cells} cells"):
            refuse_cells(scenario_of(f"duration: 6m\ntopology: {{cells: {cells}}}\n"))


def test_every_time_of_a_timeline_is_in_the_time_of_the_scenario():
    """What did not happen stays so."""
    real = Timeline("A", (), (Episode(1.0, 2.0, 4.0), Episode(5.0, None, None)))
    assert _in_scenario_time(real, 3.0).episodes == (
        Episode(3.0, 6.0, 12.0),
        Episode(15.0, None, None),
    )
