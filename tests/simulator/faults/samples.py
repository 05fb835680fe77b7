"""A sample of every kind of fault, and worlds with them in effect."""

from __future__ import annotations

from simulator.faults.kinds.catalogue import FAULTS, SCRAPE_PATH_FAULTS
from simulator.kernel import loop as k
from tests.simulator.worlds import fault, make

ON_THE_PATH = list(SCRAPE_PATH_FAULTS)
OF_THE_ROUTER = [name for name, kind in FAULTS.items() if kind.facts.aims_at == "router"]
IN_THE_WORLD = [kind for kind in FAULTS if kind not in (*ON_THE_PATH, *OF_THE_ROUTER)]
SAMPLES = {
    "agent_crash": {"rate_per_s": 5.0},
    "crash_loop": {"alive_s": 0.2},
    "agent_hang": {},
    "slow_start": {"factor": 4.0},
    "task_slowdown": {"factor": 3.0},
    "task_failure": {"share": 0.3},
    "dependency_outage": {"share": 0.5, "latency_s": 0.3},
    "traffic_surge": {"factor": 2.0},
    "traffic_drop": {"share": 0.6},
    "capacity_demand": {"agents": 39},
    "bus_partition": {"loss": 1.0},
    "message_flood": {"rate_per_s": 5000.0},
    "slow_consumer": {"factor": 50.0},
    "sandbox_leak": {"share": 0.5},
    "sandbox_crash": {"share": 0.5},
    "memory_leak": {"bytes_per_s": 1e6},
    "cpu_contention": {"share": 0.5},
    "slow_host": {"factor": 3.0},
    "exporter_down": {},
    "counter_reset": {},
    "scrape_slow": {"delay_s": 3.0},
    "scrape_truncated": {"share": 0.5},
    "series_vanish": {"share": 0.25},
    "cardinality_burst": {"series": 100},
    "cell_down": {},
    "cell_brownout": {"factor": 3.0},
    "router_stale": {},
}
"""Parameters of every kind of fault; the catalogue's tests report one that is missing."""
TARGETS = {
    "bus_partition": {"fraction": 0.3},
    "slow_consumer": {"tiers": ("lead",)},
    "task_slowdown": {"tiers": ("worker",), "fraction": 0.3},
    "task_failure": {"tiers": ("worker",), "fraction": 0.5},
    "memory_leak": {"hosts": (1,)},
    "slow_host": {"hosts": (1, 2)},
}
"""Targets other than all, where the expected effect then differs."""
WORLDS = {
    "agent_hang": {"watchdog_s": 2.0},
    "slow_start": {"recycle_per_s": 10.0},
    "memory_leak": {"recycle_per_s": 5.0},
    "capacity_demand": {"active_floor": 20, "rate": 100.0},
}
"""What a world must be like for the fault to have something to act on."""


def world_with(kind, *, times=1, **options):
    """Return a world with `times` faults of a kind, a second apart, from 1 s to 31 s."""
    options = {"duration_s": 30.0, **TARGETS.get(kind, {}), **options}
    faults = (
        fault(kind, name=f"{kind}-{n}", **SAMPLES[kind], **{"start_s": 1.0 + n, **options})
        for n in range(times)
    )
    return make(*faults, **WORLDS.get(kind, {}))


def between(world, start_s, end_s):
    """Return the snapshots at two instants."""
    world.advance(start_s)
    before = world.snapshot()
    world.advance(end_s)
    return before, world.snapshot()


def effect(snapshot, name):
    """Return the effect that a snapshot reports of a fault."""
    return next(status.effect for status in snapshot.faults if status.name == name)


def assert_near(measured, expected, error, sigmas=4.0):
    """Assert agreement within so many standard errors."""
    assert abs(measured - expected) <= sigmas * error, f"{measured} is not {expected} +- {error}"


def parameters_of(world):
    """Return every effective parameter in the arrays, by name."""
    s = world._state
    columns = {
        "agent": (k.SIDE, k.HANGS, k.LOOPS, k.ALIVE_NS, k.FAILS_BELOW, k.CRASHES_BELOW,
                  k.LEAK_PER_TICK, k.SLOWNESS_ON),
        "inbox": (k.INBOX_NS,),
        "agent_real": (k.SLOWNESS, k.START_SLOWNESS),
        "host": (k.STOLEN_CORES, k.BACKGROUND_CORES),
        "pool": (k.TOTAL, k.LEAKED, k.DOWN, k.LEAK_TARGET, k.DOWN_TARGET),
    }  # fmt: skip
    values = {name: getattr(s, name)[:, list(which)].tolist() for name, which in columns.items()}
    for name in (
        "RESERVED",
        "PARTITION",
        "DEPENDENCY_FAILS_BELOW",
        "DEPENDENCY_NS",
        "CRASH_TARGETS",
    ):
        values[name] = int(s.head[getattr(k, name)])
    values["losses"] = s.partition_loss.tolist()
    values["rates"] = s.real_head[[k.RATE, k.FLOOD_RATE]].tolist()
    values["flooding"] = bool(s.head[k.NEXT_FLOOD] != k.NEVER)
    values["exporter"] = world._ledger.exporter_up
    values["scrape path"] = world._ledger.scrape_path
    return values
