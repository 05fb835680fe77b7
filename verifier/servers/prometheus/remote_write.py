"""Encodes a history as Prometheus remote-write 1.0 requests, a whole series at a time.

Called by `verifier.servers.prometheus.client`, once by each sending thread. Timestamps in
milliseconds between 1971 and 2109 take six varint bytes, so that every sample is a record of 18
bytes and numpy writes them all at once. Format: prompb/remote.proto and prompb/types.proto of
Prometheus; snappy's block format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from cramjam import snappy

from exporter.history.samples import sample_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import Block, History, LabelSet

REQUEST_COLUMNS_MAX: Final = 200
"""Most samples of one series in a request, 50 minutes of scrapes; ten times as many measured a
third slower. Not a time: thirty days in steps of five minutes were 860 requests of ten samples
each, which cost both sides more than the samples in them."""

REQUEST_SAMPLES_MAX: Final = 200_000
"""Most samples in one request, about 3.6 MB: bounds the memory of both sides."""

_SAMPLE_BYTES: Final = 18
"""A Sample message with its tag and length: 2, value 1 + 8, timestamp 1 + 6."""
_TIMESTAMP_MIN_MS: Final = 1 << 35
_TIMESTAMP_END_MS: Final = 1 << 42


def requests(history: History, share: int = 0, shares: int = 1) -> Iterator[tuple[bytes, int]]:
    """Yield (compressed body, number of samples) of each request, in time order.

    `shares` threads, numbered by `share`, divide the history between them series by series.
    Raises ValueError for a timestamp outside 1971 to 2109 or a label set without a name.
    """
    for body, samples in _bodies(history, share, shares):
        yield bytes(snappy.compress_raw(body)), samples


def joined_requests(
    histories: Iterable[History], share: int = 0, shares: int = 1
) -> Iterator[tuple[bytes, int]]:
    """Yield the requests of many histories, no series in two of them, small ones joined to one."""
    waiting: list[bytes] = []
    waiting_samples = 0
    for number, history in enumerate(histories):
        # Most histories of rules hold one series: each thread gets every other of them.
        for body, samples in _bodies(history, (share + number) % shares, shares):
            if waiting and waiting_samples + samples > REQUEST_SAMPLES_MAX:
                yield bytes(snappy.compress_raw(b"".join(waiting))), waiting_samples
                waiting, waiting_samples = [], 0
            waiting.append(body)  # messages one after another are one message with all of both
            waiting_samples += samples
    if waiting:
        yield bytes(snappy.compress_raw(b"".join(waiting))), waiting_samples


def _bodies(history: History, share: int, shares: int) -> Iterator[tuple[bytes, int]]:
    """Yield (body, number of samples) of each request."""
    labels = [encode_labels(label_set) for label_set in history.series]
    for block in history.blocks:
        yield from _block_bodies(block, np.flatnonzero(block.series % shares == share), labels)


def block_requests(
    block: Block, rows: NDArray[np.intp], labels: Sequence[bytes]
) -> Iterator[tuple[bytes, int]]:
    """Yield (compressed body, number of samples) of the requests for some `rows` of a block.

    `labels` are those of every series, encoded. The same samples are the same bytes each time.
    """
    for body, samples in _block_bodies(block, rows, labels):
        yield bytes(snappy.compress_raw(body)), samples


def _block_bodies(
    block: Block, rows: NDArray[np.intp], labels: Sequence[bytes]
) -> Iterator[tuple[bytes, int]]:
    for columns in _request_columns(len(block.timestamps_ms), len(rows)):
        body, samples = _encode(block, rows, columns, labels)
        if samples:
            yield body, samples


def encode_labels(labels: LabelSet) -> bytes:
    """Return the `labels` fields of a TimeSeries message."""
    names = [name for name, _ in labels]
    if "__name__" not in names or names != sorted(set(names)):
        raise ValueError(f"labels must be sorted and contain __name__ once, got {labels}")
    out = bytearray()
    for name, value in labels:
        pair = b"\x0a" + _prefixed(name.encode()) + b"\x12" + _prefixed(value.encode())
        out += b"\x0a" + _prefixed(pair)
    return bytes(out)


def _request_columns(columns: int, rows: int) -> Iterator[slice]:
    """Cut a block's columns so that each slice of `rows` rows respects both bounds of a request."""
    columns_max = max(1, min(REQUEST_COLUMNS_MAX, REQUEST_SAMPLES_MAX // max(1, rows)))
    for start in range(0, columns, columns_max):
        yield slice(start, min(start + columns_max, columns))


def _encode(
    block: Block, rows: NDArray[np.intp], columns: slice, labels: Sequence[bytes]
) -> tuple[bytes, int]:
    """Return the WriteRequest message of a part of a block and its number of samples."""
    values = np.ascontiguousarray(block.values[rows, columns], dtype="<f8")
    records = _sample_records(block.timestamps_ms[columns], values)
    mask = sample_mask(values)
    flat = (records if mask.all() else records[mask]).reshape(-1).data
    parts: list[bytes | memoryview] = []
    position = 0
    for series, count in zip(block.series[rows].tolist(), mask.sum(axis=1).tolist(), strict=True):
        if not count:
            continue
        size = count * _SAMPLE_BYTES
        label_bytes = labels[series]
        parts.append(b"\x0a" + _varint(len(label_bytes) + size) + label_bytes)
        parts.append(flat[position : position + size])
        position += size
    return b"".join(parts), position // _SAMPLE_BYTES


def _sample_records(
    timestamps_ms: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return the Sample messages, uint8 (m, n, 18), of `values` (m, n) at `timestamps_ms` (n,)."""
    if len(timestamps_ms) and not (
        timestamps_ms[0] >= _TIMESTAMP_MIN_MS and timestamps_ms[-1] < _TIMESTAMP_END_MS
    ):
        raise ValueError(
            f"timestamps must be from {_TIMESTAMP_MIN_MS} to below {_TIMESTAMP_END_MS} ms,"
            f" got {timestamps_ms[0]} to {timestamps_ms[-1]}"
        )
    records = np.empty((*values.shape, _SAMPLE_BYTES), dtype=np.uint8)
    records[..., 0] = 0x12  # field samples of TimeSeries, length-delimited
    records[..., 1] = _SAMPLE_BYTES - 2
    records[..., 2] = 0x09  # field value of Sample, 64 bit
    records[..., 3:11] = values.view(np.uint8).reshape(*values.shape, 8)
    records[..., 11] = 0x10  # field timestamp of Sample, varint
    for byte in range(6):
        continuation = 0x80 if byte < 5 else 0
        records[..., 12 + byte] = ((timestamps_ms >> (7 * byte)) & 0x7F) | continuation
    return records


def _prefixed(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
