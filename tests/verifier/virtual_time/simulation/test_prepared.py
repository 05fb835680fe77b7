"""What a simulation is given before its first scrape, and what is made of it after its last."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.retention import FINE_PAST_S, WITH_GAPS, WITHOUT_GAPS
from exporter.history.samples import EPOCH_S
from exporter.target import OURS
from simulator.faults.effective_parameters import EXTRA_SERIES_MAX
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.verifier.simulations import scenario_of
from tests.verifier.virtual_time.simulation.stand_ins import Ledger, RunNotes
from verifier.virtual_time import past, progress, run
from verifier.virtual_time.progress import ProgressReporter

INCIDENT = "{name: %s, fault: cardinality_burst, ago: %s, duration: %s, parameters: {series: %d}}"
BURST = "{name: f, fault: cardinality_burst, start: 1m, duration: 1m, parameters: {series: %d}}"


@pytest.fixture
def recorders(monkeypatch):
    """Return what each recorder of a scenario is begun with, and for how long needs are asked."""
    begun = []

    def begin(_catalogue, need_of, *rest, **options):
        begun.append((need_of("any"), *rest, options))
        return SimpleNamespace(names=("a",), past_s=300.0)

    monkeypatch.setattr(past, "Recorder", begin)
    return begun


def begin(text, *, cells=1, sparing=False):
    """Begin the recorders of a scenario."""
    scenario = scenario_of(text)
    snapshot = World(scenario.topology, Plan(), 1).snapshot()
    needed = SimpleNamespace(need=lambda metric, duration_s: (metric, duration_s))
    healthy = SimpleNamespace(before=SimpleNamespace(targets=[snapshot] * cells))
    past._recorder(scenario, needed, healthy, None, sparing=sparing)


def test_a_recorder_keeps_what_is_read_of_a_scenario_around_its_incidents(recorders):
    """One scrape more than the scenario; five minutes around each end of an incident."""
    incidents = ", ".join((INCIDENT % ("h", "1h", "20m", 30), INCIDENT % ("i", "3h", "1m", 400)))
    past_of = f"history: {{depth: 4h, incidents: [{incidents}]}}\n"
    begin(f"duration: 5m\n{past_of}faults: [{BURST % 7}]\n")
    eventful = [(-3900.0, -3300.0), (-2700.0, -2100.0), (-11100.0, -10500.0), (-11040.0, -10440.0)]
    options = {"target": OURS, "further": 437, "steps": WITH_GAPS}
    assert recorders == [(("any", 315.0), 14400.0, eventful, options)]


def test_bursts_add_no_more_series_than_a_page_can_have(recorders):
    """However many there are."""
    most = INCIDENT % ("h", "1h", "1m", EXTRA_SERIES_MAX)
    begin(f"duration: 5m\nhistory: {{incidents: [{most}]}}\nfaults: [{BURST % 7}]\n")
    assert recorders[0][3]["further"] == EXTRA_SERIES_MAX


@pytest.mark.parametrize(
    ("duration", "sparing", "steps"),
    [("1h", True, WITHOUT_GAPS), ("1h", False, WITH_GAPS), ("26h", True, WITH_GAPS)],
)
def test_scrapes_are_spared_where_that_is_asked_and_no_window_has_a_gap(
    recorders, duration, sparing, steps
):
    """Of a long scenario needs are asked for as long as every scrape is kept anyway."""
    begin(f"duration: {duration}\n", sparing=sparing)
    need, depth_s, eventful, options = recorders[0]
    assert need == ("any", 15.0 + (3600 if duration == "1h" else FINE_PAST_S))
    assert (depth_s, eventful, options["steps"], options["further"]) == (None, [], steps, 0)


def test_each_cell_is_a_target_of_its_own(recorders):
    """One alone has no label for it."""
    begin("duration: 5m\n", cells=2)
    assert [each[3]["target"] for each in recorders] == [OURS.of_cell(0), OURS.of_cell(1)]


# --- the pool of the healthy world


class Columns(RunNotes):
    """A recorder of two series; `levels` are what it goes on from."""

    names = ("queue_depth", "memory")

    def __init__(self):
        """Go on from nothing."""
        super().__init__()
        self.levels = None

    def read(self, snapshot):
        """Return both series."""
        return snapshot.both

    def rows(self, readings):
        """Return what the first stood at, and the second gained."""
        return np.stack((readings[1:, 0], np.diff(readings[:, 1])), axis=1)

    def continue_from(self, raw):
        """Note where it goes on from."""
        self.levels = raw.tolist()


def healthy_of(*both):
    """Return a healthy world of these readings, of which each scrape counts its number."""
    snapshots = [
        SimpleNamespace(
            both=np.array(pair), at=number, faults=(),
            tasks_processed=np.array([[90.0 * number, 12.0 * number]]),
        )
        for number, pair in enumerate(both)
    ]  # fmt: skip
    world = SimpleNamespace(topology=SimpleNamespace(error_share=0.1))
    return SimpleNamespace(before=snapshots[0], scrapes=tuple(snapshots[1:]), world=world)


def continued(healthy):
    """Return the pool of a healthy world, and the simulation that goes on from it."""
    ledger = Ledger()
    ledger.rows_of = lambda snapshots: np.array([[each.at] for each in snapshots[1:]])
    simulation = SimpleNamespace(
        recorder=Columns(), truth=ledger, progress=SimpleNamespace(cause="")
    )
    return past._continue_from(simulation, healthy), simulation


def test_a_record_goes_on_from_the_last_scrape_of_a_healthy_world():
    """All of its scrapes but the one before are the pool."""
    pool, simulation = continued(healthy_of(*((5.0, 7.0 * n) for n in range(9))))
    assert pool.rows.tolist() == [[5.0, 7.0]] * 8
    assert pool.counts[:, 0].tolist() == list(range(1, 9))
    assert pool.surplus.tolist() == pytest.approx([12.0 - 10.2] * 8)
    assert (simulation.recorder.levels, simulation.progress.cause) == ([5.0, 56.0], "")


@pytest.mark.parametrize(("jump", "name"), [(1.0, "queue_depth"), (0.0, "memory")])
def test_the_first_series_that_is_read_and_not_steady_is_named(jump, name):
    """Then nothing can be drawn. Both halves of its minutes are compared."""
    both = [(jump * (n > 4), n + 5.0 * max(0, n - 4)) for n in range(9)]
    pool, simulation = continued(healthy_of(*both))
    assert pool is None
    assert simulation.progress.cause == (
        f" (event by event while {name}, which is read, is not steady)"
    )


# --- from the past into the scenario


class FinishedPast:
    """The simulation of a past: it notes what it is to do next, as recorder and ledger as well."""

    def __init__(self):
        """Have simulated 30 s and drawn 45."""
        self.lines = []
        self.exact, self.exact_s, self.resampled_s = False, 30.0, 45.0
        self.resampled_spans = [(5.0, 95.0)]
        self.recorder = self.truth = self

    def advance(self, world, from_s, to_s, pool):
        """Note what is to be simulated."""
        self.lines.append((world, from_s, to_s, pool, self.exact))

    def read(self, snapshot):
        """Return a reading."""
        return f"reading of {snapshot}"

    def continue_from(self, reading):
        """Note from what another world goes on."""
        self.lines.append(reading)

    def effects(self, _world):
        """Return no effect."""
        return ()

    def history(self, epoch_s):
        """Return when the history begins."""
        return epoch_s

    def world_record(self, delay_s):
        """Return by how much the record is moved."""
        return delay_s


@pytest.fixture
def entered(monkeypatch):
    """Return what simulates a scenario after a past that is done, and the lines that it notes."""

    def enter(scenario, **options):
        simulation = FinishedPast()
        world = SimpleNamespace(fork=lambda plan: ("fork", plan))
        done = past.SimulatedPast(world, "pool", simulation, ("an incident did nothing",))
        monkeypatch.setattr(run, "simulate_past", lambda *_, **__: done)
        monkeypatch.setattr(run, "faults_without_effect", lambda *_: ("a fault did nothing",))
        monkeypatch.setattr(run, "measured_effects", lambda _: {"f": "little"})
        monkeypatch.setattr(
            run, "build_system", lambda *of: SimpleNamespace(of=of, snapshot=lambda: "built")
        )
        return run.simulate(scenario, None, None, **options), simulation.lines

    return enter


FAULT = (
    "faults: [{name: f, fault: traffic_drop, start: %s, duration: 1m, parameters: {share: 0.5}}]\n"
)


@pytest.mark.parametrize(
    ("text", "pool"),
    [
        ("load: {rate: 100}\n" + FAULT % "1m", "pool"),
        ("load: {rate: 100}\n" + FAULT % "0s", None),
        ("load: {rate: 100, stages: [{duration: 1m, target: 50}]}\n", None),
        ("load: {rate: 100, daily: {amplitude: 0.5, peak: 3m}}\n", None),
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_a_healthy_pool_fits_until_load_or_faults_change(entered, text, pool, exact):
    """Not where they do at once; everything else is the world's that had the past."""
    scenario = scenario_of("duration: 10m\n" + text)
    simulated, lines = entered(scenario, exact=exact)
    assert lines == [(("fork", scenario.plan), 0.0, 600.0, pool, exact)]
    assert (simulated.exact_s, simulated.resampled_s) == (30.0, 45.0)
    assert (simulated.history, simulated.truth) == (EPOCH_S, 0.0)
    assert simulated.without_effect == ("an incident did nothing", "a fault did nothing")
    assert (simulated.effects, simulated.resampled) == ({"f": "little"}, ((5.0, 95.0),))


