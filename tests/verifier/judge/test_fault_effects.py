"""A fault without effect is reported, a working one is not: world, recorder, whole library."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from documents.amounts import measured_figures
from exporter.history import recorder
from exporter.history.recorder import Arrival, Recorder
from exporter.history.scrape_series import SCRAPE_SERIES
from exporter.metrics.series import Catalogue
from exporter.scrape_path import losses as hindrance
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from scenarios.library.files import LIBRARY
from simulator.fault_ledger import FaultLedger
from simulator.faults.kinds.catalogue import FAULTS
from simulator.load import Load
from simulator.plan import Plan
from simulator.snapshot import FaultEffect
from simulator.topology import Topology
from simulator.world import World
from tests.simulator.faults.injectors import disarm
from tests.simulator.faults.samples import IN_THE_WORLD, ON_THE_PATH, world_with
from tests.simulator.worlds import fault, make
from tests.verifier.simulations import bundled, scenario_of, simulate
from verifier.judge.fault_effects import (
    effect_status,
    faults_without_effect,
    ineffective_faults,
    measured_effects,
)

DROP = FaultEffect(
    name="gone", fault="traffic_drop", unit="arrivals per second", measured=10_290.0,
    base=10_300.0, expected=6_180.0, least=0.5, spread=4.0, noise=5.0,
    idle="the load asked for no arrivals", began_ns=0, ended_ns=None,
)  # fmt: skip
RISE = {"base": 0.0, "expected": 120.0, "spread": 4.0, "noise": 0.0}
FEW = {"base": 0.0, "expected": 90.0, "spread": 9.5, "noise": 0}
RARE = {"base": 0.0, "expected": 3.0, "spread": 1.7, "noise": 0.0}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ineffective"),
        ({"measured": 8_241.0}, "ineffective"),
        ({"measured": 8_239.0}, "effective"),
        ({"measured": 3_000.0}, "effective"),
        ({"measured": 12_000.0}, "ineffective"),
        ({"measured": 8_241.0, "spread": 600.0}, "effective"),
        ({"measured": 8_241.0, "noise": 700.0}, "inconclusive"),
        ({"expected": 10_300.0}, "idle"),
        ({**RARE, "measured": 1.0}, "effective"),
        ({**RARE, "measured": 0.0}, "inconclusive"),
        ({**FEW, "measured": 44.0}, "ineffective"),
        ({**FEW, "measured": 46.0}, "effective"),
        (RISE | {"measured": 60.0}, "effective"),
        (RISE | {"measured": -70.0}, "ineffective"),
        (RISE | {"measured": 30.0, "noise": 10.0, "spread": 25.0}, "ineffective"),
        (RISE | {"measured": 31.0, "noise": 10.0, "spread": 25.0}, "effective"),
        (RISE | {"measured": 60.0, "noise": 20.0}, "inconclusive"),
    ],
)
def test_half_of_the_declared_effect_is_an_effect_give_or_take_the_noise(changes, status):
    """Up or down; few events may be fewer still, but none at all is no effect."""
    assert effect_status(replace(DROP, **changes)) == status


def test_a_sentence_names_the_fault_its_measured_and_its_declared_effect():
    """In the fault's own unit, and why nothing could be measured where that is so."""
    shaky = replace(DROP, name="shaky", noise=2_000.0)
    idle = replace(DROP, name="void", expected=10_300.0)
    figures = "had no effect: 10,290 arrivals per second measured, 6,180 declared"
    assert ineffective_faults((DROP, shaky, idle)) == (
        f"fault gone (traffic_drop) {figures}",
        (
            f"fault shaky (traffic_drop) {figures}, and 10,300 without it:"
            " too little or too short to tell"
        ),
        "fault void (traffic_drop) had nothing to act on: the load asked for no arrivals",
    )


