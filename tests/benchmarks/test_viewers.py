"""The benchmark of those who look on: its viewers read streams, and notice when one ends."""

from __future__ import annotations

import pytest

from benchmarks.viewers import StreamReaders
from tests.browser.page_server import PageServer


def test_viewers_read_what_comes():
    """Each at least the moment that comes at once, within the time that they read."""
    with PageServer() as server:
        readers = StreamReaders(f"127.0.0.1:{server.port}", 3)
        readers.read_for(1.5)
        readers.close()
    assert readers.read_bytes > 3 * 500


def test_a_stream_that_ends_is_an_error():
    """What costs nothing because nobody looks on is no measurement."""
    with PageServer() as server:
        readers = StreamReaders(f"127.0.0.1:{server.port}", 1)
        readers.read_for(0.2)
    with pytest.raises(ConnectionError):
        readers.read_for(5.0)
    readers.close()
