"""From where a page comes, how it is asked for, and what is said where none comes."""

from __future__ import annotations

import http.client
import io
import urllib.error

import pytest

from documents.mistakes import InputError
from exporter.mapping.metric_mapping import MetricMapping
from tests.exporter.mapping.mappings import BY_CODE
from verifier.check.exports import sources
from verifier.check.exports.families import TARGET_LABELS
from verifier.check.exports.sources import read_exports
from verifier.errors import JudgeError

ADDRESS = "http://127.0.0.1:1/metrics"


@pytest.fixture
def answering(monkeypatch):
    """Return a function that lets every address answer so, and the requests that were made."""
    asked = []

    def make(answer):
        def urlopen(request, timeout):
            asked.append((request.full_url, request.headers, timeout))
            if isinstance(answer, Exception):
                raise answer
            return io.BytesIO(answer)

        monkeypatch.setattr(sources.urllib.request, "urlopen", urlopen)
        return asked

    return make


def test_an_exporter_is_asked_once_for_its_page(answering):
    """For the text format first; what it has besides the format is read as far as it can be."""
    asked = answering(b'a{x="1"} 1\na{x="\xff"} 1\n')
    exports = read_exports([ADDRESS])
    assert exports.source == ADDRESS
    assert exports.series == {"a": ((("x", "1"),), (("x", "\ufffd"),))}
    assert asked == [(ADDRESS, {"Accept": "text/plain;version=0.0.4;q=1,*/*;q=0.1"}, 20.0)]
    read_exports([ADDRESS.replace("http", "https")])
    assert asked[1][0] == "https://127.0.0.1:1/metrics"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            urllib.error.HTTPError(ADDRESS, 404, "Not Found", {}, None),
            "answers with status 404: is it a /metrics page?",
        ),
        (urllib.error.URLError("refused"), "no page: refused. Is the exporter running, or"),
        (TimeoutError("timed out"), "no page: timed out. Is the exporter running, or"),
        (http.client.BadStatusLine("x"), "no page: x. Is the exporter running, or"),
        (b"a 1\nb 22\n", "the page is longer than 8 bytes"),
    ],
)
def test_what_gives_no_page_cannot_be_judged(answering, monkeypatch, answer, said):
    """With the address, and what to do."""
    monkeypatch.setattr(sources, "PAGE_BYTES_MAX", 8)
    answering(answer)
    with pytest.raises(JudgeError) as caught:
        read_exports([ADDRESS])
    assert str(caught.value).startswith(f"{ADDRESS}: {said}")


def test_a_page_may_be_as_long_as_the_limit(answering, monkeypatch, tmp_path):
    """Of an address and of a file alike."""
    monkeypatch.setattr(sources, "PAGE_BYTES_MAX", 8)
    answering(b"a 1\nb 2\n")
    path = tmp_path / "page"
    path.write_text("a 1\nb 2\n")
    assert [*read_exports([ADDRESS]).series] == [*read_exports([str(path)]).series] == ["a", "b"]
    path.write_text("a 1\nb 22\n")
    with pytest.raises(InputError):
        read_exports([str(path)])


def test_several_pages_are_joined_and_our_own_catalogue_stands_for_none(tmp_path):
    """Each with the labels of the target, and those that are named besides."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text('a{job="own",zone="z",x="1"} 1\n')
    second.write_text("b 1\n")
    exports = read_exports([str(first), str(second)], ["zone"])
    assert exports.source == f"{first}, {second}"
    assert exports.target_labels == TARGET_LABELS | {"zone"}
    assert {name: [dict(each) for each in sets] for name, sets in exports.series.items()} == {
        "a": [{"exported_job": "own", "exported_zone": "z", "x": "1"}],
        "b": [{}],
    }
    own = read_exports([], ["zone"])
    assert own.source == "the catalogue of agentaskit-sim"
    assert own.target_labels == TARGET_LABELS | {"zone"}
    assert "up" not in own.series
    assert "http_requests_total" in own.series


def test_what_a_mapping_makes_stands_in_the_place_of_our_own_catalogue(tmp_path):
    """Beside the pages, before them; a type in dispute is unknown."""
    path = tmp_path / "page"
    path.write_text("b 1\n")
    mapped = MetricMapping((BY_CODE,)), "m.yaml"
    alone = read_exports([], ["zone"], mapped)
    assert alone.source == "what m.yaml makes"
    assert alone.target_labels == TARGET_LABELS | {"zone"}
    assert {n for sets in alone.series["http_requests_total"] for n, _ in sets} == {"code"}
    assert "agentaskit_tasks_in_flight" not in alone.series
    both = read_exports([str(path)], (), mapped)
    assert both.source == f"what m.yaml makes, {path}"
    assert set(both.series) == {*alone.series, "b"}
