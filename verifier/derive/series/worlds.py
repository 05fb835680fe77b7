"""Input series of a test: what every series does, phase after phase.

Called for every question that an engine is asked, and for the tests that are written. A decoy does
all the time what the series beside it do while the alert fires. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.derive.series.levels import Level, PhaseWriter, bucket_rates
from verifier.promql.printing import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from verifier.derive.series.leaves import LeafSeries, SeriesLabels

ABSENT = Level("absent", 0.0)


@dataclass(frozen=True, slots=True)
class Phase:
    """`steps` evaluations with the same levels, by the selector's key; without any: no series."""

    steps: int
    levels: Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class InputSeries:
    """One series of a test, as promtool reads it."""

    series: str
    values: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How often is evaluated, and how often there is a sample; the first a multiple of it."""

    evaluation_s: float
    sample_s: float

    @property
    def samples(self) -> int:
        """How many samples there are for each evaluation."""
        return max(round(self.evaluation_s / self.sample_s), 1)


def input_series(
    series: Mapping[str, LeafSeries],
    phases: Sequence[Phase],
    timing: Timing,
    fire: Mapping[str, Level],
) -> tuple[InputSeries, ...]:
    """Return every series through all phases; each set of labels once."""
    lines: dict[str, str] = {}
    for key, planned in series.items():
        count = len(planned.rows)
        per_phase = [
            (phase.steps, phase.levels[key].rows(count) if phase.levels else [ABSENT] * count)
            for phase in phases
        ]
        for number, labels in enumerate(planned.rows):
            levels = [(steps, rows[number]) for steps, rows in per_phase]
            for name, text in _texts(planned.name, labels, levels, timing):
                lines.setdefault(name, text)
        usual = fire[key].rows(2)[0] if key in fire else ABSENT
        if usual.kind == "absent":
            usual = Level("gauge", 1.0)
        for labels in planned.decoys:
            levels = [(phase.steps, usual) for phase in phases]
            for name, text in _texts(planned.name, labels, levels, timing):
                lines.setdefault(name, text)
    return tuple(InputSeries(name, text) for name, text in lines.items() if _has_samples(text))


def _has_samples(text: str) -> bool:
    return any(not word.startswith("_") for word in text.split())


def _texts(
    name: str, labels: SeriesLabels, levels: Sequence[tuple[int, Level]], timing: Timing
) -> Iterator[tuple[str, str]]:
    """Yield a series and its values; of a histogram those of every bucket."""
    shape = next((level for _, level in levels if level.kind == "histogram"), None)
    if shape is None:
        yield selector(name, labels), _values(levels, timing)
        return
    per_phase = [
        (steps, dict(bucket_rates(level)) if level.kind == "histogram" else {})
        for steps, level in levels
    ]
    for bound, _ in bucket_rates(shape):
        bucket = [
            (steps, Level("counter", rates[bound]) if rates else ABSENT)
            for steps, rates in per_phase
        ]
        yield selector(name, {**labels, "le": bound}), _values(bucket, timing)


def _values(levels: Sequence[tuple[int, Level]], timing: Timing) -> str:
    merged: list[tuple[int, Level]] = []
    for steps, level in levels:
        if merged and merged[-1][1] == level:
            merged[-1] = merged[-1][0] + steps, level
        else:
            merged.append((steps, level))
    text = PhaseWriter(timing.sample_s)
    for steps, level in merged:
        text.phase(steps * timing.samples, level)
    return text.text()


def selector(name: str, labels: Mapping[str, str]) -> str:
    """Return a series as promtool reads it."""
    inside = ",".join(f"{key}={quoted(text)}" for key, text in labels.items() if key != "__name__")
    return f"{name}{{{inside}}}" if inside else name