def test_of_several_measures_one_must_be_effective_and_none_ineffective():
    """A dependency that fails hardly ever is measured by its latency, and by both where it can."""
    effective, ineffective = replace(DROP, measured=6_180.0), DROP
    inconclusive = replace(DROP, noise=2_000.0)
    assert ineffective_faults((effective, inconclusive)) == ()
    assert ineffective_faults((inconclusive, effective)) == ()
    assert len(ineffective_faults((effective, ineffective))) == 1
    assert len(ineffective_faults((inconclusive, ineffective))) == 1
    assert "too little" in ineffective_faults((inconclusive, inconclusive))[0]
    idle = replace(DROP, expected=10_300.0)
    assert "too little" in ineffective_faults((idle, inconclusive))[0]
    later = replace(effective, began_ns=1)  # another fault of that name, which worked
    assert len(ineffective_faults((ineffective, later))) == 1


def test_a_fault_must_work_in_each_cell_that_it_names_and_else_in_any():
    """Where it did not is said, the first cell as well."""
    in_cells = (replace(DROP, cell=0), replace(DROP, cell=1, measured=6_180.0))
    (sentence,) = ineffective_faults(in_cells, {"gone"})
    assert sentence.startswith("fault gone (traffic_drop) in cell 0 had no effect")
    idle = (replace(in_cells[0], expected=10_300.0), in_cells[1])
    assert len(ineffective_faults(idle, {"gone"})) == 1
    assert ineffective_faults(idle) == ineffective_faults(idle, {"other"}) == ()


def test_what_was_measured_is_told_of_every_fault_that_had_something_to_act_on():
    """Whether it worked or not; a name may hold anything, and cells are told apart."""
    named = replace(DROP, name="gone (again)")
    in_cells = [replace(DROP, cell=cell) for cell in (0, 1)]
    idle = replace(DROP, name="void", expected=10_300.0)
    figures = "did: 10,290 arrivals per second measured, 6,180 declared"
    assert measured_effects((named, idle)) == {
        "gone (again)": f"gone (again) (traffic_drop) {figures}"
    }
    (sentence,) = measured_effects(in_cells).values()
    assert sentence.startswith("gone (traffic_drop) did: in each of the cells 0, 1: 10,290")
    # In the order in which they began, and those that began together by their names.
    effects = [replace(DROP, name=n, began_ns=at) for n, at in (("b", 2), ("a", 2), ("z", 1))]
    assert list(measured_effects(effects)) == ["z", "a", "b"]
    assert [text[:7] for text in ineffective_faults(effects)] == ["fault z", "fault a", "fault b"]


def test_a_fault_that_was_due_and_never_began_had_no_effect():
    """One that is due when all is over was not, and cells that are named count each."""
    faults = tuple(fault("traffic_drop", name=f"at {s}", start_s=s, share=0.5) for s in (9.0, 10.0))
    world = SimpleNamespace(plan=Plan(load=Load(rate=1.0), faults=faults), plan_s=10.0)
    (sentence,) = faults_without_effect(world, ())
    assert "fault at 9.0 (traffic_drop) had no effect: it never began" in sentence
    in_one = replace(DROP, name="at 9.0", cell=1, measured=6_180.0)
    effects = (in_one, replace(in_one, cell=0, expected=10_300.0))
    assert faults_without_effect(world, effects) == ()
    in_both = fault("traffic_drop", name="at 9.0", start_s=9.0, share=0.5, cells=(0, 1))
    world.plan = replace(world.plan, faults=(in_both,))
    assert len(faults_without_effect(world, effects)) == 1


# --- every kind, in a small world


def sentences(world, until_s=40.0):
    """Return the sentences on the faults without effect of a world that is never scraped."""
    world.advance(until_s)
    catalogue = Catalogue((), world.snapshot())
    path = ScrapeEffectCounter(hindrance.rank_series(catalogue))
    return faults_without_effect(world, path.complete(world.effects()))


