"""The requests of the fault API: the catalogue, every refusal, and their documentation."""

from __future__ import annotations

import json
import re

import pytest

from exporter.server.app import REQUEST_LIMIT_BYTES
from exporter.server.fault_api.handlers import build_fault_api
from exporter.server.landing import API
from tests.exporter.server.fault_api.served import DROP


async def test_the_catalogue_has_everything_that_an_injection_needs(served):
    """Parameters as JSON Schema, targets, unit, and the targets that this system has."""
    status, document = await served.call("GET", "/catalogue")
    assert status == 200
    outage = next(kind for kind in document["faults"] if kind["fault"] == "dependency_outage")
    assert outage["what"].startswith("Tasks that call the dependency wait `latency` longer")
    assert outage["parameters"]["required"] == ["share"]
    assert document["system"] == {
        "cells": 1,
        "tiers": ["lead", "worker"],
        "hosts": 4,
        "sandboxes": ["A", "B", "C"],
    }


JSON = {"Content-Type": "application/json"}
REFUSED = [
    # a foreign page or name
    ("POST", "", DROP, {"Host": "evil.example"}, 403, "Host must be localhost or this server's"),
    ("GET", "", None, {"Host": "evil.example"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "localhost.evil.example:80"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "192.0.2.7"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "evil.example@localhost"}, 400, "Host must be"),
    ("POST", "", DROP, {"Host": "[::1"}, 400, "Host must be"),
    ("POST", "", DROP, {"Origin": "https://evil.example"}, 403, "Origin must be this server"),
    ("POST", "", DROP, {"Origin": "null"}, 403, "Origin must be this server, got 'null'"),
    ("DELETE", "", None, {"Origin": "http://localhost:1"}, 403, "Origin must be"),
    # not JSON
    ("POST", "", b"fault=agent_hang", {"Content-Type": "application/x-www-form-urlencoded"}, 415,
     "Content-Type must be application/json, got application/x-www-form-urlencoded"),
    ("POST", "", json.dumps(DROP).encode(), {"Content-Type": "text/plain"}, 415, "got text/plain"),
    ("PATCH", "/gone", b"{}", {"Content-Type": "text/plain"}, 415, "Content-Type"),
    ("POST", "", None, {"Content-Type": "text/plain"}, 415, "Content-Type"),
    ("DELETE", "", b"all=1", {"Content-Type": "text/plain"}, 415, "Content-Type"),
    ("POST", "", b"{", JSON, 400, "body:1:2: this is not JSON: expected a key in double quotes"),
    ("POST", "", b"\xff", JSON, 400, "the body must be UTF-8 text"),
    ("POST", "", b"[]", JSON, 400, "the body must be a JSON object"),
    ("POST", "", b" " * (REQUEST_LIMIT_BYTES + 1), JSON, 413, "the body is too long"),
    ("POST", "", b'{"fault": "agent_hang", "fault": "x"}', JSON, 400, "duplicate key 'fault'"),
    # not a fault
    ("POST", "", {"fault": "trafic_drop"}, {}, 400, "did you mean 'traffic_drop'?"),
    ("POST", "", {**DROP, "durration": "5m"}, {}, 400, "did you mean 'duration'?"),
    ("POST", "", {**DROP, "duration": "2h"}, {}, 400,
     "duration must be above 0s and at most 1h, got 2h"),
    ("POST", "", {**DROP, "duration": "0s"}, {}, 400, "duration must be above 0s"),
    ("POST", "", {**DROP, "duration": 300}, {}, 400, "must be a duration with a unit, such as"),
    ("POST", "", {**DROP, "ramp": "6m"}, {}, 400, "ramp must be between 0 and its duration"),
    ("POST", "", {**DROP, "parameters": {"shar": 0.5}}, {}, 400, "did you mean 'share'?"),
    ("POST", "", {**DROP, "parameters": {"share": 2}}, {}, 400, "share must be above 0"),
    ("POST", "", {**DROP, "parameters": {}}, {}, 400, "the key 'share' is missing in parameters"),
    ("POST", "", {**DROP, "targets": {"hosts": [0]}}, {}, 400, "takes no targets, got hosts"),
    ("POST", "", {"fault": "agent_hang", "targets": {"hosts": []}}, {}, 400,
     "targets.hosts must name at least one, or be left out, which means all"),
    ("POST", "", {"fault": "cell_down", "targets": {"cells": [0]}}, {}, 400,
     "cells must not be named: this system has one cell"),
    ("POST", "", {"fault": "agent_hang", "targets": {"tiers": ["wroker"]}}, {}, 400,
     "no tier is called 'wroker', did you mean 'worker'?"),
    ("POST", "", {"fault": "agent_hang", "targets": {"hosts": [4]}}, {}, 400, "hosts must be 0 to"),
    ("POST", "", {"fault": "capacity_demand", "parameters": {"agents": 41}}, {}, 400,
     "agents must be at most the fleet of 40, got 41"),
    ("POST", "", {**DROP, "name": "catalogue"}, {}, 400,
     "name must be another than 'catalogue': its path is taken"),
    # not now
    ("POST", "", {**DROP, "name": "held"}, {}, 409, "a fault called 'held' is in effect"),
    ("POST", "", {**DROP, "name": "later"}, {}, 409, "the scenario is going to begin a fault"),
    ("PATCH", "/hedl", {"duration": "1m"}, {}, 404, "no fault called 'hedl' is in effect, did you"),
    ("DELETE", "/hedl", None, {}, 404, "did you mean 'held'?"),
    ("PATCH", "/held", {}, {}, 400, "a change needs parameters, duration or both"),
    ("PATCH", "/held", {"duration": "61m"}, {}, 400, "duration must be above 0s and at most 1h"),
    ("PATCH", "/held", {"parameters": {"factor": 3}}, {}, 400, "unknown key 'factor'"),
    ("PATCH", "/held", {"targets": {}}, {}, 400, "unknown key 'targets'"),
    ("PUT", "/held", {"duration": "1m"}, {}, 405, "method not allowed"),
    ("DELETE", "/catalogue", None, {}, 405, "method not allowed"),
    ("POST", "s", DROP, {}, 404, "not found"),
]  # fmt: skip


