"""What the simulated system exports: our own catalogue, or what a mapping makes of it.

Laid out over the default topology; called where no /metrics page is named. Its lists of label
values are closed, so that a value that is not in them will never appear. No world is built: the
labels ask a system for its axes alone. The default topology has one cell; what further cells add,
a label of the target, is held apart (`families.in_cells`).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from exporter.mapping.mapped_metrics import exported_metrics
from exporter.mapping.quantities import axes_of
from exporter.metrics.catalogue import RUN, WORLD
from exporter.metrics.series import Catalogue
from exporter.target import CELL
from simulator.topology import Topology
from verifier.check.exports.families import TARGET_LABELS, Exports, without_name
from verifier.promql.reads import NAME

if TYPE_CHECKING:
    from exporter.mapping.metric_mapping import MetricMapping
    from exporter.metrics.catalogue import RunStatus
    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot
    from verifier.labels import Labels

SOURCE: Final = "the catalogue of agentaskit-sim"


def catalogue_exports(target_labels: frozenset[str] = TARGET_LABELS) -> Exports:
    """Return what a served world of the default topology exports, all of it."""
    return _laid_out(WORLD, SOURCE, target_labels)


def mapped_exports(
    mapping: MetricMapping, source: str, target_labels: frozenset[str] = TARGET_LABELS
) -> Exports:
    """Return what it exports with a mapping; `source` is what people call that."""
    return _laid_out(exported_metrics(mapping), source, target_labels)


def _laid_out(
    metrics: tuple[Metric[Snapshot], ...], source: str, target_labels: frozenset[str]
) -> Exports:
    process = SimpleNamespace(version="", python_version="", scenario="", seed="")
    world = Catalogue(metrics, axes_of(Topology()))
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
        source,
        series,
        kinds,
        is_closed=True,
        open_labels=frozenset(open_labels),
        target_labels=target_labels,
        # A mapping may give `cell` another meaning, and --target-label says that it is there.
        may_have_cells=CELL not in target_labels
        and not any(name == CELL for sets in series.values() for own in sets for name, _ in own),
    )
