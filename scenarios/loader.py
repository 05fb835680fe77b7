"""A scenario file as a `Scenario`: read, checked whole, every mistake with its place.

Called by the front door with a bundled scenario's name or a file's path. What the schema cannot
say is checked here: that targets exist, times fit into the scenario, causes have a name, and the
simulator accepts every number. It runs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from documents.mistakes import InputError, did_you_mean
from documents.yaml_reader import load, parse
from scenarios.build import Builder
from scenarios.schema import ScenarioModel, parameters_model, topology_model
from scenarios.validation import Mistakes
from simulator.faults.catalogue import FAULTS, CardinalityBurst

if TYPE_CHECKING:
    from documents.yaml_reader import Document, Step
    from scenarios.scenario import Incident, Scenario
    from simulator.faults.catalogue import Fault

LIBRARY = Path(__file__).parent / "library"
_LIVE_ONLY = (
    "cardinality_burst is for a live world, see `agentaskit-sim serve`: in virtual time only the "
    "series are recorded that a rule or panel reads"
)
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


def load_for_verify(path: str | Path) -> Scenario:
    """`load_scenario` for a run in virtual time: refuses also what only a live world can show."""
    document = load(path)
    scenario = _read(document)
    mistakes = Mistakes(document)
    strikes: list[tuple[tuple[Step, ...], Fault | Incident]] = [
        *((("faults", i), one) for i, one in enumerate(scenario.plan.faults)),
        *((("history", "incidents", i), one) for i, one in enumerate(scenario.past.incidents)),
    ]
    for steps, strike in strikes:
        if isinstance(strike.parameters, CardinalityBurst):
            mistakes.add(_LIVE_ONLY, (*steps, "fault"))
    mistakes.refuse()
    return scenario


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
