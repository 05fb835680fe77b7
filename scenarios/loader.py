"""A scenario file as a `Scenario`: read, checked whole, every mistake with its place.

Called by the front door with a bundled scenario's name or a file's path. Keys and types are checked
here, against the models of `schema`; whether values fit together, by `build`. It runs nothing.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from documents.durations import parse_duration
from documents.mistakes import InputError
from documents.yaml_reader import load, parse
from scenarios.build import Builder
from scenarios.schema.derived import parameters_model, topology_model
from scenarios.schema.models import ScenarioModel
from scenarios.validation import ModelWalker
from simulator.faults.kinds.catalogue import FAULTS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from documents.document import Document, Steps, Value
    from scenarios.scenario import Scenario

_HEAD: Final[dict[str, Value]] = {"story": "-", "seed": 0, "duration": "31d"}
"""What stands for keys that are missing or wrong while all others are checked."""


def load_scenario(path: str | Path) -> Scenario:
    """Read and check a scenario file; raise `InputError` with every mistake that can be found."""
    return _read(load(path))


def parse_scenario(text: str, path: str) -> Scenario:
    """Read and check a scenario's text; `path` names it in errors and finds the files it names."""
    return _read(parse(text, path))


def _read(document: Document) -> Scenario:
    walker = ModelWalker(document)
    model = walker.validate(ScenarioModel, document.data, ())
    mistaken = _check_open_parts(walker)
    if walker.mistakes:
        _check_what_is_well_formed(walker, mistaken)
    scenario = Builder(walker, walker.finish(model)).scenario()
    return walker.finish(scenario)


def _check_open_parts(walker: ModelWalker) -> set[Steps]:
    """Check keys and types of topology and parameters, also beside mistakes elsewhere.

    Returns where the topology, the faults and the incidents are that have mistakes there.
    """
    data = walker.document.data
    if not isinstance(data, dict):
        return set()
    mistaken: set[Steps] = set()
    if isinstance(data.get("topology"), dict):
        valid = walker.validate(topology_model(), data["topology"], ("topology",))
        mistaken |= {("topology",)} if valid is None else set()
    history = data.get("history")
    incidents = history.get("incidents") if isinstance(history, dict) else None
    mistaken |= _check_parameters(walker, data.get("faults"), ("faults",))
    return mistaken | _check_parameters(walker, incidents, ("history", "incidents"))


def _check_parameters(walker: ModelWalker, raw: Value, steps: Steps) -> set[Steps]:
    mistaken: set[Steps] = set()
    for index, fault in enumerate(raw if isinstance(raw, list) else []):
        if not isinstance(fault, dict):
            continue
        kind, parameters = fault.get("fault"), fault.get("parameters", {})
        if isinstance(kind, str) and kind in FAULTS and isinstance(parameters, dict):
            where = (*steps, index)
            valid = walker.validate(parameters_model(kind), parameters, (*where, "parameters"))
            mistaken |= {where} if valid is None else set()
    return mistaken


def _check_what_is_well_formed(walker: ModelWalker, mistaken: set[Steps]) -> None:
    """Check the parts without a mistake against one another, so that no mistake hides another.

    What is `mistaken` or breaks a model is replaced by what does not. Where that leaves the causes
    unknown, nothing is checked: what only follows from a mistake is none of its own.
    """
    if not isinstance(walker.document.data, dict):
        return
    pruned, skipped = deepcopy(walker.document.data), set(mistaken)
    if ("topology",) in skipped:
        del pruned["topology"]
    try:
        ScenarioModel.model_validate(pruned)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if not _replace(pruned, detail, skipped):
                return
    named: dict[str, Value] = {"name": Path(walker.document.path).stem, **_HEAD}
    with suppress(ValidationError):
        Builder(walker, ScenarioModel.model_validate({**named, **pruned}), skipped).scenario()


def _replace(data: dict[str, Any], detail: ErrorDetails, skipped: set[Steps]) -> bool:
    """Replace what breaks a model by what does not, and note a part that is no more what it was.

    Returns False where the names of causes may have been in it.
    """
    match detail["loc"]:
        case ("faults", int(index), *_):
            return _replace_fault(data["faults"], index, skipped, ("faults",))
        case ("history", "incidents", int(index), *_):
            incidents = data["history"]["incidents"]
            return _replace_fault(incidents, index, skipped, ("history", "incidents"))
        case ("expectations", int(index), *_):
            data["expectations"][index] = {"alert": "-", "silent": True}
            skipped.add(("expectations", index))
        case ("history", "depth", *_):
            data["history"].pop("depth", None)
        case ("faults" | "history", *_):
            return False
        case (str(key), *rest) if rest or detail["type"] != "extra_forbidden":
            data.pop(key, None)
            skipped.add((key,))
        case _:
            return False
    return True


def _replace_fault(faults: Value, index: int, skipped: set[Steps], steps: Steps) -> bool:
    """Replace a fault by one of its name and its times, as far as they are right."""
    fault = faults[index] if isinstance(faults, list) else None
    name = fault.get("name") if isinstance(fault, dict) else None
    if not isinstance(faults, list) or not isinstance(fault, dict) or not isinstance(name, str):
        return False
    start = "start" if steps == ("faults",) else "ago"
    times = {key: _duration(fault.get(key)) for key in (start, "duration")}
    faults[index] = {"name": name, "fault": next(iter(FAULTS)), **times}
    skipped.add((*steps, index))
    return True


def _duration(text: Value) -> Value:
    """Return a duration that can be read; 0s for any other, from which limits are least strict."""
    try:
        parse_duration(text)
    except InputError:
        return "0s"
    return text
