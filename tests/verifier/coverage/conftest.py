"""A judge that refuses every opposite, and remembers it."""

from __future__ import annotations

import pytest

from verifier.coverage import episode_cells as episodes_module
from verifier.coverage import value_cells as values_module


@pytest.fixture
def asked(monkeypatch):
    """Return the episodes of each opposite that the judge is asked about; it refuses them all."""
    opposites = []

    def refuse(_scenario, _course, own):
        opposites.append([each for timeline in own for each in timeline.episodes])
        return True

    monkeypatch.setattr(episodes_module, "is_refused", refuse)
    monkeypatch.setattr(values_module, "is_refused", refuse)
    return opposites
