"""Healthy worlds: settled under their load, the state that every scenario's history begins with.

A healthy world is simulated once for each topology, load, seed and time compression, and every
scenario starts from a copy. Whoever runs scenarios holds the `HealthyWorlds` and hands it on; on
Linux worker processes are forked after `prepare`, so what the parent simulated is theirs too. It
is simulated by threads, for the kernel lets go of the interpreter; none is left for a fork to lose.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from exporter.metrics.catalogue import CONTRACT, Catalogue
from simulator.cells.system import CellSystem, SimulatedSystem, build_system
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from verifier.errors import JudgeError
from verifier.seeds.naming import is_of_seeds
from verifier.time_compression import TimeCompression
from verifier.virtual_time.steady_state import MINUTE, find_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from scenarios.scenario import Scenario
    from simulator.snapshot import Snapshot

BuildSystem: TypeAlias = "Callable[[Topology, Plan, int], SimulatedSystem]"
REAL_TIME: Final = TimeCompression()
WARM_UP_S: Final = 60.0
"""Simulated before any scrape is compared: queues, pools and the fleet start empty."""
FURTHER_MINUTES: Final = 4
"""Once it is steady, so many minutes more are simulated to draw from: most of a past is healthy."""
WARM_UP_MINUTES_MAX: Final = 20
"""Queues that grow for as long as this grow for ever: the load is more than the system carries."""
WORLDS_MAX: Final = 16
"""Worlds that a process holds; of more, those that were not asked for lately are simulated anew."""


@dataclass(frozen=True, slots=True)
class HealthyWorld:
    """A world that has settled under its load, and the exact scrapes of its last minutes.

    `before` is the scrape before the first of `scrapes`: counters are compared with it.
    """

    world: SimulatedSystem
    before: Snapshot
    scrapes: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class _Key:
    """What scenarios must have in common to start from the same world."""

    topology: Topology
    rate: float
    seed: int
    compression: TimeCompression


class HealthyWorlds:
    """The healthy worlds of one run of the program, each simulated once.

    Pickled for a process that is not a fork, it starts empty: the same seed gives the same world.
    """

    def __init__(self, workers: int = 1, build: BuildSystem | None = None) -> None:
        """Simulate nothing yet. The cells of a system are advanced by so many `workers`.

        With `build` they are begun elsewhere.
        """
        self.workers = workers
        self.build = build or partial(build_system, workers=workers)
        self._worlds: dict[_Key, HealthyWorld] = {}

    def __reduce__(self) -> tuple[type[HealthyWorlds], tuple[int]]:
        """Pickle as an empty one."""
        return HealthyWorlds, (self.workers,)

    def start_of(
        self, scenario: Scenario, compression: TimeCompression = REAL_TIME
    ) -> HealthyWorld:
        """Return the healthy world that `scenario` starts from; raise JudgeError for none."""
        key = _key(scenario, compression)
        world = self._worlds.pop(key, None) or simulate_healthy_world(
            key.topology, key.rate, key.seed, compression, build=self.build
        )
        self._worlds[key] = world  # the last: the first of them was not asked for the longest
        while len(self._worlds) > WORLDS_MAX:
            del self._worlds[next(iter(self._worlds))]
        return world

    def prepare(
        self,
        scenarios: Iterable[Scenario],
        compression: TimeCompression = REAL_TIME,
        *,
        jobs: int = 1,
    ) -> None:
        """Compile the simulator, and simulate each world that several scenarios start from.

        At most `jobs` at once, the dearest first. To be called before workers are forked. A world
        that does not settle is reported by its own scenarios, not here. Those of many seeds are too
        many to be simulated one by one here.
        """
        World(Topology(), Plan(), 0)  # compiles: numba does so at the first world
        by_key: dict[_Key, list[Scenario]] = {}
        for scenario in (each for each in scenarios if not is_of_seeds(each)):
            by_key.setdefault(_key(scenario, compression), []).append(scenario)
        shared = [key for key, sharing in by_key.items() if len(sharing) > 1][:WORLDS_MAX]
        missing = [key for key in shared if key not in self._worlds]
        missing.sort(key=lambda key: -key.rate * key.topology.cells)
        worlds = dict(zip(missing, self._side_by_side(missing, jobs), strict=True))
        for key in shared:
            world = self._worlds.pop(key, None) or worlds[key]
            if world is not None:
                self._worlds[key] = world

    def _side_by_side(self, keys: Sequence[_Key], jobs: int) -> list[HealthyWorld | None]:
        """Return the world of each key, None for one that does not settle; `jobs` at once."""
        abandoned = threading.Event()

        def simulate(key: _Key) -> HealthyWorld | None:
            try:
                return simulate_healthy_world(
                    key.topology, key.rate, key.seed, key.compression,
                    build=self.build, abandoned=abandoned,
                )  # fmt: skip
            except JudgeError:
                return None

        if min(jobs, len(keys)) <= 1:
            return [simulate(key) for key in keys]
        with ThreadPoolExecutor(min(jobs, len(keys)), thread_name_prefix="healthy") as pool:
            try:
                return list(pool.map(simulate, keys))
            except BaseException:
                abandoned.set()  # Ctrl-C does not wait until a world has settled
                raise


def simulate_healthy_world(  # noqa: PLR0913 - what to simulate, and how
    topology: Topology,
    rate: float,
    seed: int,
    compression: TimeCompression = REAL_TIME,
    *,
    build: BuildSystem = build_system,
    abandoned: threading.Event | None = None,
) -> HealthyWorld:
    """Simulate a healthy world exactly until its last minutes are steady: those to draw from.

    Raises `JudgeError` when it does not settle: it has no healthy past; or once it is `abandoned`.
    """
    plan = Plan(load=Load(rate=rate))
    world = build(compression.topology(topology), plan, seed)

    def next_scrape() -> Snapshot:
        if abandoned is not None and abandoned.is_set():
            raise JudgeError("the healthy world was given up: run it again")
        world.advance_ns(world.now_ns + compression.step_ns)
        return world.snapshot()

    world.advance(WARM_UP_S)
    scrapes = [world.snapshot()]
    contract = Catalogue(CONTRACT, scrapes[0])
    counters = contract.kinds == "counter"
    reading = contract.flatten(scrapes[0])
    rows: list[NDArray[np.float64]] = []
    further = round(FURTHER_MINUTES * compression.factor) * MINUTE
    for _ in range(round(WARM_UP_MINUTES_MAX * compression.factor) * MINUTE):
        scrapes.append(next_scrape())
        last, reading = reading, contract.flatten(scrapes[-1])
        rows.append(np.where(counters, reading - last, reading))
        pool = find_pool(rows, factor=compression.factor)
        if pool is not None:
            scrapes += [next_scrape() for _ in range(further)]
            if isinstance(world, CellSystem):
                # A process that is forked from here has no threads of this one.
                world.end_threads()
            size = len(pool.rows) + further
            return HealthyWorld(world, scrapes[-size - 1], tuple(scrapes[-size:]))
    raise JudgeError(
        f"the system does not settle under {rate:g} tasks/s, so the scenario has no steady past:"
        " give a load.rate that it can carry, and raise it by load.stages"
    )


def _key(scenario: Scenario, compression: TimeCompression) -> _Key:
    return _Key(scenario.topology, scenario.plan.load.rate, scenario.seed, compression)
