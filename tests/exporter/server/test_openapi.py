"""The OpenAPI document says what the server does: its routes, its bodies, its answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import hdrs
from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft202012Validator

from benchmarks.serve import Serve
from charts.chart_document import chart_schema
from exporter.metrics.page import OPENMETRICS, TEXT
from exporter.server.openapi import PATH, describe_api
from scenarios.injection_form import FaultForm
from scenarios.load_form import LoadForm
from simulator.cells.system import build_system
from simulator.faults.kinds.catalogue import FAULTS
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.fakes import MockClock
from tests.simulator.faults.samples import SAMPLES
from tests.simulator.worlds import fault, small
from verifier.real_time import world as module

EXAMPLES = 60
"""Per operation and phase: some two minutes of requests."""


def serve(world):
    """Return a whole server, as `serve` has it."""
    exposition = module.Exposition(world, MockClock(), version="1", scenario="calm")
    return module.build_server(world, exposition, None)


@pytest.fixture
def app():
    """Return a server of one world."""
    return serve(World(small(), Plan(load=Load(rate=100.0)), 7))


@pytest.fixture
def document():
    """Return the document of a small world."""
    return describe_api(FaultForm(small()).catalogue(), LoadForm().schema(), "1.2.3")


def routes_of(app):
    """Return each path with its methods, as OpenAPI writes them."""
    routes = {}
    for route in app.router.routes():
        path = route.resource.canonical.partition(":")[0]
        if route.method != hdrs.METH_HEAD:
            path += "}" * (path.count("{") - path.count("}"))
            routes.setdefault(path, set()).add(route.method.lower())
    return routes


def test_the_document_has_exactly_the_routes_of_the_server(app, document):
    """Neither more nor less; HEAD comes with GET."""
    documented = {
        path: {key for key in item if key != "parameters"}
        for path, item in document["paths"].items()
    }
    assert documented == routes_of(app)


def test_a_route_that_is_not_documented_would_be_noticed(app, document):
    """The comparison bites."""
    del document["paths"]["/-/ready"]
    with pytest.raises(AssertionError):
        test_the_document_has_exactly_the_routes_of_the_server(app, document)


async def test_the_document_has_the_pages_of_several_cells():
    """Each has its own page of metrics; the server's document says so, and how many there are."""
    system = build_system(small(cells=3), Plan(load=Load(rate=100.0)), 7)
    app = serve(system)
    async with TestClient(TestServer(app)) as client:
        document = await (await client.get(PATH)).json()
        test_the_document_has_exactly_the_routes_of_the_server(app, document)
        page = document["paths"]["/cells/{cell}/metrics"]
        assert page["parameters"][0]["schema"]["maximum"] == 2
        statuses = [
            (await client.get(path)).status
            for path in ("/cells/2/metrics", "/cells/3/metrics", "/metrics")
        ]
    assert statuses == [200, 404, 404]
    assert set(page["get"]["responses"]) >= {"200", "404", "503"}
    assert "200" not in document["paths"]["/metrics"]["get"]["responses"]


OPERATIONS = {
    "get /": ("200 text/html", "", ""),
    "get /metrics": (f"200 {TEXT} {OPENMETRICS}", "503", ""),
    "get /-/healthy": ("200 text/plain", "", ""),
    "get /-/ready": ("200 text/plain", "503", ""),
    "get /sd/targets": ("200 Targets", "", ""),
    "get /static/{name}": ("200 text/javascript 304", "404", ""),
    "get /openapi.json": ("200 application/json", "", ""),
    "get /api/v1/faults": ("200 Faults", "", ""),
    "post /api/v1/faults": ("201 Fault", "401 408 409 413 415", "Injection"),
    "delete /api/v1/faults": ("200 Faults", "401 415", ""),
    "get /api/v1/faults/catalogue": ("200 Catalogue", "", ""),
    "get /api/v1/faults/{name}": ("200 Fault", "404", ""),
    "patch /api/v1/faults/{name}": ("200 Fault", "401 404 408 413 415", "Change"),
    "delete /api/v1/faults/{name}": ("200 Fault", "401 404 415", ""),
    "get /api/v1/load": ("200 Load", "", ""),
    "put /api/v1/load": ("200 Load", "401 408 409 413 415", "LoadChange"),
    "delete /api/v1/load": ("200 Load", "401 404 415", ""),
    "get /api/v1/scenarios": ("200 Scenarios", "", ""),
    "post /api/v1/scenarios": ("201 Scenario", "401 404 408 409 413 415", "Beginning"),
    "delete /api/v1/scenarios": ("200 Ended", "401 415", ""),
    "get /api/v1/chart": ("200 Recent", "", ""),
    "get /api/v1/stream": ("200 text/event-stream", "503", ""),
}
"""By operation: what it answers with, its refusals but those of every one, and what it is sent."""


