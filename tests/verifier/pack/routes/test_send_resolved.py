"""Which integrations tell of the end by default: what the Alertmanager in use says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.request import urlopen

from documents.yaml_reader import parse_texts
from verifier.pack.routes.engine_check import ask_alertmanager
from verifier.pack.routes.reader import read_config
from verifier.servers.alertmanager import Alertmanager

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:1/"
BASIC = {"basic_auth": {"username": "u", "password": "p"}}
KINDS = {
    "discord": {"webhook_url": URL},
    "email": {"to": "a@example.org", "from": "b@example.org", "smarthost": "localhost:25"},
    "incidentio": {"url": URL, "alert_source_token": "t"},
    "jira": {"api_url": URL, "project": "p", "issue_type": "t", "http_config": BASIC},
    "mattermost": {"webhook_url": URL, "channel": "c"},
    "msteams": {"webhook_url": URL},
    "msteamsv2": {"webhook_url": URL},
    "opsgenie": {"api_key": "k"},
    "pagerduty": {"routing_key": "k"},
    "pushover": {"user_key": "k", "token": "t"},
    "rocketchat": {"token": "t", "token_id": "i", "channel": "c"},
    "slack": {"api_url": URL, "channel": "c"},
    "sns": {"topic_arn": "arn:aws:sns:x", "sigv4": {"region": "us-east-1"}},
    "telegram": {"bot_token": "t", "chat_id": 1},
    "victorops": {"api_key": "k", "routing_key": "r"},
    "webex": {"room_id": "r", "http_config": {"authorization": {"credentials": "k"}}},
    "webhook": {"url": URL},
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
