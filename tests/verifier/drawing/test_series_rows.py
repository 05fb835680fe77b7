"""Series on one grid of times: a gap is a gap, of one sample too."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.drawing.series_rows import with_gaps


@pytest.mark.parametrize(
    ("times_s", "drawn_s"),
    [
        ([], []),
        ([0.0], [0.0]),
        ([0.0, 15.0, 30.0], [0.0, 15.0, 30.0]),
        ([0.0, 15.0, 37.0], [0.0, 15.0, 37.0]),  # late, but none is missing
        ([0.0, 15.0, 45.0, 60.0], [0.0, 15.0, 30.0, 45.0, 60.0]),
        ([0.0, 600.0, 615.0, 900.0], [0.0, 15.0, 600.0, 615.0, 630.0, 900.0]),
    ],
)
def test_no_line_is_drawn_across_what_is_missing(
    times_s: list[float], drawn_s: list[float]
) -> None:
    """Every 15 s: an instant without a value stands in each gap."""
    assert with_gaps(np.array(times_s), 15.0).tolist() == drawn_s
