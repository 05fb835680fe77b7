"""Injectors turned into no-ops: the fault is declared and in effect, and nothing comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import world
from simulator.faults import composition as effects
from simulator.faults.catalogue import FAULTS, CounterReset

if TYPE_CHECKING:
    import pytest


class Nothing:
    """No fault is one of these."""


def disarm(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let faults of `kind` do nothing from here on."""
    add, begin = effects.Composition.add, effects.begin

    def struck(fault):
        return isinstance(fault.parameters, FAULTS[kind])

    monkeypatch.setattr(
        effects.Composition, "add",
        lambda self, fault, *how: None if struck(fault) else add(self, fault, *how),
    )  # fmt: skip
    monkeypatch.setattr(
        effects, "begin", lambda fault, *how: None if struck(fault) else begin(fault, *how)
    )
    if FAULTS[kind] is CounterReset:
        monkeypatch.setattr(world, "CounterReset", Nothing)
