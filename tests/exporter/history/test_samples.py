"""What is a sample: numbers, the end of a series, and a stored NaN; a plain NaN is none."""

from __future__ import annotations

import numpy as np

from exporter.history.samples import NAN_SAMPLE, STALE, sample_mask


def test_a_stale_marker_and_a_stored_nan_are_samples_and_a_plain_nan_is_none() -> None:
    """By their bits, as Prometheus tells them apart."""
    values = np.array([[1.0, np.nan, np.inf, 0.0], [np.nan, 0.0, -1.0, np.nan]])
    values[0, 3], values[1, 0] = STALE, NAN_SAMPLE
    assert sample_mask(values).tolist() == [[True, False, True, True], [True, True, True, False]]
