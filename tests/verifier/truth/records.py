"""A small record of counts, worked out by hand, and a run that is compared with it."""

from __future__ import annotations

import numpy as np

from documents.mistakes import Place
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from tests.verifier.simulations import scenario_of
from verifier.pack.panels import Panel, Query
from verifier.panels.answers import PanelAnswer, PanelWindow
from verifier.servers.prometheus.client import Series
from verifier.truth.comparison import TruthOfRun
from verifier.truth.ledger import TruthLedger
from verifier.truth.quantities import layout_of

EPOCH_S = 1e9
LAYOUT = layout_of(World(Topology(), Plan(), 0).snapshot())
END_S = 600.0


def counts(**parts):
    """Return counts of which only these parts are not 0."""
    row = np.zeros(len(LAYOUT.growing), np.int64)
    for name, values in parts.items():
        row[LAYOUT.slices[name.replace("_", " ")]] = values
    return row


def run_on(row, past_s=7200.0):
    """Return a run of ten minutes, and so much before it, of which every scrape is this row."""
    ledger = TruthLedger(LAYOUT)
    for number in range(int((past_s + END_S) / 15.0) + 1):
        ledger.record(15.0 * number, row, whole=True)
    window = PanelWindow(EPOCH_S, EPOCH_S + END_S, 15.0)
    scenario = scenario_of("duration: 10m\n")
    return TruthOfRun(ledger.world_record(past_s), scenario, EPOCH_S, window)


def answer_of(values, *, unit="none", label="", ok=True, query=None):
    """Return the answer of a panel: a series all along for each value, by the value of a label."""
    times_s = EPOCH_S + 15.0 * np.arange(int(END_S / 15.0) + 1)
    query = query or Query("up", "", Place("board.json"))
    series = tuple(
        Series({label: key} if label else {}, times_s, np.full(len(times_s), float(value)))
        for key, value in values
    )
    raw = {"title": "P", "fieldConfig": {"defaults": {"unit": unit}}}
    panel = Panel("D", "P", "timeseries", (query,), Place("board.json"), raw)
    return PanelAnswer(panel, query, ok=ok, reason="before", series=series, step_s=15.0)
