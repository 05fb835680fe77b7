"""A run in real time, simulated again: its scrapes, read from Prometheus, and what they must hold.

The world is deterministic and every scrape carries the virtual instant of its page. So the same
world is read once more at those instants, which gives a history as in virtual time. Called by
`clock_comparison`, for `--both`; compares nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from exporter.history.samples import STALE, Block, History
from exporter.history.scrape_series import SCRAPE_DURATION, SCRAPE_SERIES, UP
from exporter.mapping.mapped_metrics import exported_metrics
from exporter.metrics.catalogue import WORLD_TIME, catalogue_world
from exporter.metrics.restart_view import RestartView
from exporter.scrape_path.losses import arrives, rank_series
from exporter.target import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from exporter.mapping.metric_mapping import MetricMapping
    from simulator.cells.system import SimulatedSystem
    from verifier.servers.prometheus import Prometheus, Series


@dataclass(frozen=True, slots=True)
class ReplayOrigin:
    """From where a run is replayed: its world as the exporter started, and the past before that.

    `history` is in real time, as Prometheus stored it. The world is moved by the replay.
    """

    world: SimulatedSystem
    history: History


@dataclass(frozen=True, slots=True)
class Scrapes:
    """The scrapes of a run in real time. All arrays (n,).

    `at_s` are their timestamps, Unix seconds; `world_ns` the world's clock of the page, -1 for a
    scrape that failed; `took_s` how long each took. `reports` are the samples that Prometheus wrote
    of each scrape, by metric: they are of the real scrape, and are replayed as they were.
    """

    at_s: NDArray[np.float64]
    world_ns: NDArray[np.int64]
    took_s: NDArray[np.float64]
    reports: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def read_scrapes(server: Prometheus, start_s: float, end_s: float) -> Scrapes:
    """Return the scrapes that `server` stored between two Unix times."""
    up = _only(server.stored(UP, start_s, end_s))
    stored = {
        name: _only(server.stored(name, start_s, end_s)) for name in SCRAPE_SERIES if name != UP
    }
    world = _only(server.stored(WORLD_TIME, start_s, end_s))
    clock = dict(zip(world.times_s.tolist(), world.values.tolist(), strict=True)) if world else {}
    times_s = up.times_s if up else np.empty(0)
    reports = {name: _at(series, times_s) for name, series in stored.items() if series}
    return Scrapes(
        times_s,
        np.array([_ns(clock.get(at_s)) for at_s in times_s.tolist()], np.int64),
        np.nan_to_num(reports.get(SCRAPE_DURATION, np.zeros(len(times_s)))),
        reports,
    )


def replay_scrapes(
    world: SimulatedSystem, scrapes: Scrapes, mapping: MetricMapping | None = None
) -> History:
    """Simulate `world` again, which stands where the run's exporter started.

    Returns what the scrapes had to bring, as a recorder in virtual time would have written it.
    """
    catalogue = catalogue_world(world.snapshot(), exported_metrics(mapping))
    view, ranks = RestartView(catalogue), rank_series(catalogue)
    view.restart(world.snapshot())
    values = np.full((len(catalogue.series) + 1, len(scrapes.at_s)), np.nan)
    present = np.zeros(len(catalogue.series), np.bool_)
    for scrape, at_ns in enumerate(scrapes.world_ns.tolist()):
        shown = np.zeros(len(present), np.bool_)
        if at_ns >= 0:
            # The view reads every change of the plan, so that a restart begins at its own tick.
            while world.next_change_ns() <= at_ns:
                world.advance_ns(world.next_change_ns())
                view.read(world.snapshot())
            world.advance_ns(at_ns)
            snapshot = world.snapshot()
            if arrives(snapshot):
                shown = ranks >= snapshot.scrape_path.vanished_share
                values[:-1, scrape][shown] = view.read(snapshot)[shown]
        # Prometheus marks a series stale once, at the first scrape that lacks it.
        values[:-1, scrape][present & ~shown] = STALE
        values[-1, scrape] = float(shown.any())
        present = shown
    target = OURS if mapping is None else mapping.target
    series = [target.complete(labels) for labels in catalogue.series]
    own = ("up", *scrapes.reports)
    series += [target.complete((("__name__", name),)) for name in own]
    values = np.vstack((values, *scrapes.reports.values()))
    stamps = np.rint(scrapes.at_s * 1000).astype(np.int64)
    return History(series, [Block(stamps, np.arange(len(series)), values)])


def _only(series: Sequence[Series]) -> Series | None:
    return series[0] if series else None


def _at(series: Series, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of `series` at `times_s` (n,), NaN where it has none."""
    known = dict(zip(series.times_s.tolist(), series.values.tolist(), strict=True))
    return np.array([known.get(at_s, np.nan) for at_s in times_s.tolist()])


def _ns(world_s: float | None) -> int:
    return -1 if world_s is None else round(world_s * 1e9)
