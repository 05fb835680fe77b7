"""Scenarios simulated and judged for tests; what is costly is done once for each process.

Scenarios start from healthy worlds that are simulated once (`HEALTHY`), which all workers of a run
share through files, as they do whole scenarios of the library. `make test` gives each worker whole
files (`--dist loadfile`), so the tests of a file share what else they simulate.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exporter.history.retention import FINE_PAST_S
from exporter.history.samples import EPOCH_S, STALE_BITS
from exporter.history.scrape_series import SCRAPE_SERIES
from exporter.metrics.catalogue import catalogue_world
from exporter.target import SCRAPE_S
from scenarios.library.files import resolve
from scenarios.loader import load_scenario, parse_scenario
from simulator.plan import Plan
from simulator.world import World
from tests.shared_folder import once
from verifier.dashboards.reader import load_dashboards
from verifier.evaluation.engine import evaluate
from verifier.judge.alert_verdicts import judge
from verifier.pack.history_depth import HistoryDepths, Read, depths
from verifier.pack.rules import RuleFiles, load_rules
from verifier.panels.answers import PanelWindow, answer_panels
from verifier.servers.prometheus import Prometheus
from verifier.virtual_time import run
from verifier.virtual_time.healthy_world import REAL_TIME, HealthyWorld, HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from exporter.history.retention import Need
    from exporter.history.samples import History, LabelSet
    from exporter.metrics.series import Catalogue
    from scenarios.scenario import Scenario
    from simulator.snapshot import Snapshot
    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome
    from verifier.pack.panels import Panel
    from verifier.panels.answers import PanelAnswer
    from verifier.time_compression import TimeCompression
    from verifier.virtual_time.run import SimulatedScenario

PACK = Path(__file__).parents[2] / "observability"


@cache
def pack_rules(*names: str) -> RuleFiles:
    """Load rule files of the pack."""
    return load_rules([PACK / "alerts" / f"{name}.yaml" for name in names])


@cache
def pack_panels(*names: str) -> tuple[Panel, ...]:
    """Load dashboards of the pack."""
    return load_dashboards([PACK / "dashboards" / f"{name}.json" for name in names]).panels


NINETEEN = ("slo", "performance", "backpressure")
"""Rule files with the nineteen alerts of the contract."""
NEAR = ("performance", "backpressure")
"""Rule files that read back five minutes at most: their past costs nothing."""


class SharedHealthyWorlds(HealthyWorlds):
    """Healthy worlds that are simulated once for all workers of a test run."""

    def __init__(self) -> None:
        """Read none yet."""
        super().__init__()
        self._shared: dict[str, HealthyWorld] = {}

    def start_of(
        self, scenario: Scenario, compression: TimeCompression = REAL_TIME
    ) -> HealthyWorld:
        """Return the healthy world that a scenario starts from, simulated when first needed."""
        load, topology = scenario.plan.load, scenario.topology
        key = repr((topology, load.rate, scenario.seed, compression)).encode()
        name = f"healthy-{hashlib.sha256(key).hexdigest()[:16]}"
        if name not in self._shared:
            start_of = super().start_of
            self._shared[name] = once(name, lambda: start_of(scenario, compression))
        return self._shared[name]


HEALTHY = SharedHealthyWorlds()


def only(rules: RuleFiles, *alerts: str) -> RuleFiles:
    """Return the rules of these alerts alone."""
    selected = [rule for _, rule in rules.alerts if rule.alert in alerts]
    groups = (
        replace(group, rules=tuple(rule for rule in group.rules if rule in selected))
        for group in rules.groups
    )
    return RuleFiles(tuple(group for group in groups if group.rules))


@cache
def bundled(name: str) -> Scenario:
    """Load a scenario of the library."""
    return load_scenario(resolve(name))


def scenario_of(text: str) -> Scenario:
    """Read a scenario from its text, without its head."""
    return parse_scenario(f"name: written\nstory: x\nseed: 42\n{text}", "written.yaml")


EVERYTHING = HistoryDepths((Read(re.compile(".*"), None, 300.0, 300.0),))
"""Five minutes of every metric of the world, and of every scrape of it."""


@cache
def pack_depths() -> HistoryDepths:
    """Everything near and what the whole pack reads, 30 days of requests among it."""
    pack = depths(
        pack_rules("slo", "performance", "backpressure"),
        pack_panels("sla", "throughput", "capacity"),
    )
    return HistoryDepths((*EVERYTHING.reads, *pack.reads))


_simulate = run.simulate
SMALL_RATE = 1000
"""Requests in a second of a world that a test wrote; the library's have ten times as many."""
_SIMULATED: dict[object, SimulatedScenario] = {}


def simulate(
    scenario: Scenario, needed: HistoryDepths = EVERYTHING, *, exact: bool = False
) -> SimulatedScenario:
    """Simulate a scenario and record what is `needed`, by default every metric."""
    return _simulate(scenario, needed, HEALTHY, exact=exact)


