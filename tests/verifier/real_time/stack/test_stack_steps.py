"""What a stack does with its servers, with stand-ins for them; and the world before a page."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from simulator.load import Load
from tests.verifier.simulations import pack_rules, scenario_of
from verifier.errors import JudgeError
from verifier.pack.rules import RuleFiles
from verifier.real_time import stack as module
from verifier.real_time import world as world_module
from verifier.real_time.stack import STALE_S, Stack, revive
from verifier.real_time.world import build_server, build_world, expose
from verifier.servers.foreign_server import ForeignServer
from verifier.time_compression import TimeCompression

NOW_S = 5000.0


class NotedServer:
    """A server that has ended with a status, or runs; every call is noted."""

    def __init__(self, name, calls, status=None):
        """Run, unless there is a status."""
        self.name, self.calls, self.status = name, calls, status

    def exit_status(self):
        """How it ended."""
        return self.status

    def restart(self):
        """Run again."""
        self.calls.append(f"restart {self.name}")
        self.status = None

    def check(self, **named):
        """Note that it was checked."""
        self.calls.append((f"check {self.name}", named))

    def reload(self):
        """Note that it was reloaded."""
        self.calls.append(f"reload {self.name}")

    def alerts(self):
        """Two alerts, one of them twice."""
        return [SimpleNamespace(labels=labels) for labels in ("one", "two", "one")]


def stack_of(monkeypatch, *, foreign=None, factor=10.0, routing=None, rules=None):
    """Return a stack whose servers are stand-ins, with the list of their calls."""
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: NOW_S))
    calls = []
    rules = pack_rules("backpressure") if rules is None else rules
    stack = Stack(rules, routing, TimeCompression(factor), foreign_alertmanager=foreign)
    for name in ("prometheus", "alertmanager", "receiver"):
        setattr(stack, name, NotedServer(name, calls))
    return stack, calls


def test_servers_that_ended_are_started_again_and_noted(monkeypatch):
    """In a sentence each; what Alertmanager shows is remembered."""
    stack, calls = stack_of(monkeypatch)
    stack.check()
    assert stack.restarts == []
    assert stack.seen == {"one", "two"}
    stack.alertmanager.status, stack.receiver.status = -9, 3
    stack.check()
    stack.check()
    assert stack.restarts == [
        "Alertmanager ended with signal 9 and was started again",
        "the receiver ended with status 3 and was started again",
    ]
    assert [call for call in calls if isinstance(call, str)] == [
        "restart alertmanager", "restart receiver",
    ]  # fmt: skip
    assert revive("the receiver", stack.receiver) == []
    stack.receiver.status = 0
    assert revive("it", stack.receiver) == ["it ended with status 0 and was started again"]


def test_an_alertmanager_of_the_user_is_not_looked_after(monkeypatch):
    """Neither started again, nor asked, nor set to a date."""
    foreign = ForeignServer("yours", "http://host:93")
    routing = SimpleNamespace(intervals=("one",))
    stack, calls = stack_of(monkeypatch, foreign=foreign, routing=routing)
    stack.alertmanager.status = 1
    stack.check()
    stack.set_date("date")
    assert (stack.restarts, stack.seen) == ([], set())
    assert [call[0] for call in calls] == ["check prometheus", "check receiver"]


@pytest.mark.parametrize(("intervals", "reloaded"), [((), []), (("one",), ["reload alertmanager"])])
def test_a_date_is_given_where_a_route_has_intervals(monkeypatch, intervals, reloaded):
    """Others do not ask what day it is."""
    written = []
    routing = SimpleNamespace(
        intervals=intervals, write_zones=lambda folder, clock: written.append((folder, clock))
    )
    stack, calls = stack_of(monkeypatch, routing=routing)
    stack.alertmanager.directory = "folder"
    stack.set_date("date")
    assert calls == reloaded
    assert written == [("folder", "date")] * len(intervals)


@pytest.mark.parametrize(
    ("configured_s", "since_s"),
    [
        (math.inf, -math.inf),
        (NOW_S - 1.5 - STALE_S - 0.01, NOW_S - 1.5 - STALE_S),
        (NOW_S - 1.5 - STALE_S, -math.inf),
        (NOW_S - 5.0, -math.inf),
    ],
)
def test_a_sample_is_due_once_an_interval_and_some_seconds_have_passed(
    monkeypatch, configured_s, since_s
):
    """Before that nothing need be there; the interval is that of the compressed run."""
    stack, calls = stack_of(monkeypatch)
    stack._configured_s = configured_s
    stack.check()
    assert calls[0] == ("check prometheus", {"since_s": since_s})


def test_what_alertmanager_does_not_answer_is_an_error_while_it_runs(monkeypatch):
    """Nothing is known of one that has ended: the next check starts it again."""
    stack, _ = stack_of(monkeypatch)
    asked = []
    stack.alertmanager.metric = lambda name: asked.append(name) or 7.0
    assert stack.failed_notifications() == 7
    assert asked == ["alertmanager_notification_requests_failed_total"]

    def lost(_):
        raise JudgeError("no answer")

    stack.alertmanager.metric = lost
    with pytest.raises(JudgeError, match="no answer"):
        stack.failed_notifications()
    stack.alertmanager.status = -9
    assert stack.failed_notifications() == 0


@pytest.mark.parametrize(("cells", "mapped"), [(1, False), (2, False), (1, True)])
def test_scraped_samples_continue_the_series_of_the_past(monkeypatch, cells, mapped):
    """Under the same job and instance; a mapping may name those of a single metric."""
    rules = RuleFiles(())
    if mapped:
        target = replace(rules.target, job="theirs", instance="there")
        rules = SimpleNamespace(target=target, mapping=object())
    stack, _ = stack_of(monkeypatch, rules=rules)
    stack.alertmanager = ForeignServer("ours", "http://127.0.0.1:93")
    monkeypatch.setattr(module, "describe_targets", lambda *arguments: arguments)
    config = stack._config([], "127.0.0.1:1", cells)
    job, instance = rules.target.job, rules.target.instance
    own = {"target_label": "instance", "replacement": instance}
    assert config["scrape_configs"] == [
        {
            "job_name": job,
            "static_configs": ("127.0.0.1:1", cells, rules.target),
            "relabel_configs": [own] if cells == 1 else [],
            "honor_labels": mapped,
        }
    ]
    (alertmanager,) = config["alerting"]["alertmanagers"]
    assert (alertmanager["scheme"], alertmanager["path_prefix"]) == ("http", "")


def test_a_world_is_warmed_up_for_a_minute_and_one_with_a_trace_not_at_all(monkeypatch):
    """Under its load without stages or faults; its arrivals begin with the world."""
    built = []

    class NotedWorld:
        """Notes how it was built, for how long it ran and under which plan it goes on."""

        def __init__(self, topology, plan, seed, *, workers):
            self.steps = [(topology, plan.load, plan.faults, seed, workers)]
            built.append(self)

        def advance(self, seconds):
            self.steps.append(seconds)

        def fork(self, plan):
            self.steps.append(plan)
            return self

    monkeypatch.setattr(world_module, "build_system", NotedWorld)
    scenario = scenario_of(
        "duration: 5m\nload: {rate: 7, stages: [{duration: 1m, target: 9}]}\n"
        "faults: [{name: f, fault: agent_hang, start: 0s, duration: 1m}]\n"
    )
    world = build_world(scenario, 3)
    plain = (scenario.topology, Load(rate=7.0), (), 42, 3)
    assert world.steps == [plain, 60.0, scenario.plan]
    traced = replace(scenario, plan=replace(scenario.plan, load=Load(trace_s=(1.0,))))
    assert build_world(traced).steps == [
        (scenario.topology, traced.plan.load, scenario.plan.faults, 42, 1)
    ]


def test_a_page_has_the_scenario_the_version_and_the_limit_that_it_gets(monkeypatch):
    """And the mapping, where there is one."""
    monkeypatch.setattr(world_module, "Exposition", lambda world, _, **named: (world, named))
    monkeypatch.setattr(world_module, "version", lambda name: f"{name} 1")
    scenario = scenario_of("duration: 5m\n")
    named = {"version": "agentaskit-sim 1", "scenario": "written"}
    assert expose("w", scenario, fresh=True) == (
        "w",
        {**named, "fresh": True, "series_limit": world_module.SERIES_LIMIT, "mapping": None},
    )
    assert expose("w", scenario, fresh=False, series_limit=5, mapping="m") == (
        "w",
        {**named, "fresh": False, "series_limit": 5, "mapping": "m"},
    )


@pytest.mark.parametrize(("compression", "scrape_s"), [(None, 15.0), (TimeCompression(30.0), 0.5)])
def test_a_server_says_how_often_it_is_scraped_and_offers_scenarios_at_its_compression(
    monkeypatch, compression, scrape_s
):
    """All else goes to its routes as it is."""
    monkeypatch.setattr(world_module, "version", lambda name: f"{name} 1")
    monkeypatch.setattr(
        world_module, "serve_routes", lambda *arguments, **named: (arguments, named)
    )
    topology = scenario_of("duration: 5m\n").topology
    world = SimpleNamespace(topology=topology)
    (served, exposition, forms), named = build_server(
        world, "exposition", "token", compression=compression, board="board"
    )
    assert (served, exposition) == (world, "exposition")
    assert named == {
        "version": "agentaskit-sim 1", "token": "token", "board": "board", "scrape_s": scrape_s,
    }  # fmt: skip
    assert forms.library._topology is topology
    assert forms.library._compression == (compression or TimeCompression())
    assert forms.faults._topology is topology
