"""The fault API over a real, small world: what it does, what it refuses and leaves as it was."""

from __future__ import annotations

import json
import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from exporter.server.app import REQUEST_LIMIT_BYTES, build_app
from exporter.server.exposition import Exposition
from exporter.server.fault_api.control import IN_EFFECT_MAX, FaultControl
from exporter.server.fault_api.guard import build_guard
from exporter.server.fault_api.handlers import build_fault_api
from exporter.server.landing import API
from scenarios.injection_form import FaultForm
from simulator.faults.fault import Fault
from simulator.faults.kinds.observability import ExporterDown
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.fakes import MockClock
from tests.simulator.worlds import small

FAULTS = f"{API}/faults"
DROP = {"fault": "traffic_drop", "name": "gone", "parameters": {"share": 0.5}}
LATER = Fault(name="later", parameters=ExporterDown(), start_s=65.0, duration_s=10.0)
TOKEN = "correct-horse"  # noqa: S105 - opens nothing


class Bench:
    """A world, its clock, and a client of its server."""

    def __init__(self, world, clock, client):
        """Keep them."""
        self.world, self.clock, self.client = world, clock, client

    async def call(self, method, path="", body=None, **kwargs):
        """Return status and document of a request to the fault API."""
        if body is not None:
            kwargs["json"] = body
        answer = await self.client.request(method, f"{FAULTS}{path}", **kwargs)
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()

    async def metric(self, series):
        """Return a series of the metrics page."""
        text = await (await self.client.get("/metrics")).text()
        (line,) = (one for one in text.splitlines() if one.startswith(f"{series} "))
        return float(line.rpartition(" ")[2])

    def live_for(self, seconds):
        """Let virtual time pass."""
        self.clock.spend(seconds)
        self.world.advance(self.world.now_s + seconds)

    def state(self):
        """Return all that a refused request must leave as it was."""
        return self.world.fingerprint(), self.world.plan, self.world.next_change_ns()


@pytest.fixture
async def make():
    """Return a way to serve a world, with or without a token; it has lived for a second."""
    clients = []

    async def serve(token=None):
        world = World(small(), Plan(load=Load(rate=400.0), faults=(LATER,)), 7)
        world.advance(1.0)
        clock = MockClock()
        live = Exposition(world, clock, version="1", scenario="calm")
        app = build_app(live)
        app.add_subapp(API, build_fault_api(FaultControl(world, live), FaultForm(small()), token))
        clients.append(TestClient(TestServer(app)))
        await clients[-1].start_server()
        return Bench(world, clock, clients[-1])

    yield serve
    for client in clients:
        await client.close()


@pytest.fixture
async def bench(make):
    """Return a server without a token."""
    return await make()


async def test_an_injected_fault_is_in_effect_when_the_answer_comes(bench):
    """The answer, the list, the page and the world agree, though no time has passed."""
    answer = await bench.client.post(FAULTS, json=DROP)
    told = await answer.json()
    assert (answer.status, answer.headers["Location"]) == (201, f"{FAULTS}/gone")
    assert told == {
        "name": "gone",
        "fault": "traffic_drop",
        "parameters": {"share": 0.5},
        "targets": {},
        "ramp": "0s",
        "duration": "5m",
        "began_s": 1.0,
        "ends_s": 301.0,
        "ends_in_s": 300.0,
        "magnitude": {"declared": 0.5, "effective": 0.5},
        "effect": {"value": 0.0, "expected": 0.0, "unit": "arrivals per second"},
    }
    assert await bench.call("GET") == (200, {"faults": [told]})
    assert await bench.call("GET", "/gone") == (200, told)
    assert bench.world.snapshot().arrival_rate == 200.0
    assert await bench.metric('agentaskit_sim_faults_active{fault="traffic_drop"}') == 1


async def test_its_own_measure_of_effect_and_its_ramp_can_be_watched(bench):
    """Half the strength half-way up; the effect is what the world counted, not what was set."""
    await bench.call("POST", body={**DROP, "ramp": "10s", "duration": "20s"})
    bench.live_for(5.0)
    _, told = await bench.call("GET", "/gone")
    assert told["magnitude"] == {"declared": 0.5, "effective": pytest.approx(0.275)}
    assert told["ends_in_s"] == pytest.approx(15.0)
    bench.live_for(14.0)
    _, told = await bench.call("GET", "/gone")
    assert told["magnitude"]["effective"] == 0.5
    assert 200 < told["effect"]["value"] < 300
    assert told["effect"]["expected"] == pytest.approx((300 * 10 + 200 * 9) / 19)


