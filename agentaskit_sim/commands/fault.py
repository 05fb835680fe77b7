"""`agentaskit-sim fault`: list, inject, change and end faults of a world that `serve` or `up` runs.

A client of the world's fault API; only `catalogue` needs no world. It checks nothing itself: the
world does, and answers with one sentence. Exit status: 2 when the world refuses, 3 when none is
there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from agentaskit_sim.access_token import read_token
from agentaskit_sim.fault_client import DEFAULT_URL, FaultClient
from agentaskit_sim.front.completion import complete_fault
from agentaskit_sim.terminal.tables import print_table
from documents.amounts import amount, figure
from documents.durations import format_duration
from documents.mistake_kinds import BrokenRule, RepeatedName, UnknownName
from documents.mistakes import InputError, Mistake
from simulator.faults.targets import name_targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentaskit_sim.fault_client import (
        FaultCatalogueDocument,
        FaultDocument,
        FaultKindDocument,
        ParameterSchema,
    )

app = typer.Typer(rich_markup_mode=None)
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim fault catalogue
  agentaskit-sim fault inject traffic_drop share=0.4
  agentaskit-sim fault inject dependency_outage share=0.2 latency=1s --name db --duration 10m
  agentaskit-sim fault inject agent_hang --tiers micro,specialist --fraction 0.2
  agentaskit-sim fault inject cell_brownout factor=3 --cells 0
  agentaskit-sim fault list
  agentaskit-sim fault change db share=0.5 --duration 30m
  agentaskit-sim fault end db
  agentaskit-sim fault end --all
"""
NEEDS: Final = """Needs a world that runs: `agentaskit-sim up` or `agentaskit-sim serve` in another
terminal, on this machine or at --url. Only `catalogue` needs none.
"""
_PLAIN_WIDTH: Final = 120
"""Columns where no terminal says how many."""