def test_a_scenario_between_two_scrapes_has_its_own_seconds(entered):
    """It begins 4 s after a scrape, at a time of its own."""
    text = "duration: 10m\nstarts_at: 2026-03-02T09:00\nload: {rate: 100}\n" + FAULT % "1m"
    scenario = scenario_of(text)
    simulated, ((((_, plan), *spans),)) = entered(scenario, scrape_offset_s=11.0)
    assert plan.faults[0].start_s == 64.0
    assert spans == [0.0, 604.0, "pool", False]
    assert simulated.history == 1_772_442_000.0 - 4.0
    assert (simulated.truth, simulated.resampled) == (4.0, ((1.0, 91.0),))


def test_a_recorded_trace_is_read_by_a_world_of_its_own(entered):
    """Exactly, and its counters go on from where the past left them."""
    scenario = scenario_of("duration: 1m\nload: {rate: 100}\n")
    plan = Plan(load=Load(rate=100.0, trace_s=(1.0, 2.0)))
    _, lines = entered(replace(scenario, plan=plan))
    assert lines[:2] == ["reading of built", "built"]
    world, *rest = lines[2]
    assert world.of == (scenario.topology, plan, scenario.seed)
    assert rest == [0.0, 60.0, None, True]


# --- what a person reads meanwhile


def test_progress_is_reported_a_few_times_a_second_and_the_past_counts_for_no_speed(monkeypatch):
    """The start itself is of the scenario."""
    now, reports = [100.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    reporter = ProgressReporter(scenario_of("duration: 10m\nload: {rate: 100}\n"), reports.append)
    reporter.cause = " (why)"
    for at, second in (
        (100.1, -900.0), (100.3, -600.0), (100.4, -300.0), (100.5, -15.0), (100.6, 0.0),
        (101.5, 0.0), (102.5, 60.0), (102.6, 75.0),
    ):  # fmt: skip
        now[0] = at
        reporter.simulated(second)
    reporter.judging(10_000_000)
    lines = [(each.phase, each.virtual_s, each.of_s, each.times_real_time) for each in reports]
    assert lines[:4] == [
        ("history (why)", 0.0, 600.0, 0.0),
        ("history (why)", 0.0, 600.0, 0.0),
        ("simulating", 0.0, 600.0, 0.0),
        ("simulating", 60.0, 600.0, pytest.approx(30.0)),
    ]
    ((phase, *judging),) = lines[4:]
    assert phase.startswith("judging (storing 10 million samples first")
    assert judging == [600.0, 600.0, 0.0]