def simulate_for(scenario: Scenario, rules: RuleFiles) -> SimulatedScenario:
    """Simulate a scenario and record what these rules read."""
    return simulate(scenario, depths(rules))


def simulate_once(
    scenario: Scenario, needed: HistoryDepths, *_: object, exact: bool = False, **__: object
) -> SimulatedScenario:
    """Be `run.simulate`, but simulate the same scenario only once, and record all the pack reads.

    Once for all workers of a test run. Who reads more gets a simulation of its own. A small world
    is of one test: its month before is simulated only for who reads it.
    """
    small = scenario.plan.load.rate <= SMALL_RATE
    for deep in (EVERYTHING, pack_depths()) if small else (pack_depths(),):
        if _covers(deep, needed):
            needed = deep
            break
    key = (replace(scenario, path="", expectations=()), _needs(needed), exact)
    if key not in _SIMULATED:
        name = f"simulated-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
        _SIMULATED[key] = once(name, lambda: simulate(scenario, needed, exact=exact))
    return _SIMULATED[key]


def _needs(needed: HistoryDepths) -> tuple[Need, ...]:
    names = {dict(labels)["__name__"] for labels in catalogue().series}
    return tuple(needed.need(name, 0.0) for name in sorted(names | {*SCRAPE_SERIES}))


def _covers(depths: HistoryDepths, needed: HistoryDepths) -> bool:
    return all(
        deep.depth_s >= other.depth_s
        and all(
            start_s >= -FINE_PAST_S or any(a <= start_s and end_s <= b for a, b in deep.fine)
            for start_s, end_s in other.fine
        )
        for deep, other in zip(_needs(depths), _needs(needed), strict=True)
    )


@cache
def simulated(name: str, *, exact: bool = False) -> SimulatedScenario:
    """Simulate a scenario of the library, once in a test run, and record every metric."""
    return once(f"{name}{'-exact' * exact}", lambda: simulate(bundled(name), exact=exact))


@cache
def catalogue() -> Catalogue[Snapshot]:
    """Lay out the metrics of the world of the library."""
    scenario = bundled("healthy-day")
    return catalogue_world(World(scenario.topology, Plan(), scenario.seed).snapshot())


def verify(
    scenario: Scenario,
    rules: RuleFiles,
    panels: tuple[Panel, ...] = (),
    *,
    exact: bool = False,
) -> ScenarioOutcome:
    """Simulate a scenario and let a real Prometheus judge it."""
    setup = run.VirtualTimeSetup(rules, panels, HEALTHY, exact)
    return run.verify_scenario(scenario, setup, lambda _: None)


def judge_simulated(
    scenario: Scenario,
    simulated: SimulatedScenario,
    rules: RuleFiles,
    panels: tuple[Panel, ...] = (),
) -> tuple[tuple[AlertVerdict, ...], tuple[PanelAnswer, ...]]:
    """Judge a scenario that was simulated before, as `verify_scenario` does."""
    with Prometheus() as server:
        server.push(simulated.history)
        evaluation = evaluate(server, rules, start_s=0.0, end_s=scenario.duration_s)
        window = PanelWindow(EPOCH_S, EPOCH_S + scenario.duration_s, scrape_s=SCRAPE_S)
        answers = answer_panels(server, panels, window)
    names = [rule.alert for _, rule in rules.alerts]
    return judge(scenario, names, evaluation.timelines), answers


def series(
    history: History, name: str, **labels: str
) -> Iterator[tuple[LabelSet, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield the label set, virtual times and values of the series of `name`, markers included."""
    selector = {"__name__": name, **labels}.items()
    for index, label_set in enumerate(history.series):
        if selector <= dict(label_set).items():
            yield label_set, *_samples(history, index)


def every_series(
    history: History,
) -> Iterator[tuple[LabelSet, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield label set, virtual times and values of every series, markers included, in order."""
    assert len(set(history.series)) == len(history.series)
    for index, label_set in enumerate(history.series):
        yield label_set, *_samples(history, index)


def _samples(history: History, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and values of the series of this number."""
    times_s, values = [], []
    for block in history.blocks:
        row = block.values[block.series == index].reshape(-1)
        if len(row):
            present = ~np.isnan(row) | is_stale(row)
            times_s.append(block.timestamps_ms[present] / 1000 - EPOCH_S)
            values.append(row[present])
    return np.concatenate(times_s), np.concatenate(values)


def total(history: History, name: str, **labels: str) -> NDArray[np.float64]:
    """Return the sum of the series of `name`, scrape by scrape. All must have the same times."""
    return np.sum([values for _, _, values in series(history, name, **labels)], axis=0)


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where `values` holds stale markers."""
    return np.ascontiguousarray(values).view(np.uint64) == STALE_BITS
