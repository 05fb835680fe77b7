"""The rows of the page and the readings kept: numbers that agree with the world's own, bounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from charts.chart import Band
from exporter.server.exposition import LoadReading
from exporter.server.live_page.recent_readings import RecentReadings
from exporter.server.live_page.rows import LOADS, ROWS, passed_s, quantile, read_rows
from simulator.load import LoadChange, Stage
from simulator.snapshot import DURATION_BOUNDS_S, OUTCOMES, STATUSES, DurationHistogram
from tests.fakes import TIERS, FakeWorld

LOAD = LoadReading(400.0, 200.0, None, 0.0, 0.0, 0.0)
"""A profile of which a fault leaves half."""


@pytest.fixture
def world():
    """Return a world whose counts move at random."""
    return FakeWorld()


def after(world, seconds):
    """Let time pass; return the reading before and after."""
    before = world.snapshot()
    world.advance(world.now_s + seconds)
    return before, world.snapshot()


def values(before, now, row_id):
    """Return one row's values by the names of its series."""
    read = dict(zip((row.id for row in ROWS), read_rows(before, now, LOAD), strict=True))
    (row,) = (row for row in ROWS if row.id == row_id)
    return dict(zip(row.series(now), read[row_id], strict=True))


def test_every_row_has_a_value_for_each_of_its_series(world):
    """Whatever the axes of the world are."""
    before, now = after(world, 1.0)
    for row in ROWS:
        assert len(values(before, now, row.id)) == len(row.series(now)), row.id
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_rates_are_differences_by_virtual_time(world):
    """Of two seconds, each count is halved; five digits are enough for the eye."""
    before, now = after(world, 2.0)
    arrived = int((now.tasks_arrived - before.tasks_arrived).sum())
    assert values(before, now, "load")["arrived"] == pytest.approx(arrived / 2, rel=1e-4)
    ok = int((now.http_requests - before.http_requests)[0])
    assert values(before, now, "answers")["200"] == pytest.approx(ok / 2, rel=1e-4)
    assert passed_s(now, now) == 1.0


COUNTED = {
    "load": {"arrived": ("tasks_arrived", (0,))},
    "tasks": {
        "rejected": ("tasks_rejected", (0,)),
        "timed out": ("tasks_timed_out", (0,)),
        "retried": ("tasks_retried", (0,)),
        **{outcome: ("tasks_processed", (0, n)) for n, outcome in enumerate(OUTCOMES)},
    },
    "answers": {status: ("http_requests", (n,)) for n, status in enumerate(STATUSES)},
    "bus": {
        "sent": ("messages_sent", ()),
        "delivered": ("messages_delivered", (0,)),
        "dropped": ("messages_dropped", ()),
    },
}
"""By row and series: the field of a snapshot, and one cell of it."""


@pytest.mark.parametrize("row_id", COUNTED)
def test_each_series_moves_with_its_own_counter_and_no_other(world, row_id):
    """Five counts more in two seconds in one cell: that series alone moves."""
    _, before = after(world, 1.0)
    base = replace(before, now_ns=before.now_ns + 2 * 10**9)
    for series, (field, cell) in COUNTED[row_id].items():
        counts = np.array(getattr(base, field))
        counts[cell] += 5
        moved = values(before, replace(base, **{field: counts}), row_id)
        for known in LOADS[:2] if row_id == "load" else ():
            moved.pop(known)
        assert {name: value for name, value in moved.items() if value} == {series: 2.5}


def test_the_latency_is_that_of_requests_with_what_the_gateway_adds(world):
    """Not the orchestrator's own duration, in which other counts move."""
    before, now = after(world, 1.0)
    requests = before.http_request_duration, now.http_request_duration
    shown = values(before, now, "latency")
    assert list(shown.values()) == [
        pytest.approx(quantile(share, *requests), rel=1e-4) for share in (0.5, 0.9, 0.99)
    ]
    others = replace(now, response_duration=before.response_duration)
    assert values(before, others, "latency") == shown


