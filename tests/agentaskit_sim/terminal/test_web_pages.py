"""Addresses that answer: of servers with a page, with another page, with none, and silent ones."""

from __future__ import annotations

import pytest

from agentaskit_sim.terminal import web_pages
from agentaskit_sim.terminal.web_pages import alertmanager_page, prometheus_page
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.foreign_server import ForeignServer, ServerUnreachable
from verifier.servers.prometheus import Prometheus

URL = "http://127.0.0.1:9"


class FakeServer:
    """Answers what it has under a path, and is unreachable under others."""

    url = URL

    def __init__(self, **pages):
        """Take bodies by path; `root` is that of `/`."""
        self.pages = {f"/{path.replace('_', '/')}".replace("/" + "root", "/"): body
                      for path, body in pages.items()}  # fmt: skip

    def get(self, path):
        """Return the body, or be unreachable."""
        if path not in self.pages:
            raise ServerUnreachable(path)
        return self.pages[path]


@pytest.mark.parametrize(
    ("server", "path"),
    [
        (FakeServer(alerts=b"page"), "/alerts"),
        (FakeServer(classic_alerts=b"page"), "/classic/alerts"),
        (FakeServer(alerts=b"page", classic_alerts=b"page"), "/alerts"),
        (FakeServer(api_v1_alerts=b"{}"), "/api/v1/alerts"),
        (FakeServer(), "/alerts"),
    ],
)
def test_the_first_page_of_a_prometheus_that_answers_is_named(server, path):
    """Else its API; a server that is not there yet has the usual page."""
    assert prometheus_page(server) == URL + path


def test_an_alertmanager_without_a_page_is_named_by_its_api_and_amtool(monkeypatch, tmp_path):
    """The command can be typed: by its path where PATH does not lead to it."""
    amtool = tmp_path / "my tools" / "amtool"
    monkeypatch.setattr(web_pages, "find", lambda _: amtool)
    bare = FakeServer(root=b"<html>this package does not include a web application")
    assert alertmanager_page(bare) == (
        f"{URL}/api/v2/alerts",
        f"'{amtool}' --alertmanager.url={URL} alert",
    )
    monkeypatch.setattr(web_pages, "find", lambda _: None)
    assert alertmanager_page(bare) == (f"{URL}/api/v2/alerts", None)
    for server in (FakeServer(root=b'<script src="script.js">'), FakeServer()):
        assert alertmanager_page(server) == (f"{URL}/#/alerts", None)


def test_what_is_named_of_the_installed_servers_answers():
    """Whatever build of them this is."""
    with Prometheus() as prometheus:
        server = ForeignServer("Prometheus", prometheus.url)
        assert server.get(prometheus_page(server).removeprefix(server.url))
    with Alertmanager() as alertmanager:
        alertmanager.start("route: {receiver: a}\nreceivers: [{name: a}]\n")
        server = ForeignServer("Alertmanager", alertmanager.url)
        page, command = alertmanager_page(server)
        assert server.get(page.removeprefix(server.url).partition("#")[0])
        assert command is None or "api/v2" in page
