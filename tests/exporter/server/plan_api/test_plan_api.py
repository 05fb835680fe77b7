"""The load and the scenarios of a served world: begun, ended, refused; guarded as its faults."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from exporter.server.landing import API
from exporter.server.plan_api import scenario_control
from simulator.faults.targets import Targets
from simulator.load import Load
from tests.exporter.server.plan_api.served import OUTAGE

LOAD, SCENARIOS = f"{API}/load", f"{API}/scenarios"
TOKEN = "correct-horse"  # noqa: S105 - opens nothing
STAGES = {"stages": [{"target": 100, "duration": "0s"}, {"target": 100, "duration": "10s"}]}
CALM = {"requested": 400.0, "after_faults": 400.0, "change": None}


async def test_the_load_is_changed_for_a_while_as_documented(serve):
    """At once, by the stages of k6, and back after the last."""
    served = await serve()
    document = (await served.call("GET", "/openapi.json"))[1]
    check = Draft202012Validator(
        {"$ref": "#/components/schemas/Load", "components": document["components"]}
    )
    status, before = await served.call("GET", LOAD)
    assert (status, before) == (200, CALM)
    status, changed = await served.call("PUT", LOAD, STAGES)
    assert status == 200
    check.validate(changed)
    assert changed["requested"] == pytest.approx(100.0)
    assert changed["change"]["stages"] == STAGES["stages"]
    assert changed["change"]["ends_in_s"] == pytest.approx(10.0, abs=0.1)
    assert (changed["change"]["began_s"], changed["change"]["ends_s"]) == (1.0, 11.0)
    served.advance(4.0)
    later = (await served.call("GET", LOAD))[1]["change"]
    assert later["ends_in_s"] == pytest.approx(6.0, abs=0.1)
    served.advance(7.0)
    assert (await served.call("GET", LOAD))[1] == before


async def test_a_change_of_the_load_can_be_ended(serve):
    """And there is none to be ended afterwards."""
    served = await serve()
    await served.call("PUT", LOAD, STAGES)
    assert (await served.call("DELETE", LOAD))[1] == CALM
    status, error = await served.call("DELETE", LOAD)
    assert (status, error) == (404, {"error": "no change of the load is in effect"})


async def test_a_change_of_the_load_is_made_and_ended_at_the_instant_of_the_call(serve):
    """The world catches up first: a change lasts whole, and is over at its end."""
    served = await serve()
    served.clock.spend(0.05)
    changed = (await served.call("PUT", LOAD, STAGES))[1]["change"]
    assert changed["ends_in_s"] == pytest.approx(10.0, abs=0.001)
    served.advance(9.98)
    served.clock.spend(0.05)
    assert (await served.call("DELETE", LOAD))[0] == 404


@pytest.mark.parametrize(("room", "status"), [(3, 201), (2, 409)])
async def test_a_scenario_may_fill_what_room_there_is_for_faults(serve, monkeypatch, room, status):
    """With those that are in effect already, and not go beyond it."""
    monkeypatch.setattr(scenario_control, "IN_EFFECT_MAX", room)
    served = await serve()
    await served.call("POST", f"{API}/faults", {"fault": "bus_partition"})
    assert (await served.call("POST", SCENARIOS, {"name": "outage"}))[0] == status


async def test_what_the_profile_asks_for_and_what_faults_leave_are_two_numbers(serve):
    """By the API and among the facts of the page, before and after a change by hand."""
    served = await serve()
    await served.call(
        "POST", f"{API}/faults", {"fault": "traffic_drop", "parameters": {"share": 0.5}}
    )
    assert (await served.call("GET", LOAD))[1] == {**CALM, "after_faults": 200.0}
    await served.call("PUT", LOAD, STAGES)
    load = (await served.call("GET", LOAD))[1]
    assert (load["requested"], load["after_faults"]) == (100.0, 50.0)
    facts = dict((await served.call("GET", f"{API}/chart"))[1]["now"]["facts"])
    assert facts["Load profile"] == "100 tasks/s"
    assert facts["Load after faults"] == "50 tasks/s"


async def test_a_recorded_load_is_left_alone(serve):
    """It has its own times."""
    served = await serve(load=Load(trace_s=(0.5, 100.0)))
    none = {"requested": 0.0, "after_faults": None, "change": None}
    assert (await served.call("GET", LOAD))[1] == none
    status, error = await served.call("PUT", LOAD, STAGES)
    assert (status, error["error"]) == (
        409,
        "the load is a recorded trace, which has its own times",
    )


async def test_a_scenario_begins_with_its_first_fault_now(serve):
    """The others as long after it as the scenario has them."""
    served = await serve()
    status, begun = await served.call("POST", SCENARIOS, {"name": "outage"})
    assert status == 201
    assert begun == {
        "name": "outage", "story": OUTAGE.story, "duration": "25s",
        "faults": ["traffic_drop", "agent_hang"], "running": True,
    }  # fmt: skip
    assert [fault.name for fault in served.world.snapshot().faults] == ["gone"]
    served.advance(5.1)
    assert [fault.name for fault in served.world.snapshot().faults] == ["gone", "hung"]
    status, error = await served.call("POST", SCENARIOS, {"name": "outage"})
    assert status == 409
    assert "'gone' is in effect" in error["error"]
    for seconds, running in ((6.0, True), (13.0, True), (1.0, False)):
        served.advance(seconds)  # the first fault lasts 10 s, the second from 5 s to 25 s
        listed = (await served.call("GET", SCENARIOS))[1]["scenarios"]
        assert {each["name"]: each["running"] for each in listed} == {
            "outage": running, "unfit": False
        }  # fmt: skip


@pytest.mark.parametrize("first", ["GET", "POST"])
async def test_the_library_is_read_once_and_not_before_somebody_asks(serve, first):
    """A server starts without it, and its page counts what is to come."""
    served = await serve()
    await served.call("GET", f"{API}/faults")
    assert served.library.reads == 0
    status, _ = await served.call(first, SCENARIOS, {"name": "outage"} if first == "POST" else None)
    assert status == {"GET": 200, "POST": 201}[first]
    await served.call("GET", SCENARIOS)
    assert served.library.reads == 1


async def test_what_is_to_come_says_when_and_what_it_targets(serve):
    """Nothing of one that means the whole system, which ends first and begins last."""
    served = await serve()
    document = (await served.call("GET", "/openapi.json"))[1]
    aimed = replace(
        OUTAGE.faults[1], start_s=9.0404, targets=Targets(tiers=("worker",), fraction=0.5)
    )
    whole = replace(OUTAGE.faults[1], name="all", start_s=19.0, duration_s=5.0)
    for fault in (whole, aimed):
        served.world.inject(fault)
    now = (await served.call("GET", f"{API}/chart"))[1]["now"]
    schema = {"$ref": "#/components/schemas/Moment", "components": document["components"]}
    Draft202012Validator(schema).validate(now)
    assert now["planned"] == [
        {"name": "hung", "fault": "agent_hang", "begins_in_s": 8.04,
         "targets": {"tiers": "worker", "fraction": "0.5"}},
        {"name": "all", "fault": "agent_hang", "begins_in_s": 18.0, "targets": {}},
    ]  # fmt: skip


async def test_of_what_is_to_come_the_next_twenty_are_shown(serve):
    """In the order in which they begin, whatever they are called; what began now is no more."""
    served = await serve()
    for number in range(21):
        fault = replace(OUTAGE.faults[1], name=f"f{21 - number:02}", start_s=2.0625 + number)
        served.world.inject(fault)
    served.clock.spend(0.0625)
    await served.call("POST", SCENARIOS, {"name": "outage"})
    now = (await served.call("GET", f"{API}/chart"))[1]["now"]
    assert [each["name"] for each in now["planned"]] == [
        f"f{21 - number:02}" if number < 5 else "hung" if number == 5 else f"f{22 - number:02}"
        for number in range(20)
    ]
    assert [each["begins_in_s"] for each in now["planned"]][3:7] == [4.0, 5.0, 5.0, 6.0]
    assert now["running"] == ["outage"]


async def test_a_scenario_whose_fault_is_planned_already_does_not_begin(serve):
    """It says which, and that it is to come; nothing of it is in effect."""
    served = await serve()
    served.world.inject(replace(OUTAGE.faults[1], start_s=9.0))
    for seconds, state in ((0.0, "is going to begin"), (8.0, "is in effect")):
        served.advance(seconds)
        status, answer = await served.call("POST", SCENARIOS, {"name": "outage"})
        assert (status, state in answer["error"], "'hung'" in answer["error"]) == (409, True, True)
        assert [fault.name for fault in served.world.plan.faults] == ["hung"]


async def test_a_fault_by_the_name_of_an_ended_scenario_s_is_not_the_scenario(serve):
    """It was begun by hand, and is not ended with scenarios either."""
    served = await serve()
    await served.call("POST", SCENARIOS, {"name": "outage"})
    await served.call("DELETE", SCENARIOS)
    drop = {"fault": "traffic_drop", "name": "gone", "parameters": {"share": 0.25}}
    assert (await served.call("POST", f"{API}/faults", drop))[0] == 201
    listed = (await served.call("GET", SCENARIOS))[1]["scenarios"]
    assert [each["running"] for each in listed] == [False, False]
    assert (await served.call("DELETE", SCENARIOS))[1] == {"ended": []}
    assert [fault.name for fault in served.world.snapshot().faults] == ["gone"]


async def test_scenarios_begin_and_end_at_the_instant_of_the_call(serve):
    """The world catches up first."""
    served = await serve()
    served.clock.spend(0.0625)
    await served.call("POST", SCENARIOS, {"name": "outage"})
    assert [fault.start_s for fault in served.world.plan.faults] == [1.0625, 6.0625]
    served.clock.spend(0.0625)
    await served.call("DELETE", SCENARIOS)
    assert (served.world.plan.faults, served.world.plan_s) == ((), 1.125)


async def test_ending_scenarios_ends_their_faults_and_those_to_come(serve):
    """And nobody else's."""
    served = await serve()
    own = {"fault": "agent_hang", "name": "mine"}
    assert (await served.call("POST", f"{API}/faults", own))[0] == 201
    await served.call("POST", SCENARIOS, {"name": "outage"})
    assert (await served.call("DELETE", SCENARIOS))[1] == {"ended": ["outage"]}
    served.advance(6.0)
    assert [fault.name for fault in served.world.snapshot().faults] == ["mine"]
    assert (await served.call("DELETE", SCENARIOS))[1] == {"ended": []}