@pytest.mark.sampled(9)
@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_an_injector_that_does_nothing_is_reported(kind, monkeypatch):
    """One that works is not, however many faults are in effect."""
    assert sentences(world_with(kind)) == ()
    assert sentences(world_with(kind, times=3, duration_s=20.0, ramp_s=5.0)) == ()
    assert sentences(world_with(kind), until_s=15.0) == ()
    disarm(monkeypatch, kind)
    (sentence,) = sentences(world_with(kind))
    assert f"fault {kind}-0 ({kind}) had no effect: " in sentence
    assert len(sentences(world_with(kind, times=3, duration_s=20.0))) == 3


@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_a_momentary_fault_is_effective_or_has_a_reason_why_nothing_was_measured(kind, monkeypatch):
    """Too short to tell, or nothing to act on; disarmed it never passes."""
    for sentence in sentences(world_with(kind, duration_s=0.02)):
        assert "too short to tell" in sentence or "had nothing to act on" in sentence
    disarm(monkeypatch, kind)
    assert len(sentences(world_with(kind, duration_s=0.02))) == 1


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (lambda: make(fault("agent_hang"), rate=0.0), "no task came to its targets"),
        (lambda: make(fault("task_failure", share=0.5), rate=0.0), "no task came to its targets"),
        (lambda: make(fault("traffic_drop", share=0.5), rate=0.0), "the load asked for no arrival"),
        (lambda: make(fault("slow_start", factor=3.0)), "none of its targets started"),
        (lambda: make(fault("bus_partition", loss=1.0)), "no message crossed it"),
        (lambda: make(fault("sandbox_leak", share=0.5), rate=0.0), "no execution ended in"),
        (lambda: make(fault("capacity_demand", agents=30)), "the fleet was as large already"),
        (lambda: make(fault("exporter_down")), "no scrape came in its time"),
        (lambda: make(fault("traffic_surge", factor=1.0)), "a factor of 1 changes nothing"),
    ],
)
def test_a_fault_with_nothing_to_act_on_reports_what_was_missing(world, reason):
    """No scrape, no task, no agent: nothing can be concluded from it."""
    (sentence,) = sentences(world())
    assert "had nothing to act on: " in sentence
    assert reason in sentence


def test_a_fault_that_never_began_is_reported_unless_it_is_not_due_yet(monkeypatch):
    """A world that forgets to begin a fault."""
    faults = (fault("traffic_drop", share=0.5), fault("memory_leak", bytes_per_s=1.0, start_s=90.0))
    monkeypatch.setattr(FaultLedger, "begin_and_end", lambda *_: [])
    (sentence,) = sentences(make(*faults))
    assert sentence.startswith("fault traffic_drop (traffic_drop) had no effect: it never began")


# --- the bundled library


@cache
def _warm():
    world = World(Topology(), Plan(), 42)
    world.advance(30.0)
    return world


WEAK = ("slow-image-pull",)
"""Faults of the library that twenty seconds are too few for: they slow starts by a third."""


def _library():
    """Every fault of the library; the first of each kind at once, the others in the long tests."""
    kinds = set()
    for path in sorted(LIBRARY.glob("*.yaml")):
        scenario = bundled(path.stem)
        faults = [
            *scenario.plan.faults,
            *(planned.fault(0.0) for planned in scenario.past.incidents),
        ]
        for planned in faults:
            if planned.kind in IN_THE_WORLD:
                marks = pytest.mark.long if planned.kind in kinds else ()
                kinds.add(planned.kind)
                yield pytest.param(planned, id=f"{scenario.name}-{planned.name}", marks=marks)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("planned", list(_library()))
def test_every_fault_of_the_library_has_an_effect_and_none_without_its_injector(
    planned, monkeypatch
):
    """Shortened to twenty seconds, on one cell as the library has it; a weak one to sixty."""
    length_s = 60.0 if planned.name in WEAK else 20.0
    targets = replace(planned.targets, cells=())
    short = replace(planned, start_s=1.0, duration_s=length_s, ramp_s=min(planned.ramp_s, 5.0))
    short = replace(short, targets=targets)
    plan, until_s = Plan(load=Load(), faults=(short,)), 35.0 + length_s
    assert sentences(_warm().fork(plan), until_s) == ()
    disarm(monkeypatch, planned.kind)
    assert sentences(_warm().fork(plan), until_s) != ()


