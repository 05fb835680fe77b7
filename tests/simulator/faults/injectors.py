"""Injectors turned into no-ops: the fault is declared and in effect, and nothing comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.faults.kinds.catalogue import FAULTS

if TYPE_CHECKING:
    import pytest


def disarm(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let faults of `kind` do nothing from here on, neither at their onset nor after it."""
    for method in ("compose", "at_onset"):
        monkeypatch.setattr(FAULTS[kind], method, lambda *_: None)
