"""Shared by every test: the repository, random numbers that can be replayed, a folder of a run."""

import fcntl
from pathlib import Path

import pytest
from hypothesis import settings

from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from tests.machine_lag import MachineLag
from tests.shared_folder import make_shared_folder, shared_folder

LONGEST_FIRST = (
    "agentaskit_sim/commands/test_verify_live_shutdown.py",
    "verifier/virtual_time/test_simulation.py",
    "verifier/real_time/test_run.py",
    "agentaskit_sim/commands/test_verify_planted_mistakes.py",
    "agentaskit_sim/commands/test_up.py",
    "agentaskit_sim/commands/test_verify.py",
    "verifier/servers/test_receiver.py",
    "verifier/real_time/test_rule_compression.py",
    "simulator/kernel/test_laws.py",
    "simulator/faults/test_measure.py",
    "verifier/judge/test_fault_effects.py",
    "agentaskit_sim/commands/test_verify_shutdown.py",
    "verifier/slo/test_check.py",
    "verifier/evaluation/test_crosscheck.py",
    "simulator/test_determinism.py",
    "agentaskit_sim/commands/test_serve.py",
    "verifier/servers/test_alertmanager.py",
    "agentaskit_sim/test_main.py",
    "exporter/test_prometheus.py",
    "verifier/test_suite.py",
)
"""Files in the order in which they start: a long one that starts last is waited for by itself.

Files that wait (runs in real time) stand beside files that compute, so that both cores work.
"""

settings.register_profile("replayable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("replayable")


def pytest_configure(config):
    """Make the folder that worker processes share before there are any."""
    remove = make_shared_folder()
    if remove is not None:
        config.add_cleanup(remove)


def pytest_collection_modifyitems(config, items):
    """Start the longest files first; the tests of a file keep their order."""
    rank = {config.rootpath / "tests" / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_collection_finish(session):
    """Compile the kernel in one worker, not in all at once; the others read its cache."""
    if hasattr(session.config, "workerinput"):  # without workers, the first test that needs it
        with (shared_folder() / "kernel.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            World(Topology(), Plan(), seed=0).advance(0.01)


@pytest.fixture(scope="module")
def machine_lag():
    """Return the lag of this machine, measured while the tests of a file run."""
    with MachineLag() as lag:
        yield lag


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of pyproject.toml."""
    return Path(__file__).parents[1]
