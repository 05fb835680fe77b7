"""The mapping file of a run, read and checked against the scenarios that it is used in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from exporter.mapping.metric_mapping import MetricMapping
    from scenarios.scenario import Scenario


def read_mapping(path: Path | None, scenarios: Iterable[Scenario]) -> MetricMapping | None:
    """Read a mapping file, if there is one, and check it against every scenario's topology."""
    if path is None:
        return None
    from verifier.mapping.reader import load_mapping  # noqa: PLC0415 - most runs have no mapping

    read = load_mapping(path)
    for topology in dict.fromkeys(scenario.topology for scenario in scenarios):
        read.check(topology)
    return read.mapping
