"""The scrape target as Prometheus knows it: its job, its instance, and the rhythm of its scrapes.

The exporter, its history, discovery and the judges of both clocks take these values from here, so
that virtual and real time store the same labels. Values only; this module imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

JOB: Final = "agentaskit"
INSTANCE: Final = "127.0.0.1:9464"
"""The `instance` label, wherever the server really listens: histories must compare equal."""
CELL: Final = "cell"
"""The label of a target that is one of several cells."""
CELL_PATH: Final = "/cells/{cell}"
"""Where a cell's page is, and what its instance is called: before `/metrics`."""
SCRAPE_S: Final = 15
"""Scrape interval of virtual time, in whole seconds: a history's grid is exact in float64."""
SCRAPE_TIMEOUT_S: Final = 10
"""Prometheus's default `scrape_timeout`: a page that takes as long is a failed scrape."""


@dataclass(frozen=True, slots=True)
class Target:
    """The labels that every scraped series carries: ours, unless a mapping names others."""

    job: str = JOB
    instance: str = INSTANCE
    cell: str = ""

    def of_cell(self, cell: int) -> Target:
        """Return the target of one of several cells: an instance of its own, with a `cell`."""
        path = CELL_PATH.format(cell=cell)
        return Target(self.job, f"{self.instance}{path}", str(cell))

    def complete(self, labels: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Return a series' labels with those of the target, sorted; its own ones are honoured."""
        own = {"instance": self.instance, "job": self.job, **dict(labels)}
        if self.cell:
            own = {CELL: self.cell, **own}
        return tuple(sorted(own.items()))


OURS: Final = Target()
