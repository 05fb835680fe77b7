"""The JSON Schema of scenario files, which editors read.

Called by `agentaskit-sim scenarios schema` and `make docs`; `tidy` also by the fault API's form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenarios.schema.derived import parameters_model, topology_model
from scenarios.schema.models import ScenarioModel
from simulator.faults.kinds.catalogue import FAULTS

if TYPE_CHECKING:
    from documents.document import Value

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Value]:
    """Return the JSON Schema (2020-12) of a scenario file, parameters of each fault included."""
    schema = ScenarioModel.model_json_schema()
    definitions = schema["$defs"]
    overrides = topology_model().model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(overrides.pop("$defs"))
    definitions["Topology"] = overrides
    schema["properties"]["topology"] = {
        "description": schema["properties"]["topology"]["description"],
        "anyOf": [{"$ref": "#/$defs/Topology"}, {"type": "string"}],
    }
    for fault in FAULTS:
        model = parameters_model(fault)
        definitions[model.__name__] = model.model_json_schema()
    for fault_model in ("FaultModel", "IncidentModel"):
        definitions[fault_model]["allOf"] = [_parameters_rule(fault) for fault in FAULTS]
    return {"$schema": DIALECT, **tidy(schema)}


def tidy(schema: dict[str, Any]) -> dict[str, Value]:
    """Drop what only repeats key names, and defaults, which pydantic writes in seconds."""
    return {
        key: _tidy_value(value) for key, value in schema.items() if key not in ("title", "default")
    }


def _tidy_value(value: Value) -> Value:
    if isinstance(value, list):
        return [_tidy_value(item) for item in value]
    return tidy(value) if isinstance(value, dict) else value


def _parameters_rule(fault: str) -> dict[str, object]:
    """Return the rule that a fault of this kind has parameters of its own form."""
    model = parameters_model(fault)
    needed = any(field.is_required() for field in model.model_fields.values())
    then: dict[str, object] = {"properties": {"parameters": {"$ref": f"#/$defs/{model.__name__}"}}}
    if needed:
        then["required"] = ["parameters"]
    return {"if": {"properties": {"fault": {"const": fault}}, "required": ["fault"]}, "then": then}