def referred(content):
    """Return the components that a content is of, else its media types."""
    names = [media.get("schema", {}).get("$ref", "").rpartition("/")[2]
             for media in content.values()]  # fmt: skip
    return [name or media for name, media in zip(names, content, strict=True)]


def test_each_operation_has_its_answers_its_refusals_and_its_body(document):
    """Who may be refused for a missing token may send one; a body must be sent."""
    shown = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            answers = operation["responses"]
            refused = [status for status in answers if int(status) >= 400]
            assert {"400", "403", "421"} <= set(refused)
            body = operation.get("requestBody", {"content": {}})
            assert body.get("required", False) is bool(body["content"])
            token = [{}, {"token": []}] if "401" in answers else None
            assert operation.get("security") == token
            shown[f"{method} {path}"] = (
                " ".join(
                    " ".join([status, *referred(answer.get("content", {}))])
                    for status, answer in answers.items()
                    if status not in refused
                ),
                " ".join(sorted(set(refused) - {"400", "403", "421"})),
                " ".join(referred(body["content"])),
            )
    assert shown == OPERATIONS


def test_a_fault_is_found_by_any_name_that_it_can_be_given(document):
    """In a path as in an injection."""
    schemas = document["components"]["schemas"]
    for kind in schemas["Injection"]["anyOf"]:
        longest = kind["properties"]["name"]["maxLength"]
        (parameter,) = document["paths"]["/api/v1/faults/{name}"]["parameters"]
        assert (parameter["schema"]["minLength"], parameter["schema"]["maxLength"]) == (1, longest)


