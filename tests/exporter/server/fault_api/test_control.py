"""Faults of a served world, injected, changed and ended, in effect at once."""

from __future__ import annotations

import pytest

from exporter.server.fault_api.control import IN_EFFECT_MAX
from simulator.world import World
from tests.exporter.server.fault_api.served import DROP, FAULTS


async def test_an_injected_fault_is_in_effect_when_the_answer_comes(served):
    """The answer, the list, the page and the world agree, though no time has passed."""
    answer = await served.client.post(FAULTS, json=DROP)
    document = await answer.json()
    assert (answer.status, answer.headers["Location"]) == (201, f"{FAULTS}/gone")
    assert document == {
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
    assert await served.call("GET") == (200, {"faults": [document]})
    assert await served.call("GET", "/gone") == (200, document)
    assert served.world.snapshot().arrival_rate == 200.0
    assert await served.metric('agentaskit_sim_faults_active{fault="traffic_drop"}') == 1


async def test_the_measured_effect_and_the_ramp_are_reported(served):
    """Half the strength half-way up; the effect is what the world counted, not what was set."""
    await served.call("POST", body={**DROP, "ramp": "10s", "duration": "20s"})
    served.advance(5.0)
    _, document = await served.call("GET", "/gone")
    assert document["magnitude"] == {"declared": 0.5, "effective": pytest.approx(0.275)}
    assert document["ends_in_s"] == pytest.approx(15.0)
    served.advance(14.0)
    _, document = await served.call("GET", "/gone")
    assert document["magnitude"]["effective"] == 0.5
    assert 200 < document["effect"]["value"] < 300
    assert document["effect"]["expected"] == pytest.approx((300 * 10 + 200 * 9) / 19)


async def test_a_ramp_is_rehearsed_at_its_full_strength(served, monkeypatch):
    """Where it leads must be possible before the world goes there."""
    ramps, inject = [], World.inject
    monkeypatch.setattr(
        World, "inject", lambda world, fault: (ramps.append(fault.ramp_s), inject(world, fault))
    )
    assert (await served.call("POST", body={**DROP, "ramp": "10s"}))[0] == 201
    assert ramps == [0.0, 10.0]


async def test_the_world_itself_ends_a_fault_at_its_time(served):
    """Whoever injected it may be gone: nothing is left, by default after five minutes."""
    await served.call("POST", body=DROP)
    await served.call("POST", body={"fault": "agent_hang", "duration": "2s"})
    served.advance(2.0)
    assert [fault["name"] for fault in (await served.call("GET"))[1]["faults"]] == ["gone"]
    served.advance(298.0)
    assert await served.call("GET") == (200, {"faults": []})
    assert served.world.snapshot().arrival_rate == 400.0
    assert await served.metric('agentaskit_sim_faults_active{fault="traffic_drop"}') == 0


async def test_a_change_sets_parameters_and_end_and_keeps_the_rest(served):
    """A duration counts from now, so that a caller can extend it."""
    outage = {"fault": "dependency_outage", "parameters": {"share": 0.5, "latency": "50ms"}}
    await served.call("POST", body=outage)
    served.advance(10.0)
    before = (await served.call("GET", "/dependency-outage"))[1]
    body = {"parameters": {"share": 0.25}, "duration": "60s"}
    status, document = await served.call("PATCH", "/dependency-outage", body)
    assert status == 200
    assert document["parameters"] == {"share": 0.25, "latency": "50ms"}
    assert document["magnitude"] == {"declared": 0.25, "effective": 0.25}
    assert (document["began_s"], document["ends_in_s"]) == (1.0, 60.0)
    assert document["effect"] == before["effect"]
    served.advance(59.0)
    assert len((await served.call("GET"))[1]["faults"]) == 2  # the scenario's own has begun
    served.advance(1.0)
    assert (await served.call("GET", "/dependency-outage"))[0] == 404


async def test_a_scrape_shows_a_changed_fault_at_the_same_instant(served):
    """The page of before the change is not shared with who asks after it."""
    await served.call("POST", body=DROP)
    assert await served.metric("agentaskit_sim_load_tasks_per_second") == 200
    assert (await served.call("PATCH", "/gone", {"parameters": {"share": 0.25}}))[0] == 200
    assert await served.metric("agentaskit_sim_load_tasks_per_second") == 300


@pytest.mark.parametrize("path", ["/gone", ""])
async def test_a_scrape_shows_the_end_of_a_fault_at_the_same_instant(served, path):
    """Of one by its name, and of all."""
    await served.call("POST", body=DROP)
    series = 'agentaskit_sim_faults_active{fault="traffic_drop"}'
    assert await served.metric(series) == 1
    assert (await served.call("DELETE", path))[0] == 200
    assert await served.metric(series) == 0
    assert await served.metric("agentaskit_sim_load_tasks_per_second") == 400


async def test_faults_that_ended_leave_the_base_and_free_their_names(served):
    """One by one or all at once; a name can be used again immediately."""
    for name in ("gone", "gone-too"):
        await served.call("POST", body={**DROP, "name": name})
    assert served.world.snapshot().arrival_rate == 100.0
    assert (await served.call("DELETE", "/gone"))[1]["name"] == "gone"
    assert served.world.snapshot().arrival_rate == 200.0
    assert (await served.call("POST", body=DROP))[0] == 201
    status, document = await served.call("DELETE")
    assert (status, [fault["name"] for fault in document["faults"]]) == (200, ["gone-too", "gone"])
    assert served.world.snapshot().arrival_rate == 400.0
    assert await served.call("DELETE") == (200, {"faults": []})


async def test_a_restart_injected_by_hand_resets_the_counters_at_once(served):
    """As the scenario's own would: every count from before the call is gone."""
    series = 'agentaskit_tasks_arrived_total{priority="normal"}'
    assert await served.metric(series) > 0
    await served.call("POST", body={"fault": "counter_reset"})
    assert await served.metric(series) == 0


async def test_while_the_exporter_is_down_the_faults_can_still_be_ended(served):
    """Otherwise one could only wait for its end."""
    await served.call("POST", body={"fault": "exporter_down"})
    assert (await served.client.get("/metrics")).status == 503
    assert (await served.call("DELETE", "/exporter-down"))[0] == 200
    assert (await served.client.get("/metrics")).status == 200


async def test_what_a_fault_of_the_scrape_path_did_is_reported(served):
    """It is done to the page, not in the world: counted where pages are made."""
    body = {"fault": "series_vanish", "parameters": {"share": 0.5}, "name": "lost"}
    assert (await served.call("POST", body=body))[0] == 201
    served.advance(1.0)
    await served.client.get("/metrics")
    effect = (await served.call("GET", "/lost"))[1]["effect"]
    assert effect["value"] > 100
    assert effect["value"] == pytest.approx(effect["expected"], rel=0.2)


async def test_the_number_of_faults_in_effect_is_bounded(served):
    """Further injections are refused."""
    for number in range(IN_EFFECT_MAX):
        body = {"fault": "bus_partition", "name": f"cut-{number}"}
        assert (await served.call("POST", body=body))[0] == 201
    status, document = await served.call("POST", body=DROP)
    assert (status, document["error"]) == (
        409, "at most 32 faults can be in effect: end one first",
    )  # fmt: skip


async def test_the_name_of_a_planned_fault_is_taken_until_its_end(served):
    """First because it is to begin, then because it is in effect; at its end it is free."""
    body = {**DROP, "name": "later"}
    for seconds, state in ((63.0, "the scenario is going to begin"), (1.0, "is in effect"),
                           (9.0, "is in effect")):  # fmt: skip
        served.advance(seconds)
        status, answer = await served.call("POST", body=body)
        assert (status, state in answer["error"]) == (409, True), answer
    served.advance(1.0)
    assert (await served.call("POST", body=body))[0] == 201


EXTREMES = [
    ("agent_crash", {"rate_per_s": 1e6}),
    ("crash_loop", {"alive": "1d"}),
    ("slow_start", {"factor": 1e6}),
    ("task_slowdown", {"factor": 1e6}),
    ("dependency_outage", {"share": 1, "latency": "1h"}),
    ("traffic_surge", {"factor": 100}),
    ("capacity_demand", {"agents": 40}),
    ("message_flood", {"rate_per_s": 1e6}),
    ("slow_consumer", {"factor": 1e6}),
    ("memory_leak", {"bytes_per_s": 1 << 30}),
    ("cpu_contention", {"share": 1}),
    ("sandbox_crash", {"share": 1}),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("fault", "parameters"), EXTREMES)
async def test_the_world_survives_the_strongest_faults_three_times_over(served, fault, parameters):
    """The laws still hold; after the end the load is as before."""
    for name in ("a", "b", "c"):
        body = {"fault": fault, "name": name, "parameters": parameters}
        assert (await served.call("POST", body=body))[0] == 201
    served.advance(0.5)
    faults = (await served.call("GET"))[1]["faults"]
    assert all(fault["effect"]["value"] >= 0 for fault in faults)
    for law in ("tasks", "dispatch", "messages", "sandboxes"):
        assert await served.metric(f'agentaskit_sim_conservation_error{{law="{law}"}}') == 0
    await served.call("DELETE")
    assert served.world.snapshot().arrival_rate == 400.0
