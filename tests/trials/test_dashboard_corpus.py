"""Dashboards that nobody here wrote, each through a quiet scenario: judged or named, in time.

`AGENTASKIT_SIM_DASHBOARDS` names a folder of them; without it there is nothing to do.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.verifier.simulations import NEAR, pack_rules, scenario_of, verify
from verifier.dashboards.reader import load_dashboards

CORPUS = os.environ.get("AGENTASKIT_SIM_DASHBOARDS", "")
FILES = sorted(Path(CORPUS).rglob("*.json")) if CORPUS else []
EACH_S = 60.0

pytestmark = [pytest.mark.long, pytest.mark.skipif(not FILES, reason="no folder of dashboards")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_panel_is_judged_or_named_with_its_reason_in_time(path: Path) -> None:
    """No traceback, no silence, and no minute."""
    began_s = time.monotonic()
    dashboards = load_dashboards([path])
    assert dashboards.panels or dashboards.not_judged
    scenario = scenario_of("duration: 20m")
    outcome = verify(scenario, pack_rules(*NEAR), dashboards.panels)
    asked = {(panel.dashboard, panel.title) for panel in dashboards.panels}
    assert len({verdict.query for verdict in outcome.panels}) >= bool(asked)
    assert all(verdict.ok or verdict.reason for verdict in outcome.panels)
    assert time.monotonic() - began_s < EACH_S
