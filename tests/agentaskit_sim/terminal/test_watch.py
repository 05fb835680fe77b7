"""What `up` shows, from values alone: the log of changes, the block, and that nothing delays it."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import pytest
from rich.console import Console

from agentaskit_sim.environment import Environment
from agentaskit_sim.terminal.status import Status, StatusReading
from agentaskit_sim.terminal.watch import (
    ScenarioTitle,
    ScreenContent,
    StackStatus,
    Watch,
    count_alerts,
    describe_fault,
    learn,
    notice,
    render,
)
from exporter.server.exposition import Exposition
from simulator.pacer import SystemClock
from tests.fakes import FakeWorld, MockClock
from verifier.errors import JudgeError
from verifier.servers.foreign_server import ActiveAlert, ServerUnreachable
from verifier.servers.ledger import Notification

NOW_S = 1_700_000_000.0
EXHAUSTED = ActiveAlert(
    alert="PoolExhausted",
    state="pending",
    series=(("instance", "127.0.0.1:9464"), ("job", "agentaskit"), ("sandbox_type", "B")),
    rule=(("component", "sandbox"), ("severity", "warning")),
    active_s=NOW_S - 14,
    since_s=NOW_S - 14,
)
FIRING = replace(EXHAUSTED, state="firing", since_s=NOW_S - 2)
TOLD = Notification(
    receiver="slack-warnings",
    status="firing",
    group_key="{}",
    fingerprint="f",
    labels=(("alertname", "PoolExhausted"), *EXHAUSTED.series, *EXHAUSTED.rule),
    annotations=(),
    starts_at_s=NOW_S - 2,
    ends_at_s=None,
    received_s=NOW_S - 1,
)
NONE = StackStatus()
PENDS, FIRES = learn(NONE, (EXHAUSTED,)), learn(NONE, (FIRING,))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (NONE, NONE, []),
        (NONE, PENDS, ["PoolExhausted sandbox_type=B is pending"]),
        (PENDS, PENDS, []),
        (PENDS, FIRES, ["PoolExhausted sandbox_type=B FIRES after 12s pending"]),
        (FIRES, NONE, ["PoolExhausted sandbox_type=B has resolved"]),
        (PENDS, NONE, ["PoolExhausted sandbox_type=B is no longer pending"]),
        (
            FIRES,
            replace(FIRES, told=(TOLD,)),
            ["slack-warnings was told: PoolExhausted sandbox_type=B fires"],
        ),
        (
            replace(FIRES, told=(TOLD,)),
            replace(FIRES, told=(TOLD, replace(TOLD, status="resolved", receiver="b"))),
            ["b was told: PoolExhausted sandbox_type=B has resolved"],
        ),
        (NONE, replace(NONE, unreachable=("x cannot be reached",)), ["x cannot be reached"]),
        (
            replace(FIRES, unreachable=("x cannot be reached",)),
            FIRES,
            ["every server answers again"],
        ),
        (NONE, replace(NONE, restarts=("a has ended",)), ["a has ended"]),
        (replace(NONE, restarts=("a",)), replace(NONE, restarts=("a", "a")), ["a"]),
    ],
)
def test_every_change_is_a_sentence_and_nothing_else_is(before, after, said):
    """Pending, firing, resolved, told, unreachable and back, started again."""
    assert notice(before, after) == said


def test_an_alert_that_pends_anew_between_two_looks_is_told():
    """Resolved and active again: the same alert and state, another beginning."""
    anew = learn(NONE, (replace(EXHAUSTED, active_s=NOW_S, since_s=NOW_S),))
    assert notice(PENDS, anew) == ["PoolExhausted sandbox_type=B is pending"]


def test_of_an_alert_that_was_never_seen_only_the_name_is_told():
    """Which of its labels tell it from others is known from its rule alone."""
    assert notice(NONE, replace(NONE, told=(TOLD,))) == [
        "slack-warnings was told: PoolExhausted fires"
    ]


def scene(heard, *, faults=0):
    """Return a scene of a world with so many faults."""
    world = FakeWorld()
    before = world.snapshot()
    world.advance(1.0)
    for index in range(faults):
        world.begin_fault(f"traffic_drop_{index}", 0.4, 1234.5)
    pace = Exposition(world, MockClock(), version="1", scenario="calm").pace()
    return ScreenContent(
        title="sandbox-leak begins in 12s, time compressed 10 times",
        look=StatusReading(before, world.snapshot(), pace),
        heard=heard,
        scrapes=55,
        began_s=NOW_S - 75,
        now_s=NOW_S,
    )


def shown(scene, *, width=80, height=24):
    """Return the block's lines as a terminal of this size shows them."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True,
                      color_system=None)  # fmt: skip
    console.print(render(scene, height))
    return console.file.getvalue().splitlines()


