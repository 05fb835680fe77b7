"""What a function of one number must be given for its result. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INVERSES: Final[Mapping[str, Callable[[float], float]]] = {
    "ln": math.exp,
    "log2": lambda value: 2.0**value,
    "log10": lambda value: 10.0**value,
    "exp": math.log,
    "sqrt": lambda value: value * value,
    "rad": math.degrees,
    "deg": math.radians,
    "sin": math.asin,
    "cos": math.acos,
    "tan": math.atan,
}
"""Functions that are not here keep a constant value as it is, or are met as nearly as can be."""
