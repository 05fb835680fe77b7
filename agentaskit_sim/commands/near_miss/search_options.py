"""The options of `scenarios near-miss` that no other command has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from agentaskit_sim.front.completion import complete_scenario

FailingScenario = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="A bundled scenario, or a file, in which the alert can fire.",
        autocompletion=complete_scenario,
    ),
]
MissedAlert = Annotated[
    str, typer.Option("--alert", metavar="NAME", help="The alert that must nearly fire.")
]
TurnedFault = Annotated[
    str | None,
    typer.Option(
        "--fault", metavar="NAME", help="The fault to turn; by default the cause of the alert."
    ),
]
TurnedParameter = Annotated[
    str | None,
    typer.Option(
        "--parameter",
        metavar="NAME",
        help="Its parameter, duration or fraction; or of the load, such as load.rate.",
    ),
]
Lowest = Annotated[
    str | None, typer.Option("--low", metavar="VALUE", help="The smallest value to probe.")
]
Highest = Annotated[
    str | None, typer.Option("--high", metavar="VALUE", help="The largest value to probe.")
]
Seeds = Annotated[
    str,
    typer.Option("--seeds", metavar="N-N", help="Seeds on which it must hold: 1-5, or 1,3,7."),
]
ProbesMax = Annotated[
    int,
    typer.Option("--probes", min=2, max=200, metavar="N", help="Values that are probed at most."),
]
SavedFile = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Write the scenario here: NAME.yaml."),
]
ResultJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedNearMiss:
    """What a command line asks for, as it is written there."""

    scenario: str
    alert: str
    fault: str | None
    parameter: str | None
    low: str | None
    high: str | None
    seeds: str
    seed: int | None
    probes: int
    rules: list[Path] | None
    mapping: Path | None
    routing: Path | None
    save: Path | None
    as_json: bool
    jobs: int | None