def test_the_block_shows_rates_faults_alerts_with_their_time_and_who_was_told():
    """Everything at a glance, on an ordinary terminal."""
    lines = shown(scene(replace(FIRES, told=(TOLD,)), faults=1))
    assert lines[0] == "0:00:00  sandbox-leak begins in 12s, time compressed 10 times"
    assert "tasks/s" in lines[1]
    assert "waiting" in lines[1]
    assert lines[1].endswith("55 scrapes")
    assert lines[2:] == [
        "Faults  traffic_drop_0-here: traffic_drop_0 0.4, 1,234 things, ends in 1m",
        "Alerts  firing      2s  PoolExhausted sandbox_type=B  warning",
        "Told    0:01:14  slack-warnings: PoolExhausted sandbox_type=B fires",
    ]


def test_a_calm_world_has_a_calm_block():
    """No line is left out: the block does not jump."""
    assert [line.rstrip() for line in shown(scene(NONE))[2:]] == [
        "Faults  none",
        "Alerts  none",
        "Told    none",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (80, 6), (200, 60)])
def test_the_block_never_outgrows_the_terminal(width, height):
    """A block that is higher scrolls, a longer line wraps: both would flood the terminal."""
    alerts = tuple(
        replace(FIRING, alert=f"Alert{index}" * 9, series=(("tier", str(index)),))
        for index in range(50)
    )
    told = tuple(replace(TOLD, fingerprint=str(index)) for index in range(50))
    heard = replace(learn(NONE, alerts), told=told, unreachable=("x" * 300,))
    lines = shown(scene(heard, faults=9), width=width, height=height)
    assert len(lines) < max(height, 7)
    assert max(map(len, lines)) <= width
    if height == 24:
        assert "        and 46 more" in [line.rstrip() for line in lines]


def test_what_fires_stands_before_what_pends_and_the_latest_first():
    """However many there are, the most urgent are seen."""
    early, late = (replace(FIRING, alert=name, since_s=NOW_S - ago) for name, ago in
                   (("Early", 60), ("Late", 1)))  # fmt: skip
    lines = shown(scene(learn(NONE, (EXHAUSTED, early, late))))
    names = [line[24:].split()[0] for line in lines[3:6]]
    assert names == ["Late", "Early", "PoolExhausted"]
    assert count_alerts((EXHAUSTED, early, late)) == "2 firing, 1 pending"


def test_a_fault_is_told_with_its_strength_what_it_did_and_its_end():
    """On its ramp both strengths are told; a name that is the fault's is not told twice."""
    world = FakeWorld()
    world.begin_fault("traffic_drop", 0.4, 12.345)
    [status] = world.snapshot().faults
    ramping = replace(status, name="traffic-drop", declared=0.8)
    assert describe_fault(ramping, 15 * 10**9) == (
        "traffic_drop 0.4 of 0.8, 12.3 things, ends in 45s"
    )


