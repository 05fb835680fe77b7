"""A picture that cannot be drawn costs the picture, not the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.verifier.histories import rules
from tests.verifier.simulations import scenario_of, verify
from verifier.drawing import scenario_chart

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCENARIO = "duration: 2m\nload: {rate: 1000}\nexpectations:\n- {alert: Up, fires_within: 1m}\n"


def broken(*_: object) -> tuple[object, ...]:
    """Fail as a mistake of our own would."""
    raise KeyError("le")


@pytest.fixture
def judged(tmp_path: Path) -> Callable[[], object]:
    """Return what judges an alert that fires at once."""
    read = rules(tmp_path, {"alert": "Up", "expr": "up == 1"})
    return lambda: verify(scenario_of(SCENARIO), read)


@pytest.mark.parametrize("part", ["condition_rows", "world_rows", "lanes", "chart_document"])
def test_what_goes_wrong_in_drawing_is_a_finding_and_changes_no_verdict(judged, part, monkeypatch):
    """The alert is judged as it was with a picture; the reason is said."""
    whole = judged()
    monkeypatch.setattr(scenario_chart, part, broken)
    bare = judged()
    assert (whole.alerts, whole.invalid) == (bare.alerts, bare.invalid)
    assert whole.chart
    assert not bare.chart
    assert whole.findings == bare.findings[:-1]
    assert bare.findings[-1].startswith("the chart could not be drawn: internal error: KeyError")
