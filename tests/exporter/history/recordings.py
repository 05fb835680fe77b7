"""Recorders of a small catalogue, and the samples that they recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.history.recorder import Arrival, Recorder
from exporter.history.retention import Need
from exporter.history.samples import EPOCH_S, STALE_BITS
from exporter.history.scrape_series import PROCESS_SAMPLES
from exporter.metrics.series import Catalogue, Metric
from exporter.target import SCRAPE_S

HOUR_S = 3600.0


@dataclass(frozen=True)
class Reading:
    """A reading of a small world: two counters and a gauge."""

    requests: float
    errors: float
    depth: float


def small_catalogue():
    """Return the layout of a `Reading`."""
    return Catalogue(
        (
            Metric(name="requests_total", kind="counter", help="", monotone=True,
                   read=lambda r: r.requests),
            Metric(name="errors_total", kind="counter", help="", monotone=True,
                   read=lambda r: r.errors),
            Metric(name="depth", kind="gauge", help="", read=lambda r: r.depth),
        ),
        Reading(0, 0, 0),
    )  # fmt: skip


def make_recorder(past_s=None, fine=(), eventful=(), fine_of=None, **depths):
    """Return a recorder with the depth of each metric in seconds, by default five minutes.

    Of every metric all scrapes are kept in the intervals `fine`, or in those of `fine_of` it.
    """
    depths_s = {"requests_total": 300.0, "errors_total": 300.0, "depth": 300.0, **depths}

    def need_of(name):
        return Need(depths_s.get(name, 0.0), tuple((fine_of or {}).get(name, fine)))

    return Recorder(small_catalogue(), need_of, past_s, eventful)


def arrival(recorder, *, up=True):
    """Return what a scrape brings that no fault affects, or one that is refused."""
    series = len(recorder.counters)
    samples = (series + PROCESS_SAMPLES) * up
    return Arrival(up, np.full(series, up), np.array([0.01, samples, samples, 0, float(up)]))


def samples(recorder):
    """Return all samples by metric name: virtual times and values, markers included."""
    history = recorder.history()
    by_name = {dict(labels)["__name__"]: ([], []) for labels in history.series}
    for block in history.blocks:
        times_s = block.timestamps_ms / 1000 - EPOCH_S
        for index, values in zip(block.series, block.values, strict=True):
            stale = values.view(np.uint64) == STALE_BITS
            present = ~np.isnan(values) | stale
            name = dict(history.series[index])["__name__"]
            by_name[name][0].extend(times_s[present].tolist())
            by_name[name][1].extend(
                "stale" if s else v for v, s in zip(values[present], stale[present], strict=True)
            )
    return by_name


def record_exactly(recorder, readings, start_s=SCRAPE_S, *, up=True):
    """Record one exact scrape for each reading."""
    for step, reading in enumerate(readings):
        at_s = start_s + step * SCRAPE_S
        recorder.record(at_s, recorder.read(reading), arrival(recorder, up=up))


def record_rows(recorder, from_s, pool, picks, *, up=True):
    """Record the rows `pool[picks]` as scrapes after `from_s`."""
    times_s = from_s + SCRAPE_S * np.arange(1, len(picks) + 1, dtype=np.float64)
    brought = arrival(recorder, up=up)
    recorder.record_rows(times_s, np.array(pool, dtype=np.float64), np.array(picks), brought)
