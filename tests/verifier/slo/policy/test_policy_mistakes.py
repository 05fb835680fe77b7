"""What is wrong with a policy, as a whole: every line with its place, in the order of the file."""

from __future__ import annotations

import pytest

from documents.yaml_reader import parse
from tests.verifier.slo.policy.test_policy import GOOD
from verifier.slo.policy import Window, read_policy


def said(text):
    """Return what is said of a policy: of values that cannot be used, of what is missing."""
    reading = read_policy(parse(text, "p.yaml"))
    return [*map(str, reading.invalid)], [*map(str, reading.missing)]


MESSY = """\
servise: x
availability:
  targt: 99.9
  errors: up
  windows:
    - {name: a, burn_rate: 1}
    - {name: b, lookback: 1h}
    - {name: c, lookback: 1h, burn_rat: 2}
    - {name: '', lookback: 1h, burn_rate: 1}
    - {name: 7, lookback: 1h, burn_rate: 1}
    - plain
latency: {p95: 50, p99_ms: true}
startup_time: 7
"""


def test_everything_that_is_missing_or_unusable_is_said_at_once_with_its_place():
    """A key at the key of its holder, a part of a window at the window."""
    invalid, missing = said(MESSY)
    assert invalid == [
        "p.yaml:11:7: availability.windows[5] must be a mapping, got 'plain'",
        "p.yaml:12:28: latency.p99_ms must be a number above 0, got true",
        "p.yaml:13:15: startup_time must be a mapping, got 7",
    ]
    assert missing == [
        "p.yaml:1:1: the key 'service' is missing, did you mean 'servise'?",
        "p.yaml:2:1: the key 'target' is missing in availability, did you mean 'targt'?",
        "p.yaml:6:7: the key 'lookback' is missing in window 'a'",
        "p.yaml:7:7: the key 'burn_rate' is missing in window 'b'",
        "p.yaml:8:7: the key 'burn_rate' is missing in window 'c', did you mean 'burn_rat'?",
        "p.yaml:9:7: the key 'name' is missing in availability.windows[3]",
        "p.yaml:10:7: the key 'name' is missing in availability.windows[4]",
        "p.yaml:11:7: the key 'name' is missing in availability.windows[5]",
        "p.yaml:12:1: the key 'p95_ms' is missing in latency, did you mean 'p99_ms'?",
        "p.yaml:13:1: the key 'p95_ms' is missing in startup_time",
        "p.yaml:2:1: the key 'requests' is missing in availability",
    ]
    policy = read_policy(parse(MESSY, "p.yaml")).policy
    assert (policy.windows, policy.objectives_ms, policy.events) == ((), {}, None)


@pytest.mark.parametrize(
    ("right", "wrong", "mistake", "is_missing"),
    [
        ("service: x", "service: ' '", "1:10: service must be a name, got ' '", False),
        ("windows:", "windows: none\n  other:",
         "4:12: availability.windows must be a list of windows, got 'none'", False),
        ("windows:", "windows: []\n  other:",
         "4:3: availability.windows must be at least 2 of different names, got 0", True),
        ("target: 99.9", "target: '99 %'",
         "3:11: availability.target must be at least 99.9, got 99", True),
        ("target: 99.9", "target: '100%'",
         "3:11: availability.target must be below 100 per cent, got 100", False),
        ("target: 99.9", "target: 0.99",
         "3:11: availability.target must be in per cent, like 99, got 0.99, a ratio", False),
        ("burn_rate: 6", "burn_rate: 0",
         "6:43: window 'slow': burn_rate must be a number above 0, got 0", False),
        ("p99_ms: 100", "p99_ms: 49",
         "7:31: latency.p99_ms must be at least p95_ms (50), got 49", False),
    ],
)  # fmt: skip
def test_one_mistake_is_one_line_with_the_place_of_its_value(right, wrong, mistake, is_missing):
    """Of a list, that of its key."""
    assert right in GOOD
    lines = [f"p.yaml:{mistake}"]
    assert said(GOOD.replace(right, wrong)) == (([], lines) if is_missing else (lines, []))


def test_a_service_is_called_as_it_stands_in_the_file():
    """Nothing is cut off."""
    policy = read_policy(parse(GOOD.replace("service: x", "service: ' x y '"), "p.yaml")).policy
    assert policy.service == " x y "


WINDOWS = {
    "{name: fast, duration: 1h, burn_rate: 2}": 3600.0,
    "{name: fast, window: 30m, burn_rate: 2}": 1800.0,
    "{name: fast, duration: 2h, window: 30m, burn_rate: 2}": 1800.0,
    "{name: fast, duration: 2h, window: 30m, lookback: 5m, burn_rate: 2}": 300.0,
}


@pytest.mark.parametrize("window", WINDOWS)
def test_how_far_back_a_window_reads_may_have_any_of_three_names(window):
    """Of several the plainest counts."""
    text = GOOD.replace("{name: fast, lookback: 1h, burn_rate: 14.4}", window)
    assert said(text) == ([], [])
    first = read_policy(parse(text, "p.yaml")).policy.windows[0]
    assert first == Window("fast", WINDOWS[window], 2.0, ("availability", "windows", 0))
