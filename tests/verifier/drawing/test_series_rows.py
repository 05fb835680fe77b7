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
        ([870.0, 885.0, 900.0], [855.0, 870.0, 885.0, 900.0]),
        ([0.0, 15.0, 37.0], [0.0, 15.0, 37.0, 52.0]),  # late, but none is missing
        ([0.0, 15.0, 37.5], [0.0, 15.0, 37.5, 52.5]),
        ([0.0, 15.0, 38.0], [0.0, 15.0, 23.0, 30.0, 38.0, 53.0]),
        ([15.0, 30.0, 45.0], [0.0, 15.0, 30.0, 45.0, 60.0]),
        ([14.0, 29.0, 890.0], [14.0, 29.0, 44.0, 875.0, 890.0]),
        ([15.0, 870.0, 885.0], [0.0, 15.0, 30.0, 855.0, 870.0, 885.0, 900.0]),
        ([0.0, 15.0, 45.0, 60.0], [0.0, 15.0, 30.0, 45.0, 60.0, 75.0]),
        ([0.0, 600.0, 615.0, 900.0], [0.0, 15.0, 585.0, 600.0, 615.0, 630.0, 885.0, 900.0]),
        ([30.0, 45.0, 860.0], [15.0, 30.0, 45.0, 60.0, 845.0, 860.0, 875.0]),
    ],
)
def test_no_line_is_drawn_across_what_is_missing(
    times_s: list[float], drawn_s: list[float]
) -> None:
    """Every 15 s until 900: instants without a value stand at both ends of each gap."""
    assert (
        with_gaps(np.array(times_s), 15.0, 900.0 if len(times_s) > 2 else 0.0).tolist() == drawn_s
    )
