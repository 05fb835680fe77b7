"""`agentaskit-sim scenarios near-miss`: search the value at which an alert nearly fires.

Its options alone: `scenarios` has them in its help, and imports the search only when one is asked
for.
"""

from __future__ import annotations

from agentaskit_sim.commands.near_miss.search_options import (
    AskedNearMiss,
    FailingScenario,
    Highest,
    Lowest,
    MissedAlert,
    ProbesMax,
    ResultJson,
    SavedFile,
    Seeds,
    TurnedFault,
    TurnedParameter,
)
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Jobs,
    MappingFile,
    RoutingFile,
    RulePaths,
    Seed,
)


def near_miss(  # noqa: PLR0913 - typer declares options as parameters
    scenario: FailingScenario,
    *,
    alert: MissedAlert,
    fault: TurnedFault = None,
    parameter: TurnedParameter = None,
    low: Lowest = None,
    high: Highest = None,
    seeds: Seeds = "1-5",
    seed: Seed = None,
    probes: ProbesMax = 24,
    rules: RulePaths = None,
    mapping: MappingFile = None,
    routing: RoutingFile = None,
    save: SavedFile = None,
    as_json: ResultJson = False,
    jobs: Jobs = None,
) -> None:
    """Search how much of a fault an alert just tolerates, and write a scenario of it."""
    from agentaskit_sim.commands.near_miss import (  # noqa: PLC0415 - `scenarios list` does without
        searching,
    )

    searching.search_near_miss(
        AskedNearMiss(
            scenario=scenario,
            alert=alert,
            fault=fault,
            parameter=parameter,
            low=low,
            high=high,
            seeds=seeds,
            seed=seed,
            probes=probes,
            rules=rules,
            mapping=mapping,
            routing=routing,
            save=save,
            as_json=as_json,
            jobs=jobs,
        )
    )
