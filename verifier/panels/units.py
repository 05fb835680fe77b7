"""Grafana's units: what a panel's values are in, for charts and for comparison with the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documents.document import Value
    from verifier.pack.panels import Panel

UNITS: Final[dict[str, tuple[str, float]]] = {
    "": ("1", 1.0), "none": ("1", 1.0), "short": ("1", 1.0), "percent": ("percent", 1.0),
    "percentunit": ("ratio", 1.0), "s": ("s", 1.0), "ms": ("s", 1e-3), "µs": ("s", 1e-6),
    "ns": ("s", 1e-9), "m": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0),
    "bytes": ("bytes", 1.0), "decbytes": ("bytes", 1.0), "kbytes": ("bytes", 1024.0),
    "deckbytes": ("bytes", 1e3), "mbytes": ("bytes", 1024.0**2), "decmbytes": ("bytes", 1e6),
    "gbytes": ("bytes", 1024.0**3), "decgbytes": ("bytes", 1e9), "Bps": ("bytes/s", 1.0),
    "binBps": ("bytes/s", 1.0), "ops": ("ops/s", 1.0), "reqps": ("req/s", 1.0),
    "cps": ("c/s", 1.0), "rps": ("rd/s", 1.0), "iops": ("io/s", 1.0), "wps": ("wr/s", 1.0),
}  # fmt: skip
"""Grafana's units: the unit of a chart, and by what values are multiplied."""
_RATIO: Final = {"percent": ("ratio", 0.01)}
"""What charts keep apart and the world does not."""


def panel_unit(panel: Panel) -> str:
    """Return the unit of a panel as it stands in the file, empty where there is none."""
    defaults = _mapping(_mapping(panel.raw.get("fieldConfig")).get("defaults"))
    return str(defaults.get("unit") or "")


def base_unit(unit: str) -> tuple[str, float]:
    """Return the world's unit for one of Grafana's, and by what values are multiplied to be in it.

    One that is not known stands for itself.
    """
    base, factor = UNITS.get(unit, (unit, 1.0))
    other, scale = _RATIO.get(base, (base, 1.0))
    return other, factor * scale


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
