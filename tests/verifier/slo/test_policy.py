"""A policy is read whole: usable objectives, and every mistake as data with its place."""

from __future__ import annotations

from documents.mistake_kinds import BrokenRule, MissingKey
from documents.yaml_reader import parse
from verifier.slo.policy import Window, read_policy

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
