"""Mapping files: read into values, every mistake with its place.

Called by the commands before anything runs. A mapping is checked against the names of one topology;
scenarios with another one are checked again with theirs.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, Shown, UnknownName, UnknownWord
from documents.yaml_reader import load
from exporter.history.scrape_series import SCRAPE_SERIES
from exporter.mapping.mapped_metrics import mapped_label_sets
from exporter.mapping.metric_mapping import MappedLabel, MappedMetric, MetricMapping
from exporter.mapping.quantities import quantities
from exporter.mapping.splitting import SHARE_STEPS, share_steps
from exporter.target import OURS, Target
from scenarios.validation import ModelWalker
from simulator.topology import Topology
from verifier.mapping.models import LabelModel, MappingModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from documents.document import Document, Steps
    from exporter.mapping.quantities import WorldQuantity
    from verifier.mapping.models import MetricModel

METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
OWN: Final = "agentaskit_sim"
PARTS: Final = ("_bucket", "_count", "_sum")
SERIES_MAX: Final = 10_000
"""Series that a mapping may have in all: every one of them is read at every scrape."""
SHARES_MAX: Final = 100
BUCKETS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping file, read: its document, and the mapping."""

    document: Document
    mapping: MetricMapping

    def check(self, topology: Topology) -> None:
        """Raise `InputError` with what does not fit the names of another topology."""
        model = MappingModel.model_validate(self.document.data)
        _MappingReader(self.document, topology).read(model)


def load_mapping(path: str | Path, topology: Topology | None = None) -> MappingFile:
    """Read a mapping file; raise one `InputError` with every mistake."""
    return read_mapping_document(load(path), topology)


def read_mapping_document(document: Document, topology: Topology | None = None) -> MappingFile:
    """Read a mapping from its document; raise one `InputError` with every mistake."""
    walker = ModelWalker(document)
    model = walker.finish(walker.validate(MappingModel, document.data or {}, ()))
    return MappingFile(document, _MappingReader(document, topology or Topology()).read(model))


