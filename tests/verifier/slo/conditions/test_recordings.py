"""Which recording rule a selector reads: that whose labels pass every matcher, whole values."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from verifier.pack.rules import RecordingRule
from verifier.slo.conditions.recordings import Recordings, matches
from verifier.slo.conditions.unreadable import UnreadableConditionError


@pytest.mark.parametrize(
    ("sign", "value", "text", "passes"),
    [
        ("=", "a", "a", True),
        ("=", "a", "ab", False),
        ("!=", "a", "ab", True),
        ("!=", "a", "a", False),
        ("=~", "a", "a", True),
        ("=~", "a", "ab", False),
        ("=~", "b", "ab", False),
        ("=~", "a.*", "ab", True),
        ("=~", "a|b", "b", True),
        ("!~", "a", "ab", True),
        ("!~", "a.", "ab", False),
        ("=~", "", "", True),
        ("!=", "", "", False),
    ],
)
def test_a_pattern_takes_whole_values(sign: str, value: str, text: str, *, passes: bool) -> None:
    """As Prometheus anchors it at both ends."""
    assert matches(sign, value, text) is passes


def test_the_rule_is_the_one_whose_labels_are_selected() -> None:
    """None for what nobody records; several that pass, or none, cannot be read."""
    rules = tuple(
        RecordingRule("a:b", "x", (("tier", tier),), Place("r.yaml", 1, 1))
        for tier in ("one", "onetwo")
    )
    recordings = Recordings(rules)
    assert recordings.find("other", frozenset()) is None
    assert recordings.find("a:b", frozenset({("tier", "=~", "one")})) is rules[0]
    assert recordings.find("a:b", frozenset({("tier", "!~", "one")})) is rules[1]
    with pytest.raises(UnreadableConditionError, match="2 rules record a:b"):
        recordings.find("a:b", frozenset({("tier", "=~", "one.*")}))
    with pytest.raises(UnreadableConditionError, match="no series of a:b has the labels"):
        recordings.find("a:b", frozenset({("tier", "=", "three")}))


def test_a_label_that_a_rule_does_not_set_is_empty() -> None:
    """A matcher selects by it as by any other."""
    rule = RecordingRule("a:b", "x", (("tier", "one"),), Place("r.yaml", 1, 1))
    recordings = Recordings((rule,))
    for sign, value in (("=", ""), ("!=", "a"), ("=~", "a?"), ("!~", "a")):
        assert recordings.find("a:b", frozenset({("job", sign, value)})) is rule
    for sign, value in (("=", "a"), ("!=", ""), ("=~", "a"), ("!~", "a?")):
        with pytest.raises(UnreadableConditionError, match="no series of a:b has the labels"):
            recordings.find("a:b", frozenset({("job", sign, value)}))
