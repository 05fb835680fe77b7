"""A policy is read whole: usable objectives, and every mistake as data with its place."""

from __future__ import annotations

import pytest

from documents.mistake_kinds import BrokenRule, MissingKey
from documents.yaml_reader import parse
from verifier.slo.conditions.indicator import read_events
from verifier.slo.policy import Window, foreign_form, read_policy

GOOD = """\
service: x
availability:
  target: 99.9
  windows:
    - {name: fast, lookback: 1h, burn_rate: 14.4}
    - {name: slow, window: 6h, burn_rate: 6}
latency: {p95_ms: 50, p99_ms: 100}
startup_time: {p95_ms: 100}
"""


def mistakes(text):
    """Return (line, problem) of every mistake: of those in the syntax, of those in the values."""
    reading = read_policy(parse(text, "policies.yaml"))
    return tuple(
        [(mistake.place.line, mistake.problem) for mistake in group]
        for group in (reading.invalid, reading.missing)
    )


def test_a_good_policy_has_its_objectives_and_no_mistake():
    """The look-back of a window may be called `window`, too."""
    policy = read_policy(parse(GOOD, "policies.yaml")).policy
    assert mistakes(GOOD) == ([], [])
    assert (policy.service, policy.target_percent) == ("x", 99.9)
    assert policy.windows == (
        Window("fast", 3600.0, 14.4, ("availability", "windows", 0)),
        Window("slow", 21600.0, 6.0, ("availability", "windows", 1)),
    )
    assert policy.objectives_ms == {
        ("latency", "p95_ms"): 50.0,
        ("latency", "p99_ms"): 100.0,
        ("startup_time", "p95_ms"): 100.0,
    }


def test_a_value_that_cannot_be_used_is_a_broken_rule_with_its_field_and_value():
    """It reads as if left out, and the rest is read all the same."""
    rule = "be a duration above 0, written like 30s, 5m or 1h30m"
    invalid, missing = mistakes(GOOD.replace("6h", "0s").replace("95_ms: 50", "95_ms: [50]"))
    assert invalid == [
        (6, BrokenRule("window 'slow': window", rule, "0s")),
        (7, BrokenRule("latency.p95_ms", "be a number above 0", [50])),
    ]
    assert missing == []


def test_two_windows_may_have_any_names_and_one_is_too_few():
    """What an alert is labelled with is the author's; two of one name are one."""
    own = GOOD.replace("fast", "page").replace("slow", "ticket")
    assert mistakes(own) == ([], [])
    few = BrokenRule("availability.windows", "be at least 2 of different names", 1)
    assert mistakes(GOOD.replace("slow", "fast")) == ([], [(4, few)])


def test_what_is_missing_is_named_by_its_key_and_its_holder():
    """A window by its name, a name by the place of its window."""
    text = GOOD.replace("service: x\n", "").replace("name: slow, ", "")
    assert mistakes(text) == (
        [],
        [
            (1, MissingKey("service")),
            (5, MissingKey("name", "availability.windows[1]")),
        ],
    )


@pytest.mark.parametrize("name", ["''", "'  '", "7", "[x]"])
def test_a_service_is_a_name(name):
    """Neither empty nor a number; what is missing is another mistake."""
    [(line, problem)], missing = mistakes(GOOD.replace("service: x", f"service: {name}"))
    assert (line, problem.field, problem.rule, missing) == (1, "service", "be a name", [])


def test_a_policy_of_nothing_lacks_every_part():
    """Each once, with nothing that follows from it."""
    invalid, missing = mistakes("x: 1\n")
    assert invalid == []
    keys = ("service", "availability", "latency", "startup_time")
    assert [problem.key for _, problem in missing] == [*keys]
    reading = read_policy(parse("x: 1\n", "policies.yaml"))
    policy = reading.policy
    assert (policy.service, policy.target_percent, policy.budget) == (None, None, None)
    assert (policy.windows, policy.objectives_ms, policy.events) == ((), {}, None)


REQUESTS, ERRORS = "requests: rpc_total", 'errors: rpc_total{outcome="bad"}'