def test_the_title_says_which_part_of_the_scenario_it_is():
    """In the scenario's own time once it has begun, in real time before."""
    titles = ScenarioTitle(name="leak", begins_s=100.0, ends_s=220.0, factor=10.0)
    assert [titles.title(at_s) for at_s in (88.0, 130.0, 220.0)] == [
        "leak begins in 12s, time compressed 10 times",
        "leak 5m of 20m, time compressed 10 times",
        "leak has ended, the world goes on, time compressed 10 times",
    ]
    calm = ScenarioTitle(name="baseline", begins_s=60.0, ends_s=float("inf"), factor=1.0)
    assert calm.title(1e9) == "baseline"


class Quiet:
    """A source that tells what it is given."""

    def __init__(self, *heard):
        """Tell these, the last again and again; raise those that are errors."""
        self.heard, self.started = list(heard), False

    def start(self):
        """Note it."""
        self.started = True

    def hear(self, _last):
        """Tell the next."""
        one = self.heard.pop(0) if len(self.heard) > 1 else self.heard[0]
        if isinstance(one, Exception):
            raise one
        return one


def watch(source, *, terminal=False):
    """Return a watch of a fake world, and the text it writes."""
    text = io.StringIO()
    live = Exposition(FakeWorld(), SystemClock(), version="1", scenario="calm")
    console = Console(file=text, width=200, height=24, force_terminal=terminal, highlight=False)
    titles = ScenarioTitle(name="calm", begins_s=0.0, ends_s=float("inf"), factor=1.0)
    return Watch(live, Status(live, console), source, console, titles), text


@pytest.mark.parametrize("terminal", [False, True])
async def test_what_ends_the_run_is_raised_after_what_was_heard(monkeypatch, terminal):
    """A Prometheus that died ends the watch with its reason; the cursor is there again."""
    monkeypatch.setattr("agentaskit_sim.terminal.watch.LOOK_S", 0.01)
    source = Quiet(FIRES, FIRES, FIRES, JudgeError("Prometheus ended"))
    one, text = watch(source, terminal=terminal)
    with pytest.raises(JudgeError, match="Prometheus ended"):
        await asyncio.wait_for(one.run(), 20)
    assert source.started
    assert "PoolExhausted sandbox_type=B FIRES" in text.getvalue()
    if terminal:
        assert text.getvalue().rindex("\x1b[?25h") > text.getvalue().rindex("\x1b[?25l")


class SupervisedServers:
    """Servers that need no looking after."""

    restarts = ("one was started again",)

    def check(self):
        """Find nothing."""

    def notifications(self):
        """Return what arrived."""
        return (TOLD,)


class Shown:
    """A Prometheus, or an Alertmanager, that shows these alerts or cannot be reached."""

    def __init__(self, *alerts, why=""):
        """Be reached unless there is a reason why not."""
        self.alerts, self.why = alerts, why

    def check(self):
        """Raise when it cannot be reached."""
        if self.why:
            raise ServerUnreachable(self.why)

    def active_alerts(self):
        """Return the alerts."""
        self.check()
        return self.alerts


def test_a_server_that_cannot_be_reached_leaves_the_alerts_as_they_were():
    """Silence of Prometheus is no resolution; notifications still come."""
    around = Environment(
        prometheus=Shown(why="p is away"),
        alertmanager=Shown(why="a is away"),
        kept=SupervisedServers(),
    )
    heard = around.hear(FIRES)
    assert heard.alerts == (FIRING,)
    assert heard.unreachable == ("p is away", "a is away")
    assert (heard.told, heard.restarts) == ((TOLD,), SupervisedServers.restarts)


def test_what_pends_for_the_gap_before_the_first_scrape_is_not_told_of():
    """Compressed windows hold that gap; what fires is told of whenever it began."""
    shown_now = Shown(EXHAUSTED, replace(FIRING, alert="Other"))
    for settled_s, alerts in ((NOW_S - 15, 2), (NOW_S - 13, 1)):
        around = Environment(
            prometheus=shown_now, alertmanager=None, kept=SupervisedServers(), settled_s=settled_s
        )
        assert len(around.hear(NONE).alerts) == alerts