class _MappingReader(ModelWalker):
    """One walk over a mapping."""

    def __init__(self, document: Document, topology: Topology) -> None:
        super().__init__(document)
        self._topology, self._quantities = topology, quantities()

    def read(self, model: MappingModel) -> MetricMapping:
        """Return the mapping; raise its mistakes."""
        metrics = [self._metric(each, ("metrics", i)) for i, each in enumerate(model.metrics)]
        self.raise_mistakes()
        read = [each for each in metrics if each is not None]
        self._check_families(read)
        self.raise_mistakes()
        job, instance = model.target.job or OURS.job, model.target.instance or OURS.instance
        return MetricMapping(tuple(read), Target(job, instance))

    def _metric(self, model: MetricModel, steps: Steps) -> MappedMetric | None:
        self._check_name(model, steps)
        quantity = self._quantities.get(model.source)
        if quantity is None:
            known = tuple(self._quantities)
            hint = ": `agentaskit-sim mapping quantities` lists them"
            self.reject(UnknownName("quantity", model.source, known, hint), (*steps, "from"))
            return None
        if model.type not in quantity.kinds:
            rule = f"be {' or '.join(quantity.kinds)}, as {model.source} is"
            self.reject(BrokenRule("type", rule, model.type), (*steps, "type"))
            return None
        if not 0 < model.factor < math.inf:
            self.reject(BrokenRule("factor", "be above 0", model.factor), (*steps, "factor"))
            return None
        known_labels = quantity.label_values(self._topology)
        return MappedMetric(
            name=model.name,
            kind=model.type,
            source=model.source,
            help=model.help,
            where=tuple(self._where(model, known_labels, (*steps, "where"))),
            labels=tuple(self._labels(model, known_labels, (*steps, "labels"))),
            factor=model.factor,
            bounds=self._bounds(model, quantity, (*steps, "buckets")),
        )

    def _check_name(self, model: MetricModel, steps: Steps) -> None:
        name, where = model.name, (*steps, "name")
        if not METRIC_NAME.fullmatch(name):
            self.reject(BrokenRule("name", "be a metric's name", name), where)
        elif name.startswith(OWN) or name in SCRAPE_SERIES:
            rule = "be none that the simulator or Prometheus itself writes"
            self.reject(BrokenRule("name", rule, name), where)
        elif model.type == "histogram" and name.endswith(PARTS):
            rule = "be the name without _bucket, _count or _sum, which it gets"
            self.reject(BrokenRule("name", rule, name), where)

    def _where(
        self, model: MetricModel, known: dict[str, tuple[str, ...]], steps: Steps
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        for label, values in model.where.items():
            if label not in known:
                self._reject_label(label, model.source, known, (*steps, label), at_key=True)
                continue
            for i, value in enumerate(values):
                if value not in known[label]:
                    self.reject(UnknownWord(label, value, known[label]), (*steps, label, i))
            yield label, tuple(values)

    def _labels(
        self, model: MetricModel, known: dict[str, tuple[str, ...]], steps: Steps
    ) -> Iterator[MappedLabel]:
        for name, raw in model.labels.items():
            at = (*steps, name)
            if raw.values and raw.source is None:
                rule = "be left out: it is for a label that is made 'from' one of ours"
                self.reject(BrokenRule("values", rule), (*at, "values"), at_key=True)
            if not LABEL_NAME.fullmatch(name) or name.startswith("__") or name == "le":
                rule = "be the name of a label that an exporter may set"
                self.reject(BrokenRule("a label", rule, name), at, at_key=True)
            elif sum(each is not None for each in (raw.value, raw.source, raw.share)) != 1:
                rule = "have exactly one of the keys 'value', 'from' and 'share'"
                self.reject(BrokenRule(f"label {name}", rule), at)
            elif raw.value is not None:
                yield MappedLabel(name=name, fixed=raw.value)
            elif raw.source is None:
                yield self._shared(name, raw, at)
            elif raw.source not in known:
                self._reject_label(raw.source, model.source, known, (*at, "from"))
            else:
                for value in raw.values:
                    if value not in known[raw.source]:
                        problem = UnknownWord(raw.source, value, known[raw.source])
                        self.reject(problem, (*at, "values", value), at_key=True)
                yield MappedLabel(name=name, source=raw.source, values=tuple(raw.values.items()))

    def _shared(self, name: str, raw: LabelModel, at: Steps) -> MappedLabel:
        shares = dict(raw.share or {})
        if len(shares) > SHARES_MAX:
            rule = f"have at most {SHARES_MAX} values"
            self.reject(BrokenRule(f"share of {name}", rule, len(shares)), (*at, "share"))
        for value, share in shares.items():
            if not 0 < share <= 1 or share_steps(share) is None:
                rule = f"be above 0, at most 1, and a multiple of {1 / SHARE_STEPS:g}"
                self.reject(BrokenRule(f"share of {value}", rule, share), (*at, "share", value))
        total = math.fsum(shares.values())
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            problem = BrokenRule(f"shares of {name}", "add up to 1", Shown(total, f"{total:g}"))
            self.reject(problem, (*at, "share"))
        return MappedLabel(name=name, shares=tuple(shares.items()))

    def _reject_label(
        self,
        label: str,
        source: str,
        known: dict[str, tuple[str, ...]],
        steps: Steps,
        *,
        at_key: bool = False,
    ) -> None:
        hint = "" if known else f": {source} has no labels"
        problem = UnknownName(f"label of {source}", label, tuple(known), hint)
        self.reject(problem, steps, at_key=at_key)

    def _bounds(
        self, model: MetricModel, quantity: WorldQuantity, steps: Steps
    ) -> tuple[float, ...]:
        if model.type != "histogram":
            if model.buckets is not None:
                rule = "be left out: only a histogram has any"
                self.reject(BrokenRule("buckets", rule), steps, at_key=True)
            return ()
        ours = [bound * model.factor for bound in quantity.metric.bounds_s]
        if model.buckets is None:
            return tuple(ours)
        last = 0.0
        for i, bound in enumerate(model.buckets):
            if not last < bound:
                rule = "ascend from above 0"
                self.reject(BrokenRule("buckets", rule, bound), (*steps, i))
            elif bound > ours[-1] * (1 + 1e-9):
                rule = (
                    f"be at most {ours[-1]:g}, the last bound of {model.source} in this unit:"
                    " nothing is known of what lies above"
                )
                self.reject(BrokenRule("a bucket", rule, bound), (*steps, i))
            last = bound
        if not 1 <= len(model.buckets) <= BUCKETS_MAX:
            rule = f"be a list of 1 to {BUCKETS_MAX}"
            self.reject(BrokenRule("buckets", rule, len(model.buckets)), steps)
        return tuple(model.buckets)

    def _check_families(self, metrics: list[MappedMetric]) -> None:
        """Note entries of one name that do not go together, and series that come twice."""
        first: dict[str, int] = {}
        series: dict[object, int] = {}
        for i, metric in enumerate(metrics):
            steps = ("metrics", i, "name")
            other = metrics[first.setdefault(metric.name, i)]
            line = self.place(("metrics", first[metric.name], "name")).line
            if (other.kind, other.bounds) != (metric.kind, metric.bounds):
                rule = f"have the type and the buckets of its other entry in line {line}"
                self.reject(BrokenRule(metric.name, rule), steps)
                continue
            label_sets = mapped_label_sets(metric, self._topology)
            if not label_sets:
                self.reject(f"{metric.name} has no series: 'where' selects nothing", steps)
            for labels in label_sets:
                for name in _series_names(metric):
                    key = (name, tuple(sorted(labels)))
                    if series.setdefault(key, i) != i:
                        at = self.place(("metrics", series[key], "name")).line
                        text = ", ".join(f'{label}="{value}"' for label, value in labels)
                        self.reject(
                            f"{name}{{{text}}} is made twice: the entry in line {at} makes it too;"
                            " tell them apart by a label or by 'where'",
                            steps,
                        )
                        break
        if len(series) > SERIES_MAX:
            rule = f"be at most {SERIES_MAX:,}"
            self.reject(BrokenRule("series in all", rule, len(series)), ("metrics",))


def _series_names(metric: MappedMetric) -> tuple[str, ...]:
    if metric.kind != "histogram":
        return (metric.name,)
    return tuple(metric.name + part for part in PARTS)
