"""A refused value is data, and its sentence is made of it."""

from __future__ import annotations

from math import inf, nan

import pytest

from simulator.bounds import BoundError, require, require_positive, require_share


def test_a_refusal_keeps_its_parts_and_makes_the_sentence():
    """Code reads the parts; a person gets the sentence."""
    agents = 0
    with pytest.raises(BoundError) as raised:
        require(1 <= agents <= 9, "agents", "1 to 9", agents, owner="tier micro")
    error = raised.value
    assert (error.owner, error.field, error.rule, error.value) == (
        "tier micro", "agents", "1 to 9", 0,
    )  # fmt: skip
    assert str(error) == "tier micro: agents must be 1 to 9, got 0"
    assert str(BoundError("seed", "at least 0", -1)) == "seed must be at least 0, got -1"


@pytest.mark.parametrize(
    ("check", "accepted", "refused"),
    [
        (require_share, (0, 0.5, 1), (-1e-9, 1.1, nan, inf)),
        (require_positive, (1e-9, 3), (0, -1, nan, inf)),
    ],
)
def test_shares_and_positive_numbers_have_their_bounds(check, accepted, refused):
    """The ends that belong to the range pass; numbers that are not finite never do."""
    for value in accepted:
        check("x", value)
    for value in refused:
        with pytest.raises(BoundError):
            check("x", value)
