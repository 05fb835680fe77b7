"""A routing as it is loaded, with an Alertmanager that is planted: nothing is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from documents.mistakes import InputError
from tests.verifier.pack.routing_files import GOOD, receivers
from verifier.pack.routes import routing as routing_module
from verifier.pack.routes.engine_check import EngineOpinion
from verifier.pack.routes.routing import load_routing

URL = "http://127.0.0.1:1/secret"


@pytest.fixture
def loading(tmp_path, monkeypatch):
    """Return a function that loads a text, of which an Alertmanager says something."""

    def load(text, words="", version="0.27.0"):
        path = tmp_path / "am.yml"
        path.write_text(text)
        opinion = EngineOpinion(version, words)
        monkeypatch.setattr(routing_module, "ask_alertmanager", lambda _: opinion)
        return load_routing(path)

    return load


def refused(load, *args):
    """Return what is wrong with a text, without its folder."""
    with pytest.raises(InputError) as caught:
        load(*args)
    return [Path(line).name for line in str(caught.value).splitlines()]


TWO = """\
route: {receiver: both, routes: [{receiver: end, matchers: [a=b]}]}
receivers:
  - name: both
    slack_configs: [{channel: x, api_url: 'http://127.0.0.1/'}]
    webhook_configs: [{url: 'http://127.0.0.1/', send_resolved: false}]
  - name: end
    slack_configs: [{channel: x, api_url: 'http://127.0.0.1/', send_resolved: true}]
  - name: mixed
    slack_configs: [{channel: x, api_url: 'http://127.0.0.1/'}]
    webhook_configs: [{url: 'http://127.0.0.1/'}]
  - name: default
    email_configs: [{to: a@b, from: a@b, smarthost: 'localhost:25'}]
  - name: none
"""


def test_a_receiver_is_told_of_the_end_where_any_of_its_integrations_is(loading):
    """And where none is, it is said why; what has no integration is no webhook."""
    routing = loading(TWO)
    assert routing.receivers == ("both", "end", "mixed", "default")
    assert routing.unsent_ends == {
        "both": "send_resolved of its slack_configs and webhook_configs is false",
        "default": "send_resolved of its email_configs is false by default",
    }
    assert json.loads(routing.config(URL, 1))["receivers"] == [
        {"name": "both", "webhook_configs": [{"url": f"{URL}/both", "send_resolved": False}]},
        {"name": "end", "webhook_configs": [{"url": f"{URL}/end", "send_resolved": True}]},
        {"name": "mixed", "webhook_configs": [{"url": f"{URL}/mixed", "send_resolved": True}]},
        {"name": "default", "webhook_configs": [{"url": f"{URL}/default", "send_resolved": False}]},
        {"name": "none"},
    ]


def test_the_routes_that_depend_on_the_hour_are_those_that_are_muted_or_active(loading):
    """At any depth, in the order of the file."""
    hours = "time_intervals: [{name: x, time_intervals: [{months: ['1']}]}]\n"
    routes = """\
route:
  receiver: rest
  routes:
    - receiver: a
      matchers: [a="1"]
      mute_time_intervals: [x]
    - receiver: b
      matchers: [a="2"]
      routes:
        - receiver: c
          matchers: [b="1"]
          active_time_intervals: [x]
        - receiver: d
          matchers: [b="2"]
"""
    routing = loading(routes + receivers("rest", "a", "b", "c", "d") + hours)
    assert [place.line for place in routing.timed_routes] == [4, 10]
    assert loading(GOOD).timed_routes == ()


def test_what_an_alertmanager_takes_and_is_not_understood_here_is_a_finding(loading):
    """With its place; a key that nobody knows is its own business, and the rest is read."""
    later = "group_interval: 1m\n      of_a_later_version: x"
    text = GOOD.replace("group_interval: 1m", later) + "global: {resolve_timeout: 5}\n"
    taken = [str(finding) for finding in loading(text).findings]
    timeout = "duration must be written like 30s, 5m or 1h30m, got '5'"
    assert [Path(line).name for line in taken] == [
        f"am.yml:14:27: Alertmanager takes it, it is not understood here: {timeout}"
    ]
    alone = refused(loading, text, "", "")
    assert f"am.yml:14:27: {timeout}" in alone
    assert any("of_a_later_version" in line for line in alone)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("no global SMTP smarthost set", "am.yml:12:"),
        ("no global Slack API URL set", "am.yml:4:"),
        ("missing url for webhook", "am.yml:5:"),
        ("whatever else", "am.yml: "),
        ("yaml: line 3: nothing", "am.yml:3:1: "),
    ],
)
def test_what_an_alertmanager_has_against_an_integration_stands_there(loading, words, line):
    """Mail is what it calls SMTP; a place of its own stays."""
    (said,) = refused(loading, TWO, words)
    assert said.startswith(line), said
    assert said.endswith(f"Alertmanager 0.27.0 refuses it: {words.removeprefix('yaml: line 3: ')}")
