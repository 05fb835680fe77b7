"""Rendering: both formats, read by prometheus_client's own parsers, once per page."""

from __future__ import annotations

import gzip
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.page import OPENMETRICS, TEXT, Page, accepts_gzip, choose_content_type
from exporter.metrics.series import NAME
from exporter.metrics.series_text import SeriesReading, SeriesText, deflate
from tests.exporter.contract import METRICS
from tests.fakes import FakeWorld
from verifier.servers.binaries import require


@pytest.fixture
def world():
    """Return a world after one second."""
    world = FakeWorld()
    world.advance(1.0)
    return world


@pytest.fixture
def page(world):
    """Return the page of the world's catalogue."""
    catalogue = catalogue_world(world.snapshot())
    values = catalogue.flatten(world.snapshot())
    return Page([SeriesReading(SeriesText(catalogue), values)])


def samples_of(text, parse):
    """Return {label set with the name: value} of a page."""
    return {
        tuple(sorted({NAME: sample.name, **sample.labels}.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(("content_type", "parse"), [(TEXT, parse_text),
                                                     (OPENMETRICS, parse_openmetrics)])  # fmt: skip
def test_a_page_has_exactly_the_series_of_the_catalogue(page, world, content_type, parse):
    """Every series of the vector, no other, to the last digit, in both formats."""
    catalogue = catalogue_world(world.snapshot())
    text = page.body(content_type, compressed=False).decode()
    expected = dict(zip(catalogue.series, catalogue.flatten(world.snapshot()), strict=True))
    assert samples_of(text, parse) == expected


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", METRICS)
def test_both_formats_declare_the_type_of_the_contract(page, name):
    """The gauge named `_total` is a gauge, the counters without it are of unknown type."""
    kind = METRICS[name][0]
    text = page.body(TEXT, compressed=False).decode()
    assert f"# TYPE {name} {'untyped' if kind == 'unknown' else kind}\n" in text
    openmetrics = page.body(OPENMETRICS, compressed=False).decode()
    family = name.removesuffix("_total") if kind == "counter" else name
    assert f"# TYPE {family} {kind}\n" in openmetrics


def test_no_created_series_and_a_proper_end(page):
    """Creation times would double the counters' series."""
    for content_type in (TEXT, OPENMETRICS):
        assert b"_created" not in page.body(content_type, compressed=False)
    assert page.body(OPENMETRICS, compressed=False).endswith(b"\n# EOF\n")


def test_compressed_bodies_contain_the_plain_bodies(page):
    """Both encodings are one page."""
    for content_type in (TEXT, OPENMETRICS):
        plain = page.body(content_type, compressed=False)
        compressed = page.body(content_type, compressed=True)
        assert gzip.decompress(compressed) == plain
        assert len(compressed) < len(plain) / 3


class CountingPart:
    """A part of a page that counts how often it is written."""

    def __init__(self):
        """Start at 0."""
        self.texts = self.stretches = 0

    def text(self, _):
        """Write a page of one line."""
        self.texts += 1
        return b"page 1\n"

    def deflated(self, _):
        """Write it compressed."""
        self.stretches += 1
        return deflate(b"page 1\n")


def test_a_page_is_rendered_once_for_all_scrapes():
    """Fifty scrapes within a tick cost one rendering."""
    part = CountingPart()
    page = Page([part])
    for _ in range(50):
        assert gzip.decompress(page.body(TEXT, compressed=True)) == b"page 1\n"
        assert page.body(TEXT, compressed=False) == b"page 1\n"
    assert (part.texts, part.stretches) == (1, 1)


def test_a_page_knows_how_long_its_rendering_took():
    """Each rendering once, and nothing for what is there already."""
    seconds = iter(range(100))
    page = Page([CountingPart()], lambda: next(seconds))
    page.body(TEXT, compressed=True)
    page.body(TEXT, compressed=False)
    page.body(OPENMETRICS, compressed=False)
    assert page.rendering_s == 2


def lint(text):
    """Return the complaints of `promtool check metrics`."""
    tool = require("promtool")
    done = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, check=False)
    return done.stderr.decode().splitlines()


def test_promtool_finds_nothing_but_the_gauge_that_must_be_called_total(page):
    """The one known exception is the contract's own."""
    assert lint(page.body(TEXT, compressed=False)) == [
        'agentaskit_sandbox_pool_total non-counter metrics should not have "_total" suffix'
    ]


def test_promtool_would_find_a_metric_without_help(page):
    """The linter works: a page without one of its help texts is not clean."""
    text = page.body(TEXT, compressed=False).decode()
    (line,) = (line for line in text.splitlines() if line.startswith("# HELP http_requests_total"))
    incomplete = text.replace(f"{line}\n", "").encode()
    assert "http_requests_total no help text" in lint(incomplete)


PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
    "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4", TEXT),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=nonsense", TEXT),
        ("application/vnd.google.protobuf", TEXT),
        ("application/openmetrics-text,text/plain", OPENMETRICS),
        ("text/plain,application/openmetrics-text", TEXT),
        ("text/*,application/openmetrics-text", TEXT),
        ("*/*;q=0.5,text/html,application/openmetrics-text;q=0.5", TEXT),
        (",;,=;q", TEXT),
    ],
)
def test_the_format_is_the_clients_preference(accept, expected):
    """Headers of Prometheus 2.42 and 3.x, browsers, curl, broken clients; of equals the first."""
    assert choose_content_type(accept) == expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("br, zstd", False),
    ],
)
def test_gzip_is_used_only_for_a_client_that_accepts_it(accept_encoding, expected):
    """A client that forbids it gets a plain page."""
    assert accepts_gzip(accept_encoding) is expected


def test_gzip_is_sent_only_to_who_names_it():
    """A star names nothing, and a client may not know it."""
    assert accepts_gzip("br, gzip;q=0.1")
    for header in ("*", "*;q=1", "gzip;q=0", "", "gzip;q=x"):
        assert not accepts_gzip(header)