async def test_of_a_scenario_that_does_not_fit_nothing_is_in_effect(serve):
    """Its first fault would fit; the whole is rehearsed before."""
    served = await serve()
    before = served.world.fingerprint(), served.world.plan
    status, _ = await served.call("POST", SCENARIOS, {"name": "unfit"})
    assert status == 400
    assert (served.world.fingerprint(), served.world.plan) == before


REFUSED = [
    ("PUT", LOAD, {"stages": []}, {}, 400, "at least 1"),
    ("PUT", LOAD, b"{", {"Content-Type": "application/json"}, 400, "not JSON"),
    ("PUT", LOAD, b"stages=1", {"Content-Type": "text/plain"}, 415, "Content-Type must be"),
    ("POST", LOAD, STAGES, {}, 405, "method not allowed"),
    ("PUT", LOAD, STAGES, {"Origin": "https://evil.example"}, 403, "Origin must be"),
    ("PUT", LOAD, STAGES, {"Host": "evil.example"}, 403, "Host must be"),
    ("DELETE", LOAD, None, {"Origin": "null"}, 403, "Origin must be"),
    ("POST", SCENARIOS, {"name": "outrage"}, {}, 404, "did you mean 'outage'?"),
    ("POST", SCENARIOS, {"name": 5}, {}, 400, "name must be text"),
    ("POST", SCENARIOS, {}, {}, 400, "the one key name"),
    ("POST", SCENARIOS, {"name": "outage", "nane": 1}, {}, 400, "the one key name"),
    ("POST", SCENARIOS, [], {}, 400, "the one key name"),
    ("POST", SCENARIOS, b"[" * 9000, {"Content-Type": "application/json"}, 400, "the body"),
    ("POST", SCENARIOS, {"name": "outage"}, {"Host": "evil.example"}, 403, "Host must be"),
    ("POST", SCENARIOS, {"name": "outage"}, {"Origin": "null"}, 403, "Origin must be"),
]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("request_", REFUSED)
async def test_what_is_refused_changes_nothing(serve, request_):
    """The sentence says why."""
    method, path, body, headers, status, sentence = request_
    served = await serve()
    before = served.world.fingerprint(), served.world.plan, served.world.next_change_ns()
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    answer = await served.client.request(method, path, data=data, headers=headers)
    assert answer.status == status
    assert sentence in (await answer.json())["error"]
    after = served.world.fingerprint(), served.world.plan, served.world.next_change_ns()
    assert after == before


