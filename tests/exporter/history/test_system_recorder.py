"""The targets of one system side by side: each has its own rows, scrapes, restarts and effects."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from exporter.history.recorder import Recorder
from exporter.history.retention import Need
from exporter.history.system_recorder import SystemRecorder
from exporter.target import OURS, SCRAPE_S
from simulator.snapshot import ScrapePath
from tests.exporter.history.recordings import Reading, arrival, small_catalogue

EPOCH_S = 5000.0


def record(*, second_up=True):
    """Return two recorders, and one of both after an exact scrape and two drawn ones."""
    recorders = [
        Recorder(small_catalogue(), lambda _: Need(300.0), 0, target=OURS.of_cell(cell))
        for cell in (0, 1)
    ]
    system = SystemRecorder(recorders)
    arrivals = [arrival(recorders[0]), arrival(recorders[1], up=second_up)]
    system.record(SCRAPE_S, np.array([1.0, 2, 3, 10, 20, 30]), arrivals)
    times_s, pool = np.array([30.0, 45.0]), np.array([[1.0, 1, 7, 5, 5, 9]])
    system.record_rows(times_s, pool, np.zeros(2, np.int64), arrivals)
    return recorders, system


def values(history):
    """Return the numbers of each series of the world, by its cell and name; the ends are left."""
    numbers = {}
    for block in history.blocks:
        for row, number in enumerate(block.series):
            labels = dict(history.series[number])
            own = numbers.setdefault((labels["cell"], labels["__name__"]), [])
            own += block.values[row][~np.isnan(block.values[row])].tolist()
    return numbers


def test_each_target_has_its_own_values_and_scrapes():
    """A scrape of one that fails takes nothing from the other."""
    _, system = record(second_up=False)
    recorded = values(system.history())
    assert recorded["0", "requests_total"] == [1, 2, 3]
    assert recorded["0", "depth"] == [3, 7, 7]
    assert recorded["1", "depth"] == []
    assert (recorded["0", "up"], recorded["1", "up"]) == ([1, 1, 1], [0, 0, 0])
    assert values(record()[1].history())["1", "errors_total"] == [20, 25, 30]


def test_a_history_is_stamped_from_its_epoch_also_when_it_is_taken():
    """Of two targets as of one."""
    for targets in (1, 2):
        recorders, _ = record()
        system = SystemRecorder(recorders[:targets])
        for read in (system.history, system.take):
            stamps_ms = np.concatenate([block.timestamps_ms for block in read(EPOCH_S).blocks])
            assert stamps_ms.tolist() == [5_015_000, 5_030_000, 5_045_000]


def test_a_restart_is_of_one_target():
    """The counters of the other go on."""
    recorders, system = record()
    system.restart(1, Reading(12, 20, 30))
    arrivals = [arrival(each) for each in recorders]
    system.record(60.0, np.array([4.0, 2, 3, 14, 20, 30]), arrivals)
    recorded = values(system.history())
    assert recorded["1", "requests_total"] == [10, 15, 20, 2]
    assert recorded["0", "requests_total"] == [1, 2, 3, 6]


def test_the_effects_are_of_every_scrape_of_every_target():
    """And stand beside what happened to the router; one target has none."""
    recorders, system = record()
    noted = []
    for number, each in enumerate(recorders):
        each.scrape_effects = SimpleNamespace(
            note=lambda *noticed, number=number: noted.append((number, noticed[-1])),
            note_counters=lambda *_: None,
            complete=tuple,
        )
    target = SimpleNamespace(now_ns=1, scrape_path=ScrapePath())
    system.count_effects(SimpleNamespace(targets=(target, target)), 3)
    assert noted == [(0, 3), (1, 3)]
    cells = [SimpleNamespace(effects=tuple)] * 2
    world = SimpleNamespace(cells=cells, router_effects=lambda: ("of the router",))
    assert system.effects(world) == ("of the router",)
    alone = SimpleNamespace(cells=[SimpleNamespace(effects=lambda: ("of the world",))])
    assert SystemRecorder(recorders[:1]).effects(alone) == ("of the world",)
