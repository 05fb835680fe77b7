"""The JSON Schema of mapping files, which editors read.

Called by `agentaskit-sim mapping schema` and `make docs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.schema.json_schema import DIALECT, tidy
from verifier.mapping.models import LabelModel, MappingModel

if TYPE_CHECKING:
    from documents.document import Value


def mapping_schema() -> dict[str, Value]:
    """Return the JSON Schema (2020-12) of a mapping file; a label may be its value alone."""
    schema = MappingModel.model_json_schema()
    whole = LabelModel.model_json_schema()
    schema["$defs"][LabelModel.__name__] = {
        "description": whole["description"],
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "integer"},
            {key: value for key, value in whole.items() if key != "description"},
        ],
    }
    return {"$schema": DIALECT, **tidy(schema)}
