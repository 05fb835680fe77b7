"""Shared by every test: the repository, random numbers that can be replayed, a folder of a run."""

import fcntl
import gc
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from tests.browser.chromium import find_browser, leave_out
from tests.forking import forked_run
from tests.machine_lag import MachineLag
from tests.sampling.sampled import leave_to_the_long
from tests.shared_folder import make_shared_folder, shared_folder
from tests.tools.engine_tests import needs_engine

REAL_TIME = (
    "verifier/real_time/test_run.py",
    "agentaskit_sim/commands/test_verify_live_shutdown.py",
    "agentaskit_sim/commands/test_up.py",
    "agentaskit_sim/commands/test_serve.py",
    "exporter/test_prometheus.py",
    "verifier/servers/test_alertmanager.py",
    "verifier/real_time/test_stack.py",
    "field/test_routing_cases.py",
    "verifier/pack/routes/test_time_intervals.py",
)
"""Files whose tests run in real time and mostly wait. They start early, and whatever computes
beside them does so at a lower priority: a scrape must not wait for a core."""
LONGEST_FIRST = (
    *REAL_TIME[:3],
    "swarm/test_swarm.py",
    *REAL_TIME[3:],
    "verifier/virtual_time/test_simulation.py",
    "agentaskit_sim/commands/test_verify_planted_mistakes.py",
    "agentaskit_sim/commands/test_verify.py",
    "verifier/servers/test_receiver.py",
    "verifier/real_time/test_rule_compression.py",
    "swarm/test_planted_bugs.py",
    "simulator/kernel/test_laws.py",
    "simulator/faults/test_measure.py",
    "verifier/judge/test_fault_effects.py",
    "agentaskit_sim/commands/test_verify_shutdown.py",
    "verifier/slo/test_check.py",
    "verifier/evaluation/test_crosscheck.py",
    "simulator/test_determinism.py",
    "agentaskit_sim/test_main.py",
    "verifier/test_suite.py",
)
"""Files in the order in which they start: a long one that starts last is waited for by itself.

The fourth is given to the last of four workers: it computes while the others wait."""
GROUPS = {
    "browser": ("browser/",),
    "syntax": (
        "test_house_style.py",
        "test_layering.py",
        "documents/test_sentences.py",
        "simulator/faults/kinds/test_catalogue.py",
    ),
}
"""Files that one worker runs one after another: a browser starts once, a module is parsed once."""
NICENESS = 10
"""Of tests that compute: about a tenth of the weight of those that run in real time."""

pytest_addoption = forked_run.add_option
pytest_runtestloop = forked_run.run_tests

settings.register_profile(
    "replayable", derandomize=True, deadline=None, print_blob=True, max_examples=30
)
settings.register_profile("thorough", settings.get_profile("replayable"), max_examples=300)
settings.load_profile("replayable")


def pytest_configure(config):
    """Make the folder that worker processes share before there are any.

    Until the tests are collected nothing becomes garbage, and nobody looks for it. A shell that
    starts pytest in the background lets it ignore Ctrl-C, as then would all that the tests start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not config.getoption("numprocesses", None):  # who only waits for workers collects nothing
        gc.disable()
    remove = make_shared_folder()
    if remove is not None:
        config.add_cleanup(remove)
    if getattr(config, "workerinput", {}).get("workerid") == "gw0":
        compile_kernel_once()
    elif config.getoption("forks"):
        multiprocessing.get_context("fork").Process(target=compile_kernel_once).start()


def compile_kernel_once():
    """Compile the kernel, or wait until another worker has done so."""
    with (shared_folder() / "kernel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        World(Topology(), Plan(), seed=0).advance(0.01)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Start the longest files first, each in its order; mark those that need an engine.

    Without a browser, the tests that need one are left out with one loud skip.
    """
    leave_to_the_long(items)
    root, needing = config.rootpath / "tests", {}
    for item in items:
        if item.path not in needing:
            needing[item.path] = needs_engine(item.path, item.path.read_text("utf-8"), root)
        if needing[item.path]:
            item.add_marker("engine")
        name = item.path.relative_to(root).as_posix()
        for group, files in GROUPS.items():
            if name.startswith(files):
                item.stash[forked_run.GROUP] = group
    rank = {config.rootpath / "tests" / name: place for place, name in enumerate(LONGEST_FIRST)}
    leave_out(config, items, find_browser())
    items.sort(
        key=lambda item: (
            rank.get(item.path, len(rank)),
            item.stash.get(forked_run.GROUP, "~"),
        )
    )


def pytest_runtest_setup(item):
    """Lower the priority of this worker once it has come to tests that only compute."""
    if item.path.relative_to(item.config.rootpath / "tests").as_posix() in REAL_TIME:
        return
    if hasattr(os, "nice") and (missing := NICENESS - os.nice(0)) > 0:
        os.nice(missing)


def pytest_collection_finish(session):
    """Wait for the process that compiles the kernel while the tests are collected.

    What was collected stays: nobody looks for garbage in it from now on.
    """
    gc.freeze()
    gc.enable()
    # Without workers, the first test that needs the kernel compiles it.
    if hasattr(session.config, "workerinput") or session.config.getoption("forks"):
        compile_kernel_once()


@pytest.fixture(scope="module")
def machine_lag():
    """Return the lag of this machine, measured while the tests of a file run."""
    with MachineLag() as lag:
        yield lag


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of pyproject.toml."""
    return Path(__file__).parents[1]