Url = Annotated[str, typer.Option("--url", metavar="URL", help="URL of the world.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="File with the world's token; or AGENTASKIT_SIM_TOKEN."
    ),
]
FaultArgument = Annotated[
    str,
    typer.Argument(
        metavar="FAULT", help="Kind; see `fault catalogue`.", autocompletion=complete_fault
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]
Cells = Annotated[
    str | None, typer.Option(metavar="N,...", help="Cells it targets, of several: 0,1.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="The fault's parameters, e.g. share=0.4."),
]


@app.command("list")
def list_all(*, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the faults in effect."""
    document = FaultClient(url).list_all()
    _show(document["faults"], document, as_json=as_json)


@app.command()
def inject(  # noqa: PLR0913 - typer declares options as parameters
    fault: FaultArgument,
    parameters: Parameters = None,
    *,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name; by default its kind.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long it lasts: 5m by default, at most 1h."),
    ] = None,
    ramp: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Time until full strength.")
    ] = None,
    cells: Cells = None,
    tiers: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Tiers it targets: micro,board.")
    ] = None,
    hosts: Annotated[
        str | None, typer.Option(metavar="N,...", help="Hosts it targets: 0,1.")
    ] = None,
    sandboxes: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Sandboxes it targets: A,B.")
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of them that it targets.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Begin a fault now; the world ends it by itself."""
    targets = {
        "cells": _numbers(cells),
        "tiers": _words(tiers),
        "hosts": _numbers(hosts),
        "sandboxes": _words(sandboxes),
        "fraction": fraction,
    }
    injection = {
        "fault": fault,
        "name": name,
        "duration": duration,
        "ramp": ramp,
        "targets": _without_none(targets) or None,
        "parameters": _parse_parameters(parameters) or None,
    }
    document = _inject(FaultClient(url, read_token(token_file)), fault, _without_none(injection))
    _show([document], document, as_json=as_json)


@app.command()
def change(  # noqa: PLR0913 - typer declares options as parameters
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a fault in effect.")],
    parameters: Parameters = None,
    *,
    duration: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it lasts from now; at most 1h.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a fault in effect other parameters, or another end."""
    change = _without_none({"parameters": _parse_parameters(parameters) or None,
                            "duration": duration})  # fmt: skip
    document = FaultClient(url, read_token(token_file)).change(name, change)
    _show([document], document, as_json=as_json)


@app.command()
def end(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names of faults in effect.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="End every fault in effect.")] = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """End faults now; print their last status."""
    if bool(names) == every:
        raise InputError(
            "give fault names or --all, not both" if every else "give fault names or --all"
        )
    client = FaultClient(url, read_token(token_file))
    ended = client.end_all()["faults"] if every else [client.end(name) for name in names or ()]
    _show(ended, {"faults": ended}, as_json=as_json, ended=True)


@app.command()
def catalogue(
    fault: Annotated[
        str | None,
        typer.Argument(
            metavar="FAULT",
            help="Kind, to print its parameters in full.",
            autocompletion=complete_fault,
        ),
    ] = None,
    *,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="URL of a world to ask; by default none needs to run."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the faults that can be injected, with their parameters and targets."""
    document = _bundled_catalogue() if url is None else FaultClient(url).catalogue()
    faults = {kind["fault"]: kind for kind in document["faults"]}
    if fault is not None:
        _check_kind(fault, document)
    if as_json:
        typer.echo(json.dumps(faults[fault] if fault else document, indent=2))
        return
    rows = [
        [
            kind["fault"],
            kind["what"],
            _describe_parameters(kind, in_full=fault is not None) or "-",
            ", ".join(kind["targets"]) or "-",
        ]
        for kind in ([faults[fault]] if fault else faults.values())
    ]
    titles = ("Fault", "What happens", "Parameters", "Targets")
    print_table(titles, rows, plain_width=_PLAIN_WIDTH)


def _bundled_catalogue() -> FaultCatalogueDocument:
    """Return the kinds of this version, which a world of the same version has.

    Of targets all are listed that a system can have: cells, too, though the usual one has one.
    """
    from scenarios.injection_form import FaultForm  # noqa: PLC0415 - a world has its own
    from simulator.topology import Topology  # noqa: PLC0415 - as above

    return cast("FaultCatalogueDocument", FaultForm(Topology()).catalogue(any_system=True))


def _describe_parameters(kind: FaultKindDocument, *, in_full: bool) -> str:
    """Return the parameters of a kind: their names, optional ones in brackets, or all details."""
    properties = kind["parameters"]["properties"]
    required = kind["parameters"].get("required", ())
    if in_full:
        return ", ".join(_describe_parameter(*item) for item in properties.items())
    return ", ".join(key if key in required else f"[{key}]" for key in properties)


def _describe_parameter(key: str, schema: ParameterSchema) -> str:
    kind = "duration" if "pattern" in schema else schema["type"]
    description = schema.get("description")
    return f"{key}: {kind}" + (f" ({description})" if description else "")


def _show(
    faults: Sequence[FaultDocument], document: object, *, as_json: bool, ended: bool = False
) -> None:
    """Print `faults` as a table, or `document` as JSON."""
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    if not faults:
        typer.echo("no fault is in effect")
        return
    titles = ["Name", "Fault", "Targets", "Magnitude", "Effect so far", "Expected"]
    titles.append("Would have ended in" if ended else "Ends in")
    rows = []
    for fault in faults:
        magnitude, effect = fault["magnitude"], fault["effect"]
        strength = figure(magnitude["effective"])
        if magnitude["effective"] != magnitude["declared"]:
            strength += f" of {figure(magnitude['declared'])}"
        measured = f"{amount(figure(effect['value']), effect['unit'])}"
        expected = figure(effect["expected"])
        left = format_duration(round(fault["ends_in_s"]))
        targets = _describe_targets(fault["targets"]) or "all"
        rows.append([fault["name"], fault["fault"], targets, strength, measured, expected, left])
    print_table(titles, rows, plain_width=_PLAIN_WIDTH)


def _describe_targets(targets: Mapping[str, object]) -> str:
    """Return what a fault targets, as it was asked for: `cells 0, 1, fraction 0.2`."""
    lists = ((key, value if isinstance(value, list) else [value]) for key, value in targets.items())
    return name_targets((key, ", ".join(map(str, chosen))) for key, chosen in lists)


def _parse_parameters(words: list[str] | None) -> dict[str, object]:
    """Return the values of words KEY=VALUE by key; raise `InputError` for anything else."""
    values: dict[str, object] = {}
    for word in words or ():
        key, mark, text = word.partition("=")
        if not (key and mark and text):
            raise InputError(Mistake(BrokenRule("a parameter", "be KEY=VALUE", word)))
        if key in values:
            raise InputError(Mistake(RepeatedName("parameter", key)))
        values[key] = _value(text)
    return values


def _value(text: str) -> object:
    """Return the number that `text` is, else the text: `1s` is a duration."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def _numbers(text: str | None) -> list[object] | None:
    return None if text is None else [_value(word) for word in _words(text) or ()]


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",")]


def _without_none(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}


def _inject(client: FaultClient, fault: str, injection: dict[str, object]) -> FaultDocument:
    """Begin a fault; a kind that the world does not have is said without a list of all it has."""
    try:
        return client.inject(injection)
    except InputError:
        _check_kind(fault, client.catalogue())
        raise


def _check_kind(fault: str, catalogue: FaultCatalogueDocument) -> None:
    """Raise `InputError` for a kind of fault that the catalogue does not have."""
    kinds = tuple(kind["fault"] for kind in catalogue["faults"])
    if fault not in kinds:
        hint = ": `agentaskit-sim fault catalogue` lists them"
        raise InputError(Mistake(UnknownName("fault", fault, kinds, hint)))
