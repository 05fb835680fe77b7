"""What the OpenAPI document says of the load, of scenarios and of the live page.

`openapi` puts it into the whole document, and every document here that the page reads is checked
against it by tests. A key is added in both places, or they fail.
"""

from __future__ import annotations

from typing import Any, Final

from charts.chart_document import chart_schema

Schema = dict[str, Any]

NUMBER: Final[Schema] = {"type": "number"}
STRING: Final[Schema] = {"type": "string"}
_INTEGER: Final[Schema] = {"type": "integer", "minimum": 0}
_VALUE: Final[Schema] = {"type": ["number", "null"]}


def closed(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """Return an object that has these keys and no other."""
    required = [key for key in properties if key not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def list_of(items: Schema) -> Schema:
    """Return an array of `items`."""
    return {"type": "array", "items": items}


def _component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


LOAD: Final = closed(
    {
        "requested": {
            **NUMBER,
            "description": "Tasks a second that the load profile asks for now, a change included; "
            "0 of a recorded trace.",
        },
        "after_faults": {
            **_VALUE,
            "description": "What faults of the load make of it; null of a recorded trace.",
        },
        "change": {
            "anyOf": [
                {"type": "null"},
                closed(
                    {
                        "stages": list_of(closed({"target": NUMBER, "duration": STRING})),
                        "began_s": NUMBER,
                        "ends_s": NUMBER,
                        "ends_in_s": NUMBER,
                    }
                ),
            ]
        },
    }
)
SCENARIO: Final = closed(
    {
        "name": STRING,
        "story": STRING,
        "duration": STRING,
        "faults": list_of(STRING),
        "running": {"type": "boolean"},
    }
)
SCENARIOS: Final = closed({"scenarios": list_of(_component("Scenario"))})
ENDED: Final = closed({"ended": list_of(STRING)})
BEGINNING: Final = closed({"name": {**STRING, "description": "A scenario of the list."}})

_PLANNED: Final = closed(
    {
        "name": STRING,
        "fault": STRING,
        "targets": {"type": "object", "additionalProperties": STRING},
        "begins_in_s": NUMBER,
    }
)
MOMENT: Final = closed(
    {
        "version": {"const": 1},
        "run": {**STRING, "description": "Another one after every restart of the server."},
        "reading": {**_INTEGER, "description": "How many readings there were; of the event's id."},
        "at_s": {**NUMBER, "description": "Of the latest, since the chart's start."},
        "rows": {
            "type": "object",
            "description": "By row of the chart, a value for each of its series; "
            "none where nothing was read since the last event.",
            "additionalProperties": list_of(_VALUE),
        },
        "facts": list_of({"type": "array", "items": STRING, "minItems": 2, "maxItems": 2}),
        "bands": list_of(_component("band")),
        "lanes": list_of(_component("lane")),
        "severities": {"type": "object", "additionalProperties": STRING},
        "unreachable": list_of(STRING),
        "faults": list_of(_component("Fault")),
        "planned": list_of(_PLANNED),
        "running": list_of(STRING),
        "load": _component("Load"),
    }
)
RECENT: Final = closed(
    {
        "version": {"const": 1},
        "run": STRING,
        "reading": _INTEGER,
        "token_needed": {"type": "boolean"},
        "compressed": {**NUMBER, "description": "By how much the rules' times are divided."},
        "links": {"type": "object", "additionalProperties": STRING},
        "conditions": {
            "type": "object",
            "description": "By alert of the rules, its condition and its `for`.",
            "additionalProperties": STRING,
        },
        "now": _component("Moment"),
        "chart": _component("Chart"),
    }
)


def live_schemas() -> Schema:
    """Return the components but those of the load's change, which a form has."""
    return {
        "Load": LOAD, "Scenario": SCENARIO, "Scenarios": SCENARIOS, "Ended": ENDED,
        "Beginning": BEGINNING, "Moment": MOMENT, "Recent": RECENT,
    }  # fmt: skip


def chart_component() -> Schema:
    """Return the schema of a chart, as the package publishes it."""
    schema = chart_schema()
    return {key: value for key, value in schema.items() if key != "$schema"}
