"""What is simulated of a plan, what is drawn, and what is taken down of either, scrape by scrape.

The world, its recorder and its ledger are stand-ins that write down what they are asked for: every
expectation is the whole of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.target import SCRAPE_S
from simulator.load import Load
from simulator.plan import Plan
from tests.simulator.worlds import fault
from tests.verifier.virtual_time.simulation.stand_ins import Ledger, RunNotes, StandInWorld
from verifier.time_compression import TimeCompression
from verifier.virtual_time.minute_draws import MinuteDraws
from verifier.virtual_time.simulation import Simulation
from verifier.virtual_time.steady_state import ResamplingPool

DRAWS = MinuteDraws(1, "test")
SETTLED = 20
"""Scrapes after which a steady world may be drawn from; the last 16 are the pool."""
RETURNED = 12
"""The same of one that is healthy again; the last 8 are the pool."""


def simulation_of(**options):
    """Return a simulation that is written down."""
    notes = RunNotes()
    return Simulation(
        recorder=notes, draws=DRAWS, progress=notes, compression=TimeCompression(), truth=Ledger(),
        **options,
    )  # fmt: skip


def advanced(world, scrapes, pool=None, *, first=0, **options):
    """Return the notes on so many scrapes of a world, and the simulation with its last pool."""
    simulation = simulation_of(**options)
    last = simulation.advance(world, first * SCRAPE_S, (first + scrapes) * SCRAPE_S, pool)
    notes = simulation.recorder
    lengths = dict.fromkeys(("exact", "drawn"), 0.0)
    for kind, begin, end in notes.lines:
        if kind in lengths:
            lengths[kind] += (end - begin + 1) * SCRAPE_S
    assert (simulation.exact_s, simulation.resampled_s) == tuple(lengths.values())
    spans = [((a - 1) * SCRAPE_S, b * SCRAPE_S) for kind, a, b in notes.lines if kind == "drawn"]
    assert simulation.resampled_spans == spans
    return notes, simulation, last


def pool_of(first, scrapes):
    """Return a pool of these scrapes, as a steady world of level 1 leaves it."""
    return ResamplingPool(
        np.ones((scrapes, 1)),
        surplus=np.zeros(scrapes),
        counts=np.arange(first, first + scrapes)[:, None],
    )


# --- a world at rest


@pytest.mark.parametrize(
    ("scrapes", "lines"),
    [
        (SETTLED, [("exact", 1, 20)]),
        (SETTLED + 7, [("exact", 1, 27)]),
        (SETTLED + 8, [("exact", 1, 20), ("drawn", 21, 28)]),
        (SETTLED + 30.99, [("exact", 1, 20), ("drawn", 21, 50)]),
    ],
)
def test_a_steady_world_is_drawn_once_it_has_settled_and_that_saves_two_minutes(scrapes, lines):
    """A scrape that the end cuts off is none."""
    notes, _, _ = advanced(StandInWorld(), scrapes)
    assert notes.lines == lines


def test_what_is_drawn_comes_from_the_last_minutes_row_by_row_and_count_by_count():
    """Each scrape by its own number; the first minute is not among them."""
    notes, simulation, pool = advanced(StandInWorld(failing=12, first=-9), 30, first=-9)
    assert notes.lines == [("exact", -8, 11), ("drawn", 12, 21)]
    own = list(range(-4, 12))
    assert pool.counts[:, 0].tolist() == own
    assert pool.surplus.tolist() == pytest.approx([2.0] * 16)
    assert simulation.truth.counts == [own]
    assert simulation.truth.times == [(at, [at]) for at in range(-8, 12)]
    expected = pool.pick(np.arange(12, 22), DRAWS).tolist()
    assert (notes.picks.tolist(), simulation.truth.picks) == (expected, expected)
    assert (notes.reached, notes.cause) == ([*range(-8, 12), 21], "")


def test_with_everything_exact_nothing_is_drawn_and_no_pool_is_left():
    """Not from a pool that was there either."""
    notes, _, last = advanced(StandInWorld(), 60, exact=True)
    assert (notes.lines, last, notes.cause) == ([("exact", 1, 60)], None, "long")
    assert advanced(StandInWorld(), 60, pool_of(1, 16), exact=True)[0].lines == [("exact", 1, 60)]


# --- changes of the world

LOWER = {"level": 0.5, "requested_per_s": 50.0, "leaked_bytes": 5, "faults": ("f",)}
BACK = {"level": 1.0, "requested_per_s": 100.0, "leaked_bytes": 0, "faults": ()}


def plan_with(kind, from_scrape, scrapes, **parameters):
    """Return a plan with one fault."""
    times = {"start_s": from_scrape * SCRAPE_S, "duration_s": scrapes * SCRAPE_S}
    return Plan(load=Load(rate=100.0), faults=(fault(kind, **times, **parameters),))


def lowered(from_scrape, scrapes):
    """Return a plan with a fault of the world."""
    return plan_with("traffic_drop", from_scrape, scrapes, share=0.5)


def down(from_scrape, scrapes):
    """Return a plan with a fault of the scrapes alone."""
    return plan_with("exporter_down", from_scrape, scrapes)


@pytest.mark.parametrize(
    ("at", "lines"),
    [
        # The scrape before a change is simulated, and the change itself.
        (40, [("exact", 1, 20), ("drawn", 21, 39), ("exact", 40, 60), ("drawn", 61, 90)]),
        (40.4, [("exact", 1, 20), ("drawn", 21, 39), ("exact", 40, 61), ("drawn", 62, 90)]),
        (28, [("exact", 1, 48), ("drawn", 49, 90)]),
        (29, [("exact", 1, 20), ("drawn", 21, 28), ("exact", 29, 49), ("drawn", 50, 90)]),
    ],
)
def test_from_a_change_on_a_world_has_to_settle_anew(at, lines):
    """Its scrapes of before are drawn no more, wherever between two scrapes it comes."""
    notes, simulation, pool = advanced(StandInWorld((at, LOWER), plan=lowered(at, 500)), 90)
    assert notes.lines == lines
    last_exact = int(lines[-1][1]) - 1
    assert pool.counts[:, 0].tolist() == list(range(last_exact - 15, last_exact + 1))
    assert pool.rows.tolist() == [[0.5]] * 16
    assert simulation.truth.counts[-1] == pool.counts[:, 0].tolist()


def test_a_world_that_leaks_is_simulated_for_as_long_as_it_does():
    """Planted: the same that leaks nothing."""
    leaking = StandInWorld()
    type_of = type("Leaking", (StandInWorld,), {"leaked_bytes": property(lambda self: self.now_ns)})
    leaking.__dict__.pop("leaked_bytes")
    leaking.__class__ = type_of
    assert advanced(leaking, 60)[0].lines == [("exact", 1, 60)]
    assert advanced(StandInWorld(), 60)[0].lines[-1] == ("drawn", 21, 60)


def test_a_router_that_sends_elsewhere_changes_the_world():
    """It is in no plan."""
    world = StandInWorld((40, {"router_changes": 1}))
    assert advanced(world, 90)[0].lines[2:] == [("exact", 40, 60), ("drawn", 61, 90)]


def test_a_change_of_the_scrapes_alone_leaves_the_pool():
    """Before a pool was there it is a change like any other. Times count from the plan's begin."""
    faults = [
        replace(plan.faults[0], name=str(number))
        for number, plan in enumerate((lowered(2, 2), down(40, 20), lowered(80, 500)))
    ]
    plan = Plan(load=Load(rate=100.0), faults=tuple(faults))
    changes = [(5 + at, {}) for at in (2, 4, 40, 60, 80)]
    notes, _, _ = advanced(StandInWorld(*changes, plan=plan, first=5), 120)
    assert notes.lines == [
        *(("exact", 1, 24), ("drawn", 25, 39), ("exact", 40, 40), ("drawn", 41, 59)),
        *(("exact", 60, 60), ("drawn", 61, 79), ("exact", 80, 100), ("drawn", 101, 120)),
    ]
    notes, _, _ = advanced(StandInWorld((10, {}), plan=down(10, 500)), 60)
    assert notes.lines == [("exact", 1, 30), ("drawn", 31, 60)]


