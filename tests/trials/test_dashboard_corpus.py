"""Dashboards that nobody here wrote, each through `verify` on twenty quiet minutes.

`AGENTASKIT_SIM_DASHBOARDS` names a folder of them; without it there is nothing to do. `-n 2` runs
two at a time, and `--junitxml` writes what each took and its status.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trials.corpus_runs import check_end, unnamed_panels, verify_quietly

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = os.environ.get("AGENTASKIT_SIM_DASHBOARDS", "")
FILES = sorted(Path(CORPUS).rglob("*.json")) if CORPUS else []

pytestmark = [pytest.mark.long, pytest.mark.skipif(not FILES, reason="no folder of dashboards")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_panel_is_judged_or_named_with_its_reason_in_time(
    path: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """No traceback, no silence, and no minute."""
    run = verify_quietly(tmp_path, "--dashboards", path)
    check_end(run, record_property)
    assert run.document is not None, run.said
    board = json.loads(path.read_text())
    assert not unnamed_panels(run, board.get("dashboard") or board)
    assert all(panel["ok"] or panel["reason"] for panel in run.scenario["panels"])
    for key in ("panels", "not_judged", "findings"):
        record_property(key, json.dumps(run.scenario[key]))
