"""Our text is the library's, byte for byte, in both formats, whatever values and labels are."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics import series_text as series_text_module
from exporter.metrics.catalogue import catalogue_burst, catalogue_world
from exporter.metrics.series import Catalogue, Label, Metric
from exporter.metrics.series_text import (
    END,
    OPENMETRICS,
    TEXT,
    SeriesReading,
    SeriesText,
    number_text,
)
from tests.exporter.metrics.library_page import collect, render
from tests.fakes import FakeWorld

FORMATS = (TEXT, OPENMETRICS)
AWKWARD = (
    'say "hi"', "two\nlines", "a\\b", "\\n", '\\"', "{{ $labels.x }}", "{{", "}", ",", "=", "# EOF",
    "", " ", "\r", "\t", "\u2028", "\x00", "\N{SNOWMAN}", "\N{PILE OF POO}", "e\u0301", "a" * 2_000,
)  # fmt: skip


def awkward_catalogue(*values):
    """Return one metric of each kind, with these values of its labels where it has any."""
    labels = (Label("zone", lambda _: values), Label("area", lambda _: values))
    kinds = (
        ("x_requests_total", "counter", ""), ("x_pool_total", "gauge", ""),
        ("x_bytes", "gauge", "bytes"), ("x_sent", "unknown", ""), ("x_build_info", "info", ""),
    )  # fmt: skip
    metrics = [
        Metric(name=name, kind=kind, help=f'the "{name}"\nof\\{kind}', unit=unit, labels=labels,
               read=lambda _: 0.0)
        for name, kind, unit in kinds
    ]  # fmt: skip
    metrics.append(
        Metric(name="x_seconds", kind="histogram", help="h", unit="seconds", read=lambda _: 0.0,
               bounds_s=(0.005, 0.1, 1.0, 2.5, 1e7))
    )  # fmt: skip
    return Catalogue(tuple(metrics), None)


def same(catalogue, values, present=None):
    """Compare both formats with the library's."""
    writer = SeriesText(catalogue)
    for content_type in FORMATS:
        text = writer.text(values, present, content_type) + END[content_type]
        assert text == render(content_type, *collect(catalogue, values, present))


def test_the_world_is_written_as_the_library_writes_it():
    """Every metric of the catalogue, over a busy second."""
    world = FakeWorld(rate=1000.0)
    world.advance(1.0)
    catalogue = catalogue_world(world.snapshot())
    same(catalogue, catalogue.flatten(world.snapshot()))


def test_a_burst_is_written_as_the_library_writes_it():
    """Many series of one family."""
    catalogue = catalogue_burst(1_000)
    same(catalogue, catalogue.flatten(1_000))


@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_label_values_are_escaped_as_the_library_escapes_them(value):
    """Quotes, newlines, backslashes, templates, emoji; and beside an ordinary one."""
    catalogue = awkward_catalogue(value, "plain")
    same(catalogue, np.arange(len(catalogue.series)) / 8)


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=3, unique=True))
def test_any_label_value_is_written_as_the_library_writes_it(values):
    """Whatever can be encoded."""
    catalogue = awkward_catalogue(*values)
    same(catalogue, np.arange(len(catalogue.series)) * 1.5)


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_any_number_is_written_as_the_library_writes_it(bits):
    """Infinities, NaN, the smallest, the largest, negative zero: by their bits."""
    (number,) = struct.unpack("<d", bits.to_bytes(8, "little"))
    assert number_text(number) == series_text_module.floatToGoString(number)


@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, 999999.0, 1e6, 1000000.5, 1234567.0, -1e6, -2e7,
                                    1e16, 1e17, 123456789012.25, 1e-7, 1.5e-300,
                                    float("inf"), float("-inf"), float("nan")])  # fmt: skip
def test_numbers_at_the_edges_are_written_as_the_library_writes_them(number):
    """Where Go begins to write an exponent, and what is no number."""
    assert number_text(number) == series_text_module.floatToGoString(number)


@given(st.integers(0, 2**32))
def test_what_is_not_present_is_left_out_as_by_the_library(seed):
    """Some series, some whole families, in turn with the same writer."""
    chance = np.random.default_rng(seed)
    catalogue = awkward_catalogue("a", "b")
    writer = SeriesText(catalogue)
    for share in (0.5, 1.0, 0.0, 0.9):
        present = chance.random(len(catalogue.series)) < share
        values = chance.random(len(catalogue.series))
        for content_type in FORMATS:
            text = writer.text(values, present, content_type) + END[content_type]
            assert text == render(content_type, *collect(catalogue, values, present))


