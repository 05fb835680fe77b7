"""A routing as it is loaded, with an Alertmanager that is planted, and with the one in use.

Which integrations tell of the end by default, that one says of itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from documents.mistakes import InputError
from documents.yaml_reader import parse_texts
from tests.verifier.pack.routing_files import GOOD, receivers
from verifier.pack.routes import routing as routing_module
from verifier.pack.routes.engine_check import EngineOpinion, ask_alertmanager
from verifier.pack.routes.reader import read_config
from verifier.pack.routes.routing import load_routing
from verifier.servers.alertmanager import Alertmanager

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


HOOK = "http://127.0.0.1:1/"
BASIC = {"basic_auth": {"username": "u", "password": "p"}}
KINDS = {
    "discord": {"webhook_url": HOOK},
    "email": {"to": "a@example.org", "from": "b@example.org", "smarthost": "localhost:25"},
    "incidentio": {"url": HOOK, "alert_source_token": "t"},
    "jira": {"api_url": HOOK, "project": "p", "issue_type": "t", "http_config": BASIC},
    "mattermost": {"webhook_url": HOOK, "channel": "c"},
    "msteams": {"webhook_url": HOOK},
    "msteamsv2": {"webhook_url": HOOK},
    "opsgenie": {"api_key": "k"},
    "pagerduty": {"routing_key": "k"},
    "pushover": {"user_key": "k", "token": "t"},
    "rocketchat": {"token": "t", "token_id": "i", "channel": "c"},
    "slack": {"api_url": HOOK, "channel": "c"},
    "sns": {"topic_arn": "arn:aws:sns:x", "sigv4": {"region": "us-east-1"}},
    "telegram": {"bot_token": "t", "chat_id": 1},
    "victorops": {"api_key": "k", "routing_key": "r"},
    "webex": {"room_id": "r", "http_config": {"authorization": {"credentials": "k"}}},
    "webhook": {"url": HOOK},
    "wechat": {"api_secret": "s", "corp_id": "c"},
}
"""Every kind that a version knows, with what it needs to be taken."""


def config(kinds: list[str]) -> str:
    """Return a configuration with a receiver for each kind."""
    receivers = [{"name": kind, f"{kind}_configs": [KINDS[kind]]} for kind in kinds]
    return json.dumps({"route": {"receiver": kinds[0]}, "receivers": receivers})


def test_each_kind_tells_of_the_end_by_default_as_alertmanager_says(tmp_path: Path) -> None:
    """It shows its configuration with all defaults; it knows at least a dozen kinds."""
    path = tmp_path / "alertmanager.yml"
    known = []
    for kind in KINDS:
        path.write_text(config([kind]))
        if ask_alertmanager(path).is_taken:
            known.append(kind)
    assert len(known) >= 12
    with Alertmanager() as server:
        server.start(config(known))
        with urlopen(f"{server.url}/api/v2/status") as answer:  # noqa: S310 - on loopback
            shown = json.load(answer)["config"]["original"]
    (document,) = parse_texts(shown, "shown")
    said = {
        receiver["name"]: receiver[f"{receiver['name']}_configs"][0]["send_resolved"] == "true"
        for receiver in document.data["receivers"]
    }
    (document,) = parse_texts(config(known), "ours")
    read = {each.name: each.sends_resolved for each in read_config(document).receivers}
    assert read == said
    assert {kind for kind, sends in said.items() if not sends} >= {"email", "slack", "wechat"}
