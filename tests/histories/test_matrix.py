"""One seed, one history: in any process, hash seed, version of Python, at any pace, for anybody."""

from __future__ import annotations

import asyncio
import builtins
import os
import shutil
import subprocess
import sys
import time
from math import fsum
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web

from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from simulator.pacer import SystemClock
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.worlds import fault, load, small
from tests.swarm.drawing import draw_trial
from tests.swarm.run import carry_out

SEEDS = 200
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
AUDIENCE, PACED_S = 50, 2.0
FAULTS = (
    fault("task_slowdown", factor=3.0, start_s=0.3, duration_s=0.8, ramp_s=0.2),
    fault("agent_crash", rate_per_s=20.0, start_s=0.5, duration_s=1.0),
    fault("message_flood", rate_per_s=500.0, start_s=0.7, duration_s=0.6),
)


def hashes_elsewhere(python, repository, **environment):
    """Return the hashes of the swarm's first seeds, simulated by a process of its own."""
    path = f"{repository}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [python, "-m", "tests.swarm", "--count", str(SEEDS), "--hashes"],
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(set(lines)) == SEEDS
    return lines


@pytest.mark.long
def test_hash_seeds_and_numbers_of_processes_change_no_history(repository):
    """Two hundred seeds: the same two hundred hashes."""
    plain = hashes_elsewhere(sys.executable, repository, PYTHONHASHSEED="0")
    assert plain == hashes_elsewhere(sys.executable, repository, PYTHONHASHSEED="4711")


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_another_python_gives_the_same_histories(version, repository, tmp_path):
    """With the very packages of the lock file; skipped where that Python is not installed."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    uv = shutil.which("uv", path=f"{repository / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert uv is not None, "the set-up installs uv"
    venv = tmp_path / "venv"
    subprocess.run([uv, "venv", "-q", "--python", python, str(venv)], check=True, timeout=120)
    other = venv / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", str(other), "--require-hashes",
         "-r", str(repository / "requirements.lock")],
        check=True, timeout=600,
    )  # fmt: skip
    assert hashes_elsewhere(str(other), repository) == hashes_elsewhere(sys.executable, repository)


def find_python(version):
    """Return the path of an installed Python of a version that can be started, or None."""
    installed = Path.home() / ".pyenv" / "versions"
    places = [*sorted(installed.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")]
    for place in filter(None, places):
        done = subprocess.run([str(place), "-V"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and f"Python {version}." in done.stdout:
            return str(place)
    return None


@pytest.mark.ci
@pytest.mark.parametrize("audience", [0, AUDIENCE])
async def test_neither_scrapers_nor_real_time_change_the_world(audience):
    """Paced by the clock under a real server, or simulated in one leap: the same bytes."""
    served, leap = (World(small(), Plan(load=load(), faults=FAULTS), 11) for _ in range(2))
    exposition = Exposition(served, SystemClock(), version="1", scenario="matrix")
    scrapes = await serve(exposition, audience)
    assert served.now_s >= PACED_S
    assert scrapes >= audience
    leap.advance_ns(served.now_ns)
    assert served.fingerprint() == leap.fingerprint()
    assert repr(served.snapshot()) == repr(leap.snapshot())
    assert repr(served.effects()) == repr(leap.effects())


async def serve(exposition, audience):
    """Serve a world in real time to so many scrapers; return how many scrapes were answered."""
    runner = web.AppRunner(build_app(exposition))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/metrics"
    ends_s = time.monotonic() + PACED_S
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        scrapers = [scrape(session, url, ends_s) for _ in range(audience)]
        _, *counts = await asyncio.gather(exposition.pacer.run(PACED_S), *scrapers)
    await runner.cleanup()
    return sum(counts)


async def scrape(session, url, ends_s):
    """Scrape again and again until the time is up; return how often."""
    count = 0
    while time.monotonic() < ends_s:
        async with session.get(url) as response:
            assert response.status == 200
            await response.read()
        count += 1
        await asyncio.sleep(0.05)
    return count


def naive(numbers, start=0):
    """Add one after another, as Python does before 3.12."""
    for number in numbers:
        start = start + number
    return start


def compensated(numbers, start=0):
    """Add as Python does from 3.12 on: of floats the sum of the errors is added at the end."""
    numbers = list(numbers)
    if not numbers or not all(isinstance(number, float) for number in numbers):
        return naive(numbers, start)
    return fsum([start, *numbers])


def several_cells():
    """Return the histories of trials whose cells weigh differently."""
    trials = [draw_trial(seed) for seed in range(200)]
    several = [trial for trial in trials if len(set(trial.topology.cell_weights)) > 1]
    return [carry_out(trial, drains=False).history for trial in several[:4]]


def three_floods():
    """Return every byte of a world with rates that have another sum the one way than the other."""
    rates = (22.1, 44.2, 66.3)
    assert naive(rates) / 1e9 != compensated(rates) / 1e9
    floods = [
        fault("message_flood", name=f"flood-{rate}", rate_per_s=rate, start_s=0.1, duration_s=1.0)
        for rate in rates
    ]
    world = World(small(), Plan(load=load(), faults=tuple(floods)), 11)
    world.advance(0.5)
    return [world.fingerprint()]


@pytest.mark.parametrize("simulate", [several_cells, three_floods])
def test_the_sum_of_this_python_changes_no_history(simulate, monkeypatch):
    """`sum` of floats is another from Python 3.12 on; what arrives in a cell did hang on it."""
    histories = []
    for add in (naive, compensated):
        monkeypatch.setattr(builtins, "sum", add)
        histories.append(simulate())
    assert histories[0]
    assert histories[0] == histories[1]