async def test_the_world_itself_ends_a_fault_at_its_time(bench):
    """Whoever injected it may be gone: nothing is left, by default after five minutes."""
    await bench.call("POST", body=DROP)
    await bench.call("POST", body={"fault": "agent_hang", "duration": "2s"})
    bench.live_for(2.0)
    assert [one["name"] for one in (await bench.call("GET"))[1]["faults"]] == ["gone"]
    bench.live_for(298.0)
    assert await bench.call("GET") == (200, {"faults": []})
    assert bench.world.snapshot().arrival_rate == 400.0
    assert await bench.metric('agentaskit_sim_faults_active{fault="traffic_drop"}') == 0


async def test_a_change_gives_other_numbers_and_another_end_and_keeps_the_rest(bench):
    """What is not named stays; a duration counts from now, so that a caller can prolong."""
    outage = {"fault": "dependency_outage", "parameters": {"share": 0.5, "latency": "50ms"}}
    await bench.call("POST", body=outage)
    bench.live_for(10.0)
    before = (await bench.call("GET", "/dependency-outage"))[1]
    body = {"parameters": {"share": 0.25}, "duration": "60s"}
    status, told = await bench.call("PATCH", "/dependency-outage", body)
    assert status == 200
    assert told["parameters"] == {"share": 0.25, "latency": "50ms"}
    assert told["magnitude"] == {"declared": 0.25, "effective": 0.25}
    assert (told["began_s"], told["ends_in_s"]) == (1.0, 60.0)
    assert told["effect"] == before["effect"]
    bench.live_for(59.0)
    assert len((await bench.call("GET"))[1]["faults"]) == 2  # the scenario's own has begun
    bench.live_for(1.0)
    assert (await bench.call("GET", "/dependency-outage"))[0] == 404


async def test_ended_faults_leave_the_base_and_their_names(bench):
    """One by one or all at once; a name can be given again at once."""
    for name in ("gone", "gone-too"):
        await bench.call("POST", body={**DROP, "name": name})
    assert bench.world.snapshot().arrival_rate == 100.0
    assert (await bench.call("DELETE", "/gone"))[1]["name"] == "gone"
    assert bench.world.snapshot().arrival_rate == 200.0
    assert (await bench.call("POST", body=DROP))[0] == 201
    status, told = await bench.call("DELETE")
    assert (status, [one["name"] for one in told["faults"]]) == (200, ["gone-too", "gone"])
    assert bench.world.snapshot().arrival_rate == 400.0
    assert await bench.call("DELETE") == (200, {"faults": []})


async def test_a_restart_injected_by_hand_resets_the_counters_at_once(bench):
    """As the scenario's own would: what was counted before the call is gone."""
    series = 'agentaskit_tasks_arrived_total{priority="normal"}'
    assert await bench.metric(series) > 0
    await bench.call("POST", body={"fault": "counter_reset"})
    assert await bench.metric(series) == 0


async def test_while_the_exporter_is_down_the_faults_can_still_be_ended(bench):
    """Or the only way back would be to wait."""
    await bench.call("POST", body={"fault": "exporter_down"})
    assert (await bench.client.get("/metrics")).status == 503
    assert (await bench.call("DELETE", "/exporter-down"))[0] == 200
    assert (await bench.client.get("/metrics")).status == 200


async def test_the_catalogue_says_all_that_is_needed_to_inject(bench):
    """Parameters as JSON Schema, targets, unit, and what this system has to aim at."""
    status, told = await bench.call("GET", "/catalogue")
    assert status == 200
    outage = next(one for one in told["faults"] if one["fault"] == "dependency_outage")
    assert outage["what"].startswith("Tasks that call the dependency wait `latency` longer")
    assert outage["parameters"]["required"] == ["share"]
    assert told["system"] == {"tiers": ["lead", "worker"], "hosts": 4, "sandboxes": ["A", "B", "C"]}