def test_a_pool_that_is_given_is_drawn_from_until_the_first_change():
    """It fits no more than that."""
    world = StandInWorld((40, LOWER), plan=lowered(40, 500))
    notes, simulation, _ = advanced(world, 90, pool_of(1, 16))
    assert notes.lines == [("drawn", 1, 39), ("exact", 40, 60), ("drawn", 61, 90)]
    assert simulation.truth.counts[0] == list(range(1, 17))


# --- healthy again

HEALTHY = pool_of(-32, 32)


@pytest.mark.parametrize(
    ("after", "exact"),
    [
        (BACK, RETURNED),
        (BACK | {"failing": 13}, RETURNED),
        (BACK | {"requested_per_s": 101.0}, SETTLED),
        (BACK | {"leaked_bytes": 7}, SETTLED),
        (BACK | {"level": 0.9}, SETTLED),
        (BACK | {"faults": ("f",)}, SETTLED),
    ],
)
def test_a_world_that_is_healthy_again_is_known_by_less_and_joined_with_the_healthy_one(
    after, exact
):
    """Under the same load, with no fault in effect, nothing leaked and every series as it was."""
    world = StandInWorld((10, LOWER), (25, after), plan=lowered(10, 15))
    notes, _, pool = advanced(world, 90, healthy=HEALTHY, healthy_per_s=100.0)
    last = 25 + exact
    assert notes.lines == [("exact", 1, last), ("drawn", last + 1, 90)]
    own = list(range(last - (7 if exact == RETURNED else 15), last + 1))
    healthy = after["requested_per_s"] == 100.0 and not after["faults"]
    joins = healthy and after["level"] == 1.0
    counts = [*range(-32, 0), *own] if joins else own
    assert pool.counts[:, 0].tolist() == counts
    if after["faults"]:
        assert pool.surplus is None, "the average of failures is not known"
    else:
        of_own = [after.get("failing", 10) - 10.0] * len(own)
        assert pool.surplus.tolist() == pytest.approx([0.0] * (len(counts) - len(own)) + of_own)


