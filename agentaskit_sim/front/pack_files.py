"""Where the files of the pack are: its alerts, dashboards, routing and panel truths."""

from __future__ import annotations

from pathlib import Path

PACK = Path(__file__).resolve().parents[2] / "observability"
PACK_RULES = tuple(
    PACK / "alerts" / name for name in ("slo.yaml", "performance.yaml", "backpressure.yaml")
)
BUNDLED_RULES = (*PACK_RULES, PACK / "alerts" / "extras.yaml")
"""What a rule that failed is compared with, by its name."""
PACK_TRUTHS = PACK / "panel-truth.yaml"
PACK_ROUTING = PACK / "alertmanager" / "alertmanager.yml"
