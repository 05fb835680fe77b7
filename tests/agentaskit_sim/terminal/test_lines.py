"""Lines of the terminal, whole, from values that were made by hand."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from agentaskit_sim.terminal.addresses import (
    Addresses,
    describe_addresses,
    describe_alertmanager,
    describe_prometheus,
)
from agentaskit_sim.terminal.notices import describe_fault
from agentaskit_sim.terminal.replay_progress import ReplayProgress
from agentaskit_sim.terminal.screen import ScenarioTitle
from agentaskit_sim.terminal.status import Status, describe, notice_changes, notice_load
from exporter.server.exposition import Exposition
from simulator.load import LoadChange, Stage
from tests.agentaskit_sim.terminal.statuses import NO_STATUS, NOTIFICATION, NOW_S
from tests.agentaskit_sim.terminal.test_screen import content, shown
from tests.fakes import FakeWorld, MockClock

BREAK = "agentaskit-sim fault inject sandbox_leak share=0.81 --sandboxes B"


def pace_of(**changes):
    """Return a pace with these figures."""
    pace = Exposition(FakeWorld(), MockClock(), version="1", scenario="small").pace()
    return replace(pace, **changes)


def test_the_status_is_one_line_of_rates_delay_headroom_and_faults():
    """Sums over the whole world, for each virtual second between two readings."""
    world = FakeWorld()
    before = replace(world.snapshot(), now_ns=0)
    now = replace(
        before,
        now_ns=2_000_000_000,
        tasks_processed=before.tasks_processed + 1500,
        messages_delivered=before.messages_delivered + 10,
        queue_depth=np.full_like(before.queue_depth, 300),
    )
    tasks, messages, waiting = (
        before.tasks_processed.size * 750,
        before.messages_delivered.size * 5,
        before.queue_depth.size * 300,
    )
    pace = pace_of(elapsed_s=3723.9, drift_s=0.0126, times_real_time=1234.4)
    assert before.queue_depth.size > 1
    assert describe(before, now, pace) == (
        f"1:02:03  {tasks:,} tasks/s  {messages:,} messages/s  {waiting:,} waiting"
        f"  {before.active_agents.sum():,} agents  13 ms behind  headroom 1,234x  faults: none"
    )
    world.begin_fault("traffic_drop")
    world.begin_fault("sandbox_leak")
    now = replace(now, faults=world.snapshot().faults)
    assert describe(before, now, pace).endswith(
        f"faults: {', '.join(fault.name for fault in now.faults)}"
    )


def test_changes_between_two_readings_are_told_in_one_order():
    """What began, what was changed, what ended; each by name."""
    world = FakeWorld()
    for name in ("traffic_drop", "sandbox_leak", "agent_crash", "task_failure", "exporter_down"):
        world.begin_fault(name)
    gone, past, kept, new, other = sorted(world.snapshot().faults, key=lambda fault: fault.name)
    before = replace(world.snapshot(), faults=(gone, past, kept))
    later = replace(kept, ends_ns=kept.ends_ns + 10**9)
    now = replace(before, faults=(later, other, new))
    words = [sentence.split()[1] + " " + " ".join(sentence.split(")")[1:]).strip()
             for sentence in notice_changes(before, now)]  # fmt: skip
    assert words == [
        f"{new.name} begins", f"{other.name} begins", f"{kept.name} is changed: ends in 1m1s",
        f"{gone.name} has ended by hand, 1m before its time",
        f"{past.name} has ended by hand, 1m before its time",
    ]  # fmt: skip
    anew = replace(before, faults=(replace(gone, began_ns=gone.began_ns + 1), past, kept))
    assert len(notice_changes(before, anew)) == 1
    elsewhere = replace(before, faults=(replace(gone, targets="tier a"), past, kept))
    assert len(notice_changes(before, elsewhere)) == 1


def test_the_same_change_of_the_load_begun_anew_is_told_again():
    """As long as it is the same one nothing is."""
    world = FakeWorld()
    none = Exposition(world, MockClock(), version="1", scenario="small").load()
    change = LoadChange(stages=(Stage(duration_s=9.0, target=5.0),), start_s=0.0, from_per_s=1.0)
    first, again = (replace(none, change=change, began_s=at_s) for at_s in (1.0, 2.0))
    assert notice_load(none, none) == notice_load(first, first) == []
    assert len(notice_load(none, first)) == len(notice_load(first, again)) == 1
    back = replace(none, profile_per_s=1234.4)
    assert notice_load(first, back) == ["the change of the load has ended: 1,234 tasks/s again"]


@pytest.mark.parametrize(
    ("drifts_s", "said"),
    [
        ([1.0, 1.0], []),
        ([1.01, 5.0, 1.0], ["FALLING BEHIND: the world is 1.0 s late, 2.5 times real time possible",
                            "the world is back in real time"]),
        ([0.5, 2.04], ["FALLING BEHIND: the world is 2.0 s late, 2.5 times real time possible"]),
    ],
)  # fmt: skip
def test_a_world_has_fallen_behind_that_is_later_than_a_second(drifts_s, said):
    """Each change of that is told once."""
    exposition = Exposition(FakeWorld(), MockClock(), version="1", scenario="small")
    paces = iter(drifts_s)
    current = [0.0]
    world = SimpleNamespace(
        catch_up=exposition.catch_up, load=exposition.load,
        pace=lambda: pace_of(drift_s=current[0], times_real_time=2.5),
    )  # fmt: skip
    text = io.StringIO()
    status = Status(world, Console(file=text, width=200))
    for drift_s in paces:
        current[0] = drift_s
        status.observe()
    assert [line.partition("  ")[2] for line in text.getvalue().splitlines()] == said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "sandbox_leak 1, 12.3 things"),
        ({"magnitude": 2.0}, "sandbox_leak 2 of 1, 12.3 things"),
        ({"magnitude": 0.12345}, "sandbox_leak 0.1235 of 1, 12.3 things"),
        ({"effect": 1.0, "effect_unit": "agents"}, "sandbox_leak 1, 1 agent"),
        ({"effect": 99.94}, "sandbox_leak 1, 99.9 things"),
        ({"effect": 1234.5}, "sandbox_leak 1, 1,234 things"),
        ({"effect": -1234.5}, "sandbox_leak 1, -1,234 things"),
        ({"name": "mine"}, "mine: sandbox_leak 1, 12.3 things"),
    ],
)
def test_a_fault_is_described_by_strength_and_effect(changes, words):
    """As declared unless it is on its ramp; whole numbers from a hundred on."""
    world = FakeWorld()
    world.begin_fault("sandbox_leak", 1.0, 12.345)
    [fault] = world.snapshot().faults
    fault = replace(fault, **({"name": "sandbox-leak"} | changes))
    assert describe_fault(fault, fault.ends_ns - 90 * 10**9) == f"{words}, ends in 1m30s"
    assert describe_fault(fault, fault.ends_ns + 10**9).endswith("ends in 0s")


def test_the_latest_notification_stands_first_with_how_often_it_was_delivered():
    """Once is not said."""
    several = tuple(
        replace(NOTIFICATION, receiver=f"r{count}", deliveries=count, received_s=NOW_S - 10 + count,
                status="firing" if count < 3 else "resolved")
        for count in (1, 2, 3)
    )  # fmt: skip
    lines = shown(content(replace(NO_STATUS, notifications=several)))
    assert [line.strip() for line in lines[-3:]] == [
        "Notified  0:01:08  r3: PoolExhausted resolved (3 times)",
        "0:01:07  r2: PoolExhausted fires (2 times)",
        "0:01:06  r1: PoolExhausted fires",
    ]


@pytest.mark.parametrize(
    ("factor", "compression"),
    [(1.0, ""), (1.5, ", time compressed 1.5 times"), (2.0, ", time compressed 2 times")],
)
def test_a_title_says_how_much_time_is_compressed(factor, compression):
    """Of any factor but one; a fault that is about to come is a second away."""
    title = ScenarioTitle(name="s", begins_s=10.0, ends_s=70.0, factor=factor,
                          faults=((0.0, "first"), (30.0 * factor, "second")))  # fmt: skip
    assert title.title(9.4) == f"s begins in 1s{compression}"
    assert title.next_fault(39.8) == ", second in 1s"
    assert title.title(70.0) == f"s has ended, the world keeps running{compression}"
    whole = {1.0: "1m", 1.5: "1m30s", 2.0: "2m"}[factor]
    half = {1.0: "40s", 1.5: "1m", 2.0: "1m20s"}[factor]
    assert title.title(50.0) == f"s {half} of {whole}{compression}"


def test_what_a_users_own_servers_need_stands_there_whole(tmp_path, monkeypatch):
    """Line by line, as it is copied."""
    monkeypatch.chdir(tmp_path)
    assert describe_prometheus("http://w", Path("sd.json"), [Path("/a.yaml"), Path("b.yaml")]) == [
        "In your prometheus.yml:", "", "rule_files:", "  - /a.yaml", "  - b.yaml",
        "scrape_configs:", "  - job_name: agentaskit", "    scrape_interval: 15s",
        "    file_sd_configs:", f'      - files: ["{tmp_path / "sd.json"}"]', "",
    ]  # fmt: skip
    assert describe_prometheus("http://w", None, [])[5:] == [
        "    scrape_interval: 15s", "    http_sd_configs:", "      - url: http://w/sd/targets", "",
    ]  # fmt: skip
    assert describe_alertmanager("http://r") == [
        "In your alertmanager.yml, in each receiver whose notifications should be shown here:",
        "", "    webhook_configs:", "      - url: http://r/webhook", "        send_resolved: true",
        "",
    ]  # fmt: skip
    assert describe_addresses(
        Addresses(world="http://w", prometheus="http://p", alertmanager="http://a",
                  receiver="http://r", amtool="amtool alert", token_file=Path("t"))
    ) == [
        "World:        http://w/", "Prometheus:   http://p", "Alertmanager: http://a",
        "Receiver:     http://r", "Fault API:    http://w/api/v1/faults", "",
        "This Alertmanager has no web page. Its alerts, in another terminal:", "  amtool alert", "",
        "Press Ctrl-C to stop. To break something, in another terminal:",
        f"  {BREAK} --url http://w --token-file t", "",
    ]  # fmt: skip


def test_a_replay_says_how_far_it_is_and_how_long_the_rest_takes():
    """At once, then every ten seconds; by the pace so far."""
    streams = [SimpleNamespace(left=150), SimpleNamespace(left=50)]
    replay = SimpleNamespace(alerts=[1, 2, 3], streams=streams)
    text, clock = io.StringIO(), [100.0]
    progress = ReplayProgress(Console(file=text, width=40), lambda: clock[0])
    with progress.over(replay):
        for now_s, left in ((105.0, 150), (110.0, 50), (115.0, 20), (119.9, 10), (120.0, 1)):
            clock[0], streams[0].left, streams[1].left = now_s, left, 0
            progress.show()
    assert text.getvalue().splitlines() == [
        "Replaying 3 alerts: 200 evaluations to read ...",
        "75%, 50 evaluations left, about 3s",
        "100%, 1 evaluation left, about 0s",
    ]
    streams[0].left = 200
    assert progress.line(120.0) == "0%, 200 evaluations left"
    with progress.over(SimpleNamespace(alerts=[1], streams=[])):
        assert progress.line(120.0) == "100%, 0 evaluations left"
