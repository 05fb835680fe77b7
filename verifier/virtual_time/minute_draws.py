"""Random numbers that belong to a minute of a scenario, not to an order of drawing.

A steady state is resampled minute by minute. What is drawn for a minute depends on the seed, the
purpose and that minute alone, so a rule that looks further back changes no draw of the last day.
Pure arithmetic; called by `verifier.virtual_time.simulation` and `.steady_state`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
               (np.uint64(27), np.uint64(0x94D049BB133111EB)))  # fmt: skip
_LAST_SHIFT: Final = np.uint64(31)


@dataclass(frozen=True, slots=True)
class MinuteDraws:
    """The draws of one seed for one purpose."""

    seed: int
    purpose: str

    def uniform(self, minutes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return a number in [0, 1) for each of `minutes` (n,), which may be negative.

        SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014)
        read by counter: its state after n steps is the key and n times its increment.
        """
        key = blake2b(f"{self.seed} {self.purpose}".encode(), digest_size=8).digest()
        with np.errstate(over="ignore"):
            state = np.uint64(int.from_bytes(key, "big")) + minutes.astype(np.uint64) * _GAMMA
            for shift, factor in _MIX:
                state = (state ^ (state >> shift)) * factor
            state ^= state >> _LAST_SHIFT
        return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
