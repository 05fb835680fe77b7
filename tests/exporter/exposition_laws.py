"""What must hold of every page of an exporter, and between one page and the next.

`PageLaws` reads the text as a client would and knows nothing of the catalogue: types, families
and buckets are what the page declares. It keeps the page before, to compare what counts.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise

SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})? (\S+)(?: # (.+))?$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
PARTS = {
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "counter": ("_total", "_created"),
    "info": ("_info",),
}
"""What the names of a family's samples may add to its own, by its type; nothing, too."""
ROUNDING = 1e-9


@dataclass
class Family:
    """One family as the page shows it; `samples` are (name, labels, value), in its order."""

    kind: str = ""
    helps: int = 0
    types: int = 0
    samples: list[tuple[str, str, float]] = field(default_factory=list)
    exemplars: list[str] = field(default_factory=list)


class PageLaws:
    """Checks pages in the order in which they were scraped."""

    def __init__(self):
        """Begin without a page."""
        self._before = {}

    def check(self, text, *, restarted=False):
        """Return every law that a page breaks; one after a restart may count from 0 again."""
        families, broken = read(text)
        for name, family in families.items():
            broken += declared_once(name, family)
            if family.kind == "histogram":
                broken += histogram_laws(name, family)
        series = [(name, labels) for f in families.values() for name, labels, _ in f.samples]
        broken += [f"{name}{labels}: twice" for name, labels in twice(series)]
        counts = counts_of(families)
        if not restarted:
            broken += self._fallen(counts)
        broken += [f"{s}: below 0" for s, v in counts.items() if not v >= 0]
        self._before = counts
        return broken

    def _fallen(self, counts):
        fallen = [s for s, value in counts.items() if value < self._before.get(s, -math.inf)]
        return [f"{series}: fell from {self._before[series]:g}" for series in fallen]


def read(text):
    """Return the families of a page by name, in its order, and what could not be read."""
    families, broken, name = {}, [], ""
    for line in text.splitlines():
        if line == "# EOF" or line.startswith("# UNIT "):
            continue
        if line.startswith("# "):
            _, what, name, rest = (*line.split(" ", 3), "")[:4]
            family = families.setdefault(name, Family())
            if family.samples:
                broken.append(f"{name}: described again after its samples")
            if what == "HELP":
                family.helps += 1
            else:
                family.types, family.kind = family.types + 1, rest
            continue
        match = SAMPLE.match(line)
        if match is None:
            broken.append(f"no sample: {line}")
            continue
        sample, labels, value, exemplar = match.groups()
        family = families.setdefault(name, Family())
        if sample not in {name, *(name + part for part in PARTS.get(family.kind, ()))}:
            broken.append(f"{sample}: among the samples of {name or 'no family'}")
        family.samples.append((sample, labels or "", float(value)))
        family.exemplars += [exemplar] if exemplar else []
    return families, broken


def declared_once(name, family):
    """Return whether a family has exactly one TYPE and one HELP, and no exemplar."""
    counted = (("TYPE", family.types), ("HELP", family.helps))
    broken = [f"{name}: {times} {what}" for what, times in counted if times != 1]
    return broken + [f"{name}: an exemplar, which nothing here has" for _ in family.exemplars]


def twice(series):
    """Return the series that occur more than once; labels are compared as a set."""
    seen, again = set(), []
    for name, labels in series:
        key = name, frozenset(LABEL.findall(labels))
        again += [(name, labels)] if key in seen else []
        seen.add(key)
    return again


def counts_of(families):
    """Return the values, by series, of whatever must not fall."""
    return {
        name + labels: value
        for family in families.values()
        if family.kind in ("counter", "histogram")
        for name, labels, value in family.samples
    }


def histogram_laws(name, family):
    """Return what is wrong with the buckets, sums and counts of a family."""
    groups = {}
    for sample, labels, value in family.samples:
        own = dict(LABEL.findall(labels))
        edge = own.pop("le", None)
        place = ",".join(f"{key}={text}" for key, text in sorted(own.items()))
        group = groups.setdefault(place, {"le": []})
        if edge is not None:
            group["le"].append((float(edge), value))
        else:
            group[sample.removeprefix(name)] = value
    return [f"{name}{{{labels}}}: {law}" for labels, g in groups.items() for law in group_laws(g)]


def group_laws(group):
    """Return the laws that one histogram breaks."""
    buckets, total, count = group["le"], group.get("_sum"), group.get("_count")
    if not buckets or total is None or count is None:
        return ["needs buckets, a sum and a count"]
    broken = []
    if any(low >= high for (low, _), (high, _) in pairwise(buckets)):
        broken.append("buckets are not in order")
    if any(low > high for (_, low), (_, high) in pairwise(buckets)):
        broken.append("a bucket holds fewer than the one below")
    if buckets[-1] != (math.inf, count):
        broken.append(f"the bucket +Inf must hold all {count:g}")
    edges = [0.0, *(edge for edge, _ in buckets)]
    held = [0.0, *(value for _, value in buckets)]
    steps = list(zip(pairwise(edges), pairwise(held), strict=True))
    least = sum(low * (high - below) for (low, _), (below, high) in steps)
    # Of a bucket without anything in it, not even the edge counts: infinity times 0.
    most = sum(high * (n - below) for (_, high), (below, n) in steps if n > below)
    if not least * (1 - ROUNDING) <= total <= most * (1 + ROUNDING):
        broken.append(f"the sum {total:g} is not from {least:g} to {most:g}")
    return broken