def test_the_same_values_are_written_once(monkeypatch):
    """What has not changed costs nothing: neither text nor compression."""
    catalogue = awkward_catalogue("a", "b")
    writer, values = SeriesText(catalogue), np.ones(len(catalogue.series))
    first, stretch = writer.text(values, None, TEXT), writer.deflated(values, None, TEXT)
    monkeypatch.setattr(series_text_module, "number_text", pytest.fail)
    monkeypatch.setattr(series_text_module, "deflate", pytest.fail)
    assert writer.text(values.copy(), None, TEXT) is first
    assert writer.deflated(values.copy(), None, TEXT) is stretch


def test_only_numbers_that_changed_are_written_anew_and_each_but_once(monkeypatch):
    """Whatever changes between two pages, in both formats; the rest stays as it was."""
    catalogue, chance = catalogue_burst(500), np.random.default_rng(7)
    writer, values = SeriesText(catalogue), np.zeros(500)
    written = []
    monkeypatch.setattr(
        series_text_module, "number_text", lambda number: written.append(number) or repr(number)
    )
    for _ in range(20):
        changed = chance.random(500) < chance.random()
        values = np.where(changed, chance.integers(0, 5, 500) + 0.5, values)
        for content_type in FORMATS:
            written.clear()
            text = writer.text(values, None, content_type) + END[content_type]
            assert text == render(content_type, *collect(catalogue, values, None))
            assert len(written) == len(set(written)) <= 6


def test_a_change_that_is_overlooked_would_be_noticed(monkeypatch):
    """The comparison bites."""
    catalogue = catalogue_burst(10)
    writer = SeriesText(catalogue)
    writer.text(np.zeros(10), None, TEXT)
    monkeypatch.setattr(np, "flatnonzero", lambda differs: np.nonzero(differs)[0][:-1])
    assert writer.text(np.ones(10), None, TEXT) != render(TEXT, *collect(catalogue, np.ones(10)))


@pytest.mark.parametrize(("before", "after"), [(0.0, -0.0), (1.0, float("nan"))])
def test_values_that_only_differ_in_writing_are_written_anew(before, after):
    """0 equals -0, and NaN equals nothing."""
    catalogue = catalogue_burst(1)
    writer = SeriesText(catalogue)
    for number in (before, after, before):
        text = writer.text(np.array([number]), None, TEXT)
        assert text.endswith(f" {number_text(number)}\n".encode())


@pytest.mark.parametrize("content_type", FORMATS)
@pytest.mark.parametrize("present", [None, np.array([True, False])])
def test_after_a_change_the_compressed_text_has_the_new_numbers(present, content_type):
    """A client that asks for gzip is never left with the first page."""
    writer = SeriesText(catalogue_burst(2))
    for numbers in ((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 2.0)):
        reading = SeriesReading(writer, np.array(numbers), present)
        deflated = zlib.decompressobj(-15).decompress(reading.deflated(content_type))
        assert deflated == reading.text(content_type)
        assert f" {numbers[0]}\n".encode() in deflated


def test_an_older_reading_is_written_after_a_newer_one():
    """A page that is still asked for keeps its own numbers."""
    catalogue = catalogue_burst(2)
    writer = SeriesText(catalogue)
    old, new = (SeriesReading(writer, np.full(2, number)) for number in (1.0, 2.0))
    assert b" 2.0\n" in new.text(TEXT)
    assert b" 1.0\n" in old.text(TEXT)
    assert zlib.decompressobj(-15).decompress(old.deflated(TEXT)) == old.text(TEXT)


def test_a_missed_escape_would_be_noticed(monkeypatch):
    """The comparison bites: without the escapes the text is another."""
    monkeypatch.setattr(series_text_module, "_ESCAPES", {})
    catalogue = awkward_catalogue('say "hi"')
    with pytest.raises(AssertionError):
        same(catalogue, np.zeros(len(catalogue.series)))


def test_a_reading_counts_the_series_that_it_writes():
    """Those that are present."""
    world = FakeWorld()
    catalogue = catalogue_world(world.snapshot())
    values = catalogue.flatten(world.snapshot())
    present = np.arange(len(values)) % 3 == 0
    assert SeriesReading(SeriesText(catalogue), values).count == len(values)
    assert SeriesReading(SeriesText(catalogue), values, present).count == present.sum()
