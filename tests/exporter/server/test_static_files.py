"""The files of the page: served from memory by their names, and what a browser may do with them."""

from __future__ import annotations

import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from charts.assets import STATIC
from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from exporter.server.landing import render_landing
from exporter.server.static_files import POLICY, StaticFiles
from tests.fakes import FakeWorld, MockClock


@pytest.fixture
async def client():
    """Return a client of a server with a page that moves."""
    exposition = Exposition(FakeWorld(), MockClock(), version="1", scenario="calm")
    async with TestClient(TestServer(build_app(exposition, live=True))) as client:
        yield client


async def test_each_file_has_its_type_and_the_policy(client):
    """Scripts and styles, for modules are run only by their type."""
    for name, kind in (
        ("page.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml"),
    ):  # fmt: skip
        answer = await client.get(f"/static/{name}")
        assert (answer.status, answer.content_type) == (200, kind)
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.charset == "utf-8"
        none = await client.get("/static/none.js")
        for header, value in (
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Content-Security-Policy", POLICY),
        ):  # fmt: skip
            assert answer.headers[header] == none.headers[header] == value
        assert await answer.read() == (STATIC / name).read_bytes()


async def test_a_file_is_sent_again_only_when_it_is_another(client):
    """By its tag; an update of the program shows at once."""
    answer = await client.get("/static/page.css")
    same = {"If-None-Match": answer.headers["ETag"]}
    again = await client.get("/static/page.css", headers=same)
    assert (again.status, await again.read()) == (304, b"")
    other = await client.get("/static/page.css", headers={"If-None-Match": '"other"'})
    assert other.status == 200


async def test_an_update_of_a_file_has_another_tag(tmp_path):
    """Of the same name; and the same bytes have the same tag in another run."""
    tags = []
    for text in ("1;", "2;", "1;"):
        (tmp_path / "a.js").write_text(text)
        app = web.Application()
        app.router.add_get("/{name}", StaticFiles(tmp_path).show)
        async with TestClient(TestServer(app)) as client:
            tags.append((await client.get("/a.js")).headers["ETag"])
    assert tags[0] == tags[2] != tags[1]


@pytest.mark.parametrize(
    "name", ["..%2fassets.py", "%2e%2e/assets.py", "../assets.py", "/etc/passwd", "none.js", "."]
)
async def test_no_name_leads_anywhere_else(client, name):
    """Only files that were read at the start, and none but scripts and styles."""
    answer = await client.get(f"/static/{name}")
    assert answer.status == 404
    assert "def " not in await answer.text()


def test_only_kinds_that_a_browser_needs_are_served(tmp_path):
    """A secret beside them is not."""
    (tmp_path / "a.js").write_text("1;")
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "b.css").write_text("")
    files = StaticFiles(tmp_path)
    assert "a.js" in files
    assert "vendor/b.css" in files
    assert "a.py" not in files


async def test_the_page_may_run_its_files_and_nothing_else(client):
    """No script and no style stands in the page itself, and nothing comes from other servers."""
    answer = await client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    own, nothing = "'self'", "'none'"
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == {
        "default-src": nothing, "script-src": own, "style-src": own, "connect-src": own,
        "img-src": own, "base-uri": nothing, "form-action": nothing, "frame-ancestors": nothing,
        "require-trusted-types-for": "'script'", "trusted-types": nothing,
    }  # fmt: skip
    text = await answer.text()
    assert inline_parts(text) == []
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    named = re.findall(r'(?:src|href)="static/([^"]+)"', text)
    assert "page.js" in named


def inline_parts(html):
    """Return what a policy without `unsafe-inline` would refuse."""
    return re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", html)


@pytest.mark.parametrize(
    "part", ["<script>x</script>", "<style>", '<a onclick="x">', '<p style="color:red">']
)
def test_inline_parts_would_be_noticed(part):
    """The check above bites."""
    assert inline_parts(part)


async def test_without_javascript_everything_that_was_there_is_there(client):
    """Facts, paths, and how to scrape."""
    text = await (await client.get("/")).text()
    for part in ("Virtual time", 'href="metrics"', "scrape_configs:", 'href="openapi.json"'):
        assert part in text


@pytest.mark.parametrize(
    ("scrape_s", "written"), [(15, "15s"), (15.0, "15s"), (1.5, "1500ms"), (0.25, "250ms")]
)
def test_the_page_says_how_often_to_scrape_in_words_of_prometheus(scrape_s, written):
    """Which knows no fraction of a second: in compressed time it is scraped more often."""
    page = render_landing((), "127.0.0.1:9464", scrape_s=scrape_s)
    assert f"    scrape_interval: {written}\n" in page
