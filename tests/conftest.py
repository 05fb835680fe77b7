"""What every test shares: where the repository is, and chance that can be replayed."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.machine_lag import MachineLag

settings.register_profile("replayable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("replayable")


@pytest.fixture(scope="module")
def machine_lag():
    """Return the lag of this machine, measured while the tests of a file run."""
    with MachineLag() as lag:
        yield lag


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of pyproject.toml."""
    return Path(__file__).parents[1]
