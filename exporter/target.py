"""The scrape target as Prometheus knows it: its job, its instance, and the rhythm of its scrapes.

The exporter, its history, discovery and the judges of both clocks take these values from here, so
that virtual and real time store the same labels. Constants only; this module imports nothing.
"""

from __future__ import annotations

from typing import Final

JOB: Final = "agentaskit"
INSTANCE: Final = "127.0.0.1:9464"
"""The `instance` label, wherever the server really listens: histories must compare equal."""
SCRAPE_S: Final = 15
"""Scrape interval of virtual time, in whole seconds: a history's grid is exact in float64."""
SCRAPE_TIMEOUT_S: Final = 10
"""Prometheus's default `scrape_timeout`: a page that takes as long is a failed scrape."""
