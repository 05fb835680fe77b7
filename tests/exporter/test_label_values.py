"""Any text survives as the value of a label: through parsers, and through a real Prometheus."""

from __future__ import annotations

import http.server
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from benchmarks.scraper import Scraper
from exporter.metrics.page import OPENMETRICS, TEXT, Page
from exporter.metrics.series import Catalogue, Label, Metric
from exporter.metrics.series_text import SeriesReading, SeriesText

PARSERS = {TEXT: parse_text, OPENMETRICS: parse_openmetrics}
VALUES = (
    'a "quoted" word', "'single'", "two\nlines", "{{ $labels.x }}", "{{", "}}", "\U0001f525",
    "back\\slash", "\\n is no newline", "ends with \\", '\\"', "a=b,c=d", "{}", " padded ", "tab\t",
    "# HELP x y", "e\u0301", "\u202eright to left", "caf\u00e9", "\u0000nul", "$1", "%s %d",
    "\U0001f1eb\U0001f1f7", "x" * 1000,
)  # fmt: skip
UNUSUAL = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    st.sampled_from('\\"n\n{}#,= \u2028\x85')
)


def page_of(values):
    """Return a page with one series for each value of a label, as the catalogue's are written."""
    metric = Metric(
        name="g",
        kind="gauge",
        help="A gauge.",
        read=lambda source: np.arange(len(source)),
        labels=(Label("text", lambda source: source),),
    )
    catalogue = Catalogue((metric,), tuple(values))
    return Page([SeriesReading(SeriesText(catalogue), catalogue.flatten(tuple(values)))])


def read_back(values, content_type, render=page_of):
    """Return the values as the library's parser reads them, in their order."""
    text = render(values).body(content_type, compressed=False).decode()
    (family,) = PARSERS[content_type](text)
    return [sample.labels["text"] for sample in family.samples]


@pytest.mark.parametrize("content_type", PARSERS)
def test_unusual_label_values_survive_a_parser(content_type):
    """Quotes, newlines, templates, emoji, backslashes."""
    assert read_back(VALUES, content_type) == list(VALUES)


@given(st.lists(UNUSUAL, min_size=1, max_size=5, unique=True))
def test_any_label_value_survives_a_parser(values):
    """Whatever Unicode can say."""
    # The library's text parser cuts lines at "\n" alone, and so does Prometheus.
    assert read_back(values, OPENMETRICS) == values


class Unescaped(Page):
    """A renderer that forgets to escape backslashes."""

    def body(self, content_type, *, compressed):
        """Return the page with every pair of backslashes made one."""
        return super().body(content_type, compressed=compressed).replace(b"\\\\", b"\\")


@pytest.mark.parametrize("content_type", PARSERS)
def test_a_renderer_that_escapes_badly_is_found(content_type):
    """The parser sees another text."""
    values = ["\\n is no newline"]
    planted = read_back(values, content_type, lambda v: Unescaped(page_of(v)._parts))
    assert planted != values


class ServedPage:
    """One page, whatever is asked for, in the format of the class's choice."""

    def __init__(self, page, content_type):
        """Serve `page` on a port of its own."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.end_headers()
                self.wfile.write(page.body(content_type, compressed=False))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.target = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        """Start answering."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def test_unusual_label_values_survive_a_real_prometheus():
    """Scraped in both formats, stored, asked for by the very text, and answered as JSON."""
    page = page_of(VALUES)
    with (
        ServedPage(page, TEXT) as text,
        ServedPage(page, OPENMETRICS) as openmetrics,
        Scraper({"text": text.target, "openmetrics": openmetrics.target}) as prometheus,
    ):
        prometheus.wait_for(f"count(g) == {2 * len(VALUES)}")
        for job in ("text", "openmetrics"):
            series = prometheus.query(f'g{{job="{job}"}}')
            stored = {int(s.points[0][1]): s.labels["text"] for s in series}
            assert [stored[place] for place in range(len(VALUES))] == list(VALUES)
