"""A scenario file as a `Scenario`: read, checked whole, every mistake with its place.

Called by the front door with a bundled scenario's name or a file's path. What the schema cannot
say is checked here: that targets exist, times fit into the scenario, causes have a name, and the
simulator accepts every number. It runs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.build import Builder
from scenarios.errors import InputError, did_you_mean
from scenarios.schema import ScenarioModel, parameters_model, topology_model
from scenarios.validate import Mistakes
from scenarios.yaml import load, parse
from simulator.faults import FAULTS

if TYPE_CHECKING:
    from scenarios.scenario import Scenario
    from scenarios.yaml import Document

LIBRARY = Path(__file__).parent / "library"
_SUFFIXES = (".yaml", ".yml")


def library() -> tuple[Path, ...]:
    """Return the paths of the bundled scenarios, sorted by name."""
    return tuple(sorted(LIBRARY.glob("*.yaml")))


def resolve(name: str) -> Path:
    """Return the file of a bundled scenario's name or of a path; raise `InputError` if none."""
    path = Path(name)
    if path.suffix in _SUFFIXES or len(path.parts) > 1:
        return path
    bundled = {one.stem: one for one in library()}
    if name in bundled:
        return bundled[name]
    near = did_you_mean(name, bundled)
    hint = "" if near else ", see `agentaskit-sim scenarios list`"
    raise InputError(f"no bundled scenario is called {name!r}{near}{hint}")


def load_scenario(path: str | Path) -> Scenario:
    """Read and check a scenario file; raise `InputError` with every mistake that can be found."""
    return _read(load(path))


def parse_scenario(text: str, path: str) -> Scenario:
    """Read and check a scenario's text; `path` names it in errors and finds the files it names."""
    return _read(parse(text, path))


def _read(document: Document) -> Scenario:
    mistakes = Mistakes(document)
    model = mistakes.validate(ScenarioModel, document.data, ())
    _check_open_parts(mistakes)
    mistakes.refuse()
    assert model is not None  # noqa: S101 - or mistakes would have been refused
    scenario = Builder(mistakes, model).scenario()
    mistakes.refuse()
    assert scenario is not None  # noqa: S101 - idem
    return scenario


def _check_open_parts(mistakes: Mistakes) -> None:
    """Check keys and types of topology and parameters, also beside mistakes elsewhere."""
    data = mistakes.document.data
    if isinstance(data, dict) and isinstance(data.get("topology"), dict):
        mistakes.validate(topology_model(), data["topology"], ("topology",))
    for where in (("faults",), ("history", "incidents")):
        strikes = data
        for step in where:
            strikes = strikes.get(step, {}) if isinstance(strikes, dict) else {}
        for index, strike in enumerate(strikes if isinstance(strikes, list) else []):
            if isinstance(strike, dict) and strike.get("fault") in FAULTS:
                steps = (*where, index, "parameters")
                given = strike.get("parameters", {})
                if isinstance(given, dict):
                    mistakes.validate(parameters_model(strike["fault"]), given, steps)
