"""What all readers of rules and routes take for a duration, and for the name of a label."""

from __future__ import annotations

import pytest

from documents.yaml_reader import parse_texts
from verifier.pack.walker import PackWalker


def walker() -> PackWalker:
    """Return a walk over a document with one key."""
    return PackWalker(next(parse_texts("wait: x\n", "f.yaml")))


@pytest.mark.parametrize(
    ("raw", "seconds", "mistakes"),
    [(None, 30, 0), ("0s", 0, 0), ("0", 0, 0), ("90s", 90, 0), ("x", 30, 1), (True, 30, 1)],
)
def test_a_duration_of_nothing_is_one_and_not_left_out(
    *, raw: str | bool | None, seconds: float, mistakes: int
) -> None:
    """The default stands for what is left out or wrong, never for what is written as zero."""
    walk = walker()
    assert walk.duration(raw, ("wait",), 30.0) == seconds
    assert len(walk.mistakes) == mistakes


@pytest.mark.parametrize(
    ("name", "is_label", "is_metric"),
    [("a", True, True), ("_A0", True, True), ("__name__", False, True), ("0a", False, False),
     ("a-b", False, False), ("a b", False, False), ("", False, False), ("a\n", False, False),
     ("ä", False, False)],
)  # fmt: skip
def test_names_of_labels_are_letters_digits_and_underscores(
    name: str, *, is_label: bool, is_metric: bool
) -> None:
    """Not a digit first; the name of the metric is a label only where that is allowed."""
    for metric_name, taken in ((False, is_label), (True, is_metric)):
        walk = walker()
        walk.check_label_name(name, ("wait",), metric_name=metric_name)
        assert (walk.mistakes == []) == taken
