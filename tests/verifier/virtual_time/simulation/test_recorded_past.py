"""What records a scenario and its past: how deep, for which targets, and with which series."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.retention import WITH_GAPS, WITHOUT_GAPS
from exporter.target import OURS, Target
from simulator.topology import Topology
from tests.verifier.simulations import scenario_of
from verifier.virtual_time import past

INCIDENTS = """history:
  incidents:
    - {name: burst, fault: cardinality_burst, ago: 2h, duration: 30m, parameters: {series: 700}}
    - {name: hang, fault: agent_hang, ago: 10m, duration: 2m}
"""
BURST = """faults:
  - {name: b, fault: cardinality_burst, start: 0s, duration: 1m, parameters: {series: %d}}
"""
THEIRS = SimpleNamespace(target=Target("theirs", "there:1"))


@pytest.fixture
def recorders(monkeypatch):
    """Return what makes the recorders of a scenario, as what they are made of."""

    def recorder(laid_out, need_of, past_s, eventful, **others):
        return {"catalogue": laid_out, "need": need_of("m"), "past_s": past_s,
                "eventful": eventful, **others}  # fmt: skip

    monkeypatch.setattr(past, "Recorder", recorder)
    monkeypatch.setattr(past, "SystemRecorder", list)
    monkeypatch.setattr(past, "exported_metrics", lambda mapping: ("metrics", mapping))
    monkeypatch.setattr(past, "catalogue_world", lambda *of: of)
    needed = SimpleNamespace(need=lambda *asked: asked)

    def make(text, *, cells=1, mapping=None, sparing=False):
        targets = tuple(f"cell {cell}" for cell in range(cells))
        healthy = SimpleNamespace(before=SimpleNamespace(targets=targets))
        return past._recorder(scenario_of(text), needed, healthy, mapping, sparing=sparing)

    return make


def test_a_scenario_is_recorded_with_all_that_its_past_brings(recorders):
    """As it is read, a scrape longer than it lasts; around both ends of what came before."""
    (alone,) = recorders("duration: 10m\n" + INCIDENTS + BURST % 50)
    assert alone == {
        "catalogue": ("cell 0", ("metrics", None)),
        "need": ("m", 615.0),
        "past_s": None,
        "eventful": [(-7500, -6900), (-5700, -5100), (-900, -300), (-780, -180)],
        "target": OURS,
        "further": 750,
        "steps": WITH_GAPS,
    }


@pytest.mark.parametrize(
    ("duration", "needed_s"), [("25h", 25 * 3600 + 15), ("26h", 25 * 3600 + 15), ("1m", 75)]
)
def test_a_long_scenario_is_read_back_no_further_than_a_day(recorders, duration, needed_s):
    """And an hour, at every scrape; a depth of its own is handed on."""
    (alone,) = recorders(f"duration: {duration}\nhistory: {{depth: 6h}}\n")
    assert (alone["need"], alone["past_s"], alone["eventful"]) == (("m", needed_s), 6 * 3600, [])


def test_each_cell_is_a_target_of_its_own(recorders):
    """Of the exporter that is read, ours or another; alone, it has no cell."""
    for mapping, target in ((None, OURS), (THEIRS, THEIRS.target)):
        several = recorders("duration: 1m\n", cells=3, mapping=mapping)
        assert [each["target"] for each in several] == [target.of_cell(n) for n in range(3)]
        assert [each["catalogue"] for each in several] == [("cell 0", ("metrics", mapping))] * 3
        (alone,) = recorders("duration: 1m\n", mapping=mapping)
        assert alone["target"] == target


def test_little_is_kept_only_where_it_is_asked_for_and_nothing_is_interrupted(recorders):
    """Any gap, or a depth of the scenario's own, keeps every scrape."""
    down = "faults: [{name: d, fault: exporter_down, start: 0s, duration: 1m}]\n"
    texts = ("duration: 1m\n", "duration: 1m\n" + down)
    kept = [recorders(text, sparing=sparing)[0]["steps"] for text in texts for sparing in (0, 1)]
    assert kept == [WITH_GAPS, WITHOUT_GAPS, WITH_GAPS, WITH_GAPS]


@pytest.mark.parametrize(
    ("series", "further"), [(1, 701), (9_299, 9_999), (9_300, 10_000), (9_301, 10_000)]
)
def test_bursts_add_as_many_series_as_a_page_may_have(series, further):
    """Those of the past count too, and those of faults without any do not."""
    scenario = scenario_of("duration: 1m\n" + INCIDENTS + BURST % series)
    assert past._further_series(scenario) == further


@pytest.mark.parametrize(
    ("read_s", "past_s", "starts_s"),
    [(300, 600, [0]), (1800, 1800, [1200]), (1815, 7200, [0, 6600]), (9000, 9000, [1800, 8400])],
)
def test_the_past_begins_with_the_earliest_incident_that_shows(read_s, past_s, starts_s):
    """Or where reading begins, if that is further back."""
    scenario = scenario_of("duration: 1m\n" + INCIDENTS)
    simulated_s, faults = past._incidents(scenario, float(read_s))
    assert (simulated_s, [each.start_s for each in faults]) == (past_s, starts_s)


class Readings:
    """A recorder of three series, and what it is asked to go on from."""

    names = ("steady", "first", "second")

    def __init__(self, readings) -> None:
        """Read these, one after the other."""
        self._readings = iter(readings)
        self.stands_at = None

    def read(self, _snapshot):
        """Return the next reading."""
        return np.array(next(self._readings))

    def continue_from(self, raw):
        """Note where the counters stand."""
        self.stands_at = raw.tolist()

    def rows(self, readings):
        """Return what each reading gained over the one before."""
        return np.diff(readings, axis=0)


@pytest.mark.parametrize(("moves", "named"), [((0, 0, 0), None), ((0, 0, 9), "second"),
                                              ((0, 9, 9), "first")])  # fmt: skip
def test_the_halves_of_a_healthy_world_are_compared_in_the_columns_that_are_read(
    moves, named, monkeypatch
):
    """The first series that differs is named, and nothing is drawn; else all of it is the pool."""
    counts, compared = ["counts"], []
    gained = [np.ones(3)] * 4 + [1.0 + np.array(moves)] * 4
    recorder = Readings(np.vstack([np.zeros(3), np.cumsum(gained, axis=0)]))
    simulation = SimpleNamespace(
        recorder=recorder,
        truth=SimpleNamespace(rows_of=lambda _: counts),
        progress=SimpleNamespace(cause=""),
    )
    healthy = SimpleNamespace(
        before=0, scrapes=tuple(range(1, 9)), world=SimpleNamespace(topology=Topology())
    )

    def differing(a, b):
        compared.append((len(a), len(b)))
        return a.mean(axis=0) != b.mean(axis=0)

    monkeypatch.setattr(past, "differing", differing)
    monkeypatch.setattr(past, "surplus_of", lambda snapshots, share: (list(snapshots), share))
    monkeypatch.setattr(past, "ResamplingPool", lambda *of: of)
    pool = past._continue_from(simulation, healthy)
    assert compared == [(4, 4)]
    assert recorder.stands_at == (np.sum(gained, axis=0)).tolist()
    if named is None:
        assert pool[0].tolist() == np.array(gained).tolist()
        assert pool[1:] == ((list(range(9)), Topology().error_share), counts)
        assert simulation.progress.cause == ""
    else:
        assert pool is None
        cause = f" (event by event while {named}, which is read, is not steady)"
        assert simulation.progress.cause == cause
