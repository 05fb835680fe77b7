"""The nearest of many names: the very one that `difflib` finds, in a fraction of the time."""

from __future__ import annotations

import time
from difflib import get_close_matches

from hypothesis import given
from hypothesis import strategies as st

from verifier.evidence.naming.nearest_names import NEAR_ENOUGH, NearestNames

NAME = st.text("abc_:", max_size=12)


@given(NAME, st.sets(NAME, max_size=40))
def test_it_is_what_difflib_finds(word: str, names: set[str]) -> None:
    """Of equally near ones as well; a name is never meant for itself."""
    close = get_close_matches(word, sorted(names - {word, ""}), n=1, cutoff=NEAR_ENOUGH)
    nearest = NearestNames(lambda: names - {""}).nearest(word)
    assert nearest == (close[0] if close else None)


def test_names_are_asked_for_once_and_only_when_needed() -> None:
    """The engine is asked for them."""
    asked: list[int] = []

    def names() -> list[str]:
        asked.append(1)
        return ["queue_depth"]

    nearest = NearestNames(names)
    assert not asked
    assert [nearest.nearest(word) for word in ("queue_dept", "queue_dept", "x")] == [
        "queue_depth",
        "queue_depth",
        None,
    ]
    assert len(asked) == 1


def test_a_thousand_words_meet_ten_thousand_names_in_time() -> None:
    """`difflib` alone takes a minute and more for these."""
    nearest = NearestNames(lambda: [f"job:http_requests_{n}:rate5m" for n in range(10_000)])
    started_s = time.process_time()
    assert all(nearest.nearest(f"node_cpu_{n}_seconds_total") is None for n in range(1000))
    assert time.process_time() - started_s < 20


def test_of_very_many_likely_names_the_likeliest_are_compared() -> None:
    """Six in ten letters are enough; of equally near names the last is meant."""
    likely = [f"jihgfedc{number:03}" for number in range(600)]
    assert NearestNames(lambda: [*likely, "abcdefghix"]).nearest("abcdefghij") == "abcdefghix"
    assert NearestNames(lambda: ["abcdefxxxx"]).nearest("abcdefghij") == "abcdefxxxx"
    assert NearestNames(lambda: ["abcdexxxxx"]).nearest("abcdefghij") is None
    assert NearestNames(lambda: ["ac", "ab", "aa"]).nearest("abx") == "ab"
    assert NearestNames(lambda: ["abcy", "abcx", "abcz"]).nearest("abcd") == "abcz"
