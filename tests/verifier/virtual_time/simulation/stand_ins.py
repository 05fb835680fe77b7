"""A world, its recorder and its ledger that write down what a simulation asks of them.

A scrape is known by its number, 15 s each.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from exporter.target import SCRAPE_S
from simulator.load import Load
from simulator.plan import Plan

STEP_NS = 15_000_000_000
NEVER_NS = 10**18


class StandInWorld:
    """A world whose changes, (scrape, attributes from then on), are written out.

    Each scrape 100 tasks end, `failing` of them failed, where a tenth fails on average.
    """

    def __init__(self, *changes, plan=None, first=0, **attributes):
        """Begin at the scrape `first`; `attributes` are what it starts with."""
        self.__dict__ |= {
            "level": 1.0, "failing": 10, "faults": (), "leaked_bytes": 0, "requested_per_s": 100.0,
            "router_changes": 0, "whole": (True,), "restarts": (0,), **attributes,
        }  # fmt: skip
        self.changes = [(round(at * STEP_NS), after) for at, after in changes]
        self.plan = plan or Plan(load=Load(rate=100.0))
        self.topology = SimpleNamespace(error_share=0.1)
        self.now_ns = first * STEP_NS
        self.ended = np.zeros((1, 2))

    @property
    def cells(self):
        """Return the cells, each with the restarts of its exporter."""
        return [
            SimpleNamespace(exporter_restarts=count, snapshot=lambda n=number: (n, self.at))
            for number, count in enumerate(self.restarts)
        ]

    @property
    def at(self):
        """Return the number of the scrape that it is now."""
        return self.now_ns / STEP_NS

    def snapshot(self):
        """Return what a scrape reads now."""
        return SimpleNamespace(
            at=self.at, level=self.level, whole=self.whole, faults=self.faults,
            tasks_processed=self.ended.copy(),
        )  # fmt: skip

    def next_change_ns(self):
        """Return when the next change comes."""
        return self.changes[0][0] if self.changes else NEVER_NS

    def advance_ns(self, at_ns):
        """Go on to an instant: of a change, or of a scrape."""
        if self.changes and self.changes[0][0] <= at_ns:
            self.__dict__ |= self.changes.pop(0)[1]
        elif at_ns % STEP_NS == 0:
            self.ended = self.ended + np.array([100 - self.failing, self.failing])
        self.now_ns = at_ns

    def skip_ns(self, by_ns):
        """Go on without any event; no change may lie there."""
        assert self.next_change_ns() > self.now_ns + by_ns
        self.now_ns += by_ns


class Arrived(SimpleNamespace):
    """What a scrape brings: whether every series, after how many repetitions."""

    def repeated(self):
        """Return what arrives when the same comes once more."""
        return Arrived(whole=self.whole, repetitions=self.repetitions + 1)


class RunNotes:
    """The recorder, the ledger, the stream and the progress of a run, in one list of lines."""

    def __init__(self):
        """Begin with no line."""
        self.lines, self.effects, self.handed, self.reached = [], [], [], []
        self.cause = "long"

    def read(self, snapshot):
        """Return the only series."""
        return np.array([snapshot.level])

    def arrivals(self, snapshot):
        """Return what arrives of each target for the first time."""
        return tuple(Arrived(whole=whole, repetitions=0) for whole in snapshot.whole)

    def record(self, at_s, raw, _arrivals):
        """Note an exact scrape."""
        self._add("exact", at_s)
        return raw

    def record_rows(self, times_s, rows, picks, arrivals):
        """Note scrapes that are drawn."""
        for at_s in times_s:
            self._add("drawn", at_s)
        self.handed.append((len(times_s), arrivals[0].repetitions))
        self.rows, self.picks = rows, picks

    def restart(self, target, snapshot):
        """Note the restart of an exporter."""
        self.lines.append(("restart", target, snapshot))

    def count_effects(self, snapshot, scrapes=1):
        """Note which scrapes were counted, but for exact ones that brought everything."""
        if scrapes > 1 or any(not whole for whole in snapshot.whole):
            self.effects.append((snapshot.at, scrapes))

    def step(self, _recorder):
        """Return how many scrapes make a piece."""
        return 7

    def recorded(self, _recorder, scrapes):
        """Note how many scrapes were handed on."""
        self.handed.append(scrapes)

    def simulated(self, at_s):
        """Note how far the simulation is."""
        self.reached.append(at_s / SCRAPE_S)

    def _add(self, kind, at_s):
        number = float(at_s) / SCRAPE_S
        last = self.lines[-1] if self.lines else ("",)
        if last[0] == kind and last[2] == number - 1:
            self.lines[-1] = (kind, last[1], number)
        else:
            self.lines.append((kind, number, number))


class Ledger:
    """What the world counted: of each scrape its number."""

    def __init__(self):
        """Begin with no scrape."""
        self.disturbed, self.restarts, self.counts, self.times = [], 0, [], []

    def row(self, snapshot):
        """Return the number of a scrape."""
        return np.array([round(snapshot.at)])

    def record(self, at_s, row, *, whole):
        """Note an exact scrape."""
        self.times.append((at_s / SCRAPE_S, row.tolist()))
        if not whole:
            self.disturbed.append(at_s / SCRAPE_S)

    def record_rows(self, times_s, counts, picks, *, whole):
        """Note scrapes that are drawn."""
        self.counts.append(counts[:, 0].tolist())
        self.picks = picks.tolist()
        if not whole:
            self.disturbed.append((times_s[0] / SCRAPE_S, times_s[-1] / SCRAPE_S))

    def restart(self):
        """Count a restart."""
        self.restarts += 1
