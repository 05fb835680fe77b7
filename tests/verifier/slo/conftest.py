"""Packs that a test may change."""

from __future__ import annotations

import shutil

import pytest

from tests.verifier.slo.packs import OLDER_RULES, PACK, older_dashboard


@pytest.fixture
def pack(tmp_path):
    """Return a copy of the pack, outside any checkout."""
    for name in ("alerts", "dashboards", "slo"):
        shutil.copytree(PACK / name, tmp_path / "pack" / name)
    return tmp_path / "pack"


@pytest.fixture
def older(tmp_path):
    """Return a pack in the form that users have had for years."""
    for name in ("alerts", "slo", "dashboards"):
        (tmp_path / name).mkdir()
    shutil.copy(PACK / "slo" / "policies.yaml", tmp_path / "slo")
    (tmp_path / "alerts" / "slo.yaml").write_text(OLDER_RULES)
    (tmp_path / "dashboards" / "older.json").write_text(older_dashboard())
    return tmp_path
