"""A mapping as values: which metrics of a user's exporter are made of which of our quantities.

Read from a file by `verifier.mapping`, applied by `exporter.mapping.mapped_metrics`. Plain data,
which can be hashed, compared and sent to another process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from exporter.target import OURS, Target

MappedKind: TypeAlias = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedLabel:
    """A label of the user's metric, of one of three origins.

    `source` is a label of the quantity, with `values` (ours, theirs) where they are spelt
    otherwise; `shares` splits each series among values; `fixed` is one value for all.
    """

    name: str
    source: str = ""
    values: tuple[tuple[str, str], ...] = ()
    shares: tuple[tuple[str, float], ...] = ()
    fixed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedMetric:
    """One metric of the user's, or some series of it, made of the quantity `source`.

    `where` selects series of the quantity by (label, values). Series that no label tells apart are
    added up. Values are multiplied by `factor`. `bounds` are a histogram's, in the user's unit.
    """

    name: str
    kind: MappedKind
    source: str
    help: str = ""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    labels: tuple[MappedLabel, ...] = ()
    factor: float = 1.0
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricMapping:
    """All metrics of a mapping, and the target that Prometheus scrapes them from."""

    metrics: tuple[MappedMetric, ...]
    target: Target = OURS
