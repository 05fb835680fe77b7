"""The options of `send` alone, each with its help."""

from __future__ import annotations

from typing import Annotated

import typer

from agentaskit_sim.front.completion import complete_scenario

SentScenario = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO", help="A scenario's name or file.", autocompletion=complete_scenario
    ),
]
StoreTo = Annotated[
    str,
    typer.Option(
        "--to", metavar="URL|FILE", help="The store's URL for remote write, or a file with it."
    ),
]
StoreAsk = Annotated[
    str | None,
    typer.Option(
        "--ask", metavar="URL", help="Where it is asked, if that does not follow from --to."
    ),
]
StartInstant = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="T",
        help="The scenario's start: RFC3339, Unix seconds, or so long ago (2h); by default it ends"
        " now.",
    ),
]
PastDepth = Annotated[
    str | None,
    typer.Option(
        "--past", metavar="DURATION", help="How far before its start the history begins; 1h."
    ),
]
CellsCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="URL",
        help="Scheduler of a Dask cluster whose workers simulate the cells instead.",
    ),
]
WritingThreads = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="Threads that write, and advance cells; by default one a core.",
    ),
]
RetryFor = Annotated[
    str | None,
    typer.Option(
        "--retry-for", metavar="DURATION", help="Wait so long for a store that fails; 5m."
    ),
]
SafeAfter = Annotated[
    str | None,
    typer.Option(
        "--safe-after",
        metavar="DURATION",
        help="So long after it was taken, a sample is looked for: by then the store has made it"
        " safe; 15s.",
    ),
]
SentJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
