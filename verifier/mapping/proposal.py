"""A mapping proposed for a page of metrics: what is near enough by type, name, labels and unit.

Called by `mapping new` with what a page exports. A proposal is to be read by a person: what could
not be mapped is listed with the reason, and a share is an even one. Pure.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from documents.mistakes import InputError
from documents.yaml_reader import parse
from exporter.mapping.quantities import quantities
from exporter.mapping.splitting import SHARE_STEPS
from simulator.topology import Topology
from verifier.mapping.likeness import NEAR_ENOUGH, likeness
from verifier.mapping.reader import PARTS, read_mapping_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.mapping.quantities import WorldQuantity
    from verifier.check.exports.families import Exports

VALUES_MAX: Final = 20
"""Values of a label that are proposed: every one of them multiplies the series."""
UNITS: Final = {"_milliseconds": 1e3, "_millis": 1e3, "_ms": 1e3, "_microseconds": 1e6, "_us": 1e6}
OF_THE_PROCESS: Final = ("process_", "go_", "python_", "jvm_", "nodejs_", "promhttp_")
_TYPES: Final = "its type is {kind}: only counters, gauges and histograms can be made"
MS_FROM: Final = 100.0
"""A histogram whose last bound is above it, and whose name has no unit, is taken to be in ms."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A metric of a page that the proposal leaves out, and why."""

    metric: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Entries of a mapping file, each as its keys and values, and what is left out."""

    metrics: tuple[dict[str, Any], ...]
    unmapped: tuple[Unmapped, ...]


def propose(exports: Exports) -> Proposal:
    """Return a mapping for what a page exports."""
    entries: list[dict[str, Any]] = []
    unmapped: list[Unmapped] = []
    for name, kind in _families(exports):
        entry = _entry(name, kind, exports)
        if isinstance(entry, dict) and (refusal := _refusal(entry, entries)) is not None:
            entry = Unmapped(name, kind, refusal)
        if isinstance(entry, Unmapped):
            unmapped.append(entry)
        else:
            entries.append(entry)
    return Proposal(tuple(entries), tuple(unmapped))


def _refusal(entry: dict[str, Any], earlier: Sequence[dict[str, Any]]) -> str | None:
    """Return why a mapping may not have an entry, beside those of earlier families.

    The reader of mapping files says it: a name that is ours, a label that no exporter may set.
    """
    if (name := entry["name"]) in {sample for each in earlier for sample in _samples(each)}:
        return f"another entry makes series of the name {name} already"
    try:
        read_mapping_document(parse(json.dumps({"metrics": [entry]}), ""))
    except InputError as error:
        return "; ".join(mistake.sentence for mistake in error.mistakes)
    return None


def _samples(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the series that an entry makes."""
    parts = PARTS if entry["type"] == "histogram" else ("",)
    return tuple(f"{entry['name']}{part}" for part in parts)


def _families(exports: Exports) -> Iterator[tuple[str, str]]:
    """Yield the families of a page with their types, each once, in order."""
    families: dict[str, str] = {}
    for name in sorted(exports.series):
        kind, family = exports.kind(name), name
        if kind in ("histogram", "summary"):
            family = next((name.removesuffix(p) for p in PARTS if name.endswith(p)), name)
        if kind == "summary" and family != name:
            families[name] = "counter"
        families[family] = kind
    yield from families.items()


