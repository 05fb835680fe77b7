"""Small histories and rule files for the tests of the judge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.history.samples import EPOCH_S, STALE, Block, History
from exporter.target import SCRAPE_S
from verifier.pack.rules import RuleFiles, load_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from exporter.history.samples import LabelSet


def labels(name: str, **others: str) -> LabelSet:
    """Return a sorted label set."""
    return tuple(sorted({"__name__": name, **others}.items()))


def history(
    series: Mapping[LabelSet, Sequence[float]], *, start_s: float = 0, step_s: float = SCRAPE_S
) -> History:
    """Return one block of equally long rows, the first column at virtual `start_s`."""
    values = np.array(list(series.values()), dtype=np.float64)
    times_s = EPOCH_S + start_s + step_s * np.arange(values.shape[1])
    timestamps_ms = np.rint(times_s * 1000).astype(np.int64)
    return History(list(series), [Block(timestamps_ms, np.arange(len(values)), values)])


def row(text: str) -> list[float]:
    """Read `1 . 0*3 x` as 1, no sample, three times 0, the stale marker."""
    values: list[float] = []
    for word in text.split():
        value, _, times = word.partition("*")
        number = {".": np.nan, "x": STALE}.get(value)
        values += [float(value) if number is None else number] * int(times or 1)
    return values


def rules(directory: Path, *written: Mapping[str, Any], interval: str = "15s") -> RuleFiles:
    """Write rules as one group into a file and load it."""
    return load_rules([write_rules(directory, *written, interval=interval)])


def write_rules(directory: Path, *written: Mapping[str, Any], interval: str = "15s") -> Path:
    """Write rules as one group into a file."""
    path = directory / "rules.yaml"
    document = {"groups": [{"name": "g", "interval": interval, "rules": [*written]}]}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
