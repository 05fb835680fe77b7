"""When the router checks no health, what came of it, and that a fault without effect is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.bounds import BoundError
from simulator.cells.router_faults import RouterFaults
from simulator.fault_ledger import EFFECTS_MAX
from simulator.load import Load
from simulator.plan import Plan
from tests.simulator.cells.test_system import cells
from tests.simulator.worlds import fault, make


def counted(system):
    """Return what each fault did to the router: name, checks missed, checks due, end in seconds."""
    return [
        (each.name, each.measured, each.expected, each.ended_ns and each.ended_ns / 1e9)
        for each in system.router_effects()
    ]


def test_a_stale_router_keeps_sending_to_a_cell_that_is_down():
    """It sees nothing from 1 s to 6 s: the cell that goes down at 2 s is left out at 6 s."""
    stale = fault("router_stale", start_s=1.0, duration_s=5.0)
    system = cells(2, stale, fault("cell_down", start_s=1.5, duration_s=30.0, cells=(0,)))
    system.advance(5.9)
    assert system.shares == (1.0, 1.0)
    assert system.cells[0].snapshot().tasks_arrived.sum() > 1500
    (status,) = [each for each in system.snapshot().faults if each.fault == "router_stale"]
    assert (status.effect, status.expected) == (5, 5)
    system.advance(6.0)
    assert system.shares == (0.0, 2.0)
    (effect,) = system.router_effects()
    assert (effect.measured, effect.base, effect.expected) == (5.0, 0.0, 5.0)
    assert effect.ended_ns == 6 * 10**9


def test_a_stale_router_that_checks_all_the_same_has_no_effect(monkeypatch):
    """Planted: the fault does nothing, and the account says so."""
    monkeypatch.setattr(RouterFaults, "active", lambda *_: ())
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=5.0))
    system.advance(8.0)
    (effect,) = system.router_effects()
    assert (effect.measured, effect.expected) == (0.0, 5.0)


@pytest.mark.parametrize(
    ("start_s", "duration_s", "due"), [(1.0, 1.0, 1), (0.5, 1.0, 1), (1.2, 0.5, 0), (0.0, 2.5, 2)]
)
def test_health_checks_are_due_at_whole_seconds(start_s, duration_s, due):
    """A fault between two checks has nothing to act on; at 0 nothing has been sent yet."""
    system = cells(2, fault("router_stale", start_s=start_s, duration_s=duration_s))
    system.advance(4.0)
    (effect,) = system.router_effects()
    assert effect.measured == due
    assert effect.expected == due


def test_its_begin_and_end_are_changes_of_the_plan():
    """Virtual time does not pass over them."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=5.0))
    assert system.next_change_ns() == 10**9
    system.advance(1.0)
    assert system.next_change_ns() == 6 * 10**9


@pytest.mark.parametrize("passed_s", [1, 15, 600])
def test_no_health_check_is_due_in_time_that_is_passed_over(passed_s):
    """What is not simulated is neither missed nor expected, while the fault lasts and after."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=605.0))
    system.advance(3.5)
    system.skip_ns(passed_s * 10**9)
    (effect,) = system.router_effects()
    assert (effect.measured, effect.expected) == (3.0, 3.0)
    (status,) = system.snapshot().faults
    assert (status.effect, status.expected) == (3.0, 3.0)
    system.advance_ns(system.now_ns + 10**9)
    for further_ns in (0, 5 * 10**8, 4 * 10**8):
        system.skip_ns(further_ns)
        (effect,) = system.fork().router_effects()
        assert (effect.measured, effect.expected) == (4.0, 4.0)


def test_what_is_passed_over_counts_for_the_fault_in_effect_alone():
    """One that is over, and one that is to come, expect every check of their own."""
    system = cells(
        2,
        fault("router_stale", name="before", start_s=1.0, duration_s=2.0),
        fault("router_stale", name="during", start_s=4.0, duration_s=20.0),
        fault("router_stale", name="after", start_s=24.0, duration_s=3.0),
    )
    system.advance(5.5)
    system.skip_ns(18 * 10**9)
    system.advance(30.0)
    counted = {each.name: (each.measured, each.expected) for each in system.router_effects()}
    assert counted == {"before": (2.0, 2.0), "during": (2.0, 2.0), "after": (3.0, 3.0)}


@pytest.mark.parametrize(("at_s", "missed"), [(5.5, 5.0), (5.0, 5.0), (1.0, 1.0)])
def test_what_it_did_stays_when_it_is_ended_by_hand(at_s, missed):
    """As it ended: the check of that very instant was missed, too. A fork has it as well."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=30.0))
    system.advance(at_s)
    system.end("router_stale")
    assert counted(system) == [("router_stale", missed, missed, at_s)]
    system.advance(7.5)
    assert counted(system) == [("router_stale", missed, missed, at_s)]
    assert counted(system.fork()) == counted(system)
    assert system.fork(system.plan).router_effects() == ()
    assert system.snapshot().faults == ()