# --- restarts, and what the scrapes bring


def test_each_restart_of_each_exporter_is_taken_down_once_at_its_own_instant():
    """Two between the same scrapes are two; the world goes on."""
    world = StandInWorld(
        (5.2, {"restarts": (1, 1)}), (5.6, {"restarts": (1, 2)}),
        (30, {"restarts": (2, 3)}), plan=down(5, 25), restarts=(1, 0),
    )  # fmt: skip
    notes, simulation, _ = advanced(world, 60)
    assert [line for line in notes.lines if line[0] == "restart"] == [
        ("restart", 0, (0, 0.0)),
        ("restart", 1, (1, 5.2)),
        ("restart", 1, (1, 5.6)),
        ("restart", 0, (0, 30.0)),
        ("restart", 1, (1, 30.0)),
    ]
    assert (simulation.truth.restarts, simulation.restarts) == (5, (2, 3))
    simulation.advance(StandInWorld(restarts=(0, 0)), 0.0, 15.0, None)
    assert simulation.truth.restarts == 5, "another plan counts from 0"


def test_a_scrape_that_lacks_series_of_one_target_is_disturbed_drawn_or_not():
    """Each is counted as often as it came."""
    plan = down(30, 20)
    world = StandInWorld(
        (30, {"whole": (True, False)}), (50, {"whole": (True, True)}), plan=plan,
        whole=(True, True), restarts=(0, 0),
    )  # fmt: skip
    notes, simulation, _ = advanced(world, 90)
    assert simulation.truth.disturbed == [30, (31, 49)]
    assert notes.effects == [(20, 9), (30, 1), (30, 19), (50, 40)]


def test_a_stream_is_handed_each_scrape_and_what_is_drawn_piece_by_piece():
    """What arrives again and again is told from what arrives first."""
    stream = RunNotes()
    notes, _, _ = advanced(StandInWorld(), 40, stream=stream)
    assert stream.handed == [*[1] * 20, 7, 7, 6]
    assert notes.handed == [(7, 0), (7, 1), (6, 2)]
    assert notes.lines == [("exact", 1, 20), ("drawn", 21, 40)]
    whole, _, _ = advanced(StandInWorld(), 40)
    assert whole.handed == [(20, 0)]