@pytest.mark.sampled(14)
@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "message"), REFUSED)
async def test_a_refusal_states_its_reason_and_changes_nothing(  # noqa: PLR0917 - one column each
    served, method, path, body, headers, status, message
):
    """Not a byte of the world, of its plan, of its next change."""
    await served.call("POST", body={**DROP, "name": "held"})
    before = served.state()
    content = {} if body is None else {"data" if isinstance(body, bytes) else "json": body}
    got, document = await served.call(method, path, headers=headers, **content)
    assert got == status
    assert message in document["error"]
    assert list(document) == ["error"]
    assert served.state() == before


async def test_one_world_refuses_all_of_that_in_turn(served):
    """Each with its own status and reason; afterwards it is as it was."""
    await served.call("POST", body={**DROP, "name": "held"})
    before = served.state()
    for method, path, body, headers, status, message in REFUSED:
        content = {} if body is None else {"data" if isinstance(body, bytes) else "json": body}
        got, document = await served.call(method, path, headers=headers, **content)
        assert (got, message in document["error"]) == (status, True), (method, path, body, document)
    assert served.state() == before


async def test_a_body_of_more_than_sixteen_kilobytes_is_too_long(served):
    """One of that length is read, and then refused for what it is."""
    for length, status in ((16 << 10, 400), ((16 << 10) + 1, 413)):
        got, _ = await served.call("POST", data=b" " * length, headers=JSON)
        assert got == status


async def test_a_list_is_of_the_instant_of_its_request(served):
    """The world catches up first: less is left of a fault than when it began."""
    _, begun = await served.call("POST", body={**DROP, "duration": "5m"})
    served.clock.spend(0.02)
    ((shown,),) = [(await served.call("GET"))[1]["faults"]]
    assert shown["ends_in_s"] == pytest.approx(begun["ends_in_s"] - 0.02)
    assert shown["ends_s"] == begun["ends_s"] == pytest.approx(shown["began_s"] + 300.0)


async def test_a_name_may_begin_as_the_catalogue_does(served):
    """Only the whole word is its path."""
    body = {**DROP, "name": "catalogue-drop"}
    assert (await served.call("POST", body=body))[0] == 201
    assert (await served.call("GET", "/catalogue-drop"))[1]["name"] == "catalogue-drop"
    assert (await served.call("PATCH", "/catalogue-drop", {"duration": "1m"}))[0] == 200
    assert (await served.call("DELETE", "/catalogue-drop"))[0] == 200


async def test_an_accepted_change_shows_in_the_same_comparison(served):
    """So the comparison above can fail."""
    before = served.state()
    await served.call("POST", body=DROP)
    assert served.state() != before


def test_the_documentation_lists_every_request_and_every_status_of_a_refusal(repository):
    """A new route fails here until it is documented."""
    page = (repository / "docs" / "fault.md").read_text(encoding="utf-8")
    routes = {
        (route.method, f"{API}{route.resource.canonical}")
        for route in build_fault_api(None, None, None).router.routes()
        if route.method != "HEAD"
    }
    listed = re.findall(r"^\| `([A-Z]+) (\S+)` \|", page, re.MULTILINE)
    assert {(method, path.replace("NAME", "{name}")) for method, path in listed} == routes
    statuses = {row[4] for row in REFUSED} - {405} | {401, 408}
    rows = re.findall(r"^\| (4\d\d(?:, 4\d\d)*) \|", page, re.MULTILINE)
    assert {int(status) for row in rows for status in row.split(", ")} == statuses
