"""The catalogue: every kind of fault, in the order in which people are shown them.

The only registry. Scenario files, the fault API, the documentation's tables and metric labels know
a kind by its name here. A kind is added by its class in a module of `kinds` and its line below;
`tests/simulator/faults/kinds/test_catalogue.py` refuses a class that has no line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.faults.kinds.agents import AgentCrash, AgentHang, CrashLoop, SlowStart
from simulator.faults.kinds.bus import BusPartition, MessageFlood, SlowConsumer
from simulator.faults.kinds.cells import CellBrownout, CellDown, RouterStale
from simulator.faults.kinds.resources import CpuContention, MemoryLeak, SlowHost
from simulator.faults.kinds.sandboxes import SandboxCrash, SandboxLeak
from simulator.faults.kinds.scrape_path import (
    CardinalityBurst,
    CounterReset,
    ExporterDown,
    ScrapePathParameters,
    ScrapeSlow,
    ScrapeTruncated,
    SeriesVanish,
)
from simulator.faults.kinds.tasks import DependencyOutage, TaskFailure, TaskSlowdown
from simulator.faults.kinds.traffic import CapacityDemand, TrafficDrop, TrafficSurge

if TYPE_CHECKING:
    from simulator.faults.parameters import Parameters


def _by_name(*kinds: type[Parameters]) -> dict[str, type[Parameters]]:
    """The kinds by their names. mypy refuses a kind here that lacks a part of `Parameters`."""
    return {kind.facts.name: kind for kind in kinds}


FAULTS: Final = _by_name(
    AgentCrash,
    CrashLoop,
    AgentHang,
    SlowStart,
    TaskSlowdown,
    TaskFailure,
    DependencyOutage,
    TrafficSurge,
    TrafficDrop,
    CapacityDemand,
    BusPartition,
    MessageFlood,
    SlowConsumer,
    SandboxLeak,
    SandboxCrash,
    MemoryLeak,
    CpuContention,
    SlowHost,
    ExporterDown,
    CounterReset,
    ScrapeSlow,
    ScrapeTruncated,
    SeriesVanish,
    CardinalityBurst,
    CellDown,
    CellBrownout,
    RouterStale,
)
SCRAPE_PATH_FAULTS: Final = {
    name: kind for name, kind in FAULTS.items() if issubclass(kind, ScrapePathParameters)
}
"""Those that stand between the world and its scrapes; the exporter measures them."""
