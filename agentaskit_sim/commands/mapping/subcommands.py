"""`agentaskit-sim mapping`: propose, check and describe mapping files.

A mapping makes the metrics of a user's exporter of ours; `verify`, `mutate`, `up` and `serve` take
it with `--mapping`. Exit status: 0, 2 for bad input, 3 for an exporter that does not answer.
"""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Final

import typer
from rich.console import Console

from agentaskit_sim.terminal.tables import print_table
from documents.amounts import amount
from documents.mistakes import InputError
from documents.yaml_reader import parse
from verifier.check.exports.sources import read_exports
from verifier.mapping.json_schema import mapping_schema
from verifier.mapping.mapping_text import (
    check_document,
    proposal_document,
    proposal_text,
    quantities_document,
    unmapped_lines,
)
from verifier.mapping.proposal import propose
from verifier.mapping.reader import load_mapping, read_mapping_document

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim mapping new --metrics http://localhost:8080/metrics > mapping.yaml
  agentaskit-sim mapping check mapping.yaml
  agentaskit-sim mapping quantities
  agentaskit-sim verify my-outage.yaml --rules mine/ --mapping mapping.yaml
"""

AsDocument = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

app = typer.Typer(no_args_is_help=True)


@app.command()
def new(
    metrics: Annotated[
        list[str],
        typer.Option("--metrics", metavar="URL|FILE", help="A /metrics page; may be repeated."),
    ],
    *,
    as_json: AsDocument = False,
) -> None:
    """Propose a mapping for a /metrics page; what could not be mapped stands as comments."""
    proposal = propose(read_exports(metrics))
    if as_json:
        typer.echo(json.dumps(proposal_document(proposal), indent=2))
        return
    source = ", ".join(metrics)
    if not proposal.metrics:
        for line in unmapped_lines(proposal):
            typer.echo(line, err=True)
        raise InputError(
            f"nothing of {source} is near to a quantity of ours and may be mapped: write the"
            " mapping by hand, after `agentaskit-sim mapping quantities`"
        )
    text = proposal_text(proposal, source)
    # What is proposed must be a mapping, whatever the page had in it.
    read_mapping_document(parse(text, "the proposal"))
    typer.echo(text, nl=False)
    count = amount(len(proposal.metrics), "metrics")
    typer.echo(f"{count} mapped, {len(proposal.unmapped):,} not", err=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mapping file.")],
    *,
    as_json: AsDocument = False,
) -> None:
    """Check a mapping file, and say what it makes."""
    document = check_document(load_mapping(file).mapping)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    print_table(
        ("Metric", "Type", "From", "Series"),
        [
            (each["name"], each["type"], each["from"], f"{each['series']:,}")
            for each in document["metrics"]
        ],
    )
    console = Console(highlight=False, soft_wrap=True)
    for note in document["notes"]:
        console.print(note, markup=False)
    series = amount(sum(each["series"] for each in document["metrics"]), "series")
    console.print(
        f"{file}: {amount(len(document['metrics']), 'entries')}, {series} of job"
        f" {document['job']}, instance {document['instance']}",
        markup=False,
    )


@app.command()
def quantities(*, as_json: AsDocument = False) -> None:
    """List what a metric of yours can be made of."""
    document = quantities_document()
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    print_table(
        ("Quantity", "Type", "Labels", "What it says"),
        [
            (each["name"], each["type"], ", ".join(each["labels"]) or "-", each["help"])
            for each in document["quantities"]
        ],
    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors."""
    typer.echo(json.dumps(mapping_schema(), indent=2))
