"""`agentaskit-sim scenarios`: list, show, check and create scenario files; print their schema.

Thin: what a scenario may hold is decided in the `scenarios` room, what rules and routing must hold
for it where `verify` decides it. It simulates nothing; what does, `near-miss`, is in `coverage`.
"""

from __future__ import annotations

import contextlib
import json
from importlib.resources import files
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentaskit_sim.commands.near_miss.command import near_miss
from agentaskit_sim.front.completion import complete_scenario
from agentaskit_sim.front.mistake_collector import MistakeCollector
from agentaskit_sim.front.named_files import distinct_files, scenario_names
from agentaskit_sim.front.typed import command_line
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    CheckedRouting,
    CheckedRules,
    OverlayFiles,
)
from agentaskit_sim.terminal.tables import print_table
from documents.amounts import amount
from documents.durations import format_duration
from documents.files import read_text, write_whole
from documents.mistakes import InputError
from documents.yaml_reader import YAML_BYTES_MAX
from scenarios.library.files import LIBRARY, library, resolve
from scenarios.loader import load_scenario, parse_scenario
from scenarios.schema.json_schema import scenario_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentaskit_sim.inputs import Inputs
    from scenarios.scenario import Scenario
    from verifier.pack.routes.routing import Routing

app = typer.Typer(rich_markup_mode=None)
app.command("near-miss")(near_miss)
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim scenarios list
  agentaskit-sim scenarios show traffic-drop
  agentaskit-sim scenarios new my-outage
  agentaskit-sim scenarios validate my-outage.yaml
  agentaskit-sim scenarios validate scenarios/ --rules my-alerts/ --routing alertmanager.yml
  agentaskit-sim scenarios schema > scenario.schema.json
  agentaskit-sim scenarios near-miss traffic-drop --alert TaskThroughputBelowTarget
"""
TEMPLATE: Final = """\
# yaml-language-server: $schema={schema}
name: {name}
story: |
  For eight minutes one request in twenty fails. The share of 5xx responses exceeds the
  availability objective; five minutes later the alert fires. Describe here what happens and why.
seed: 42
duration: 25m
faults:
  - name: failing-tasks
    fault: task_failure
    start: 3m
    duration: 8m
    parameters: {{share: 0.05}}
# Every alert that is not named here has to stay silent.
expectations:
  - alert: AvailabilitySLOBreach
    cause: failing-tasks
    receivers: [pagerduty-critical]
    fires_within: 8m
    resolves_within: 8m
"""
_PLAIN_WIDTH: Final = 160
"""Columns where no terminal says how many."""
_STORY_LENGTH_MAX: Final = 140


@app.command("list")
def list_all(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """List the bundled scenarios, with what happens in each."""
    scenarios = [load_scenario(path) for path in library()]
    if as_json:
        listed = [
            {"name": s.name, "path": s.path, "duration_s": s.duration_s, "story": s.story}
            for s in scenarios
        ]
        typer.echo(json.dumps(listed, indent=2))
        return
    rows = []
    for scenario in scenarios:
        expected = (e.alert for e in scenario.expectations if e.expected == "fires")
        alerts = "\n".join(dict.fromkeys(expected)) or "-"
        story = shorten(scenario.story, _STORY_LENGTH_MAX, placeholder=" ...")
        rows.append([scenario.name, format_duration(scenario.duration_s), alerts, story])
    titles = ("Scenario", "Duration", "Must fire", "Story")
    print_table(titles, rows, plain_width=_PLAIN_WIDTH)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Name of a bundled scenario, or a file.",
            autocompletion=complete_scenario,
        ),
    ],
) -> None:
    """Print a scenario's file."""
    path = resolve(name)
    load_scenario(path)
    typer.echo(read_text(path, bytes_max=YAML_BYTES_MAX), nl=False)


@app.command()
def validate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Names, files, or folders of files; by default every bundled scenario.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    *,
    rules: CheckedRules = None,
    routing: CheckedRouting = None,
    overlay: OverlayFiles = None,
) -> None:
    """Check scenario files; report every mistake with its line and column.

    With --rules everything that verify would refuse, with --routing what verify --live would.
    """
    files = MistakeCollector()
    opened = files.read(scenario_names, names or [str(path) for path in library()])
    chosen, notes = opened.value if opened.is_read else ([], [])
    rule_files, twice = distinct_files(rules, "--rules")
    if rules or overlay:
        inputs = files.read(_read_with_rules, chosen, rule_files, overlay)
        notes += [*twice, *(inputs.value.notes if inputs.is_read else ())]
    else:
        for name in chosen:
            files.read(_load, name)
    routes = files.read(_read_routing, routing) if routing else None
    if routes is not None and routes.is_read:
        notes += [*_check_receivers(files, chosen, routes.value.receivers)]
        known = routes.value
        if rules and inputs.is_read:
            known = known.for_rules(inputs.value.rules)
        notes += (f"finding: {finding}" for finding in known.findings)
    for note in dict.fromkeys(notes):
        typer.echo(note, err=True)
    files.finish()
    if not (rules or overlay or routing):
        typer.echo("alerts, labels and receivers are checked with --rules and --routing", err=True)
    typer.echo(f"{amount(len(chosen), 'scenarios')}: no mistakes")


def _read_with_rules(
    names: Sequence[str], rules: Sequence[Path] | None, overlays: Sequence[Path] | None
) -> Inputs:
    from agentaskit_sim.inputs import InputPaths, read_inputs  # noqa: PLC0415 - the whole judge

    return read_inputs(InputPaths(names, rules, None, overlays or ()))


def _read_routing(path: Path) -> Routing:
    from verifier.pack.routes.routing import load_routing  # noqa: PLC0415 - seldom needed

    return load_routing(path)


def _load(name: str) -> Scenario:
    return load_scenario(resolve(name))


def _check_receivers(
    files: MistakeCollector, names: Sequence[str], receivers: Sequence[str]
) -> list[str]:
    """Check the receivers that scenarios name; return notes. What cannot be read is no news."""
    from agentaskit_sim.foreign.bundled_expectations import (  # noqa: PLC0415 - with --routing only
        leave_out_bundled_receivers,
    )
    from verifier.judge.notification_verdicts import (  # noqa: PLC0415 - with --routing only
        check_receivers_exist,
    )

    scenarios = []
    for name in names:
        with contextlib.suppress(InputError):
            scenarios.append(_load(name))
    opened, notes = leave_out_bundled_receivers(scenarios, receivers)
    for scenario in opened:
        files.read(check_receivers_exist, scenario, receivers)
    return list(notes)


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of the scenario: lower-case words joined by -"),
    ],
    folder: Annotated[
        Path, typer.Option("--in", metavar="DIR", help="Folder for the file NAME.yaml.")
    ] = Path(),
) -> None:
    """Create a scenario: write NAME.yaml, ready to run and to change."""
    path = folder / f"{name}.yaml"
    text = TEMPLATE.format(name=name, schema=_schema_for(folder))
    try:
        parse_scenario(text, str(path))
    except InputError as error:
        raise error.without_places() from None
    if path.exists():
        raise InputError("this file exists already; choose another name", path=str(path))
    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=str(path)) from None
    typer.echo(f"{path} written; try: {command_line('verify', str(path))}")


def _schema_for(folder: Path) -> str:
    """Return where a scenario in `folder` finds the schema: in the library, from any checkout."""
    schema = Path(str(files("scenarios"))) / "scenario.schema.json"
    bundled = folder.resolve() == LIBRARY.resolve()
    return f"../{schema.name}" if bundled else schema.as_uri()


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    typer.echo(json.dumps(scenario_schema(), indent=2))
