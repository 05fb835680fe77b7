"""What a person should know of a routing that Alertmanager takes: each finding, and its absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from verifier.pack.routes.routing import load_routing
from verifier.pack.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

TREE = """\
route:
  receiver: all
  routes:
  - matchers: [team="db"]
    receiver: db
    %s
receivers:
- {name: all, webhook_configs: [{url: http://127.0.0.1/}]}
- {name: db, webhook_configs: [{url: http://127.0.0.1/}]}
%s
"""


def findings(folder: Path, more: str = "continue: false", rest: str = "") -> list[str]:
    """Return the findings of a tree with something more, from the line on."""
    path = folder / "alertmanager.yml"
    path.write_text(TREE % (more, rest), encoding="utf-8")
    return [str(finding).removeprefix(f"{path}:") for finding in load_routing(path).findings]


def test_a_sound_tree_has_no_findings(tmp_path: Path) -> None:
    """Or every other test here would prove nothing."""
    assert findings(tmp_path) == []


RULES = """\
groups:
- name: g
  rules:
  - {alert: DiskFull, expr: up == 0, labels: {severity: page, team: '{{ $labels.team }}'}}
  - {alert: Slow, expr: up == 0, labels: {severity: ticket}}
"""


def unmet(folder: Path, matchers: str) -> list[str]:
    """Return what is found of a route with these matchers once the rules are known."""
    path, rules = folder / "alertmanager.yml", folder / "rules.yaml"
    path.write_text(TREE.replace('team="db"', matchers) % ("continue: false", ""), encoding="utf-8")
    rules.write_text(RULES, encoding="utf-8")
    routing = load_routing(path).for_rules(load_rules([rules]))
    return [str(finding).removeprefix(f"{path}:") for finding in routing.findings]


BY_RULES = "4:5: no alert of the rules reaches this route to 'db': none has"


@pytest.mark.parametrize(
    ("matchers", "reason"),
    [
        ("alertname=Nothere", f'{BY_RULES} alertname="Nothere"'),
        ("severity=pgae", f"{BY_RULES} severity=\"pgae\", did you mean 'page'?"),
        ("severity=page, alertname=Slow", f'{BY_RULES} severity="page", alertname="Slow"'),
        ('severity=~"c.*", team=db', f'{BY_RULES} severity=~"c.*"'),
    ],
)
def test_a_route_that_no_alert_of_the_rules_can_meet_is_named(
    tmp_path: Path, matchers: str, reason: str
) -> None:
    """By name, or by a label that every rule sets to something else."""
    assert unmet(tmp_path, matchers) == [reason]


@pytest.mark.parametrize(
    "matchers", ["severity=page", "team=db", "alertname=Slow, team=db", "instance=a", 'team=""']
)
def test_a_label_of_a_template_or_of_a_series_may_have_any_value(
    tmp_path: Path, matchers: str
) -> None:
    """It is not known before the run."""
    assert unmet(tmp_path, matchers) == []


def test_what_the_tree_says_alone_is_not_said_twice(tmp_path: Path) -> None:
    """A route that asks for two values of one label has one finding."""
    assert len(unmet(tmp_path, "severity=page, severity=ticket")) == 1


UNREACHED = "no alert reaches this route to 'all':"
NEEDS = f'{UNREACHED} it would need both team="db" and'
TAKEN = f"{UNREACHED} the route to 'db' in line 6 takes its alerts, without continue"


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        ('routes: [{matchers: [team="web"], receiver: all}]', f'6:14: {NEEDS} team="web"'),
        ('routes: [{matchers: [team=~"w.*"], receiver: all}]', f'6:14: {NEEDS} team=~"w.*"'),
        (
            'routes: [{matchers: [env=~"p.*"]}, {matchers: [env=prod], receiver: all}]',
            f"6:40: {TAKEN}",
        ),
        ('routes: [{receiver: db}, {matchers: [env!="x"], receiver: all}]', f"6:30: {TAKEN}"),
    ],
)
def test_a_route_that_no_alert_reaches_is_named(tmp_path: Path, route: str, reason: str) -> None:
    """What contradicts a route above, or stands behind one that takes everything."""
    assert findings(tmp_path, route) == [reason]


@pytest.mark.parametrize(
    "route",
    [
        'routes: [{matchers: [team=~"d.*"]}]',
        'routes: [{matchers: [env="x"], continue: true}, {matchers: [env="x"], receiver: all}]',
        'routes: [{matchers: [env="x", a="y"]}, {matchers: [env="x"], receiver: all}]',
        'routes: [{matchers: [env=~"x|y"]}, {matchers: [env=~"x"], receiver: all}]',
    ],
)
def test_a_route_that_some_alert_reaches_is_not(tmp_path: Path, route: str) -> None:
    """Nor is one of which that cannot be told."""
    assert findings(tmp_path, route) == []


def test_receivers_without_a_route_or_an_integration_are_named(tmp_path: Path) -> None:
    """In the order of the file."""
    assert findings(tmp_path, rest="- {name: idle}") == [
        "10:3: no route leads to receiver 'idle'",
        "10:3: receiver 'idle' has no integration: it notifies nobody",
    ]


DAY = "{times: [{start_time: '08:00', end_time: '20:00'}]}"
NIGHT = (
    "{times: [{start_time: '00:00', end_time: '08:00'}, {start_time: '20:00', end_time: '24:00'}]}"
)
ABROAD = NIGHT.replace("{times", "{location: Asia/Tokyo, times")


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("parts", "key", "always"),
    [
        ("{weekdays: [sunday:saturday]}", "mute", True),
        ("{weekdays: [sunday:friday]}", "mute", False),
        (f"{DAY}, {NIGHT}", "mute", True),
        (f"{DAY}, {ABROAD}", "mute", False),
        ("{days_of_month: ['1:31']}", "mute", True),
        ("{days_of_month: ['1:30']}", "mute", False),
        ("{months: ['1:6', 'july:december']}", "mute", True),
        ("{years: ['2020:2040']}", "mute", False),
        ("{times: []}", "active", True),
        ("{days_of_month: ['31'], months: [february]}", "active", True),
        ("{days_of_month: ['29'], months: [february]}", "active", False),
        ("{years: ['2020']}", "active", False),
    ],
)
def test_a_route_that_is_muted_at_every_hour_is_named(
    tmp_path: Path, parts: str, key: str, *, always: bool
) -> None:
    """By what is always inside, or never active."""
    rest = f"time_intervals: [{{name: hours, time_intervals: [{parts}]}}]"
    reason = {
        "mute": "by time interval 'hours'",
        "active": "since time interval 'hours' is never active",
    }
    expected = [f"4:5: this route to 'db' is muted at every hour, {reason[key]}"] if always else []
    assert findings(tmp_path, f"{key}_time_intervals: [hours]", rest) == expected
