"""Routing read and rewritten, and who is notified: compared with amtool's own answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.verifier.pack.routes.random_routes import receivers_by_amtool
from tests.verifier.pack.routing_files import GOOD, accepted, receivers
from verifier.pack.routes.routing import Routing, load_routing

if TYPE_CHECKING:
    from collections.abc import Callable

PACK = Path(__file__).parents[4] / "observability" / "alertmanager" / "alertmanager.yml"
URL = "http://127.0.0.1:1234/secret"
TREES = {
    "continue at two depths": """\
route:
  receiver: rest
  routes:
    - matchers: [a=~"x|y"]
      receiver: first
      continue: yes
      routes:
        - {matchers: [b="1"], receiver: one, continue: true}
        - {matchers: [b=~"1|2"], receiver: two}
    - {matchers: ['a="x", b!="2"'], receiver: second}
""",
    "a child without a receiver of its own": """\
route:
  receiver: rest
  routes:
    - receiver: first
      matchers: ['{a!=""}']
      routes: [{match: {b: "1"}}, {match: {b: "2"}, receiver: two}]
""",
    "the old forms beside the new": """\
route:
  receiver: rest
  routes:
    - {match: {a: x}, match_re: {b: "1|2"}, matchers: [c!~"z.*"], receiver: first}
    - {match: {a: ""}, receiver: second}
""",
    "a route that takes everything": """\
route:
  receiver: rest
  routes:
    - {receiver: one, continue: true}
    - {receiver: two}
    - {receiver: never}
""",
}
NAMES = ("rest", "first", "second", "one", "two", "never")
LABELS = (
    {},
    {"a": "x"},
    {"a": "y", "b": "1"},
    {"a": "x", "b": "2"},
    {"a": "x", "b": "1", "c": "zz"},
    {"a": "z", "b": "2", "c": "y"},
    {"b": "1"},
)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("tree", TREES)
def test_receivers_are_those_that_amtool_names(
    tmp_path: Path, read: Callable[[str], Routing], tree: str
) -> None:
    """As written, and as rewritten for a run."""
    text = TREES[tree] + receivers(*NAMES)
    routing = read(text)
    (tmp_path / "run.yml").write_text(routing.config(URL, 30), encoding="utf-8")
    for labels in LABELS:
        named = receivers_by_amtool(tmp_path / "alertmanager.yml", labels)
        assert list(routing.receivers_of(labels)) == named
        assert receivers_by_amtool(tmp_path / "run.yml", labels) == named


def test_a_walk_that_ignores_continue_would_be_detected(read: Callable[[str], Routing]) -> None:
    """The comparison above can fail: without `continue`, amtool's answer is another."""
    text = TREES["continue at two depths"] + receivers(*NAMES)
    labels = {"a": "x", "b": "1"}
    without = read(text.replace("continue: yes", "continue: no"))
    assert read(text).receivers_of(labels) == ("one", "two", "second")
    assert without.receivers_of(labels) == ("one", "two")


def test_the_packs_routing_is_the_contract() -> None:
    """Critical pages, warnings go to Slack, burn rates also to the SRE on call."""
    routing = load_routing(PACK)
    assert routing.receivers == ("pagerduty-critical", "slack-warnings", "sre-oncall")
    assert routing.findings == ()
    critical = {"alertname": "A", "severity": "critical"}
    assert routing.receivers_of(critical) == ("pagerduty-critical",)
    assert routing.receivers_of({"severity": "warning", "slo": "burn_rate"}) == (
        "sre-oncall", "slack-warnings",
    )  # fmt: skip
    assert routing.receivers_of({}) == ("slack-warnings",)
    assert routing.group_wait_s(critical) == 10
    assert routing.group_wait_s({**critical, "slo": "burn_rate"}) == 30
    assert routing.hold_s(critical) == 300


@pytest.mark.parametrize("factor", [1, 7, 30, 1e6])
def test_the_packs_routing_runs_at_any_time_compression(tmp_path: Path, factor: float) -> None:
    """Rounded up to a millisecond, nothing becomes the zero that Alertmanager refuses."""
    assert accepted(load_routing(PACK).config(URL, factor), tmp_path)


def test_every_interval_is_divided_and_alertmanagers_own_are_not_forgotten(
    read: Callable[[str], Routing],
) -> None:
    """A root route that names no interval has 30s, 5m and 4h, which must shrink as well."""
    config = json.loads(read(GOOD).config(URL, 30))
    assert config["global"] == {"resolve_timeout": "10000ms"}
    root = config["route"]
    assert [root["group_wait"], root["group_interval"]] == ["1000ms", "10000ms"]
    assert [root["repeat_interval"], root["group_by"]] == ["480000ms", ["alertname"]]
    assert root["routes"] == [
        {"matchers": ['team="db"'], "receiver": "page", "group_interval": "2000ms"}
    ]
    text = "global: {resolve_timeout: 1m}\n" + GOOD.replace(
        "  receiver: mail", "  receiver: mail\n  group_wait: 0s\n  repeat_interval: 100ms"
    )
    config = json.loads(read(text).config(URL, 30))
    assert config["global"] == {"resolve_timeout": "2000ms"}
    assert config["route"]["group_wait"] == "0ms"
    assert config["route"]["repeat_interval"] == "4ms"


