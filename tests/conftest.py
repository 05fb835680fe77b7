"""What every test shares: where the repository is, and chance that can be replayed."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("replayable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("replayable")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of pyproject.toml."""
    return Path(__file__).parents[1]
