"""The burns that show what alerts do: at which rates, and for how long each is watched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse
from tests.verifier.slo.packs import PACK
from verifier.pack.rules import AlertRule
from verifier.slo.measurement.burns import NEIGHBOURS, OUTAGE_S, SLACK_S, plan_burns
from verifier.slo.policy import Window, read_policy

POLICY = replace(
    read_policy(parse((PACK / "slo" / "policies.yaml").read_text(), "policies.yaml")).policy,
    target_percent=99.9,
    windows=(Window("fast", 3600.0, 14.4, ()), Window("slow", 21600.0, 6.0, ())),
)


def alert(for_s: float) -> AlertRule:
    """Return an alert with this `for`."""
    return AlertRule("A", "x > 1", for_s, 0.0, (), (), Place("r.yaml", 1, 1))


@pytest.mark.parametrize("for_s", [0.0, 120.0, 3600.0])
def test_a_steady_burn_is_watched_until_every_window_has_seen_it_and_every_for_is_over(
    for_s: float,
) -> None:
    """A window is over its threshold after a share of it, of a burn below its rate when full."""
    burns = plan_burns(POLICY, (alert(0.0), alert(for_s)))
    steady = {burn.rate: burn for burn in burns if not burn.is_outage}
    assert {rate * near for rate in (1.0, 6.0, 14.4) for near in NEIGHBOURS} < {*steady}
    for rate, burn in steady.items():
        seen_s = max(3600.0 * min(1.0, 14.4 / rate), 21600.0 * min(1.0, 6.0 / rate))
        assert burn.watched_s == burn.lasts_s == pytest.approx(seen_s + for_s + SLACK_S)
        assert burn.is_steady


def test_outages_are_watched_until_the_longest_window_and_for_have_passed() -> None:
    """A short one, and one that spends the budget of thirty days."""
    short, spent = (burn for burn in plan_burns(POLICY, (alert(120.0),)) if burn.is_outage)
    assert (short.rate, short.lasts_s) == (pytest.approx(1000.0), OUTAGE_S)
    assert short.watched_s == pytest.approx(21600.0 + 120.0 + SLACK_S)
    assert not short.is_steady
    assert spent.lasts_s == spent.watched_s == pytest.approx(0.95 * 2592 + 120.0 + SLACK_S)


def test_without_a_target_there_is_nothing_to_burn() -> None:
    """A policy may lack it; another check says so."""
    assert plan_burns(replace(POLICY, target_percent=None), (alert(0.0),)) == []
