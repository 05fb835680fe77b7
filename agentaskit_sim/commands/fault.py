"""`agentaskit-sim fault`: list, inject, change and end faults of a world that `serve` runs.

Speaks to the world's fault API and checks nothing itself: what a fault may be is said by the world,
in one sentence. Exit status: 2 when the world refuses, 3 when none answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentaskit_sim.access_token import read_token
from agentaskit_sim.fault_client import DEFAULT_URL, FaultClient
from documents.durations import format_duration
from documents.mistakes import InputError
from documents.sentences import did_you_mean

app = typer.Typer(rich_markup_mode=None)
EXAMPLES = """\b
Examples:
  agentaskit-sim fault catalogue
  agentaskit-sim fault inject traffic_drop share=0.4
  agentaskit-sim fault inject dependency_outage share=0.2 latency=1s --name db --duration 10m
  agentaskit-sim fault inject agent_hang --tiers micro,specialist --fraction 0.2
  agentaskit-sim fault list
  agentaskit-sim fault change db share=0.5 --duration 30m
  agentaskit-sim fault end db
  agentaskit-sim fault end --all
"""
_WIDE = 120

Url = Annotated[str, typer.Option("--url", metavar="URL", help="Where the world is served.")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="File with the world's token; or AGENTASKIT_SIM_TOKEN."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]
Numbers = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="The fault's parameters, e.g. share=0.4."),
]


@app.command("list")
def list_all(*, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the faults in effect."""
    told = FaultClient(url).call("GET", "/faults")
    _show(told["faults"], told, as_json=as_json)


@app.command()
def inject(  # noqa: PLR0913 - typer declares options as parameters
    fault: Annotated[str, typer.Argument(metavar="FAULT", help="Which; see `fault catalogue`.")],
    parameters: Numbers = None,
    *,
    name: Annotated[str | None, typer.Option(help="A name of its own; the fault's if not.")] = None,
    duration: Annotated[
        str | None, typer.Option(help="When the world ends it by itself: 5m, at most 1h.")
    ] = None,
    ramp: Annotated[
        str | None, typer.Option(help="How long it takes to its full strength.")
    ] = None,
    tiers: Annotated[str | None, typer.Option(help="Tiers it strikes: micro,board.")] = None,
    hosts: Annotated[str | None, typer.Option(help="Hosts it strikes: 0,1.")] = None,
    sandboxes: Annotated[str | None, typer.Option(help="Sandboxes it strikes: A,B.")] = None,
    fraction: Annotated[float | None, typer.Option(help="Share of those that it strikes.")] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Begin a fault now; the world ends it by itself."""
    targets = {
        "tiers": _words(tiers),
        "hosts": [_value(one) for one in _words(hosts) or ()] or None,
        "sandboxes": _words(sandboxes),
        "fraction": fraction,
    }
    injection = {
        "fault": fault,
        "name": name,
        "duration": duration,
        "ramp": ramp,
        "targets": _given(targets) or None,
        "parameters": _parameters(parameters) or None,
    }
    told = FaultClient(url, read_token(token_file)).call("POST", "/faults", _given(injection))
    _show([told], told, as_json=as_json)


@app.command()
def change(  # noqa: PLR0913 - as above
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a fault in effect.")],
    parameters: Numbers = None,
    *,
    duration: Annotated[
        str | None, typer.Option(help="When the world ends it by itself, from now; at most 1h.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a fault in effect other parameters, or another end."""
    wanted = _given({"parameters": _parameters(parameters) or None, "duration": duration})
    told = FaultClient(url, read_token(token_file)).call("PATCH", f"/faults/{_path(name)}", wanted)
    _show([told], told, as_json=as_json)


@app.command()
def end(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of faults in effect.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="End every fault in effect.")] = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """End faults now; tells how they stood."""
    if bool(names) == every:
        raise InputError("end must be given either names or --all")
    remote = FaultClient(url, read_token(token_file))
    if every:
        ended = remote.call("DELETE", "/faults")["faults"]
    else:
        ended = [remote.call("DELETE", f"/faults/{_path(name)}") for name in names or ()]
    _show(ended, {"faults": ended}, as_json=as_json, ended=True)


@app.command()
def catalogue(
    fault: Annotated[
        str | None, typer.Argument(metavar="[FAULT]", help="One of them, with its parameters.")
    ] = None,
    *,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List the faults that can be injected, with their parameters and targets."""
    told = FaultClient(url).call("GET", "/faults/catalogue")
    faults = {one["fault"]: one for one in told["faults"]}
    if fault is not None and fault not in faults:
        raise InputError(f"no fault is called {fault!r}{did_you_mean(fault, faults)}")
    if as_json:
        typer.echo(json.dumps(faults[fault] if fault else told, indent=2))
        return
    table = Table("Fault", "What happens", "Parameters", "Targets", box=box.SIMPLE_HEAD)
    for one in [faults[fault]] if fault else faults.values():
        properties = one["parameters"]["properties"]
        needed = one["parameters"].get("required", [])
        words = [key if key in needed else f"[{key}]" for key in properties]
        if fault is not None:
            words = [_describe_parameter(key, properties[key]) for key in properties]
        cells = one["fault"], one["what"], ", ".join(words), ", ".join(one["targets"])
        table.add_row(*(Text(cell or "-") for cell in cells))
    _print(table)


def _describe_parameter(key: str, schema: dict[str, Any]) -> str:
    kind = "duration" if "pattern" in schema else schema["type"]
    default = schema.get("description", "").removeprefix("Default: ").rstrip(".")
    return f"{key}: {kind}" + (f", {default} if not given" if default else "")


def _show(
    faults: list[dict[str, Any]], document: dict[str, Any], *, as_json: bool, ended: bool = False
) -> None:
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    if not faults:
        typer.echo("no fault is in effect")
        return
    table = Table("Name", "Fault", "Magnitude", "Effect so far", "Expected", box=box.SIMPLE_HEAD)
    table.add_column("Would have ended in" if ended else "Ends in", justify="right")
    for one in faults:
        magnitude, effect = one["magnitude"], one["effect"]
        strength = _figure(magnitude["effective"])
        if magnitude["effective"] != magnitude["declared"]:
            strength += f" of {_figure(magnitude['declared'])}"
        done = f"{_figure(effect['value'])} {effect['unit']}"
        due = _figure(effect["expected"])
        left = format_duration(round(one["ends_in_s"]))
        cells = one["name"], one["fault"], strength, done, due, left
        table.add_row(*(Text(cell) for cell in cells))
    _print(table)


def _figure(value: float) -> str:
    """Write a number for people: whole from a thousand on, else four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _print(table: Table) -> None:
    console = Console(highlight=False)
    width = console.width if console.is_terminal else _WIDE
    Console(width=width, highlight=False).print(table)


def _parameters(given: list[str] | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for one in given or ():
        key, mark, text = one.partition("=")
        if not (key and mark and text):
            raise InputError(f"a parameter must be KEY=VALUE, got {one!r}")
        if key in values:
            raise InputError(f"the parameter {key!r} is given twice")
        values[key] = _value(text)
    return values


def _value(text: str) -> object:
    """Return a number where there is one, else the text: `1s` is a duration."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",")]


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _path(name: str) -> str:
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise InputError(f"a fault's name must be lower-case words joined by '-', got {name!r}")
    return name
