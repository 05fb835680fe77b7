"""The fast encoder against a slow one written from the protocol's definition."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from cramjam import snappy
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.history.samples import EPOCH_S, STALE, STALE_BITS, Block, History
from tests.verifier.histories import history, labels, row
from verifier.servers.prometheus.remote_write import (
    REQUEST_COLUMNS_MAX,
    REQUEST_SAMPLES_MAX,
    joined_requests,
    requests,
)


def varint(value: int) -> bytes:
    """Encode an unsigned integer in base 128, least significant group first."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def field(number: int, payload: bytes) -> bytes:
    """Encode a length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def plain_request(sent: History) -> bytes:
    """Encode a history of one block as one WriteRequest, sample by sample."""
    out = b""
    (block,) = sent.blocks
    for index, values in zip(block.series, block.values, strict=True):
        samples = b""
        for time_ms, value in zip(block.timestamps_ms, values, strict=True):
            bits = struct.unpack("<Q", struct.pack("<d", value))[0]
            if np.isnan(value) and bits != STALE_BITS:
                continue
            value_field = varint(1 << 3 | 1) + struct.pack("<Q", bits)
            samples += field(2, value_field + varint(2 << 3 | 0) + varint(int(time_ms)))
        if samples:
            pairs = [
                field(1, field(1, name.encode()) + field(2, text.encode()))
                for name, text in sent.series[index]
            ]
            out += field(1, b"".join(pairs) + samples)
    return out


def bodies(sent: History, share: int = 0, shares: int = 1) -> list[bytes]:
    """Return the requests of a history, uncompressed."""
    return [bytes(snappy.decompress_raw(body)) for body, _ in requests(sent, share, shares)]


sample = st.one_of(st.floats(allow_nan=False), st.sampled_from([float(STALE), float("nan")]))
label_text = st.text(max_size=300).filter(
    lambda text: not any("\ud800" <= c < "\ue000" for c in text)
)


@settings(deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.tuples(label_text, st.lists(sample, min_size=width, max_size=width)), max_size=4
        )
    )
)
def test_every_byte_is_what_a_plain_protobuf_encoder_writes(
    table: list[tuple[str, list[float]]],
) -> None:
    """Any values, gaps, stale markers and label texts give the same message."""
    if not table:
        return
    names = [labels(f"m{i}", text=text) for i, (text, _) in enumerate(table)]
    sent = history({name: values for name, (_, values) in zip(names, table, strict=True)})
    assert b"".join(bodies(sent)) == plain_request(sent)


def test_a_wrong_byte_is_noticed() -> None:
    """The comparison above can fail: one bit of one value changes the message."""
    sent = history({labels("a"): [1.0, 2.0]})
    other = history({labels("a"): [1.0, 2.0000000000000004]})
    assert bodies(sent)[0] != plain_request(other)


def test_the_number_of_samples_counts_stale_markers_and_no_gaps() -> None:
    """A gap is no sample, a stale marker is sent."""
    sent = history({labels("a"): row("1 . x 2"), labels("b"): row(". . . .")})
    assert [count for _, count in requests(sent)] == [3]


def test_requests_are_in_order_of_time_and_bounded_in_samples_of_a_series_and_in_all() -> None:
    """A long or a wide block is cut; every sample is sent once."""
    long = history({labels("a"): list(range(1000))})
    counts = [count for _, count in requests(long)]
    assert sum(counts) == 1000
    assert max(counts) == REQUEST_COLUMNS_MAX
    coarse = history({labels("a"): list(range(1000))}, step_s=300)
    assert [count for _, count in requests(coarse)] == counts
    wide = history({labels("a", i=str(i)): [1.0] * 10 for i in range(REQUEST_SAMPLES_MAX // 4)})
    assert [count for _, count in requests(wide)] == [REQUEST_SAMPLES_MAX] * 2 + [
        REQUEST_SAMPLES_MAX // 2
    ]


def test_shares_divide_the_history_without_loss_or_repetition() -> None:
    """Two threads together send what one alone does."""
    sent = history({labels("a", i=str(i)): row("1 2 . 3") for i in range(5)})
    together = [count for share in (0, 1) for _, count in requests(sent, share, 2)]
    assert sorted(together) == [6, 9]


def test_labels_out_of_order_or_without_a_name_are_refused() -> None:
    """Prometheus relies on the order of labels."""
    for wrong in ((("a", "1"),), (("b", "1"), ("__name__", "m")), (("__name__", "m"),) * 2):
        with pytest.raises(ValueError, match="labels must be sorted and contain __name__ once"):
            list(requests(history({wrong: [1.0]})))


def test_a_timestamp_that_does_not_fit_is_refused() -> None:
    """Seconds in place of milliseconds would be read as January 1970."""
    for time_ms in (EPOCH_S, 1 << 42):  # that one would need a byte more
        block = Block(np.array([time_ms]), np.array([0]), np.array([[1.0]]))
        with pytest.raises(ValueError, match="timestamps must be from"):
            list(requests(History([labels("a")], [block])))


@pytest.mark.parametrize("length", [126, 127, 128, 129])
def test_a_length_of_two_bytes_begins_at_128(length: int) -> None:
    """For the value of a label, and for what it is part of."""
    sent = history({labels("a", b="x" * length): [1.0]})
    assert bodies(sent) == [plain_request(sent)]


def test_blocks_that_overlap_are_refused() -> None:
    """Time in a history only goes forward."""
    block = history({labels("a"): [1.0, 2.0]}).blocks[0]
    with pytest.raises(ValueError, match="blocks must follow each other in time"):
        History([labels("a")], [block, block])
    with pytest.raises(ValueError, match="timestamps_ms must be strictly ascending"):
        Block(np.array([2, 1]), np.array([0]), np.array([[1.0, 2.0]]))
    with pytest.raises(ValueError, match=r"values must be of shape \(1, 2\)"):
        Block(np.array([1, 2]), np.array([0]), np.array([[1.0]]))


def test_small_histories_are_joined_to_one_request_for_each_sender() -> None:
    """Ten thousand recordings must not be ten thousand requests; nothing is lost or repeated."""
    many = [history({labels(f"m{number}"): [1.0, 2.0]}) for number in range(30)]
    sent = [list(joined_requests(many, share, 2)) for share in (0, 1)]
    assert [[count for _, count in share] for share in sent] == [[30], [30]]
    for share, own in ((0, many[::2]), (1, many[1::2])):
        [(body, _)] = sent[share]
        assert bytes(snappy.decompress_raw(body)) == b"".join(map(plain_request, own))


def test_joined_requests_are_bounded_in_size() -> None:
    """What does not fit any more begins a request of its own."""
    rows, columns = REQUEST_SAMPLES_MAX // (2 * REQUEST_COLUMNS_MAX) + 1, REQUEST_COLUMNS_MAX
    times = np.arange(columns) + 1_700_000_000_000
    many = [
        History(
            [labels(name, i=str(row)) for row in range(rows)],
            [Block(times, np.arange(rows), np.ones((rows, columns)))],
        )
        for name in "abc"
    ]
    half = [rows * columns] * 3
    assert [count for _, count in joined_requests(many)] == half
