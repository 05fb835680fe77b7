"""Grafana's units: each beside what its name says in seconds, bytes and plain numbers."""

from __future__ import annotations

import pytest

from verifier.panels.units import UNITS, base_unit

IN_THE_WORLD = {
    "s": {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60},
    "bytes": {
        "bytes": 1, "decbytes": 1,
        "kbytes": 1 << 10, "mbytes": 1 << 20, "gbytes": 1 << 30,
        "deckbytes": 10**3, "decmbytes": 10**6, "decgbytes": 10**9,
    },
    "1": {"": 1, "none": 1, "short": 1},
    "ratio": {"percentunit": 1, "percent": 0.01},
    "bytes/s": {"Bps": 1, "binBps": 1},
}  # fmt: skip
RATES = {"ops", "reqps", "cps", "rps", "iops", "wps"}


@pytest.mark.parametrize("base", IN_THE_WORLD)
def test_a_unit_is_so_many_of_the_worlds(base: str) -> None:
    """Binary and decimal ones are told apart."""
    for unit, factor in IN_THE_WORLD[base].items():
        assert base_unit(unit) == (base, pytest.approx(factor))


def test_rates_are_counted_as_they_are_and_no_unit_is_left_out() -> None:
    """One that is not known stands for itself."""
    named = {unit for units in IN_THE_WORLD.values() for unit in units}
    assert set(UNITS) == named | RATES
    assert {base_unit(unit)[1] for unit in RATES} == {1.0}
    assert len({base_unit(unit)[0] for unit in RATES}) == len(RATES)
    assert base_unit("furlongs") == ("furlongs", 1.0)