def resolve(document, name):
    """Return a validator of a component."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


@pytest.mark.sampled(12)
@pytest.mark.parametrize("kind", FAULTS)
def test_each_kind_of_fault_can_be_asked_for_as_documented(document, kind):
    """With its own parameters; with those of no kind it is refused."""
    validator = resolve(document, "Injection")
    written = FaultForm(small()).write(fault(kind, **SAMPLES[kind]))
    assert validator.is_valid({"fault": kind, "parameters": written["parameters"]})
    assert not validator.is_valid({"fault": kind, "parameters": {"colour": 1}})
    known = {each["fault"]: each["parameters"] for each in FaultForm(small()).catalogue()["faults"]}
    assert validator.is_valid({"fault": kind}) is ("required" not in known[kind])


async def test_the_document_is_served_and_its_answers_are_as_documented(app, document):
    """At its path, as JSON; a fault in effect has the documented form."""
    async with TestClient(TestServer(app)) as client:
        await check_answers(client, document)


async def check_answers(client, document):
    """Ask for the document and for one answer of each form."""
    answer = await client.get(PATH)
    assert answer.content_type == "application/json"
    assert (await answer.json())["paths"] == document["paths"]
    body = {"fault": "slow_host", "parameters": SAMPLES["slow_host"], "name": "slow"}
    begun = await client.post("/api/v1/faults", json=body)
    assert begun.status == 201
    resolve(document, "Fault").validate(await begun.json())
    resolve(document, "Faults").validate(await (await client.get("/api/v1/faults")).json())
    resolve(document, "Error").validate(await (await client.get("/api/v1/faults/none")).json())
    resolve(document, "Targets").validate(await (await client.get("/sd/targets")).json())


async def test_the_formats_of_the_metrics_are_documented(document):
    """By their whole content types."""
    content = document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert set(content) == {TEXT, OPENMETRICS}


LEFT_OUT = "positive_data_acceptance,ensure_resource_availability"
"""What a schema cannot say, such as a ramp within its duration, is answered 400; and a fault of a
fraction of a second has ended when it is asked for."""


@pytest.mark.long
@pytest.mark.parametrize(
    ("paths", "phases"),
    [
        ("^/api/(?!v1/stream)", "examples,coverage,fuzzing,stateful"),
        ("^/(?!api/)", "examples,coverage,fuzzing"),
    ],
)
def test_schemathesis_finds_no_answer_that_is_not_documented(paths, phases, tmp_path):
    """All its checks but two.

    Pages and API apart: the faults of the scrape path do to pages what they are there for.
    """
    with Serve() as serve:
        command = [
            Path(sys.executable).with_name("schemathesis"), "run",
            f"http://{serve.target}{PATH}", "--checks", "all", "--exclude-checks", LEFT_OUT,
            "--include-path-regex", paths, "--phases", phases, "--max-examples", str(EXAMPLES),
            "--generation-database", ":memory:", "--no-color", "--continue-on-failure",
        ]  # fmt: skip
        run = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=1200, check=False
        )
        assert serve.process.poll() is None
    assert run.returncode == 0, run.stdout[-6000:]


def test_the_document_is_valid_json_of_a_bounded_size(document):
    """For whoever reads it by hand."""
    assert len(json.dumps(document)) < 100_000


RECORDED = json.loads(Path(__file__).with_name("whole_openapi.json").read_text(encoding="utf-8"))
SHORT = {"type": "string", "maxLength": 60}
FORMS = {
    "faults": [
        {"fault": "free", "parameters": {"type": "object", "properties": {"rate": SHORT}}},
        {"fault": "bound", "parameters": {"type": "object", "required": ["share"]}},
    ],
    "injection": {
        "type": "object",
        "properties": {"fault": SHORT, "name": SHORT, "targets": {"$ref": "#/$defs/Hosts"}},
        "required": ["fault"],
        "additionalProperties": False,
        "$defs": {"Hosts": {"type": "array", "maxItems": 5}},
    },
    "change": {
        "type": "object",
        "properties": {"duration": {"$ref": "#/$defs/Span"}},
        "$defs": {"Span": {"type": "string"}},
    },
}
LOAD_FORM = {
    "type": "object",
    "properties": {"stages": {"type": "array", "items": {"$ref": "#/$defs/Part"}}},
    "required": ["stages"],
    "$defs": {"Part": {"type": "object"}},
}
"""Forms of a few lines; those of the faults and of the load have tests of their own."""


def describe(cells):
    """Return the document of small forms without the chart, and the chart's components."""
    document = json.loads(json.dumps(describe_api(FORMS, LOAD_FORM, "1.2.3", cells=cells)))
    schemas = document["components"]["schemas"]
    chart = {name: schemas.pop(name) for name in ("Chart", *chart_schema()["$defs"])}
    return document, chart


def test_the_whole_document_is_the_recorded_one():
    """Every schema with its keys, types, bounds and what is required; every path and answer."""
    document, _ = describe(1)
    assert document == RECORDED["document"]
    assert list(document["paths"]) == RECORDED["order"]


def test_several_cells_change_the_pages_of_metrics_alone():
    """Each cell has its own, with the number of the cell as a parameter."""
    several, _ = describe(3)
    single, _ = describe(1)
    pages = {path: item for path, item in several["paths"].items() if path.endswith("/metrics")}
    assert pages == RECORDED["pages of three cells"]
    single["paths"] = {**single["paths"], **pages}
    assert several == single


def test_the_components_of_a_chart_are_those_that_the_package_publishes():
    """Without the dialect, which the document as a whole has, and with references to its place."""
    schema = json.loads(json.dumps(chart_schema()).replace("#/$defs/", "#/components/schemas/"))
    definitions = schema.pop("$defs")
    del schema["$schema"]
    assert describe(1)[1] == {"Chart": schema, **definitions}
