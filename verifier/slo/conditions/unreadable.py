"""What is raised for a condition that cannot be compared; the reason is a phrase for a sentence."""

from __future__ import annotations


class UnreadableConditionError(ValueError):
    """A condition is not of a form whose meaning is known; its text says why, for a person."""
