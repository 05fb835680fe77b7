"""The search that `scenarios near-miss` asks for: done, printed and written.

Standard output carries the boundary, the near miss and its scenario, or with `--json` one document;
progress goes to standard error. Nothing is written before all is judged. Exit status: 0 there is a
near miss, 1 there is none, 2 bad input, 3 a run could not be judged.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console

from agentaskit_sim.front.named_files import distinct_files
from agentaskit_sim.front.pack_files import PACK_ROUTING
from agentaskit_sim.front.typed import command_line
from agentaskit_sim.inputs import InputPaths, read_inputs
from agentaskit_sim.terminal.progress import ProgressConsole
from documents.durations import parse_duration
from documents.files import write_whole
from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake
from documents.yaml_reader import load
from scenarios.schema.models import NAME_PATTERN
from verifier.near_miss.choice import chosen_knob, threshold_refusal
from verifier.near_miss.knobs import DURATION, knobs_of
from verifier.near_miss.result import near_miss_document, near_miss_lines
from verifier.near_miss.search import NoNearMissError
from verifier.near_miss.searching import NearMiss, NearMissSearch, SearchRequest
from verifier.pack.routes.routing import load_routing
from verifier.servers.binaries import require
from verifier.servers.child import require_room
from verifier.suite import cores

if TYPE_CHECKING:
    from agentaskit_sim.commands.near_miss.search_options import AskedNearMiss
    from scenarios.scenario import Scenario
    from verifier.coverage.cells import MissedCell
    from verifier.judge.verdict import ScenarioOutcome
    from verifier.near_miss.knobs import Knob
    from verifier.pack.rules import RuleFiles

SCHEMA_FILE: Final = "scenario.schema.json"
SEEDS_MAX: Final = 20
_SEEDS: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


class _SearchProgress(ProgressConsole):
    """Shows the runs of a search: what each came to, the search itself says."""

    def done(self, outcome: ScenarioOutcome) -> None:
        """Say nothing: a run without expectations passes whatever happens."""
        self.outcomes.append(outcome)


def search_near_miss(asked: AskedNearMiss) -> None:
    """Search it, print and write it, and end with the exit status."""
    chosen_seeds = _seeds(asked.seeds)
    _check_save(asked.save)
    rule_files, notes = distinct_files(asked.rules, "--rules")
    for note in notes:
        typer.echo(note, err=True)
    inputs = read_inputs(InputPaths([asked.scenario], rule_files, None, mapping=asked.mapping))
    (read,) = inputs.scenarios
    if asked.seed is not None:
        read = replace(read, seed=asked.seed)
    cell: MissedCell = "near_for" if asked.parameter == DURATION else "near_threshold"
    _check_rules(inputs.rules, asked.alert, cell)
    document = _document(read)
    knobs = knobs_of(read, document)
    knob = chosen_knob(read, knobs, asked.alert, fault=asked.fault, parameter=asked.parameter)
    request = SearchRequest(
        scenario=read, document=document, schema=_schema(asked.save),
        target=asked.save or Path(f"{read.name}-near-miss.yaml"), rules=inputs.rules,
        routing=load_routing(asked.routing or PACK_ROUTING), alert=asked.alert, knob=knob,
        cell=cell, seeds=chosen_seeds, low=_limit("--low", asked.low, knob),
        high=_limit("--high", asked.high, knob), probes_max=asked.probes,
    )  # fmt: skip
    result = _searched(request, asked.jobs or cores())
    if isinstance(result, NearMiss) and asked.save is not None:
        _write(asked.save, result.text)
    if asked.as_json:
        typer.echo(json.dumps(near_miss_document(request, result), indent=2, allow_nan=False))
    else:
        _print(result, asked.save)
    raise typer.Exit(int(not isinstance(result, NearMiss)))


def _searched(request: SearchRequest, jobs: int) -> NearMiss | str:
    """Return the near miss, or why there is none."""
    _check_limits(request)
    require("prometheus")
    require_room()
    watcher = _SearchProgress(0, Console(stderr=True, highlight=False))
    try:
        with watcher:
            return NearMissSearch(request, watcher, jobs).run()
    except NoNearMissError as error:
        return str(error)


def _print(miss: NearMiss | str, save: Path | None) -> None:
    """Print the near miss with its scenario, or why there is none."""
    if isinstance(miss, str):
        typer.echo(miss)
        return
    for line in near_miss_lines(miss):
        typer.echo(line)
    if save is None:
        typer.echo(f"\n{miss.text}", nl=False)
    else:
        typer.echo(f"{save} written; try: {command_line('verify', str(save))}")


def _document(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario as its file has it, with the seed that it runs on."""
    data = load(scenario.path).data
    return {**(data if isinstance(data, dict) else {}), "seed": scenario.seed}


