"""Whether a run in real time counts: what a busy machine costs, and how a run may begin."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.verifier.simulations import scenario_of
from verifier.errors import JudgeError
from verifier.real_time.validity import RunValidity
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import Series
from verifier.time_compression import TimeCompression

CLOCK = ScenarioClock(1_800_000_000.0, 30.0)
VALIDITY = RunValidity(scenario_of("duration: 6m\n"), TimeCompression(30))


class Server:
    """A Prometheus that scraped so often, and missed so many evaluations."""

    def __init__(self, scrapes, failed=0, missed=0):
        """Of `scrapes` the first `failed` brought nothing."""
        self.up = np.ones(scrapes)
        self.up[:failed] = 0.0
        self.metrics = {"missed_total": missed, "iterations_total": 1000}

    def stored(self, *_):
        """Return the samples of `up`."""
        return [Series({}, np.arange(len(self.up), dtype=float), self.up)]

    def metric(self, name):
        """Return one of its own metrics."""
        return next(v for end, v in self.metrics.items() if name.endswith(end))


@pytest.mark.parametrize(
    ("server", "ok", "restarts", "doubt"),
    [
        (Server(20), False, [], None),
        (Server(20, failed=2), True, [], None),
        (Server(20, failed=2), False, [], "2 scrapes failed that no fault of the scenario affects"),
        (Server(15), True, [], "Prometheus scraped 15 times instead of 20"),
        (Server(20, missed=100), True, [], "Prometheus missed 100 of 1000 evaluations"),
        (Server(20), True, ["Alertmanager ended"], None),
        (Server(20), False, ["Alertmanager ended"], "Alertmanager ended: what is missing may be"),
    ],
)
def test_what_a_busy_machine_or_a_dead_server_cost_is_never_a_failure(server, ok, restarts, doubt):
    """Nothing may be concluded then; what holds in spite of it holds."""
    stack = SimpleNamespace(prometheus=server, restarts=restarts)
    observation = SimpleNamespace(ok=ok, ended_s=300.0)
    reasons = VALIDITY.doubts(stack, CLOCK, observation, behind_s=0.0)
    assert [doubt in reason for reason in reasons] == ([True] if doubt else [])


def test_a_world_behind_real_time_makes_the_run_invalid():
    """By more than a second, or than a scrape interval that is longer."""
    stack = SimpleNamespace(prometheus=Server(20), restarts=[])
    observation = SimpleNamespace(ok=True, ended_s=300.0)
    assert VALIDITY.doubts(stack, CLOCK, observation, behind_s=1.0) == ()
    (reason,) = VALIDITY.doubts(stack, CLOCK, observation, behind_s=1.5)
    assert reason.startswith("the world fell 1.5 s behind real time: the machine is too busy")


def firing(*_):
    """Answer that one alert fires."""
    return [Series({"alertname": "Slow"}, np.zeros(1), np.ones(1))]


@pytest.mark.parametrize(
    ("scrapes", "drift_s", "query", "refused"),
    [
        (6, 0.0, lambda *_: [], None),
        (2, 0.0, lambda *_: [], "the stack was not ready: 2 scrapes in its first 10 s"),
        (6, 1.0, lambda *_: [], "the world fell 1.0 s behind real time"),
        (6, 0.0, firing, "the world was not healthy when the scenario was about to begin: Slow"),
    ],
)
def test_a_scenario_begins_in_health_or_not_at_all(scrapes, drift_s, query, refused):
    """Scrapes have come, the world keeps its time, nothing fires."""
    server = Server(scrapes)
    server.query = query
    start = {"start_s": CLOCK.start_s, "lead_s": 10.0, "behind_s": drift_s}
    if refused is None:
        VALIDITY.check_start(server, **start)
        return
    with pytest.raises(JudgeError, match=refused):
        VALIDITY.check_start(server, **start)
