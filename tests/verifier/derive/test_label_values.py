"""Values for labels: those that matchers take, and those that one of them refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.derive.series.label_values import (
    SelectorMatcher,
    accepted_value,
    refused_value,
    samples_of,
)


@pytest.mark.parametrize(
    ("sign", "value", "text"),
    [
        ("=", "shop", "shop"),
        ("!=", "other", "another"),
        ("=~", "5..", "5xx"),
        ("=~", "PG_DAMAGED|OSD_SCRUB_ERRORS", "PG_DAMAGED"),
        ("=~", ".*etcd.*", "etcd"),
        ("=~", r"5\d\d", "500"),
        ("=~", "[a-c]{2}", "aa"),
        ("!~", "", "other"),
        ("=~", "", ""),
    ],
)
def test_a_matcher_is_given_a_short_text_that_it_takes(sign, value, text):
    """As an engine reads it: the whole text must match."""
    assert accepted_value([SelectorMatcher("label", sign, value)]) == text


def test_all_matchers_of_a_label_are_satisfied_or_none_is():
    """A preferred text comes first; where nothing passes there is nothing."""
    some = [SelectorMatcher("code", "=~", "4..|5.."), SelectorMatcher("code", "!~", "4..")]
    assert accepted_value(some, ["404", "503"]) == "503"
    assert accepted_value([*some, SelectorMatcher("code", "=", "200")]) is None


@pytest.mark.parametrize("sign", ["=", "!=", "=~", "!~"])
def test_a_refused_text_is_refused_by_that_matcher_alone(sign):
    """Of a matcher that takes everything there is none."""
    broken, other = SelectorMatcher("a", sign, "x|y"), SelectorMatcher("a", "!=", "other")
    text = refused_value(broken, [other])
    assert text is not None
    assert (broken.accepts(text), other.accepts(text)) == (False, True)
    assert refused_value(SelectorMatcher("a", "=~", ".*"), []) is None


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{1,4}(\|[a-z]{1,3}){0,2}(\.\*|\.\+|\[0-9\])?", fullmatch=True))
def test_samples_of_a_pattern_match_it(pattern):
    """Each that is offered, though an engine is asked all the same."""
    assert all(SelectorMatcher("a", "=~", pattern).accepts(text) for text in samples_of(pattern))
