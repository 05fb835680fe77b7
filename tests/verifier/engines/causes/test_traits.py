"""Which traits of an engine can change what a function gives, and which engine has which."""

from __future__ import annotations

import pytest

from verifier.engines.causes.traits import (
    INSTANT,
    PROMETHEUS_2,
    PROMETHEUS_3,
    VICTORIA_METRICS,
    Trait,
    acting,
    sentence,
)

ALWAYS = {"open-window", "nan-is-missing"}
CHANGES = {"sample-before", "empty-is-zero"}


@pytest.mark.parametrize(
    ("function", "ids"),
    [
        ("rate", CHANGES | {"late-zero", "unextended", "small-step-back"}),
        (
            "increase",
            CHANGES | {"late-zero", "unextended", "small-step-back", "starts-from-zero"},
        ),
        ("irate", CHANGES | {"small-step-back"}),
        ("delta", CHANGES | {"unextended", "starts-from-zero"}),
        ("changes", CHANGES | {"first-is-change"}),
        ("resets", CHANGES),
        ("deriv", {"one-is-flat"}),
        ("predict_linear", {"one-is-flat"}),
        (INSTANT, {"short-lookback"}),
        ("max_over_time", set()),
    ],
)
def test_a_function_is_changed_by_its_own_traits_alone(function, ids):
    """Rounding and what is recorded otherwise are no matter of a function."""
    assert {trait.value for trait in acting(frozenset(Trait), [function])} == ALWAYS | ids


def test_of_several_functions_any_may_be_changed_and_only_by_what_an_engine_has():
    """Prometheus 2.x is the ground, so nothing acts there."""
    assert acting(PROMETHEUS_2, ["rate"]) == frozenset()
    assert acting(PROMETHEUS_3, ["deriv", "increase"]) == {Trait.OPEN_WINDOW, Trait.LATE_ZERO}
    assert Trait.LATE_ZERO not in acting(VICTORIA_METRICS, ["rate"])
    assert Trait.SMALL_STEP_BACK in acting(VICTORIA_METRICS, ["deriv", "rate"])


def test_every_trait_has_words_of_its_own():
    """To follow the name of an engine."""
    assert len({sentence(trait) for trait in Trait}) == len(Trait)
