"""The shared check of documents refuses what the library refuses."""

from __future__ import annotations

import pytest
from jsonschema import SchemaError, ValidationError

from tests.schemas.validation import validate


def test_a_document_is_refused_by_its_schema_and_no_other():
    """In one process, one after another."""
    whole = {"type": "object", "properties": {"a": {"type": "integer"}}}
    validate({"a": 1}, whole)
    validate({"a": "x"}, {"type": "object"})
    with pytest.raises(ValidationError, match="'x' is not of type 'integer'"):
        validate({"a": "x"}, whole)


def test_a_schema_that_is_none_is_refused():
    """Each time that it is asked."""
    for _ in range(2):
        with pytest.raises(SchemaError):
            validate({}, {"type": "nothing"})
