"""One chart: rows of values, bands and lanes of alerts that share one axis of time.

Made by whoever knows the values (the verifier for its report, the server for its page) and written
by `charts.chart_document`. Plain values: nothing here knows where one comes from, or how it is
drawn.
All times are seconds from the chart's start, in order, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RowKind = Literal["line", "step", "stack", "heatmap", "stat", "gauge", "bars", "pie", "table"]
"""How a row is drawn; of the last five the newest values count, with a curve of all at most."""
RowGroup = Literal["load", "world", "alert", "panel"]
"""What a row shows: the load, the world, an alert's expression, a panel of a dashboard."""
RowStatus = Literal["failed", "accepted", "empty", "not-judged"]
"""What was judged of a panel that is not simply answered; `empty` is one that is so by right."""
BandKind = Literal["fault", "load", "incident", "exact", "resampled"]
"""`load` is a change of the load by hand."""
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """A level at which something changes: an alert fires `above` or `below` it, or neither.

    Without a `label` its value is written.
    """

    value: float
    label: str
    fires: Literal["above", "below"] | None = None
    colour: str | None = None
    """As a dashboard names it, such as `red`."""


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One line of a row: `values` (float64, NaN where there is none) at the row's times.

    Of a heatmap, each series is a bucket; `name` is its upper bound, `+Inf` for the last. `shown`
    is what a panel writes in place of its newest value, empty where it writes that.
    """

    name: str
    values: NDArray[np.float64]
    labels: Labels = ()
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRow:
    """Series that share times, a unit and an axis of values.

    `unit` is `1`, `s`, `bytes`, `ratio`, `percent`, or a count by time such as `tasks/s`. `limits`
    are the ends of the axis of values, None where the values decide. `alert` and `dashboard` name
    what the row belongs to. `text` says it in words, for whoever cannot see it. `queries` are what
    a panel asks; `notes` say why its `status` is what it is, or what is not drawn of it.
    """

    id: str
    title: str
    unit: str
    times_s: NDArray[np.float64]
    series: tuple[ChartSeries, ...]
    kind: RowKind = "line"
    group: RowGroup = "world"
    thresholds: tuple[ThresholdLine, ...] = ()
    limits: tuple[float | None, float | None] = (None, None)
    alert: str | None = None
    dashboard: str | None = None
    text: str = ""
    status: RowStatus | None = None
    notes: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time with a name; `to_s` is None while it lasts."""

    kind: BandKind
    name: str
    from_s: float
    to_s: float | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class LaneEpisode:
    """One time an alert was active; None for what did not happen, or not yet."""

    pending_s: float | None
    firing_s: float | None
    resolved_s: float | None


@dataclass(frozen=True, slots=True)
class LaneNotification:
    """A notification that a receiver got."""

    receiver: str
    status: Literal["firing", "resolved"]
    at_s: float


@dataclass(frozen=True, slots=True)
class LaneFailure:
    """Where an expectation failed, and why."""

    at_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One alert (one label set of it) in time: what it did, and what it had to do.

    `must_fire` and `must_resolve` are the windows (from, to) of an expectation.
    """

    alert: str
    labels: Labels = ()
    expected: Literal["fires", "silent", "explained", "unexpected"] | None = None
    episodes: tuple[LaneEpisode, ...] = ()
    must_fire: tuple[float, float] | None = None
    must_resolve: tuple[float, float] | None = None
    notifications: tuple[LaneNotification, ...] = ()
    failure: LaneFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything on one axis of time, from `starts_unix_s` for `end_s` seconds."""

    title: str
    starts_unix_s: float
    end_s: float
    rows: tuple[ChartRow, ...] = ()
    bands: tuple[Band, ...] = ()
    lanes: tuple[Lane, ...] = ()
