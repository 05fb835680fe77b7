"""Configurations read by our own reader alone: mistakes, routes, receivers and what is found."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse_texts
from tests.verifier.pack.routes.test_reader import MISTAKES
from tests.verifier.pack.routes.test_route_findings import ABROAD, DAY, NIGHT
from tests.verifier.pack.routing_files import GOOD, receivers
from verifier.errors import NotJudged
from verifier.pack.routes.engine_check import LINES_MAX, EngineOpinion
from verifier.pack.routes.reader import read_config
from verifier.pack.routes.route_findings import route_findings, unmet_routes
from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup

PATH = "alertmanager.yml"


def reading(text):
    """Return what our reader makes of a text."""
    return read_config(next(parse_texts(text, PATH)))


def mistakes(text):
    """Return the mistakes in a text, without its path."""
    return [str(mistake).removeprefix(f"{PATH}:") for mistake in reading(text).mistakes]


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES)
def test_each_mistake_is_seen_without_an_alertmanager(right, wrong, message):
    """With its place, whatever else follows from it."""
    assert any(each.startswith(message) for each in mistakes(GOOD.replace(right, wrong, 1)))
    assert mistakes(GOOD) == []


ROOT = "2:3: the root route must take every alert: no matchers, no continue, no time intervals"
TIMES = "time_intervals: [{name: x, time_intervals: [{years: ['2026']}]}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("  group_by", "  mute_time_intervals: [x]\n  group_by") + TIMES, [ROOT]),
        (GOOD.replace("  group_by", "  active_time_intervals: [x]\n  group_by") + TIMES, [ROOT]),
        (GOOD.replace("  group_by", "  continue: false\n  group_by"), []),
        (GOOD.replace("[alertname]", "[a, b, a]"), ["3:20: the label 'a' is given twice"]),
        (GOOD.replace("[alertname]", "['...']"), []),
        (GOOD.replace("      receiver: page\n", "      receiver: ''\n"), []),
        (GOOD.replace("      receiver: page\n", ""), []),
        (GOOD.replace("group_interval: 1m", "match: {a: ~, b: ''}"), []),
        (GOOD.replace("group_interval: 1m", "continue: ON"), []),
        (GOOD.replace("group_interval: 1m", "continue: n"), []),
        (GOOD.replace("group_interval: 1m", "repeat_interval: 1m"), []),
        (GOOD + "global: {resolve_timeout: 5}\n",
         ["13:27: duration must be written like 30s, 5m or 1h30m, got '5'"]),
        (GOOD + "inhibit_rules: [{equal: a}]\n",
         ["13:25: inhibit_rules[0].equal must be a list, got 'a'"]),
        (GOOD + "inhibit_rules: [{source_match: {a: b}, target_matchers: [x]}]\n",
         ["13:58: a matcher must be written like severity=\"critical\", got 'x'"]),
        (GOOD + "inhibit_rules: [{source: {a: b}}]\n",
         ["13:18: unknown key 'source', did you mean 'source_match'?"]),
    ],
)  # fmt: skip
def test_of_a_configuration_exactly_these_mistakes_are_said(text, expected):
    """What Alertmanager takes is none."""
    said = mistakes(text)
    assert len(said) == len(expected), said
    assert all(own.startswith(start) for own, start in zip(said, expected, strict=True)), said


def test_a_route_has_from_its_parent_what_it_does_not_say():
    """But its matchers, `continue` and time intervals; values of YAML 1.1 are words, too."""
    text = (
        "route:\n  receiver: a\n  group_wait: 7s\n  routes:\n"
        "  - {match: {x: ~}, match_re: {y: 'z.*'}, matchers: [w!=v], continue: 'Y',"
        " mute_time_intervals: [x], group_interval: 9s, routes: [{receiver: b}]}\n"
        + TIMES + receivers("a", "b")
    )  # fmt: skip
    read = reading(text)
    assert read.mistakes == ()
    (child,) = read.root.routes
    (leaf,) = child.routes
    assert [str(matcher) for matcher in child.matchers] == ['x=""', 'y=~"z.*"', 'w!="v"']
    assert (child.receiver, child.continues, child.muted_in) == ("a", True, ("x",))
    assert (child.group_wait_s, child.group_interval_s) == (7.0, 9.0)
    assert (leaf.receiver, leaf.continues, leaf.muted_in, leaf.matchers) == ("b", False, (), ())
    assert (leaf.group_wait_s, leaf.group_interval_s) == (7.0, 9.0)
    assert (read.root.group_wait_s, read.root.group_interval_s) == (7.0, 300.0)


ENDS = {
    "email_configs": False, "slack_configs": False, "wechat_configs": False,
    "rocketchat_configs": False, "webhook_configs": True, "pagerduty_configs": True,
    "opsgenie_configs": True, "victorops_configs": True, "pushover_configs": True,
    "sns_configs": True, "telegram_configs": True, "discord_configs": True,
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDS)
def test_whether_the_end_of_an_alert_is_sent_is_said_or_known_of_the_kind(kind):
    """A receiver sends it when any of its integrations does."""
    entries = "{}, {send_resolved: yes}, {send_resolved: 'false'}"
    text = f"route: {{receiver: a}}\nreceivers: [{{name: a, {kind}: [{entries}]}}, {{name: b}}]\n"
    own, bare = reading(text).receivers
    assert [(each.kind, each.sends_resolved, each.is_default) for each in own.integrations] == [
        (kind, ENDS[kind], True), (kind, True, False), (kind, False, False),
    ]  # fmt: skip
    assert (own.sends_resolved, bare.sends_resolved) == (True, False)
    said = [finding.message for finding in route_findings(reading(text))]
    unsent = f"{kind} of 'a' does not send that an alert has resolved: send_resolved is false"
    silent = [
        "no route leads to receiver 'b'",
        "receiver 'b' has no integration: it notifies nobody",
    ]
    assert said == ([] if ENDS[kind] else [f"{unsent} by default"]) + [unsent, *silent]


NESTED = "{matchers: [a=b], receiver: db, routes: [{routes: [{matchers: [a=c], receiver: web}]}]}"
TAKEN = (
    "5:5: no alert reaches this route to 'web': the route to 'db' in line 4 takes its alerts,"
    " without continue"
)


def tree(*routes):
    """Return a configuration with these routes below the first."""
    below = "".join(f"  - {route}\n" for route in routes)
    return f"route:\n  receiver: all\n  routes:\n{below}{receivers('all', 'db', 'web')}"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (["{matchers: [a=b], receiver: db}", "{matchers: [a=b], receiver: web}"],
         [TAKEN]),
        (["{matchers: [a=b], receiver: db, continue: true}", "{matchers: [a=b], receiver: web}"],
         []),
        (["{matchers: [a=~b|c], receiver: db}", "{matchers: [a=c, d=e], receiver: web}"],
         [TAKEN]),
        (["{matchers: [a!=b], receiver: db}", "{matchers: [a=~c|d], receiver: web}"], []),
        (["{matchers: [a=b, a!=b], receiver: db}", "{receiver: web}"],
         ['4:5: no alert reaches this route to \'db\': it would need both a="b" and a!="b"']),
        ([NESTED],
         ['4:56: no alert reaches this route to \'web\': it would need both a="b" and a="c"']),
    ],
)  # fmt: skip
def test_a_route_that_no_alert_reaches_is_named_by_what_takes_or_refuses_them(routes, expected):
    """Of those above it, or before it."""
    said = [str(each).removeprefix(f"{PATH}:") for each in route_findings(reading(tree(*routes)))]
    assert [each for each in said if "reaches" in each] == expected


AT = Place("r.yaml", 1, 1)


def rules_of(*labels, **facts):
    """Return alerts with these labels."""
    alerts = (
        AlertRule(f"A{n}", "up", 0, 0, tuple(own.items()), (), AT) for n, own in enumerate(labels)
    )
    return RuleFiles((RuleGroup("g", "r.yaml", 30.0, tuple(alerts)),), **facts)


UNMET = "no alert of the rules reaches this route to"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (["{matchers: [sev=page], receiver: db}"], []),
        (["{matchers: [sev=pag], receiver: db}"],
         [f"4:5: {UNMET} 'db': none has sev=\"pag\", did you mean 'page'?"]),
        (["{matchers: [sev!~p.*|t.*], receiver: db}"],
         [f"4:5: {UNMET} 'db': none has sev!~\"p.*|t.*\""]),
        (["{matchers: [sev=page], receiver: db, routes: [{matchers: [team=b], receiver: web}]}"],
         [f"4:51: {UNMET} 'web': none has team=\"b\""]),
        (["{matchers: [team=any], receiver: db}"], [f"4:5: {UNMET} 'db': none has team=\"any\""]),
        (["{matchers: [owner=any], receiver: db}"], []),
        (["{matchers: [alertname=A1], receiver: db}"], []),
        (["{matchers: [sev=page, sev=ticket], receiver: db}"], []),
    ],
)  # fmt: skip
def test_a_route_that_no_alert_of_the_rules_meets_is_named_by_what_none_has(routes, expected):
    """A template may become anything; what the tree says by itself is not said again."""
    owner = {"owner": "{{ $labels.owner }}"}
    rules = rules_of({"sev": "page", "team": "a"} | owner, {"sev": "ticket", "team": "b"} | owner)
    unmet = unmet_routes(reading(tree(*routes)).root, rules)
    said = [str(each).removeprefix(f"{PATH}:") for each in unmet]
    assert said == expected


def test_of_rules_that_are_not_all_known_nothing_is_said_to_be_unmet():
    """Nor of none at all."""
    root = reading(tree("{matchers: [sev=none], receiver: db}")).root
    refused = NotJudged("alert X", "why", AT)
    assert unmet_routes(root, rules_of({"sev": "page"}, not_judged=(refused,))) == []
    assert unmet_routes(root, rules_of()) == []
    assert len(unmet_routes(root, rules_of({"sev": "page"}))) == 1


HOURS = [
    ("{weekdays: [sunday:saturday]}", "mute", True),
    ("{weekdays: [sunday:friday]}", "mute", False),
    (f"{DAY}, {NIGHT}", "mute", True),
    (f"{DAY}, {ABROAD}", "mute", False),
    ("{days_of_month: ['1:31']}", "mute", True),
    ("{days_of_month: ['1:30']}", "mute", False),
    ("{days_of_month: ['1:27', '-3:-1']}", "mute", False),
    ("{days_of_month: ['1:28', '-3:-1']}", "mute", True),
    ("{months: ['1:6', 'july:december']}", "mute", True),
    ("{months: ['1:11']}", "mute", False),
    ("{years: ['2020:2040']}", "mute", False),
    ("{times: []}", "mute", False),
    ("{times: []}", "active", True),
    ("{days_of_month: ['31'], months: [february]}", "active", True),
    ("{days_of_month: ['30:31'], months: [february]}", "active", True),
    ("{days_of_month: ['29'], months: [february]}", "active", False),
    ("{days_of_month: ['-1'], months: [february]}", "active", False),
    ("{days_of_month: ['31'], months: [december]}", "active", False),
    ("{years: ['2020']}", "active", False),
    ("{years: []}", "active", False),
]


@pytest.mark.parametrize(("parts", "key", "always"), HOURS)
def test_a_route_is_muted_at_every_hour_or_at_some(parts, key, always):
    """Years come and go: they neither mute for ever nor leave out for ever."""
    route = f"{{receiver: db, matchers: [a=b], {key}_time_intervals: [hours]}}"
    intervals = f"time_intervals: [{{name: hours, time_intervals: [{parts}]}}]\n"
    read = reading(tree(route) + intervals)
    assert read.mistakes == ()
    reason = {"mute": "by time interval 'hours'",
              "active": "since time interval 'hours' is never active"}[key]  # fmt: skip
    said = [each.message for each in route_findings(read) if "muted" in each.message]
    expected = [f"this route to 'db' is muted at every hour, {reason}"]
    assert said == (expected if always else [])


def test_what_an_alertmanager_says_is_a_mistake_for_each_line(tmp_path):
    """But the heading; so many of them, each at its own line."""
    path = tmp_path / "am.yml"
    path.write_text("route:\n  receiver: pager\n")
    words = "yaml: unmarshal errors:\n" + "".join(
        f"  line {number}: field f{number} not found\n" for number in range(1, LINES_MAX + 5)
    )
    said = [str(each) for each in EngineOpinion("0.27.0", words).mistakes(str(path))]
    refused = "Alertmanager 0.27.0 refuses it: field"
    assert said == [f"{path}:{n}:1: {refused} f{n} not found" for n in range(1, LINES_MAX + 1)]
    heading = EngineOpinion("0.27.0", "yaml: unmarshal errors:").mistakes(str(path))
    assert [each.sentence for each in heading] == [
        "Alertmanager 0.27.0 refuses it: yaml: unmarshal errors:"
    ]