def test_gauges_are_those_of_the_reading(world):
    """Queues by priority, shares of pools and of CPUs."""
    before, now = after(world, 1.0)
    queues = values(before, now, "queues")
    assert list(queues.values()) == now.queue_depth.tolist()
    few = replace(now, sandbox_available=now.sandbox_total // 4)
    assert values(before, few, "sandboxes")["A"] == 0.75
    cpu = values(before, now, "cpu")
    assert "idle" not in cpu
    assert 0 < sum(cpu.values()) <= 1


def histogram(**cells):
    """Return a histogram with counts in cells."""
    counts = np.zeros(len(DURATION_BOUNDS_S) + 1, np.int64)
    for cell, count in cells.items():
        counts[int(cell.removeprefix("c"))] = count
    return DurationHistogram(counts, 0)


def test_quantiles_are_linear_between_two_bounds():
    """As Prometheus's histogram_quantile, of what was counted between two readings."""
    none = histogram()
    assert quantile(0.5, none, none) is None
    in_second = histogram(c1=10)
    low, high = DURATION_BOUNDS_S[:2]
    assert quantile(0.5, none, in_second) == pytest.approx(low + (high - low) / 2)
    assert quantile(0.99, histogram(c1=10), histogram(c1=10, c0=100)) == pytest.approx(0.99 * low)
    assert quantile(0.5, none, histogram(c30=1)) == DURATION_BOUNDS_S[-1]
    # The twentieth of forty is the tenth of the thirty of its bucket.
    first, second, third = DURATION_BOUNDS_S[:3]
    spread = histogram(c1=10, c2=30)
    assert quantile(0.5, none, spread) == pytest.approx(second + (third - second) / 3)
    assert quantile(0.125, none, spread) == pytest.approx(first + (second - first) / 2)


def quantile_by_interpolation(share, counts):
    """Return the same quantile by the running sum of all buckets; rows of no count are passed."""
    bounds_s = np.array([0.0, *DURATION_BOUNDS_S])
    sums = np.concatenate([[0], np.cumsum(counts[:-1])])
    end = int(np.searchsorted(sums, share * counts.sum()))
    if end == len(sums):
        return bounds_s[-1]
    return np.interp(share * counts.sum(), sums[end - 1 : end + 1], bounds_s[end - 1 : end + 1])


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_of_many_buckets_are_those_of_the_running_sum(seed):
    """Buckets of all sizes, empty ones among them, and some beyond the last bound."""
    chance = np.random.default_rng(seed)
    cells = len(DURATION_BOUNDS_S) + 1
    before = DurationHistogram(chance.integers(0, 50, cells), 0)
    counts = chance.integers(0, 50, cells) * (chance.random(cells) < 0.7)
    now = DurationHistogram(before.counts + counts, 0)
    for share in (0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0):
        assert quantile(share, before, now) == pytest.approx(
            quantile_by_interpolation(share, counts)
        )


def test_the_last_readings_are_kept_in_order_and_no_more(world):
    """A ring: the oldest goes, times rise, each row has what was read."""
    recent = RecentReadings(world.snapshot(), kept=5)
    assert recent.rows()[0].times_s.tolist() == []
    for _ in range(8):
        world.advance(world.now_s + 1.0)
        reading = recent.add(world.snapshot(), LOAD)
    rows = {row.id: row for row in recent.rows()}
    assert rows["load"].times_s.tolist() == pytest.approx([4, 5, 6, 7, 8])
    assert (reading.number, reading.at_s) == (8, pytest.approx(8))
    for row in ROWS:
        latest = [series.values[-1] for series in rows[row.id].series]
        expected = [np.nan if v is None else v for v in reading.by_row()[row.id]]
        assert latest == pytest.approx(expected, nan_ok=True)


def test_a_copy_of_the_rows_stays_as_it_was(world):
    """It is written in a thread while further readings come."""
    recent = RecentReadings(world.snapshot(), kept=2)
    for _ in range(2):
        world.advance(world.now_s + 1.0)
        recent.add(world.snapshot(), LOAD)
    rows = recent.rows()
    before = rows[0].times_s.tolist()
    world.advance(world.now_s + 1.0)
    recent.add(world.snapshot(), LOAD)
    assert rows[0].times_s.tolist() == before


def test_faults_are_bands_until_they_are_too_old(world):
    """Without an end while in effect; gone with the readings of their time; bounded in number."""
    recent = RecentReadings(world.snapshot(), kept=3)
    world.advance(1.0)
    world.begin_fault("agent_hang")
    recent.add(world.snapshot(), LOAD)
    assert recent.bands == (Band("fault", "agent_hang-here", 1.0, None, "agent_hang"),)
    world.change(faults=())
    for at_s in (2.0, 4.0, 5.0):
        world.advance(at_s)
        recent.add(world.snapshot(), LOAD)
        assert recent.bands == (Band("fault", "agent_hang-here", 1.0, 2.0, "agent_hang"),)
    world.advance(5.01)
    recent.add(world.snapshot(), LOAD)
    assert recent.bands == ()
    for number in range(220):
        world.begin_fault(f"agent_{number}")
    recent.add(world.snapshot(), LOAD)
    assert [band.kind for band in recent.bands] == ["fault"] * 200
    assert [band.name for band in recent.bands] == [f"agent_{n}-here" for n in range(20, 220)]


def test_times_count_from_the_instant_at_which_the_run_began(world):
    """Of readings and of both kinds of bands; without one from the first reading."""
    world.advance(3.0)
    world.begin_fault("agent_hang")
    change = LoadChange(stages=(Stage(duration_s=9.0, target=5.0),), start_s=2.5, from_per_s=1.0)
    load = replace(LOAD, change=change, began_s=2.5, ends_s=11.5)
    for origin_s, later_s in ((1.0, 0.0), (None, -2.0)):
        recent = RecentReadings(world.snapshot(), origin_s=origin_s)
        assert recent.at_s == 2.0 + later_s
        assert recent.add(world.snapshot(), load).at_s == 2.0 + later_s
        assert recent.bands == (
            Band("fault", "agent_hang-here", 2.0 + later_s, None, "agent_hang"),
            Band("load", "load 5 tasks/s", 1.5 + later_s, None),
        )


def test_ten_minutes_are_kept_and_a_fault_of_before_is_gone(world):
    """A reading a second, as many as the documentation says."""
    recent = RecentReadings(world.snapshot())
    first = world.snapshot()
    for second in range(1, 602):
        recent.add(replace(first, now_ns=second * 10**9), LOAD)
    times_s = recent.rows()[-1].times_s.tolist()
    assert times_s == [float(second) for second in range(2, 602)]
    assert (recent.count, recent.at_s) == (601, 601.0)


def test_the_table_of_a_newcomer_has_each_row_under_its_own_heading(world):
    """What it is, in which unit, how it is drawn, and its lines from first to last."""
    recent = RecentReadings(world.snapshot())
    assert {
        row.id: (row.title, row.unit, row.kind, *(line.name for line in row.series))
        for row in recent.rows()
    } == {
        "load": ("Load", "tasks/s", "line", "load profile", "after faults", "arrived"),
        "tasks": ("Tasks", "tasks/s", "line", "completed", "failed", "rejected", "timed out",
                  "retried"),
        "answers": ("HTTP answers", "requests/s", "stack", "200", "429", "500", "503", "504"),
        "latency": ("HTTP latency", "s", "line", "p50", "p90", "p99"),
        "queues": ("Queues", "tasks", "stack", "critical", "high", "normal", "low"),
        "saturation": ("Saturation", "ratio", "line", "fullest queue"),
        "agents": ("Agents by state", "agents", "stack", "stopped", "starting", "idle",
                   "busy", "hung", "crashed"),
        "tiers": ("Active agents by tier", "agents", "line", *TIERS),
        "sandboxes": ("Sandboxes taken", "ratio", "line", "A", "B", "C"),
        "cpu": ("CPU", "ratio", "stack", "iowait", "irq", "nice", "softirq", "steal", "system",
                "user"),
        "memory": ("Memory by tier", "bytes", "stack", *TIERS),
        "bus": ("Message bus", "messages/s", "line", "sent", "delivered", "dropped"),
        "inboxes": ("Messages waiting", "messages", "line", "in inboxes"),
    }  # fmt: skip


def test_where_nothing_can_be_said_there_is_no_value(world):
    """Of no request, of no processor's time, of a pool that has no room at all."""
    before, now = after(world, 1.0)
    idle = replace(
        now,
        cpu_ns=before.cpu_ns,
        http_request_duration=before.http_request_duration,
        sandbox_total=np.array([0, 150, 100]),
        sandbox_available=np.array([0, 150, 25]),
    )
    assert set(values(before, idle, "cpu").values()) == {None}
    assert set(values(before, idle, "latency").values()) == {None}
    assert list(values(before, idle, "sandboxes").values()) == [None, 0.0, 0.75]


def test_gauges_are_counted_by_the_axis_that_names_them(world):
    """Agents by their states, memory by tier, what waits in inboxes, the fullest queue."""
    before, now = after(world, 1.0)
    agents = np.arange(now.agents.size).reshape(now.agents.shape)
    known = replace(now, agents=agents, memory_bytes=np.arange(6) * 1000, saturation=0.123456,
                    messages_waiting=7)  # fmt: skip
    assert list(values(before, known, "agents").values()) == agents.sum(axis=0).tolist()
    assert list(values(before, known, "tiers").values()) == known.active_agents.tolist()
    assert list(values(before, known, "memory").values()) == [0, 1000, 2000, 3000, 4000, 5000]
    assert values(before, known, "inboxes") == {"in inboxes": 7.0}
    assert values(before, known, "saturation") == {"fullest queue": 0.12346}


def test_the_share_of_the_processors_is_of_what_all_of_them_spent(world):
    """In two seconds, whatever was idle."""
    _, before = after(world, 1.0)
    spent = np.array(before.cpu_ns)
    spent[0] += np.array([8, 0, 0, 0, 1, 2, 1, 0]) * 10**9
    spent[1] += np.array([0, 0, 0, 0, 0, 0, 0, 4]) * 10**9
    now = replace(before, now_ns=before.now_ns + 2 * 10**9, cpu_ns=spent)
    assert values(before, now, "cpu") == {
        "iowait": 0.0, "irq": 0.0, "nice": 0.0, "softirq": 0.0625, "steal": 0.125,
        "system": 0.0625, "user": 0.25,
    }  # fmt: skip


def test_a_change_of_the_load_is_a_band_named_by_its_rates(world):
    """Until it is over, or another one takes its place; and the row has profile and result."""

    def changed(*targets, began_s=0.0):
        stages = tuple(Stage(duration_s=5.0, target=target) for target in targets)
        change = LoadChange(stages=stages, start_s=began_s, from_per_s=400.0)
        return replace(LOAD, change=change, began_s=began_s, ends_s=began_s + change.duration_s)

    recent = RecentReadings(world.snapshot())
    for at_s, load in enumerate(
        [
            changed(15000.0, 15000.0),
            changed(15000.0, 15000.0),
            changed(0.0, 1.0, 2.0, 3.0, began_s=2.5),
            LOAD,
        ],
        1,
    ):
        world.advance(float(at_s))
        reading = recent.add(world.snapshot(), load)
    assert [(band.kind, band.name, band.from_s, band.to_s) for band in recent.bands] == [
        ("load", "load 15,000 tasks/s", 0.0, pytest.approx(3)),
        ("load", "load 0, 1, 2 and 1 more tasks/s", 2.5, pytest.approx(4)),
    ]
    assert reading.by_row()["load"][:2] == [400.0, 200.0]


def test_the_load_stands_apart_from_what_the_world_makes_of_it():
    """The first row alone."""
    assert [row.group for row in ROWS] == ["load"] + ["world"] * (len(ROWS) - 1)
    assert ROWS[0].id == "load"