@pytest.mark.parametrize("kind", ["router_stale", "cell_down"])
def test_what_it_did_stays_when_another_fault_is_injected(kind):
    """Its name is free again, and what a second fault of that name does is counted anew."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=3.0))
    system.advance(5.5)
    system.inject(fault(kind, name="router_stale", start_s=6.0, duration_s=4.0))
    assert counted(system) == [("router_stale", 3.0, 3.0, 4.0)]
    system.advance(7.5)
    second = [("router_stale", 2.0, 2.0, None)] if kind == "router_stale" else []
    assert counted(system) == [("router_stale", 3.0, 3.0, 4.0), *second]


def test_what_ended_is_kept_in_order_and_bounded():
    """Systems that run for weeks keep the last `EFFECTS_MAX`, and no account of what is over."""
    late, early = (
        fault("router_stale", name=name, start_s=1.0, duration_s=duration_s)
        for name, duration_s in (("late", 3.0), ("early", 2.0))
    )
    system = cells(2, late, early)
    system.advance(5.5)
    for n in range(EFFECTS_MAX - 1):
        system.inject(fault("router_stale", name=f"{n}", start_s=5.5, duration_s=1.0))
        system.end(f"{n}")
    names = [each.name for each in system.router_effects()]
    assert (names[:2], len(names)) == (["late", "0"], EFFECTS_MAX)
    assert system._router_faults.accounts == {}


@pytest.mark.parametrize("start_s", [5.0, 5.5, 6.0])
def test_one_that_is_injected_expects_no_check_that_is_over(start_s):
    """That of the instant of its injection took place; the one at its later start is its own."""
    system = cells(2)
    system.advance(5.0)
    system.inject(fault("router_stale", start_s=start_s, duration_s=30.0))
    system.advance(8.5)
    assert counted(system) == [("router_stale", 3.0, 3.0, None)]


STALE = fault("router_stale", name="now", start_s=1.0, duration_s=9.0)
SLOW = fault("task_slowdown", name="now", start_s=1.0, duration_s=9.0, factor=2.0)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda system, now: system.inject(replace(now, name="past", start_s=2.0)), BoundError,
         "fault past: start_s must be now or later, got 2.0"),
        (lambda system, _: system.end("later"), KeyError, "'later'"),
        (lambda system, _: system.end("over"), KeyError, "'over'"),
        (lambda system, _: system.end("gone"), KeyError, "'gone'"),
        (lambda system, _: system.withdraw("now"), KeyError, "'now'"),
        (lambda system, _: system.withdraw("over"), KeyError, "'over'"),
        (lambda system, now: system.change(replace(now, name="later")), KeyError, "'later'"),
        (lambda system, now: system.change(replace(now, start_s=2.0)), BoundError,
         "fault now must be the one in effect but for parameters and duration"),
        (lambda system, now: system.change(replace(now, duration_s=2.0)), BoundError,
         "fault now: end must be later than now, got 3.0"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("now", [STALE, SLOW], ids=["router", "world"])
def test_a_router_refuses_what_a_world_refuses(now, act, error, words):
    """In the same words, and nothing has changed."""
    over = replace(now, name="over", duration_s=2.0)
    later = replace(now, name="later", start_s=20.0)
    plan = (now, over, later)
    system = cells(2, *plan) if now is STALE else make(*plan)
    system.advance(5.5)
    before = system.router_effects()
    with pytest.raises(error) as raised:
        act(system, now)
    assert str(raised.value).startswith(words)
    assert system.plan.faults == plan
    assert system.router_effects() == before


def test_a_fault_of_the_router_can_be_changed_and_withdrawn():
    """It ends at its new end, and one to come never does anything."""
    system = cells(2, STALE)
    system.advance(5.5)
    system.inject(replace(STALE, name="later", start_s=7.0))
    system.withdraw("later")
    system.change(replace(STALE, duration_s=6.0))
    system.inject(replace(STALE, name="this instant", start_s=5.5))
    with pytest.raises(KeyError):
        system.withdraw("this instant")
    system.end("this instant")
    system.advance(9.5)
    assert counted(system) == [("this instant", 0.0, 0.0, 5.5), ("now", 6.0, 6.0, 7.0)]
    assert system._router_faults.accounts.keys() == {("now", 10**9)}


def test_in_a_fork_its_times_count_from_the_plans_begin():
    """A plan that begins at 5 s: stale from 6 s on, and so it says, until 8 s by a change."""
    system = cells(2)
    system.advance(5.0)
    fork = system.fork(Plan(load=Load(rate=400.0)))
    assert (fork.origin_s, fork.plan_s, system.origin_s) == (5.0, 0.0, 0.0)
    stale = fault("router_stale", start_s=1.0, duration_s=3.0)
    fork.inject(stale)
    fork.advance(7.5)
    assert counted(fork) == [("router_stale", 2.0, 2.0, None)]
    assert (fork.plan_s, fork.next_change_ns()) == (2.5, 9 * 10**9)
    with pytest.raises(BoundError, match="now or later"):
        fork.inject(fault("router_stale", name="late", start_s=2.4, duration_s=3.0))
    with pytest.raises(BoundError, match="end must be later than now"):
        fork.change(replace(stale, duration_s=1.5))
    fork.change(replace(stale, duration_s=2.0))
    fork.advance(9.5)
    assert counted(fork) == [("router_stale", 2.0, 2.0, 8.0)]
    fork.inject(replace(stale, start_s=5.0))
    assert counted(fork) == [("router_stale", 2.0, 2.0, 8.0)]


def test_an_injection_that_the_plan_refuses_changes_no_cell(monkeypatch):
    """The cells know only their own faults: what is too many for the whole plan fits each."""
    monkeypatch.setattr("simulator.plan.AT_ONCE_MAX", 1)
    system = cells(2, STALE)
    system.advance(5.5)
    with pytest.raises(BoundError, match="in effect at once"):
        system.inject(fault("cell_down", start_s=6.0))
    assert [cell.plan.faults for cell in system.cells] == [(), ()]


@pytest.mark.parametrize(
    ("until_s", "due"), [(0.999, None), (1.0, 1), (1.999, 1), (2.0, 2), (5.999, 5), (6.0, 5)]
)
def test_a_check_that_is_due_now_is_missed_and_expected_at_once(until_s, due):
    """Read while the fault lasts, at the very second of a check as well: none is left out."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=5.0))
    system.advance(until_s)
    effects = [(missed, expected) for _, missed, expected, _ in counted(system)]
    assert effects == ([] if due is None else [(due, due)])