async def test_one_world_refuses_all_of_that_in_turn(serve):
    """Each with its own status and reason."""
    served = await serve()
    before = served.world.fingerprint(), served.world.plan
    for method, path, body, headers, status, sentence in REFUSED:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers}
        answer = await served.client.request(method, path, data=data, headers=sent)
        got = answer.status, sentence in (await answer.json())["error"]
        assert got == (status, True), (method, path, body)
    assert (served.world.fingerprint(), served.world.plan) == before


async def test_with_a_token_only_who_sends_it_changes_anything(serve):
    """Reading needs none; as the fault API."""
    served = await serve(token=TOKEN)
    for method, path, body in (
        ("PUT", LOAD, STAGES), ("DELETE", LOAD, None),
        ("POST", SCENARIOS, {"name": "outage"}), ("DELETE", SCENARIOS, None),
    ):  # fmt: skip
        assert (await served.call(method, path, body))[0] == 401
        wrong = {"Authorization": "Bearer wrong-horse"}
        assert (await served.call(method, path, body, headers=wrong))[0] == 401
    assert (await served.call("GET", LOAD))[0] == (await served.call("GET", SCENARIOS))[0] == 200
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await served.call("PUT", LOAD, STAGES, headers=right))[0] == 200


async def test_a_scrape_shows_what_was_begun_and_ended_at_the_same_instant(serve):
    """The page of before is not shared with who asks after."""
    served = await serve()

    async def active():
        text = await (await served.client.get("/metrics")).text()
        return [kind for kind in ("traffic_drop", "agent_hang")
                if f'agentaskit_sim_faults_active{{fault="{kind}"}} 1.0' in text]  # fmt: skip

    async def rate():
        text = await (await served.client.get("/metrics")).text()
        return float(
            re.search(r"^agentaskit_sim_load_tasks_per_second (.+)$", text, re.MULTILINE)[1]
        )

    assert (await active(), await rate()) == ([], 400.0)
    await served.call("PUT", LOAD, STAGES)
    assert await rate() == 100.0
    await served.call("DELETE", LOAD)
    assert await rate() == 400.0
    await served.call("POST", SCENARIOS, {"name": "outage"})
    assert await active() == ["traffic_drop"]
    await served.call("DELETE", SCENARIOS)
    assert await active() == []


async def test_a_scenario_is_over_at_the_end_of_its_last_fault(serve):
    """Then it may begin again, and the first of its faults before that is running no more."""
    served = await serve()
    await served.call("POST", SCENARIOS, {"name": "outage"})
    served.advance(24.999)
    assert (await served.call("POST", SCENARIOS, {"name": "outage"}))[0] == 409
    served.advance(0.001)
    listed = (await served.call("GET", SCENARIOS))[1]["scenarios"]
    assert [each["running"] for each in listed] == [False, False]
    assert (await served.call("POST", SCENARIOS, {"name": "outage"}))[0] == 201


async def test_the_page_says_how_often_this_world_is_scraped(serve):
    """As it was served, not as ever; its pages move."""
    served = await serve(scrape_s=5.0)
    page = await (await served.client.get("/")).text()
    assert "scrape_interval: 5s" in page
    assert 'id="live"' in page
