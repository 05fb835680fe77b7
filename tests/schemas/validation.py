"""Documents held against our published schemas; a schema is itself checked once in a process.

`jsonschema.validate` checks the schema anew each time: ten times the cost of the document.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

if TYPE_CHECKING:
    from documents.document import Value


def validate(document: Any, schema: Value) -> None:
    """Raise `jsonschema.ValidationError` for a document that a schema refuses."""
    error = best_match(_validator(json.dumps(schema)).iter_errors(document))
    if error is not None:
        raise error


@cache
def _validator(text: str) -> Draft202012Validator:
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
