"""What the tests of routing share: a reader of configurations from their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from verifier.pack.routes.routing import Routing, load_routing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Routing]:
    """Return a function that reads a configuration from its text."""

    def load(text: str) -> Routing:
        path = tmp_path / "alertmanager.yml"
        path.write_text(text, encoding="utf-8")
        return load_routing(path)

    return load
