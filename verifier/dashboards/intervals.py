"""Which step Grafana asks a panel with, and what its own interval variables stand for.

The arithmetic is that of Grafana's Prometheus data source (`calculatePrometheusInterval` and
`interpolateVariables` of pkg/promlib) and of `roundInterval`, with a data source that says nothing
of its own scrape interval: 15 s. Pure; it knows no file and no server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from verifier.pack.panels import Resolution

SCRAPE_INTERVAL_S: Final = 15.0
"""What a Prometheus data source of Grafana takes for its scrape interval unless it is told."""
POINTS_MAX: Final = 11_000
"""No step is so short that a range had more points: Prometheus refuses more."""

_ROUNDED: Final = (
    (0.01, 0.001), (0.015, 0.01), (0.035, 0.02), (0.075, 0.05), (0.15, 0.1), (0.35, 0.2),
    (0.75, 0.5), (1.5, 1), (3.5, 2), (7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30),
    (90, 60), (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200), (2700, 1800),
    (5400, 3600), (9000, 7200), (16200, 10800), (32400, 21600), (86400, 43200), (604800, 86400),
    (1814400, 604800), (3628800, 2592000),
)  # fmt: skip
"""An interval up to the first number, seconds, becomes the second."""
_YEAR_S: Final = 31536000.0
_UNITS_S: Final = {
    "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0,
    "M": 2592000.0, "y": _YEAR_S,
}  # fmt: skip
INTERVAL_MAX_S: Final = 100 * _YEAR_S
"""Whatever is written longer counts as this long."""
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwMy])")
_RATE_INTERVALS: Final = ("$__rate_interval", "${__rate_interval}")
_INTERVALS: Final = ("$__interval", "${__interval}")


def round_interval_s(interval_s: float) -> float:
    """Return an interval as people read it, as Grafana rounds it."""
    return next((float(to) for limit, to in _ROUNDED if interval_s <= limit), _YEAR_S)


def parse_interval_s(text: str) -> float | None:
    """Return the seconds of `1m`, `>30s`, `1h30m` or a bare number; None for anything else."""
    bare = text.strip().lstrip("<>=").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", bare):
        return min(float(bare), INTERVAL_MAX_S)
    if not bare or not re.fullmatch(rf"(?:{_PART.pattern})+", bare):
        return None
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(bare))
    return min(seconds, INTERVAL_MAX_S)


def calculated_interval_s(resolution: Resolution, least_s: float) -> float:
    """Return the step of a range on so many points, rounded, but not below `least_s`."""
    interval_s = resolution.range_s / max(1, resolution.points)
    return least_s if interval_s < least_s else round_interval_s(interval_s)


def query_step_s(resolution: Resolution, min_step: str = "", factor: int = 1) -> float:
    """Return the step of a query; `min_step` is what the query itself says, with its variables."""
    panel_least_s = parse_interval_s(resolution.min_interval) or SCRAPE_INTERVAL_S
    least_s = parse_interval_s(min_step) or calculated_interval_s(resolution, panel_least_s)
    safe_s = round_interval_s(resolution.range_s / POINTS_MAX)
    step_s = max(safe_s, calculated_interval_s(resolution, least_s))
    if min_step in _RATE_INTERVALS:
        return _rate_interval_s(step_s, SCRAPE_INTERVAL_S)
    return step_s * max(1, factor)


def interval_variables(range_s: float, step_s: float, min_step: str = "") -> dict[str, str]:
    """Return Grafana's own variables of a query that is asked with `step_s`."""
    if min_step in _RATE_INTERVALS:
        rate_s = step_s
    elif min_step in _INTERVALS:
        rate_s = _rate_interval_s(step_s, step_s)
    else:
        rate_s = _rate_interval_s(step_s, parse_interval_s(min_step) or SCRAPE_INTERVAL_S)
    return {
        "__range": f"{round(range_s)}s",
        "__range_s": str(round(range_s)),
        "__range_ms": str(round(range_s * 1000)),
        "__interval": _one_unit(step_s),
        "__interval_ms": str(round(step_s * 1000)),
        "__rate_interval": _plain(rate_s),
        "__rate_interval_ms": str(round(rate_s * 1000)),
    }


def auto_interval(range_s: float, steps: int, least: str) -> str:
    """Return what the choice `auto` of an interval variable stands for."""
    interval_s = range_s / max(1, steps)
    least_s = parse_interval_s(least) or 10.0
    return _one_unit(least_s if interval_s < least_s else round_interval_s(interval_s))


def _rate_interval_s(step_s: float, scrape_s: float) -> float:
    """Return Grafana's width of a rate: four scrapes, or a step and a scrape."""
    return max(step_s + scrape_s, 4 * scrape_s)


def _one_unit(seconds: float) -> str:
    """Write an interval in its largest unit, rounded down, as Grafana does: 80 s are `1m`."""
    for unit in ("y", "d", "h", "m", "s"):
        if seconds >= _UNITS_S[unit]:
            return f"{int(seconds / _UNITS_S[unit])}{unit}"
    return f"{max(1, round(seconds * 1000))}ms"


def _plain(seconds: float) -> str:
    return f"{round(seconds)}s" if seconds == round(seconds) else f"{round(seconds * 1000)}ms"
