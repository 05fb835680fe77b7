"""A scenario file as a `Scenario`: read, checked whole, every mistake with its place.

Called by the front door with a bundled scenario's name or a file's path. Keys and types are checked
here, against the models of `schema`; whether values fit together, by `build`. It runs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Mistake
from documents.yaml_reader import load, parse
from scenarios.build import Builder
from scenarios.schema.derived import parameters_model, topology_model
from scenarios.schema.models import ScenarioModel
from scenarios.validation import ModelWalker
from simulator.faults.kinds.catalogue import FAULTS

if TYPE_CHECKING:
    from documents.document import Document, Steps, Value
    from scenarios.scenario import Incident, Scenario
    from simulator.faults.fault import Fault

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
    bundled = {file.stem: file for file in library()}
    if name in bundled:
        return bundled[name]
    hint = ", see `agentaskit-sim scenarios list`"
    raise InputError(Mistake(UnknownName("bundled scenario", name, tuple(bundled), hint)))


def load_scenario(path: str | Path) -> Scenario:
    """Read and check a scenario file; raise `InputError` with every mistake that can be found."""
    return _read(load(path))


def load_for_verify(path: str | Path) -> Scenario:
    """`load_scenario` for virtual time: refuses also what only a world in real time can show."""
    document = load(path)
    scenario = _read(document)
    walker = ModelWalker(document)
    lists: tuple[tuple[Steps, tuple[Fault | Incident, ...]], ...] = (
        (("faults",), scenario.plan.faults),
        (("history", "incidents"), scenario.past.incidents),
    )
    for steps, faults in lists:
        for index, fault in enumerate(faults):
            if reason := fault.parameters.real_time_only():
                kind = fault.parameters.facts.name
                sentence = f"{kind} is for a run in real time, see `agentaskit-sim serve`: {reason}"
                walker.reject(sentence, (*steps, index, "fault"))
    walker.raise_mistakes()
    return scenario


def parse_scenario(text: str, path: str) -> Scenario:
    """Read and check a scenario's text; `path` names it in errors and finds the files it names."""
    return _read(parse(text, path))


def _read(document: Document) -> Scenario:
    walker = ModelWalker(document)
    model = walker.validate(ScenarioModel, document.data, ())
    _check_open_parts(walker)
    scenario = Builder(walker, walker.finish(model)).scenario()
    return walker.finish(scenario)


def _check_open_parts(walker: ModelWalker) -> None:
    """Check keys and types of topology and parameters, also beside mistakes elsewhere."""
    data = walker.document.data
    if not isinstance(data, dict):
        return
    if isinstance(data.get("topology"), dict):
        walker.validate(topology_model(), data["topology"], ("topology",))
    history = data.get("history")
    incidents = history.get("incidents") if isinstance(history, dict) else None
    _check_parameters(walker, data.get("faults"), ("faults",))
    _check_parameters(walker, incidents, ("history", "incidents"))


def _check_parameters(walker: ModelWalker, raw: Value, steps: Steps) -> None:
    for index, fault in enumerate(raw if isinstance(raw, list) else []):
        if not isinstance(fault, dict):
            continue
        kind, parameters = fault.get("fault"), fault.get("parameters", {})
        if isinstance(kind, str) and kind in FAULTS and isinstance(parameters, dict):
            walker.validate(parameters_model(kind), parameters, (*steps, index, "parameters"))