JSON = {"Content-Type": "application/json"}
REFUSED = [
    # a stranger
    ("POST", "", DROP, {"Host": "evil.example"}, 403, "Host must be localhost or this server's"),
    ("GET", "", None, {"Host": "evil.example"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "localhost.evil.example:80"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "192.0.2.7"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "evil.example@localhost"}, 403, "Host must be"),
    ("POST", "", DROP, {"Host": "[::1"}, 403, "Host must be"),
    ("POST", "", DROP, {"Origin": "https://evil.example"}, 403, "Origin must be this server"),
    ("POST", "", DROP, {"Origin": "null"}, 403, "Origin must be this server, got 'null'"),
    ("DELETE", "", None, {"Origin": "http://localhost:1"}, 403, "Origin must be"),
    # not JSON
    ("POST", "", b"fault=agent_hang", {"Content-Type": "application/x-www-form-urlencoded"}, 415,
     "Content-Type must be application/json, got application/x-www-form-urlencoded"),
    ("POST", "", json.dumps(DROP).encode(), {"Content-Type": "text/plain"}, 415, "got text/plain"),
    ("PATCH", "/gone", b"{}", {"Content-Type": "text/plain"}, 415, "Content-Type"),
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
    ("POST", "", {**DROP, "targets": {"hosts": [0]}}, {}, 400, "must have no targets, got hosts"),
    ("POST", "", {"fault": "agent_hang", "targets": {"tiers": ["wroker"]}}, {}, 400,
     "no tier is called 'wroker', did you mean 'worker'?"),
    ("POST", "", {"fault": "agent_hang", "targets": {"hosts": [4]}}, {}, 400, "hosts must be 0 to"),
    ("POST", "", {"fault": "capacity_demand", "parameters": {"agents": 41}}, {}, 400,
     "agents must be at most the fleet of 40, got 41"),
    # not now
    ("POST", "", {**DROP, "name": "held"}, {}, 409, "a fault called 'held' is in effect"),
    ("POST", "", {**DROP, "name": "later"}, {}, 409, "the scenario is going to begin a fault"),
    ("PATCH", "/hedl", {"duration": "1m"}, {}, 404, "no fault called 'hedl' is in effect, did you"),
    ("DELETE", "/hedl", None, {}, 404, "did you mean 'held'?"),
    ("PATCH", "/held", {}, {}, 400, "a change must give parameters, duration or both"),
    ("PATCH", "/held", {"duration": "61m"}, {}, 400, "duration must be above 0s and at most 1h"),
    ("PATCH", "/held", {"parameters": {"factor": 3}}, {}, 400, "unknown key 'factor'"),
    ("PATCH", "/held", {"targets": {}}, {}, 400, "unknown key 'targets'"),
    ("PUT", "/held", {"duration": "1m"}, {}, 405, "method not allowed"),
    ("POST", "s", DROP, {}, 404, "not found"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "message"), REFUSED)
async def test_what_is_refused_says_why_and_changes_nothing(  # noqa: PLR0917
    bench, method, path, body, headers, status, message
):
    """Not one byte of the world, of its plan, of what it is going to do."""
    await bench.call("POST", body={**DROP, "name": "held"})
    before = bench.state()
    content = {} if body is None else {"data" if isinstance(body, bytes) else "json": body}
    got, told = await bench.call(method, path, headers=headers, **content)
    assert got == status
    assert message in told["error"]
    assert list(told) == ["error"]
    assert bench.state() == before


async def test_a_change_that_is_not_refused_is_seen_by_the_same_eyes(bench):
    """The comparison above would notice."""
    before = bench.state()
    await bench.call("POST", body=DROP)
    assert bench.state() != before


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"],
)  # fmt: skip
async def test_without_the_token_nothing_changes(make, authorization):
    """Whatever the write; looking is free."""
    bench = await make(TOKEN)
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await bench.call("POST", body=DROP, headers=right))[0] == 201
    before = bench.state()
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path, body in (
        ("POST", "", {"fault": "agent_hang"}),
        ("PATCH", "/gone", {"duration": "1m"}),
        ("DELETE", "/gone", None),
        ("DELETE", "", None),
    ):
        status, told = await bench.call(method, path, body, headers=headers)
        assert status == 401
        assert "needs the server's token" in told["error"]
    assert bench.state() == before
    assert (await bench.call("GET"))[0] == 200
    assert (await bench.call("DELETE", headers=right))[0] == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:9464", "127.0.0.1:1", "[::1]:9464"])
