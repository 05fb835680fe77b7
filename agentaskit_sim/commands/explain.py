"""`agentaskit-sim explain`: what failed in a run that was saved, and what is likely to blame.

Reads the verdict in a results folder and prints it at length; nothing is run. Exit status 0 when
there was something to read, whatever the verdict says; 2 for what is no verdict.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Final

import typer

from documents.mistakes import InputError
from verifier.report.saved.explanation import explanation
from verifier.report.saved.saved_verdict import read_verdict

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim explain results/20260102-030405
  agentaskit-sim explain results/20260102-030405 TaskThroughputBelowTarget
  agentaskit-sim explain verdict.json
"""


def explain(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="RESULTS",
            help="Results folder of a run, or a verdict.json.",
            show_default=False,
        ),
    ],
    alert: Annotated[
        str | None,
        typer.Argument(
            metavar="ALERT",
            help="The alert to explain, whether it failed or not; by default all that failed.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Explain the failures of a run that was saved: values, thresholds, and the likely culprit."""
    saved = read_verdict(results)
    if alert is not None:
        saved.check_alert(alert)
    try:
        lines = explanation(saved, alert)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise InputError(
            f"must be a verdict of `verify`, this is none ({what})", path=saved.path
        ) from None
    typer.echo("\n".join(lines))
