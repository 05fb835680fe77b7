"""In which order the scenarios of a suite begin: the dearest first, by an estimate of each.

Called by `verifier.suite` and `verifier.cluster`. What a scenario costs in virtual time has little
to do with its length: around each change of load or faults minutes are simulated event by event,
the rest is drawn. Pure; an estimate that is wrong costs time and changes no outcome.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from simulator.faults.kinds.catalogue import SCRAPE_PATH_FAULTS
from simulator.load import Load
from verifier.seeds.naming import is_of_seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.scenario import Scenario

    Cost = Callable[[Scenario], float]

ENGINE_S: Final = 1.3
"""A server's start, thirty days of history, every rule and panel asked, and all that is drawn."""
JUDGED_SHARE: Final = 5e-5
"""What a second of a scenario adds to that: four seconds for a day."""
TASK_S: Final = 0.8e-6
"""What a simulated task costs, on the machine of which ARCHITECTURE.md has the figures."""
SETTLING_S: Final = 300.0
"""So long after a change a world is simulated at least, until it is known to be steady."""
HEALTHY_S: Final = 600.0
"""So long is a healthy world simulated; for one scenario alone, by its own worker."""


def longest_first(scenarios: Sequence[Scenario], cost_s: Cost | None = None) -> list[int]:
    """Return the indices of the scenarios in their order of start, by the cost of each.

    A dear scenario that started last would run alone, beside idle cores. Of many seeds one comes
    after the other: scenarios of the same seed often start from the same healthy world. Without
    `cost_s` it is estimated for virtual time.
    """
    turns: dict[int, int] = {}
    costs_s = [*map(cost_s, scenarios)] if cost_s else expected_costs_s(scenarios)

    def turn(index: int) -> tuple[int, float]:
        scenario = scenarios[index]
        later = turns.setdefault(scenario.seed, len(turns)) if is_of_seeds(scenario) else 0
        return later, -costs_s[index]

    return sorted(range(len(scenarios)), key=turn)


def real_time_s(scenario: Scenario) -> float:
    """Return the cost of a scenario in real time, whose clock nothing else changes."""
    return scenario.duration_s


def expected_costs_s(scenarios: Sequence[Scenario]) -> list[float]:
    """Return about how many seconds of a core each scenario takes in virtual time.

    A healthy world that several of them start from is simulated before they begin.
    """
    starts = [(each.topology, each.plan.load.rate, each.seed) for each in scenarios]
    sharing = Counter(starts)
    costs_s = []
    for scenario, start in zip(scenarios, starts, strict=True):
        exact_s = _exact_s(scenario) + HEALTHY_S * (sharing[start] == 1)
        tasks = exact_s * scenario.plan.load.rate * scenario.topology.cells
        costs_s.append(ENGINE_S + JUDGED_SHARE * scenario.duration_s + TASK_S * tasks)
    return costs_s


def _exact_s(scenario: Scenario) -> float:
    """Return about how many seconds of a scenario and its past are simulated event by event."""
    load = scenario.plan.load
    changes = [
        (fault.start_s, fault.ramp_s, fault.end_s)
        for fault in scenario.plan.faults
        if fault.kind not in SCRAPE_PATH_FAULTS
    ]
    if load != Load(rate=load.rate):
        changes.append((0.0, scenario.duration_s, scenario.duration_s))
    past = [(-each.ago_s, each.ramp_s, each.duration_s - each.ago_s)
            for each in scenario.past.incidents]  # fmt: skip
    spans = [
        (from_s, min(to_s, end_s))
        for group, end_s in ((changes, scenario.duration_s), (past, 0.0))
        for start_s, ramp_s, over_s in group
        for from_s, to_s in (
            (start_s, min(start_s + ramp_s, over_s) + SETTLING_S),
            (over_s, over_s + SETTLING_S),
        )
    ]
    exact_s, reached_s = 0.0, -float("inf")
    for from_s, to_s in sorted(spans):
        exact_s += max(0.0, to_s - max(from_s, reached_s))
        reached_s = max(reached_s, to_s)
    return exact_s