def stating(*events):
    """Return a policy that states these events."""
    return GOOD.replace("  target", "".join(f"  {each}\n" for each in events) + "  target")


def test_events_are_stated_as_two_selectors():
    """Requests and errors, each its own."""
    reading = read_policy(parse(stating(REQUESTS, ERRORS), "policies.yaml"))
    assert (reading.invalid, reading.missing) == ((), ())
    events = reading.policy.events
    assert events.requests == read_events("rpc_total")
    assert events.errors == read_events('rpc_total{outcome="bad"}')


@pytest.mark.parametrize(
    ("events", "key"), [((REQUESTS,), "errors"), ((ERRORS,), "requests"), ((), None)]
)
def test_events_are_stated_both_or_not_at_all(events, key):
    """The other is missing."""
    reading = read_policy(parse(stating(*events), "policies.yaml"))
    assert reading.policy.events is None
    expected = [(2, MissingKey(key, "availability"))] if key else []
    assert mistakes(stating(*events)) == ([], expected)


@pytest.mark.parametrize("selector", ["rate(x[5m])", "x offset 5m", "x[5m]", "x +", "7", "[x]"])
@pytest.mark.parametrize(("name", "other"), [("requests", ERRORS), ("errors", REQUESTS)])
def test_events_that_are_no_selector_are_refused_and_not_called_missing(name, other, selector):
    """They are there."""
    (invalid,), missing = mistakes(stating(f"{name}: {selector}", other))
    assert invalid[1].field == f"availability.{name}"
    assert invalid[1].rule.startswith("be a selector of series")
    assert missing == []


@pytest.mark.parametrize(
    ("target", "problem", "is_used"),
    [
        ("99.9", None, True), ("99.99", None, True), ("'99.95 %'", None, True),
        ("99.89", "be at least 99.9", True), ("1", "be at least 99.9", True),
        ("0.999", "be in per cent, like 99.9", False), ("100", "be below 100 per cent", False),
        ("100.1", "be below 100 per cent", False), ("0", "be a number above 0", False),
        ("-1", "be a number above 0", False), ("true", "be a number above 0", False),
        (".inf", "be a number above 0", False), ("nine", "be a number above 0", False),
    ],
)  # fmt: skip
def test_a_target_is_per_cent_below_a_hundred(target, problem, is_used):
    """One that is too weak is compared all the same; any other is not."""
    text = GOOD.replace("target: 99.9", f"target: {target}")
    invalid, missing = mistakes(text)
    assert [each.rule for _, each in (*invalid, *missing)] == ([problem] if problem else [])
    policy = read_policy(parse(text, "policies.yaml")).policy
    assert (policy.target_percent is not None) is is_used


def test_the_quantiles_of_a_policy_do_not_cross():
    """Equal is allowed."""
    assert mistakes(GOOD.replace("p99_ms: 100", "p99_ms: 50")) == ([], [])
    ((line, problem),), _ = mistakes(GOOD.replace("p99_ms: 100", "p99_ms: 49.9"))
    assert (line, problem.field, problem.rule) == (7, "latency.p99_ms", "be at least p95_ms (50)")


def test_what_a_window_spends_follows_from_its_rate():
    """A rate of 1 spends thirty days' budget in thirty days."""
    window = Window("w", 3 * 86400.0, 2.5, ())
    assert (window.exhaustion_s, window.budget_spent) == (12 * 86400.0, 0.25)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (GOOD, None),
        ("apiVersion: openslo/v1\n", "an OpenSLO document"),
        ("version: 'prometheus/v1'\n", "a specification for sloth"),
        ("x: 1\napiVersion: pyrra.dev/v1\n", "a Kubernetes resource of an SLO generator"),
        ("apiVersion: sloth.slok.dev/v1\n", "a Kubernetes resource of an SLO generator"),
        ("# apiVersion: openslo/v1\n", None),
    ],
)
def test_the_form_of_another_tool_is_known_by_its_own_line(text, form):
    """Wherever it stands, but at the beginning of its line."""
    assert foreign_form(text) == form
