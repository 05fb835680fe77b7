"""The Prometheus of a quiet world, for all dashboards of the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.field.boards import FieldRun, quiet_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verifier.servers.prometheus import Prometheus


@pytest.fixture(scope="session")
def quiet_server() -> Iterator[Prometheus]:
    """Return the Prometheus of a quiet world."""
    with quiet_world() as running:
        yield running


@pytest.fixture
def field(quiet_server: Prometheus, tmp_path: Path) -> FieldRun:
    """Return what asks dashboards."""
    return FieldRun(quiet_server, tmp_path)
