"""How a run in real time starts: its lead, its servers, and its past in Unix time."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from math import inf
from types import SimpleNamespace

import numpy as np
import pytest

from agentaskit_sim.front.pack_files import PACK_ROUTING
from documents.mistakes import InputError
from exporter.history.samples import EPOCH_S, Block, History
from simulator.faults.fault import Fault
from simulator.faults.kinds.sandboxes import SandboxLeak
from simulator.faults.targets import Targets
from simulator.plan import Plan
from tests.verifier.simulations import pack_rules, scenario_of
from verifier.pack.routes.routing import load_routing
from verifier.pack.routes.zone_files import DateClock
from verifier.real_time.environment import ReceiverOnly
from verifier.real_time.start import (
    FOREIGN_LEAD_S,
    RunRequest,
    in_real_time,
    prepare_run,
    settling_s,
    start_on_stack,
    start_run,
)
from verifier.real_time.world import WARM_UP_S, build_world
from verifier.servers.foreign_server import ForeignServer
from verifier.servers.receiver import Receiver
from verifier.time_compression import TimeCompression
from verifier.virtual_time.healthy_world import HealthyWorlds

SMALL = replace(scenario_of("duration: 6m\nload: {rate: 1500}\n"), path="small.yaml")


@pytest.fixture(scope="module")
def request_for():
    """Return a function that requests a run of a scenario, compressed thirty times."""
    worlds = HealthyWorlds()

    def make(scenario, **options):
        return RunRequest(
            scenario=scenario,
            rules=pack_rules("backpressure"),
            routing=load_routing(PACK_ROUTING),
            compression=TimeCompression(30),
            healthy_worlds=worlds,
            **options,
        )

    return make


def test_a_scenario_begins_after_a_lead_and_one_without_an_end_at_once(request_for):
    """The stack needs its first scrapes before a scenario; a world without an end has none."""
    assert prepare_run(request_for(SMALL)).lead_s >= 10
    assert prepare_run(request_for(replace(SMALL, duration_s=inf))).lead_s == 0


def test_a_plan_that_does_not_fit_its_world_is_a_mistake_in_the_scenario(request_for):
    """With the scenario's file, on our stack and beside a Prometheus of the user."""
    targets = Targets(sandboxes=("Z",))
    fault = Fault(name="leak", parameters=SandboxLeak(share=0.5), start_s=60.0, duration_s=60.0,
                  targets=targets)  # fmt: skip
    scenario = replace(SMALL, plan=Plan(load=SMALL.plan.load, faults=(fault,)))
    prometheus = ForeignServer("your Prometheus", "http://127.0.0.1:1")
    for foreign in (None, prometheus):
        with ExitStack() as held, pytest.raises(InputError, match=r"^small.yaml: .*sandbox"):
            start_run(request_for(scenario, prometheus=foreign), Receiver(), "127.0.0.1:1", held)


def test_beside_a_prometheus_of_the_user_only_the_receiver_is_ours(request_for):
    """It has no past to store, and time to find the world."""
    prometheus = ForeignServer("your Prometheus", "http://127.0.0.1:1")
    request = request_for(SMALL, prometheus=prometheus)
    assert request.has_foreign_servers
    assert request_for(SMALL, alertmanager=prometheus).has_foreign_servers
    assert not request_for(SMALL).has_foreign_servers
    with ExitStack() as held:
        started = start_run(request, Receiver(), "127.0.0.1:1", held)
        environment = started.environment
        assert isinstance(environment.servers, ReceiverOnly)
        assert environment.prometheus is prometheus
        assert (started.lead_s, started.alertmanager_url) == (FOREIGN_LEAD_S, None)
        environment.start()
        assert environment.servers.notifications() == ()


@pytest.mark.parametrize("starts_at_s", [None, 1_900_000_000.0])
def test_the_date_of_a_scenario_begins_with_it_and_not_with_its_lead(request_for, starts_at_s):
    """Alertmanager's zones follow the scenario's clock, which starts when the stack has settled."""
    dates = []
    server = SimpleNamespace(url="http://127.0.0.1:1")
    stack = SimpleNamespace(set_date=dates.append, prometheus=server, alertmanager=server)
    request = request_for(replace(SMALL, starts_at_s=starts_at_s))
    prepared = prepare_run(request)
    started = start_on_stack(request, prepared, stack, "127.0.0.1:1")
    date_s = EPOCH_S if starts_at_s is None else starts_at_s
    begins_s = started.started_s + prepared.lead_s
    assert dates == [DateClock(begins_s, date_s, 30.0, 360.0)]
    assert begins_s > started.started_s
    assert started.lead_s == prepared.lead_s
    for factor, gap_s in ((30.0, 9.5), (4.0, 29.0), (3.0, 0.0)):
        compressed = replace(request, compression=TimeCompression(factor))
        started = start_on_stack(compressed, prepared, stack, "127.0.0.1:1")
        settled_s = started.environment.settled_s - started.started_s
        assert settled_s == pytest.approx(gap_s, abs=1e-3)


@pytest.mark.parametrize(
    ("samples", "factor", "lead_s"),
    [(0, 30, 10), (25_000, 30, 10), (25_001, 30, 11), (0, 1, 97), (100_000, 1, 99)],
)
def test_a_stack_settles_for_its_first_scrapes_and_its_past(samples, factor, lead_s):
    """In whole seconds: the longer, the more there is to store."""
    block = Block(np.arange(samples), np.array([0]), np.zeros((1, samples)))
    assert settling_s(History([], [block]), TimeCompression(factor)) == lead_s


def test_a_past_is_laid_so_that_it_ends_where_the_run_begins():
    """In scenario seconds before, divided by the factor; values as they are."""
    stamps = np.array([(EPOCH_S - 300) * 1000, EPOCH_S * 1000], dtype=np.int64)
    values = np.array([[1.0, 2.0]])
    history = History([(("__name__", "x"),)], [Block(stamps, np.array([0]), values)])
    (block,) = in_real_time(history, 1_800_000_000.0, 30.0).blocks
    assert block.timestamps_ms.tolist() == [1_799_999_990_000, 1_800_000_000_000]
    assert block.values is values


@pytest.mark.parametrize("rate", [0, 100, 400])
def test_a_world_warms_up_under_the_load_of_its_scenario(rate: int) -> None:
    """No other load's queues and fleet; a fault that begins at once has done nothing before."""
    fault = "{name: gone, fault: traffic_drop, start: 0s, duration: 1m, parameters: {share: 0.5}}"
    world = build_world(scenario_of(f"duration: 5m\nload: {{rate: {rate}}}\nfaults:\n- {fault}\n"))
    snapshot = world.snapshot()
    assert snapshot.tasks_arrived.sum() == pytest.approx(rate * WARM_UP_S, rel=0.05)
    assert world.plan_s == 0.0
    assert [fault.name for fault in world.plan.faults] == ["gone"]