async def test_loopback_names_are_welcome_with_any_port(bench, host):
    """A forwarded port is another one than ours."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert (await bench.call("POST", body=DROP, headers=headers))[0] == 201


@pytest.mark.parametrize(
    ("sockname", "host", "token", "status"),
    [
        ("192.0.2.5", "192.0.2.5:9464", None, 403),
        ("192.0.2.5", "192.0.2.5:9464", TOKEN, 200),
        ("::ffff:192.0.2.5", "192.0.2.5:9464", TOKEN, 200),
        ("192.0.2.5", "192.0.2.6:9464", TOKEN, 403),
        ("127.0.0.1", "127.0.0.1:9464", None, 200),
    ],
)
async def test_a_server_that_others_can_reach_needs_a_token(sockname, host, token, status):
    """And is called by the address it was reached at."""
    transport = type("Transport", (), {"get_extra_info": lambda *_: (sockname, 9464)})()
    transport.is_closing = lambda: False
    headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
    request = make_mocked_request("DELETE", FAULTS, headers=headers, transport=transport)

    async def answer(_):
        return web.Response()

    answered = await build_guard(token)(request, answer)
    assert answered.status == status


async def test_the_number_of_faults_in_effect_is_bounded(bench):
    """Everything is."""
    for number in range(IN_EFFECT_MAX):
        body = {"fault": "bus_partition", "name": f"cut-{number}"}
        assert (await bench.call("POST", body=body))[0] == 201
    status, told = await bench.call("POST", body=DROP)
    assert (status, told["error"]) == (
        409, f"at most {IN_EFFECT_MAX} faults can be in effect: end one first",
    )  # fmt: skip


EXTREMES = [
    ("agent_crash", {"rate_per_s": 1e300}),
    ("crash_loop", {"alive": "1d"}),
    ("slow_start", {"factor": 1e6}),
    ("task_slowdown", {"factor": 1e6}),
    ("dependency_outage", {"share": 1, "latency": "1h"}),
    ("traffic_surge", {"factor": 100}),
    ("capacity_demand", {"agents": 40}),
    ("message_flood", {"rate_per_s": 1e6}),
    ("slow_consumer", {"factor": 1e6}),
    ("memory_leak", {"bytes_per_s": 1 << 40}),
    ("cpu_contention", {"share": 1}),
    ("sandbox_crash", {"share": 1}),
]


@pytest.mark.parametrize(("fault", "parameters"), EXTREMES)
async def test_the_most_that_can_be_asked_for_three_times_over_is_survived(
    bench, fault, parameters
):
    """The laws still hold; what is ended leaves the load as it was."""
    for name in ("a", "b", "c"):
        body = {"fault": fault, "name": name, "parameters": parameters}
        assert (await bench.call("POST", body=body))[0] == 201
    bench.live_for(0.5)
    told = (await bench.call("GET"))[1]["faults"]
    assert all(one["effect"]["value"] >= 0 for one in told)
    for law in ("tasks", "dispatch", "messages", "sandboxes"):
        assert await bench.metric(f'agentaskit_sim_conservation_error{{law="{law}"}}') == 0
    await bench.call("DELETE")
    assert bench.world.snapshot().arrival_rate == 400.0


def test_the_documentation_lists_every_request_and_every_status_of_a_refusal(repository):
    """A route that is added is missing here until it is written down."""
    page = (repository / "docs" / "fault.md").read_text(encoding="utf-8")
    routes = {
        (route.method, f"{API}{route.resource.canonical}")
        for route in build_fault_api(None, None, None).router.routes()
        if route.method != "HEAD"
    }
    listed = re.findall(r"^\| `([A-Z]+) (\S+)` \|", page, re.MULTILINE)
    assert {(method, path.replace("NAME", "{name}")) for method, path in listed} == routes
    statuses = {row[4] for row in REFUSED} - {405} | {401, 408}
    told = re.findall(r"^\| (4\d\d(?:, 4\d\d)*) \|", page, re.MULTILINE)
    assert {int(one) for row in told for one in row.split(", ")} == statuses
