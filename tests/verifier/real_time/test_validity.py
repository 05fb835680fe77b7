"""Whether a run in real time counts: what a busy machine costs, and how a run may begin."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.verifier.outcomes import difference
from tests.verifier.simulations import scenario_of
from verifier.errors import JudgeError
from verifier.real_time.replay import Scrapes
from verifier.real_time.validity import RunValidity, comparison_doubts
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import Series
from verifier.time_compression import TimeCompression

CLOCK = ScenarioClock(1_800_000_000.0, 30.0)
VALIDITY = RunValidity(scenario_of("duration: 6m\n"), TimeCompression(30))


class Server:
    """A Prometheus that scraped so often, and missed so many evaluations."""

    def __init__(self, scrapes, failed=0, missed=0, cells=()):
        """Of `scrapes` the first `failed` brought nothing; scrapes of further `cells`."""
        self.up = np.ones(scrapes)
        self.up[:failed] = 0.0
        self.cells = cells
        self.metrics = {"missed_total": missed, "iterations_total": 1000}

    def stored(self, *_):
        """Return the samples of `up`."""
        targets = (self.up, *map(np.ones, self.cells))
        return [Series({}, np.arange(len(up), dtype=float), up) for up in targets]

    def metric(self, name):
        """Return one of its own metrics."""
        return next(v for end, v in self.metrics.items() if name.endswith(end))


def doubts(server, *, ok, restarts=(), validity=VALIDITY):
    """Return the doubts about a run of ten seconds on this server."""
    stack = SimpleNamespace(prometheus=server, restarts=restarts)
    observation = SimpleNamespace(ok=ok, ended_s=300.0)
    return validity.doubts(stack, CLOCK, observation, behind_s=0.0)


@pytest.mark.parametrize(
    ("server", "ok", "restarts"),
    [
        (Server(20), False, []),
        (Server(20, failed=2), True, []),
        (Server(20), True, ["Alertmanager ended"]),
    ],
)
def test_a_run_counts_that_lost_nothing_or_passed_in_spite_of_it(server, ok, restarts):
    """A failure on a stack that worked is one; what holds in spite of a loss holds."""
    assert doubts(server, ok=ok, restarts=restarts) == ()


@pytest.mark.parametrize(
    ("server", "ok", "restarts", "doubt"),
    [
        (Server(20, failed=2), False, [], "2 scrapes failed that no fault of the scenario affects"),
        (Server(15), True, [], "Prometheus scraped 15 times instead of 20"),
        (Server(20, missed=100), True, [], "Prometheus missed 100 of 1000 evaluations"),
        (Server(20), False, ["Alertmanager ended"], "Alertmanager ended: what is missing may be"),
    ],
)
def test_a_run_that_lost_something_to_its_machine_or_a_server_is_invalid(
    server, ok, restarts, doubt
):
    """Nothing may be concluded from it."""
    (reason,) = doubts(server, ok=ok, restarts=restarts)
    assert doubt in reason


CELLS = "duration: 6m\ntopology: {cells: 3}\n"
DARK = "faults: [{name: dark, fault: cell_down, start: 1m, duration: 1m, targets: {cells: [0]}}]\n"


def test_every_cell_must_have_been_scraped():
    """Two that were scraped as they should be do not make up for the third."""
    validity = RunValidity(scenario_of(CELLS), TimeCompression(30))
    assert doubts(Server(20, cells=(20, 20)), ok=True, validity=validity) == ()
    for cells in ((20, 12), (12, 20), (20,)):
        (reason,) = doubts(Server(20, cells=cells), ok=True, validity=validity)
        assert reason.startswith("Prometheus scraped a cell ")
    check_start(cells=(6, 6), validity=validity)
    for cells in ((6, 1), (6,)):
        with pytest.raises(JudgeError, match="the stack was not ready"):
            check_start(cells=cells, validity=validity)


def test_a_cell_that_is_down_explains_failed_scrapes():
    """They are no loss of the machine's; without the fault they are."""
    server = Server(20, failed=4, cells=(20, 20))
    validity = RunValidity(scenario_of(CELLS + DARK), TimeCompression(30))
    assert doubts(server, ok=False, validity=validity) == ()
    validity = RunValidity(scenario_of(CELLS), TimeCompression(30))
    assert "4 scrapes failed" in doubts(server, ok=False, validity=validity)[0]


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


