"""The OpenAPI document of a served world, made from what the server itself checks requests with.

Served at `/openapi.json`. Schemas of bodies are those of the models that read them; a test sends
what the document allows, and what it does not, and compares the answers with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs, web

from exporter.metrics.page import OPENMETRICS, TEXT
from exporter.server.landing import API
from exporter.server.openapi_live import NUMBER as _NUMBER
from exporter.server.openapi_live import STRING as _STRING
from exporter.server.openapi_live import Schema, chart_component, live_schemas
from exporter.server.static_files import PATH as STATIC_PATH
from exporter.target import CELL_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH: Final = "/openapi.json"
_JSON: Final = "application/json"
_OBJECT: Final[Schema] = {"type": "object"}
_FAULT: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": _STRING, "fault": _STRING, "ramp": _STRING, "duration": _STRING,
        "parameters": _OBJECT, "targets": _OBJECT,
        "began_s": _NUMBER, "ends_s": _NUMBER, "ends_in_s": _NUMBER,
        "magnitude": {
            "type": "object",
            "properties": {"declared": _NUMBER, "effective": _NUMBER},
            "required": ["declared", "effective"],
        },
        "effect": {
            "type": "object",
            "properties": {"value": _NUMBER, "expected": _NUMBER, "unit": _STRING},
            "required": ["value", "expected", "unit"],
        },
    },
    "required": ["name", "fault", "parameters", "targets", "ramp", "duration", "began_s",
                 "ends_s", "ends_in_s", "magnitude", "effect"],
    "additionalProperties": False,
}  # fmt: skip
_FAULTS: Final[Schema] = {
    "type": "object",
    "properties": {"faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}}},
    "required": ["faults"],
}
_CATALOGUE: Final[Schema] = {
    "type": "object",
    "required": ["faults", "system", "injection", "change"],
}
_ERROR: Final[Schema] = {
    "type": "object",
    "properties": {"error": {"type": "string", "description": "One sentence."}},
    "required": ["error"],
    "additionalProperties": False,
}
_TARGETS: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "targets": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["targets", "labels"],
    },
}
_NAME: Final[Schema] = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The name of a fault in effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 60},
}
_REASONS: Final = {
    "400": "Not understood: the sentence says what, and nothing has changed.",
    "401": "The token is missing or wrong.",
    "403": "From beyond this machine without a token, or by the name of another one.",
    "404": "Nothing of that name is here, or in effect.",
    "408": "The body did not arrive in time.",
    "409": "A name is taken, too many faults are in effect, or the load is a recorded trace.",
    "413": "The body is too long.",
    "415": "The body is not JSON, or compressed.",
    "421": "The target names another server than Host.",
    "503": "Too many look on.",
}
_READING: Final = ("400", "403", "421")
_WRITING: Final = (*_READING, "401", "415")
_BODY: Final = (*_WRITING, "408", "413")


def describe_api(
    catalogue: Mapping[str, Any], load: Mapping[str, Any], version: str, *, cells: int = 1
) -> Schema:
    """Return the document.

    `catalogue` has the schemas of an injection and of a change, `load` is that of a load's change.
    Several `cells` have a page of metrics each, in the place of the one.
    """
    schemas = {"Fault": _FAULT, "Faults": _FAULTS, "Catalogue": _CATALOGUE, "Error": _ERROR,
               "Targets": _TARGETS, **live_schemas()}  # fmt: skip
    schemas |= _components("Injection", _injection(catalogue))
    schemas |= _components("Change", catalogue["change"])
    schemas |= _components("LoadChange", load) | _components("Chart", chart_component())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "agentaskit-sim",
            "version": version,
            "description": "Metrics of a simulated multi-agent system, its faults and its load.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {**_pages(cells), **_fault_paths(), **_plan_paths(), **_live_paths()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class OpenApiHandler:
    """Answers with the document, which is made once."""

    def __init__(self, document: Schema) -> None:
        """Keep it as JSON."""
        self._text = json.dumps(document)

    async def show(self, _: web.Request) -> web.Response:
        """Answer with the document."""
        return web.Response(
            text=self._text, content_type=_JSON, headers={hdrs.CACHE_CONTROL: "no-store"}
        )


def _injection(catalogue: Mapping[str, Any]) -> Schema:
    """Return the schema of an injection, one form for each kind with its own parameters."""
    form = catalogue["injection"]
    kinds = [
        {
            **form,
            "properties": {
                **form["properties"],
                "fault": {"type": "string", "const": kind["fault"]},
                "parameters": kind["parameters"],
            },
            "required": ["fault", *(["parameters"] if kind["parameters"].get("required") else [])],
        }
        for kind in catalogue["faults"]
    ]
    for kind in kinds:
        kind.pop("$defs", None)
    return {"anyOf": kinds, "$defs": form.get("$defs", {})}


def _components(name: str, schema: object) -> Schema:
    """Return a schema and what it defines as components: OpenAPI has one place for all."""
    text = json.dumps(schema).replace("#/$defs/", "#/components/schemas/")
    whole = json.loads(text)
    return {**whole.pop("$defs", {}), name: whole}


def _metrics_pages(cells: int, down: Schema) -> Schema:
    page = {"description": "All series of this instant.", "content": {TEXT: {}, OPENMETRICS: {}}}
    metrics = _operation(
        "The metrics, in the format and encoding that the client prefers.", {"200": page, **down}
    )
    no_page = _answer("Each cell has a page of its own, or there is no such cell.", "text/plain")
    if cells == 1:
        return {"/metrics": {"get": metrics}}
    return {
        "/metrics": {"get": _operation("Where the pages are.", {"404": no_page})},
        f"{CELL_PATH.format(cell='{cell}')}/metrics": {
            "parameters": [
                {
                    **_NAME, "name": "cell", "description": "The number of the cell.",
                    "schema": {"type": "integer", "minimum": 0, "maximum": cells - 1},
                }
            ],
            "get": {**metrics, "responses": {**metrics["responses"], "404": no_page}},
        },
    }  # fmt: skip


def _pages(cells: int) -> Schema:
    down = {"503": _answer("The exporter is down: a fault is in effect.", "text/plain")}
    return {
        "/": {"get": _operation("The landing page.", {"200": _answer("HTML.", "text/html")})},
        **_metrics_pages(cells, down),
        "/-/healthy": {"get": _operation("The process answers.",
                                         {"200": _answer("Healthy.", "text/plain")})},
        "/-/ready": {"get": _operation("Whether a scrape would succeed.",
                                       {"200": _answer("It would.", "text/plain"), **down})},
        "/sd/targets": {"get": _operation("Every target, for http_sd.",
                                          {"200": _answer("Groups.", _JSON, "Targets")})},
        f"{STATIC_PATH}/{{name}}": {
            "parameters": [{**_NAME, "description": "A file that draws the page."}],
            "get": _operation("A script or a style sheet.", {
                "200": _answer("The file.", "text/javascript"),
                "304": {"description": "It is the one that the client has."},
                "404": _answer("There is no such file.", "text/plain"),
            }),
        },
        PATH: {"get": _operation("This document.", {"200": _answer("OpenAPI 3.1.", _JSON)})},
    }  # fmt: skip


def _fault_paths() -> Schema:
    fault, faults = _answer("The fault.", _JSON, "Fault"), _answer("Faults.", _JSON, "Faults")
    known = (*_WRITING, "404")
    follow = {
        act: {"operationId": act, "parameters": {"name": "$response.body#/name"}}
        for act in ("showFault", "changeFault", "endFault")
    }
    created = {**fault, "headers": {"Location": {"schema": _STRING}}, "links": follow}
    return {
        f"{API}/faults": {
            "get": _operation("The faults in effect.", {"200": faults}),
            "post": _operation("Begin a fault.", {"201": created}, (*_BODY, "409"), "Injection"),
            "delete": _operation("End all faults.", {"200": faults}, _WRITING),
        },
        f"{API}/faults/catalogue": {
            "get": _operation("Every kind of fault.",
                              {"200": _answer("Kinds.", _JSON, "Catalogue")})
        },
        f"{API}/faults/{{name}}": {
            "parameters": [_NAME],
            "get": {"operationId": "showFault",
                    **_operation("A fault in effect.", {"200": fault}, (*_READING, "404"))},
            "patch": {"operationId": "changeFault",
                      **_operation("Change a fault in effect.", {"200": fault},
                                   (*_BODY, "404"), "Change")},
            "delete": {"operationId": "endFault",
                       **_operation("End a fault.", {"200": fault}, known)},
        },
    }  # fmt: skip


def _plan_paths() -> Schema:
    load = {"200": _answer("The load.", _JSON, "Load")}
    begun = {"201": _answer("The scenario.", _JSON, "Scenario")}
    return {
        f"{API}/load": {
            "get": _operation("The load.", load),
            "put": _operation("Change the load for a while.", load, (*_BODY, "409"), "LoadChange"),
            "delete": _operation("End the change of the load.", load, (*_WRITING, "404")),
        },
        f"{API}/scenarios": {
            "get": _operation("The scenarios that can be begun.",
                              {"200": _answer("Scenarios.", _JSON, "Scenarios")}),
            "post": _operation("Begin a scenario.", begun, (*_BODY, "404", "409"), "Beginning"),
            "delete": _operation("End all scenarios that were begun.",
                                 {"200": _answer("Their names.", _JSON, "Ended")}, _WRITING),
        },
    }  # fmt: skip


def _live_paths() -> Schema:
    moments = {
        "description": "Events of the name `moment` once a second, each a Moment as JSON.",
        "content": {"text/event-stream": {}},
    }
    return {
        f"{API}/chart": {"get": _operation("The last minutes, as the page draws them.",
                                           {"200": _answer("Readings.", _JSON, "Recent")})},
        f"{API}/stream": {"get": _operation("What happens from now on.", {"200": moments},
                                            (*_READING, "503"))},
    }  # fmt: skip


def _operation(
    summary: str, answers: Schema, refusals: tuple[str, ...] = _READING, body: str = ""
) -> Schema:
    refused = {status: _answer(_REASONS[status], _JSON, "Error") for status in refusals}
    operation: Schema = {"summary": summary, "responses": {**answers, **refused}}
    if "401" in refusals:
        operation["security"] = [{}, {"token": []}]
    if body:
        schema = {"$ref": f"#/components/schemas/{body}"}
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    return operation


def _answer(description: str, media: str, schema: str = "") -> Schema:
    content: Schema = {"schema": {"$ref": f"#/components/schemas/{schema}"}} if schema else {}
    return {"description": description, "content": {media: content}}