# --- the recorder of virtual history

QUIET = "duration: %s\nload: {rate: 1000}\n"
ON_SCRAPES = {
    "exporter_down": "{}",
    "counter_reset": "{}",
    "scrape_slow": "{delay: 3s}",
    "scrape_truncated": "{share: 0.5}",
    "series_vanish": "{share: 0.25}",
    "cardinality_burst": "{series: 500}",
}
FAULT = "faults:\n  - {name: it, fault: %s, start: 1m10s, duration: %s, parameters: %s}\n"


def recorded(kind, parameters, duration="3m", total="6m"):
    """Return the sentences on a fault of the scrape path in a scenario of virtual time."""
    scenario = scenario_of(QUIET % total + FAULT % (kind, duration, parameters))
    return simulate(scenario).without_effect


@cache
def undisturbed(kind, parameters):
    """Return the sentences on a fault that nothing disarms or ignores."""
    return recorded(kind, parameters)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ON_SCRAPES)
def test_a_fault_affects_recorded_scrapes_or_is_reported(kind, monkeypatch):
    """Simulated and resampled scrapes alike."""
    assert set(ON_SCRAPES) == set(ON_THE_PATH)
    assert undisturbed(kind, ON_SCRAPES[kind]) == ()
    disarm(monkeypatch, kind)
    (sentence,) = recorded(kind, ON_SCRAPES[kind])
    nothing, _, _ = measured_figures(0.0, 1.0, FAULTS[kind].facts.effect_unit).partition(
        " measured"
    )
    assert sentence.startswith(f"fault it ({kind}) had no effect: {nothing}")


BURST = 50


def _whole_page(recorder, _):
    """Return the arrival of a page on which nothing is missing."""
    present = np.full(len(recorder.counters), fill_value=True)
    return Arrival(True, present, np.ones(len(SCRAPE_SERIES) + BURST))  # noqa: FBT003 - `up` of a value type


def _all_present(recorder, _):
    return np.full(len(recorder.counters), fill_value=True)


IGNORED = {
    "exporter_down": (Recorder, "arrival", _whole_page, "{}"),
    "counter_reset": (Recorder, "restart", lambda *_: None, "{}"),
    "scrape_slow": (Recorder, "arrival", _whole_page, "{delay: 12s}"),
    "scrape_truncated": (Recorder, "arrival", _whole_page, "{share: 0.5}"),
    "series_vanish": (Recorder, "present_series", _all_present, "{share: 0.25}"),
    "cardinality_burst": (Recorder, "arrival", _whole_page, f"{{series: {BURST}}}"),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", IGNORED)
def test_a_fault_that_the_recorder_ignores_is_reported(kind, monkeypatch):
    """The world has the fault, and the recorded scrapes do not."""
    *place, parameters = IGNORED[kind]
    assert undisturbed(kind, parameters) == ()
    monkeypatch.setattr(*place)
    assert recorder.arrives is hindrance.arrives
    assert "had no effect" in recorded(kind, parameters)[0]


def test_a_fault_between_two_scrapes_reports_that_none_came():
    """Five seconds, and a scrape every fifteen."""
    assert recorded("exporter_down", "{}", "4s") == (
        "fault it (exporter_down) had nothing to act on: no scrape came in its time",
    )
    assert recorded("counter_reset", "{}", "1s") == ()


def test_an_incident_of_the_past_must_have_had_its_effect_too(monkeypatch):
    """The scenario is about what it left behind."""
    text = QUIET % "2m" + "history:\n  incidents:\n    - {name: old, fault: task_failure, "
    text += "ago: 6m, duration: 2m, parameters: {share: 0.2}}\n"
    scenario = scenario_of(text)
    assert simulate(scenario).without_effect == ()
    disarm(monkeypatch, "task_failure")
    (sentence,) = simulate(scenario).without_effect
    assert sentence.startswith("fault old (task_failure) had no effect: ")