def check_start(scrapes=6, behind_s=0.0, query=lambda *_: [], validity=VALIDITY, cells=()):
    """Check a stack with so many scrapes, a world so late, and these alerts."""
    server = Server(scrapes, cells=cells)
    server.query = query
    validity.check_start(server, start_s=CLOCK.start_s, lead_s=10.0, behind_s=behind_s)


def test_a_scenario_begins_on_a_healthy_world_and_stack():
    """Scrapes have come, the world keeps its time, nothing fires."""
    check_start()
    check_start(scrapes=3, behind_s=0.5)  # half of them, and by one interval


def explaining(labels):
    """Return the validity of a run in which Slow, with these labels, may fire."""
    expectations = f"expectations: [{{alert: Slow, labels: {labels}, explained: it always fires}}]"
    scenario = scenario_of(f"duration: 6m\n{expectations}\n")
    return RunValidity(scenario, TimeCompression(30))


def test_an_alert_that_always_fires_is_no_illness_where_it_is_explained():
    """Such as a watchdog; of other labels it is."""
    check_start(query=firing, validity=explaining("{}"))
    with pytest.raises(JudgeError, match="Slow; expect an alert that always fires as `explained`"):
        check_start(query=firing, validity=explaining("{severity: page}"))


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        ({"scrapes": 2}, "the stack was not ready: 2 scrapes in its first 10 s"),
        ({"behind_s": 1.0}, "the world fell 1.0 s behind real time"),
        (
            {"query": firing},
            "the world was not healthy when the scenario was about to begin: Slow",
        ),
    ],
)
def test_a_scenario_does_not_begin_otherwise(state, refused):
    """The sentence names what is wrong."""
    with pytest.raises(JudgeError, match=refused):
        check_start(**state)


def of_edges(server, *, restarts=(), ok=False, fault=""):
    """Return the doubts about a run of ten seconds, of twenty scrapes due."""
    faults = f"faults: [{{name: f, fault: {fault}, start: 1m, duration: 1m}}]\n" if fault else ""
    validity = RunValidity(scenario_of(f"duration: 6m\n{faults}"), TimeCompression(30))
    stack = SimpleNamespace(prometheus=server, restarts=restarts)
    observation = SimpleNamespace(ok=ok, ended_s=300.0)
    return validity.doubts(stack, CLOCK, observation, behind_s=0.0)


@pytest.mark.parametrize(
    ("server", "fault", "is_doubted"),
    [
        (Server(19), "", False),
        (Server(18), "", True),
        (Server(20, missed=49), "", False),
        (Server(20, missed=50), "", False),
        (Server(20, missed=51), "", True),
        (Server(20, failed=1), "", True),
        (Server(20, failed=1), "exporter_down", False),
        (Server(20, failed=1), "agent_hang", True),
    ],
)
def test_one_in_twenty_may_be_lost_and_scrapes_fail_only_by_a_fault(server, fault, is_doubted):
    """A run that failed is believed only on a stack that worked."""
    assert bool(of_edges(server, fault=fault)) is is_doubted


def test_every_loss_and_every_restart_is_named():
    """In one sentence for the machine, and one for each server that was started again."""
    reasons = of_edges(Server(10, failed=3, missed=500), restarts=("A ended", "B ended"))
    assert len(reasons) == 3
    for loss in ("scraped 10 times instead of 20", "3 scrapes failed", "missed 500 of 1000"):
        assert loss in reasons[0]
    assert [reason[:7] for reason in reasons[1:]] == ["A ended", "B ended"]


@pytest.mark.parametrize(
    ("slow", "oks", "is_doubted"),
    [(5, (True, False), False), (6, (True, False), True), (6, (True, True), False),
     (6, (), False)],
)  # fmt: skip
def test_clocks_that_differ_are_doubted_where_scrapes_were_slow(slow, oks, is_doubted):
    """Clocks that agree are not."""
    took_s = np.where(np.arange(100) < slow, 0.11, 0.1)
    scrapes = Scrapes(np.arange(100.0), np.zeros(100, np.int64), took_s)
    doubted = comparison_doubts([difference(ok=ok) for ok in oks], scrapes)
    assert bool(doubted) is is_doubted
    assert all("both clocks differ, and 6% of the scrapes were slow" in each for each in doubted)