def test_intervals_are_inherited(read: Callable[[str], Routing]) -> None:
    """A child without intervals waits as its parent does."""
    nested = GOOD.replace(
        "      group_interval: 1m",
        "      group_interval: 1m\n      routes: [{match: {env: prod}, group_wait: 2m}]",
    )
    routing = read(nested)
    assert routing.group_wait_s({}) == 30
    assert routing.hold_s({}) == 300
    assert routing.hold_s({"team": "db"}) == 60
    assert routing.hold_s({"team": "db", "env": "prod"}) == 120


def test_every_receiver_becomes_one_webhook_whatever_it_was(
    tmp_path: Path, read: Callable[[str], Routing]
) -> None:
    """Neither a secret nor an address of the file is used; names may hold anything."""
    text = """\
global: {slack_api_url_file: /etc/secret, smtp_smarthost: 'mail:25', smtp_from: a@b}
templates: ['/etc/alertmanager/*.tmpl']
route: {receiver: 'on call/ä {{x}}', routes: [{match: {a: b}, receiver: quiet}]}
inhibit_rules:
  - {source_matchers: [severity="critical"], target_match: {severity: warning}, equal: [component]}
receivers:
  - name: on call/ä {{x}}
    slack_configs: [{channel: '#a', api_url: 'https://hooks.example.com/secret'}, {channel: '#b'}]
    email_configs: [{to: me@example.com, send_resolved: true}]
  - name: quiet
"""
    routing = read(text)
    config = routing.config(URL, 10)
    assert accepted(config, tmp_path)
    assert "example" not in config
    assert "secret" not in config.replace(URL, "")
    assert json.loads(config)["inhibit_rules"][0]["equal"] == ["component"]
    assert json.loads(config)["receivers"] == [
        {
            "name": "on call/ä {{x}}",
            "webhook_configs": [
                {"url": f"{URL}/on%20call%2F%C3%A4%20%7B%7Bx%7D%7D", "send_resolved": True}
            ],
        },
        {"name": "quiet"},
    ]
    assert routing.receivers == ("on call/ä {{x}}",)
    assert routing.receivers_of({"a": "b"}) == ()
    path = tmp_path / "alertmanager.yml"
    unsent = "slack_configs of 'on call/ä {{x}}' does not send that an alert has resolved:"
    assert [str(finding) for finding in routing.findings] == [
        f"{path}:8:21: {unsent} send_resolved is false by default",
        f"{path}:8:83: {unsent} send_resolved is false by default",
        f"{path}:10:5: receiver 'quiet' has no integration: it notifies nobody",
    ]


def test_time_intervals_stay_and_are_asked_in_zones_of_our_own(
    read: Callable[[str], Routing],
) -> None:
    """They follow the scenario's clock: nothing else of them is changed."""
    text = GOOD.replace('team="db"]', 'team="db"]\n      mute_time_intervals: [night, may]')
    intervals = """\
time_intervals:
- name: night
  time_intervals:
  - {times: [{start_time: 20:00, end_time: 24:00}], location: Europe/Berlin}
  - weekdays: [saturday, sunday]
mute_time_intervals: [{name: may, time_intervals: [{months: [5], location: Europe/Berlin}]}]
"""
    routing = read(text + intervals)
    assert routing.locations == ("Europe/Berlin", "")
    config = json.loads(routing.config(URL, 1))
    assert config["time_intervals"][0]["time_intervals"] == [
        {"times": [{"start_time": "20:00", "end_time": "24:00"}], "location": "Scenario/0"},
        {"weekdays": ["saturday", "sunday"], "location": "Scenario/1"},
    ]
    assert config["route"]["routes"][0]["mute_time_intervals"] == ["night", "may"]
    assert routing.findings == ()


def test_a_receiver_is_muted_when_all_its_routes_are(read: Callable[[str], Routing]) -> None:
    """By an interval that is, or by an active one that is not; by nothing on another route."""
    routing = read("""\
time_intervals:
- {name: january, time_intervals: [{months: [january]}]}
- {name: monday, time_intervals: [{weekdays: [monday]}]}
route:
  receiver: all
  routes:
  - {match: {a: x}, receiver: duty, mute_time_intervals: [january, monday], continue: true}
  - {match: {b: y}, receiver: duty, active_time_intervals: [monday], continue: true}
  - {match: {c: z}, receiver: all}
receivers:
- {name: all, webhook_configs: [{url: http://127.0.0.1/}]}
- {name: duty, webhook_configs: [{url: http://127.0.0.1/}]}
""")
    monday, tuesday = 1_767_571_200, 1_767_571_200 + 86_400
    may = monday + 124 * 86_400
    both = "muted by time intervals 'january' and 'monday'"
    assert routing.muting({"a": "x"}, "duty", monday) == both
    assert routing.muting({"a": "x"}, "duty", tuesday) == "muted by time interval 'january'"
    assert routing.muting({"a": "x"}, "duty", may) is None
    assert routing.muting({"b": "y"}, "duty", may) == "outside its active time interval 'monday'"
    assert routing.muting({"b": "y"}, "duty", monday) is None
    assert routing.muting({"a": "x", "b": "y"}, "duty", monday) is None
    assert routing.muting({"c": "z"}, "all", monday) is None
    assert routing.muting({"a": "x"}, "all", monday) is None
