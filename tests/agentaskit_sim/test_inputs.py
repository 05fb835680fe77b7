"""Readers called one after another: their values, or the mistakes of all of them at once."""

from __future__ import annotations

import pytest

from agentaskit_sim.inputs import MistakeCollector
from documents.mistakes import InputError


def read_number(text, *, path="numbers"):
    """Return a number; raise a mistake for anything else."""
    if not text.isdigit():
        raise InputError(f"must be a number, got {text!r}", path=path)
    return int(text)


def refuse_odd(number):
    """Raise a mistake for an odd number."""
    if number % 2:
        raise InputError(f"must be even, got {number}", path="rule")


def test_without_a_mistake_the_values_are_there():
    """Also of a reader that returns None."""
    collector = MistakeCollector()
    number, nothing = collector.read(read_number, "4"), collector.read(lambda: None)
    collector.check(number, refuse_odd)
    collector.finish()
    assert (number.value, nothing.value) == (4, None)
    assert number.is_read
    assert nothing.is_read


def test_all_mistakes_are_raised_together_and_a_value_that_is_missing_is_not_checked():
    """A check of what was read adds its own mistake; a check of what was not is not made."""
    collector = MistakeCollector()
    odd, wrong = collector.read(read_number, "3"), collector.read(read_number, "x", path="more")
    collector.check(odd, refuse_odd)
    collector.check(wrong, refuse_odd)
    with pytest.raises(InputError) as caught:
        collector.finish()
    assert str(caught.value) == "more: must be a number, got 'x'\nrule: must be even, got 3"
    assert not wrong.is_read
    with pytest.raises(InputError, match="must be a number"):
        _ = wrong.value


def test_an_error_that_is_no_mistake_of_the_user_is_not_collected():
    """It is a bug, and ends the program as such."""
    with pytest.raises(ZeroDivisionError):
        MistakeCollector().read(lambda: 1 / 0)
