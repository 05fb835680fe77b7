"""What the simulated system exports: our own catalogue, laid out over the default topology.

Called where no /metrics page is named. Its lists of label values are closed, so that a value that
is not in them will never appear. No world is built: the labels ask a system for its axes alone.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from exporter.metrics.catalogue import RUN, WORLD
from exporter.metrics.series import Catalogue
from simulator.topology import PRIORITIES, SANDBOXES, Topology
from verifier.check.exports.families import TARGET_LABELS, Exports, without_name
from verifier.promql.reads import NAME

if TYPE_CHECKING:
    from exporter.metrics.catalogue import RunStatus
    from simulator.snapshot import Snapshot
    from verifier.labels import Labels

SOURCE: Final = "the catalogue of agentaskit-sim"


def catalogue_exports(target_labels: frozenset[str] = TARGET_LABELS) -> Exports:
    """Return what a served world of the default topology exports, all of it."""
    topology = Topology()
    axes = SimpleNamespace(
        tiers=tuple(tier.name for tier in topology.tiers),
        priorities=PRIORITIES,
        sandboxes=SANDBOXES,
        cpu_ns=range(topology.hosts * topology.cpus_per_host),
    )
    process = SimpleNamespace(version="", python_version="", scenario="", seed="")
    world = Catalogue(WORLD, cast("Snapshot", axes))
    run = Catalogue(RUN, cast("RunStatus", process))
    series: dict[str, list[Labels]] = {}
    kinds: dict[str, str] = {}
    for labels in (*world.series, *run.series):
        series.setdefault(dict(labels)[NAME], []).append(without_name(labels))
    groups = [(group.names, group.metric.kind) for group in world.groups]
    groups += [(group.names, group.metric.kind) for group in run.groups]
    for names, kind in groups:
        kinds |= dict.fromkeys(names, "gauge" if kind == "info" else kind)
    open_labels = {label.name for metric in RUN if metric.kind == "info" for label in metric.labels}
    return Exports(
        SOURCE,
        series,
        kinds,
        is_closed=True,
        open_labels=frozenset(open_labels),
        target_labels=target_labels,
    )
