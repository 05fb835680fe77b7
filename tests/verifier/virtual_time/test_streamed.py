"""A history that is handed on while it is made is the one that is made whole."""

from __future__ import annotations

import numpy as np

from exporter.history import stream as stream_module
from exporter.history.samples import EPOCH_S
from exporter.history.stream import HistoryStream
from tests.verifier.simulations import HEALTHY, scenario_of
from verifier.stores.scenario_sending import EverySeries
from verifier.virtual_time.run import simulate

TEXT = """duration: 3m
load: {rate: 200}
topology: {cells: 2}
faults: [{name: down, fault: cell_down, start: 1m, duration: 1m, targets: {cells: [1]}}]
"""


def by_series(histories):
    """Return times and values of the samples of each series, pieces one after another."""
    samples = {}
    for history in histories:
        for block in history.blocks:
            for row, number in enumerate(block.series):
                own = samples.setdefault(history.series[number], ([], []))
                own[0].extend(block.timestamps_ms.tolist())
                own[1].extend(block.values[row])
    return samples


def test_pieces_are_the_whole(monkeypatch):
    """To the last bits, the ends of series as well, with resampled stretches cut into pieces."""
    monkeypatch.setattr(stream_module, "PIECE_SCRAPES", 7)
    scenario, needs, pieces = scenario_of(TEXT), EverySeries(600.0), []
    simulate(scenario, needs, HEALTHY, stream=HistoryStream(pieces.append, EPOCH_S))
    whole = simulate(scenario, needs, HEALTHY).history
    sizes = [len(block.timestamps_ms) for each in pieces for block in each.blocks]
    assert len(pieces) > 6
    assert max(sizes) < 2 * 7
    assert sum(sizes) == (600 + 180) / 15
    streamed, made = by_series(pieces), by_series([whole])
    assert list(streamed) == list(made)
    for labels, (times_ms, values) in streamed.items():
        others_ms, others = made[labels]
        assert times_ms == others_ms
        # Counters are sums of floats, added up from other places on; ends are what they are.
        assert np.allclose(values, others, 1e-12, 0.0, equal_nan=True)
        ends = [value.tobytes() for value in np.array(values)[np.isnan(values)]]
        assert ends == [value.tobytes() for value in np.array(others)[np.isnan(others)]]
