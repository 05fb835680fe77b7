"""Shared by every test: the repository, random numbers that can be replayed, a folder of a run."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.machine_lag import MachineLag
from tests.shared_folder import make_shared_folder

settings.register_profile("replayable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("replayable")


def pytest_configure(config):
    """Make the folder that worker processes share before there are any."""
    remove = make_shared_folder()
    if remove is not None:
        config.add_cleanup(remove)


@pytest.fixture(scope="module")
def machine_lag():
    """Return the lag of this machine, measured while the tests of a file run."""
    with MachineLag() as lag:
        yield lag


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of pyproject.toml."""
    return Path(__file__).parents[1]
