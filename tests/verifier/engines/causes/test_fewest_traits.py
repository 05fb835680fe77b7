"""Of the traits that differ between two engines the fewest are named that explain a value."""

from __future__ import annotations

import pytest

from verifier.engines.causes.explaining import _Explainer
from verifier.engines.causes.traits import Trait

FIRST, SECOND, THIRD, FOURTH = [*Trait][:4]
RECORDED = Trait.RECORDED


@pytest.mark.parametrize(
    ("own", "other", "is_recorded", "enough", "fewest"),
    [
        ({FIRST}, {SECOND, THIRD}, False, [{SECOND}], (SECOND,)),
        ({FIRST}, {SECOND, THIRD}, False, [{FIRST}], (FIRST,)),
        ({FIRST}, {SECOND, THIRD}, False, [{THIRD}, {FIRST, SECOND}], (THIRD,)),
        ({FIRST}, {SECOND, THIRD}, False, [{SECOND, THIRD}, {FIRST, THIRD}], (FIRST, THIRD)),
        ({FIRST}, {SECOND, THIRD}, False, [], (FIRST, SECOND, THIRD)),
        ({FIRST, FOURTH}, {SECOND, FOURTH}, False, [{SECOND}], (SECOND,)),
        ({FIRST, FOURTH}, {SECOND, FOURTH}, False, [], (FIRST, SECOND)),
        ({FIRST}, {FIRST, SECOND}, True, [{RECORDED}], (RECORDED,)),
        ({FIRST}, {FIRST, SECOND}, True, [{SECOND}, {RECORDED}], (SECOND,)),
        ({FIRST}, {FIRST, SECOND}, True, [], (SECOND, RECORDED)),
        ({FIRST}, {FIRST}, True, [], (RECORDED,)),
        (set(), {FIRST, SECOND, THIRD, FOURTH}, False, [{FIRST, THIRD, FOURTH}],
         (FIRST, THIRD, FOURTH)),
    ],
)  # fmt: skip
def test_the_fewest_traits_with_which_a_value_comes_out_are_named(
    own, other, is_recorded, enough, fewest
):
    """The first of several as few, in the order in which traits are listed; else all."""
    explainer = _Explainer(None, None)

    def comes_out(_value, engine, traits, held_by):
        assert engine == 1
        changed = {*(traits ^ frozenset(own))} | ({RECORDED} if held_by else set())
        return changed in enough

    explainer._comes_out = comes_out
    assert (
        explainer._fewest(None, frozenset(own), frozenset(other), is_recorded=is_recorded) == fewest
    )
