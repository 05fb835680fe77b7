"""Recorders of a small catalogue, and the samples that they recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.history.recorder import Recorder
from exporter.history.samples import EPOCH_S, STALE_BITS
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


def make_recorder(past_s=None, fine_s=0.0, **depths):
    """Return a recorder with the depth of each metric in seconds, by default five minutes."""
    depths_s = {"requests_total": 300.0, "errors_total": 300.0, "depth": 300.0, **depths}
    return Recorder(small_catalogue(), lambda name: depths_s.get(name, 0.0), past_s, fine_s)


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
        recorder.record(start_s + step * SCRAPE_S, recorder.read(reading), up=up)


def record_rows(recorder, from_s, pool, picks, *, up=True):
    """Record the rows `pool[picks]` as scrapes after `from_s`."""
    times_s = from_s + SCRAPE_S * np.arange(1, len(picks) + 1, dtype=np.float64)
    recorder.record_rows(times_s, np.array(pool, dtype=np.float64), np.array(picks), up=up)
