"""A record is handed on in pieces: of how many scrapes, how often, and stamped from when."""

from __future__ import annotations

import pytest

from exporter.history.stream import PIECE_SCRAPES, PIECE_VALUES, HistoryStream


class FakeRecorder:
    """Has so many series; what is taken of it is the epoch."""

    def __init__(self, series):
        """Name them all alike."""
        self.names = ("a",) * series

    def take(self, epoch_s):
        """Return the epoch."""
        return epoch_s


@pytest.mark.parametrize(
    ("series", "scrapes"),
    [
        (0, PIECE_SCRAPES),
        (300, PIECE_SCRAPES),
        (PIECE_VALUES // 50, 50),
        (2 * PIECE_VALUES, 1),
    ],
)
def test_a_piece_has_at_most_so_many_scrapes_and_about_so_many_values(series, scrapes):
    """And never none, however many series there are."""
    assert HistoryStream(print, 0.0).step(FakeRecorder(series)) == scrapes


def test_a_piece_is_handed_on_as_soon_as_it_is_whole_and_the_rest_when_asked():
    """Scrapes that were handed on count no more; the stamps count from the stream's epoch."""
    pieces = []
    stream, recorder = HistoryStream(pieces.append, 7.5), FakeRecorder(PIECE_VALUES // 50)
    counts = []
    for scrapes in (30, 19, 1, 49, 1, 120, 20):
        stream.recorded(recorder, scrapes)
        counts.append(len(pieces))
    assert counts == [0, 0, 1, 1, 2, 3, 3]
    stream.flush(recorder)
    stream.recorded(recorder, 49)
    assert pieces == [7.5] * 4