def _entry(name: str, kind: str, exports: Exports) -> dict[str, Any] | Unmapped:
    """Return the entry of one family, or why there is none."""
    if name.startswith(OF_THE_PROCESS):
        return Unmapped(name, kind, "of the exporter's process, which is not simulated")
    if kind == "unknown" and name.endswith("_total"):
        kind = "counter"
    if kind not in ("counter", "gauge", "histogram"):
        return Unmapped(name, kind, _TYPES.format(kind=kind))
    candidates = list(_candidates(name, kind))
    score, quantity, where = max(candidates, key=lambda each: each[0])
    if score < NEAR_ENOUGH:
        return Unmapped(name, kind, f"no {kind} of ours is near")
    sample = f"{name}_bucket" if kind == "histogram" else name
    entry: dict[str, Any] = {"name": name, "type": kind, "from": quantity.name}
    if where:
        entry["where"] = where
    if labels := _labels(sample, quantity, exports):
        entry["labels"] = labels
    factor = _factor(name, sample, kind, exports)
    if factor != 1 and quantity.metric.unit == "seconds":
        entry["factor"] = factor
    if kind == "histogram":
        last = quantity.metric.bounds_s[-1] * entry.get("factor", 1.0)
        entry["buckets"] = [bound for bound in _bounds(sample, exports) if bound <= last]
        if not entry["buckets"]:
            return Unmapped(name, kind, "none of its buckets lies below the last of ours")
    return entry


def _candidates(
    name: str, kind: str
) -> Iterator[tuple[float, WorldQuantity, dict[str, list[str]]]]:
    """Yield what a metric could be made of, with its likeness: failures are a part of a whole."""
    for quantity in quantities().values():
        is_fitting = name.endswith(quantity.part) if quantity.part else not name.endswith("_sum")
        if kind not in quantity.kinds or not is_fitting:
            continue
        yield likeness(name, quantity.name), quantity, {}
        for label, values in quantity.label_values(Topology()).items() if kind == "counter" else ():
            if failed := [value for value in values if value == "failed" or _is_code(value, "5")]:
                likely = likeness(name, quantity.name, frozenset({"fail"}))
                yield likely, quantity, {label: failed}


def _is_code(value: str, first: str) -> bool:
    """Whether a value is a status code of HTTP that begins so."""
    return len(value) == 3 and value.isdigit() and value[0] in first


def _labels(sample: str, quantity: WorldQuantity, exports: Exports) -> dict[str, Any]:
    """Return the labels of a family: of ours where the values are, else with even shares."""
    ours = quantity.label_values(Topology())
    labels: dict[str, Any] = {}
    for label in sorted(exports.labels(sample) - {"le"}):
        values = sorted(exports.values(sample, label) or ())
        source = next((own for own in ours if _is_same(label, values, own, ours[own])), None)
        if source is not None:
            labels[label] = {"from": source}
            if values and all(value.endswith("xx") for value in values):
                labels[label]["values"] = {own: f"{own[0]}xx" for own in ours[source]}
        elif len(values) == 1:
            labels[label] = values[0]
        elif values:
            labels[label] = {"share": even_shares(values[:VALUES_MAX])}
    return labels


def _is_same(label: str, values: Sequence[str], own: str, own_values: Sequence[str]) -> bool:
    """Whether a label is one of ours: by its name, or by what it says."""
    if label == own or set(values) & set(own_values):
        return True
    codes = all(_is_code(value, "12345") for value in own_values)
    return codes and bool(values) and all(value[1:] == "xx" for value in values)


def even_shares(values: Sequence[str]) -> dict[str, float]:
    """Return the same share for each of some values; the first takes what is left over."""
    each = SHARE_STEPS // len(values)
    first = SHARE_STEPS - each * (len(values) - 1)
    steps = [first] + [each] * (len(values) - 1)
    return {value: n / SHARE_STEPS for value, n in zip(values, steps, strict=True)}


def _bounds(sample: str, exports: Exports) -> list[float]:
    """Return the finite bounds of a histogram."""
    bounds = {float(le) for le in exports.values(sample, "le") or () if _is_number(le)}
    return sorted(bound for bound in bounds if math.isfinite(bound) and bound > 0)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _factor(name: str, sample: str, kind: str, exports: Exports) -> float:
    """Return by how much a value in seconds is multiplied in this metric's unit."""
    bare = name.removesuffix("_total").removesuffix("_sum")
    for suffix, factor in UNITS.items():
        if bare.endswith(suffix):
            return factor
    if kind == "histogram" and "seconds" not in name:
        return 1e3 if max(_bounds(sample, exports), default=0.0) > MS_FROM else 1.0
    return 1.0
