"""Scenarios lived and judged for tests; what is costly is done once for each process.

The healthy world that all begin with is the judge's own (`fastforward.Warm` keeps it). `make test`
gives each worker whole files (`--dist loadfile`), so the tests of a file share what they live.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exporter.history.samples import EPOCH_S, STALE_BITS
from exporter.metrics.catalogue import catalogue_world
from scenarios.loader import load_scenario, parse_scenario, resolve
from simulator.world import World
from verifier.evaluation.engine import evaluate
from verifier.judge.judgement import judge
from verifier.pack.dashboards import load_dashboards
from verifier.pack.history_depth import HistoryDepths, Read, depths
from verifier.pack.rules import RuleFiles, load_rules
from verifier.servers.prometheus import Prometheus
from verifier.virtual_time import run as fastforward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from exporter.history.samples import History, LabelSet
    from exporter.metrics.series import Catalogue
    from scenarios.scenario import Scenario
    from simulator.snapshot import Snapshot
    from verifier.evaluation.engine import PanelAnswer
    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome
    from verifier.pack.dashboards import Panel
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


NEAR = ("performance", "backpressure")
"""Rule files that look back five minutes at most: their past costs nothing."""


def only(rules: RuleFiles, *alerts: str) -> RuleFiles:
    """Return the rules of these alerts alone."""
    wanted = [rule for _, rule in rules.alerts if rule.alert in alerts]
    groups = (
        replace(group, rules=tuple(rule for rule in group.rules if rule in wanted))
        for group in rules.groups
    )
    return RuleFiles(tuple(group for group in groups if group.rules))


@cache
def bundled(name: str) -> Scenario:
    """Load a scenario of the library."""
    return load_scenario(resolve(name))


def told(text: str) -> Scenario:
    """Read a scenario from its text, without its head."""
    return parse_scenario(f"name: told\nstory: x\nseed: 42\n{text}", "told.yaml")


def live(
    scenario: Scenario, rules: RuleFiles | None = None, *, exact: bool = False
) -> SimulatedScenario:
    """Live a scenario and record what the rules read, by default those of `NEAR`."""
    return fastforward.simulate(scenario, depths(rules or pack_rules(*NEAR)), exact=exact)


EVERYTHING = HistoryDepths((Read(re.compile("(?!agentaskit_sim_).*"), None, 300.0, 300.0),))
"""Five minutes of every metric of the world, but for the simulator's clock and its like."""


_live = fastforward.simulate
_LIVED: dict[object, SimulatedScenario] = {}


def lived_once(
    scenario: Scenario, needed: HistoryDepths, *, exact: bool = False, **_: object
) -> SimulatedScenario:
    """Be `simulate`, but simulate the same scenario only once and record all that is near."""
    if needed.longest_s <= EVERYTHING.longest_s:
        needed = EVERYTHING
    asked = tuple(needed.depth_s(dict(labels)["__name__"]) for labels in catalogue().series)
    key = (replace(scenario, path="", expectations=()), asked, needed.fine_s, exact)
    if key not in _LIVED:
        _LIVED[key] = _live(scenario, needed, exact=exact)
    return _LIVED[key]


def lived(name: str, *, exact: bool = False) -> SimulatedScenario:
    """Live a scenario of the library, once, and record every metric."""
    return lived_once(bundled(name), EVERYTHING, exact=exact)


@cache
def catalogue() -> Catalogue[Snapshot]:
    """Lay out the metrics of the world of the library."""
    scenario = bundled("healthy-day")
    return catalogue_world(World(scenario.topology, scenario.plan, scenario.seed).snapshot())


def judged(
    scenario: Scenario,
    rules: RuleFiles,
    panels: tuple[Panel, ...] = (),
    *,
    exact: bool = False,
) -> ScenarioOutcome:
    """Live a scenario and let a real Prometheus judge it."""
    return fastforward.verify_scenario(scenario, rules, panels, exact=exact, report=lambda _: None)


def series(
    history: History, name: str, **labels: str
) -> Iterator[tuple[LabelSet, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield the label set, virtual times and values of the series of `name`, markers included."""
    wanted = {"__name__": name, **labels}.items()
    for index, found in enumerate(history.series):
        if not wanted <= dict(found).items():
            continue
        times_s, values = [], []
        for block in history.blocks:
            row = block.values[block.series == index].reshape(-1)
            if len(row):
                seen = ~np.isnan(row) | is_stale(row)
                times_s.append(block.timestamps_ms[seen] / 1000 - EPOCH_S)
                values.append(row[seen])
        yield found, np.concatenate(times_s), np.concatenate(values)


def total(history: History, name: str, **labels: str) -> NDArray[np.float64]:
    """Return the sum of the series of `name`, scrape by scrape. All must have the same times."""
    return np.sum([values for _, _, values in series(history, name, **labels)], axis=0)


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where `values` holds stale markers."""
    return np.ascontiguousarray(values).view(np.uint64) == STALE_BITS


def judge_lived(
    scenario: Scenario, past: SimulatedScenario, rules: RuleFiles, panels: tuple[Panel, ...] = ()
) -> tuple[tuple[AlertVerdict, ...], tuple[PanelAnswer, ...]]:
    """Judge what was lived already, as `verify_scenario` does."""
    with Prometheus() as server:
        server.push(past.history)
        seen = evaluate(server, rules, panels, start_s=0.0, end_s=scenario.duration_s)
    names = [rule.alert for _, rule in rules.alerts]
    return judge(scenario, names, seen.timelines), seen.panels