def _check_rules(rules: RuleFiles, alert: str, cell: MissedCell) -> None:
    """Raise `InputError` for an alert that is not there, or has nothing to nearly miss."""
    known = tuple(dict.fromkeys(rule.alert for _, rule in rules.alerts))
    if alert not in known:
        raise InputError(Mistake(UnknownName("alert", alert, known)))
    if cell == "near_threshold" and (refusal := threshold_refusal(rules, alert)) is not None:
        raise InputError(refusal)
    waits_s = [rule.for_s for _, rule in rules.alerts if rule.alert == alert]
    if cell == "near_for" and not any(waits_s):
        raise InputError(
            f"{alert} has no `for` to nearly miss: --parameter must be another than duration"
        )


def _check_save(save: Path | None) -> None:
    """Raise `InputError` where the scenario cannot be written."""
    if save is None:
        return
    if not save.parent.is_dir():
        raise InputError("--save must be in a folder that is there", path=str(save))
    if save.exists():
        raise InputError("this file exists already; choose another name", path=str(save))
    if save.suffix != ".yaml" or not re.fullmatch(NAME_PATTERN, save.stem):
        raise InputError(f"--save must be NAME.yaml, NAME lower-case words joined by -, got {save}")


def _schema(save: Path | None) -> str | None:
    """Return where editors find the form of a scenario, of a file alone."""
    return None if save is None else (Path(str(files("scenarios"))) / SCHEMA_FILE).as_uri()


def _seeds(text: str) -> tuple[int, ...]:
    """Read `1-5` or `1,3,7`, or both."""
    seeds: list[int] = []
    for part in text.split(","):
        match = _SEEDS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= last - first < SEEDS_MAX:
            raise InputError(
                f"--seeds must be whole numbers as 1-5 or 1,3,7, at most {SEEDS_MAX}, got {text}"
            )
        seeds += range(first, last + 1)
    if len(dict.fromkeys(seeds)) > SEEDS_MAX:
        raise InputError(f"--seeds must be at most {SEEDS_MAX}, got {len(seeds)}")
    return tuple(dict.fromkeys(seeds))


def _limit(option: str, text: str | None, knob: Knob) -> float | None:
    """Read a limit as the parameter is written; raise `InputError`."""
    if text is None:
        return None
    if knob.unit == "time":
        value = parse_duration(text, field=option)
    else:
        try:
            value = float(text)
        except ValueError:
            raise InputError(f"{option} must be a number, got {text}") from None
    if not knob.low <= value <= knob.high or value <= 0:
        least = knob.text(knob.low) if knob.low else "above 0"
        most = "any number" if knob.high == inf else knob.text(knob.high)
        raise InputError(
            f"{option} must be within {least} to {most} for {knob.subject}, got {text}"
        )
    return value


def _check_limits(request: SearchRequest) -> None:
    low, high = request.low, request.high
    if low is not None and high is not None and low >= high:
        text = request.knob.text
        raise InputError(f"--low must be below --high, got {text(low)} and {text(high)}")


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=str(path)) from None
