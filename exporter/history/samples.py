"""History: a run's samples as columns, the only value that the recorder hands to the judge.

The recorder fills it, the judge pushes it to Prometheus and writes it out for promtool.
Only value types stand here: no metric name, no clock and no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EPOCH_S: Final = 1_767_571_200
"""Unix time of virtual time 0 in every history, 2026-01-05T00:00:00Z: fixed, for equal bytes."""

LabelSet: TypeAlias = tuple[tuple[str, str], ...]
"""Label pairs sorted by label name; contains `__name__`, and `job` and `instance` once scraped."""

STALE_BITS: Final = 0x7FF0000000000002
"""Bits of the NaN by which Prometheus marks a series as ended (model/value in its source)."""

STALE: Final = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]
"""The stale marker as float64. Copy it between arrays; arithmetic on it loses its bits."""

NAN_SAMPLE_BITS: Final = 0x7FF8000000000001
"""Bits of the NaN that Prometheus stores for a value that is not a number, such as 0 / 0."""

NAN_SAMPLE: Final = np.array([NAN_SAMPLE_BITS], dtype=np.uint64).view(np.float64)[0]
"""A sample that is not a number, as float64: a plain NaN is no sample. Copy it, as `STALE`."""


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of some series on a common grid of times.

    `timestamps_ms` int64 (n,), Unix milliseconds, strictly ascending. `series` int64 (m,), indices
    into `History.series`. `values` float64 (m, n); a plain NaN means "no sample here", the NaN
    with `STALE_BITS` is a sample: it ends its series; that with `NAN_SAMPLE_BITS` is one as well.
    """

    timestamps_ms: NDArray[np.int64]
    series: NDArray[np.int64]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Raise ValueError when shapes disagree or times do not ascend."""
        expected = (len(self.series), len(self.timestamps_ms))
        if self.values.shape != expected:
            raise ValueError(f"values must be of shape {expected}, got {self.values.shape}")
        if len(self.timestamps_ms) > 1 and not (np.diff(self.timestamps_ms) > 0).all():
            raise ValueError("timestamps_ms must be strictly ascending, got a step back or none")


@dataclass(frozen=True, slots=True)
class History:
    """All samples of a run: `series` names them, `blocks` follow each other in time."""

    series: Sequence[LabelSet]
    blocks: Sequence[Block]

    def __post_init__(self) -> None:
        """Raise ValueError when blocks overlap or are out of order in time."""
        last_ms = None
        for block in self.blocks:
            if not len(block.timestamps_ms):
                continue
            if last_ms is not None and block.timestamps_ms[0] <= last_ms:
                raise ValueError(
                    f"blocks must follow each other in time, got {block.timestamps_ms[0]} ms"
                    f" after {last_ms} ms"
                )
            last_ms = block.timestamps_ms[-1]

    @property
    def size(self) -> int:
        """The number of samples that its blocks have room for."""
        return sum(block.values.size for block in self.blocks)


def sample_mask(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where `values` has a sample: numbers, stale markers, and NaNs that are samples."""
    bits = values.view(np.uint64)
    mask: NDArray[np.bool_] = ~np.isnan(values) | (bits == STALE_BITS) | (bits == NAN_SAMPLE_BITS)
    return mask
