"""The world: a topology that lives through a plan, event by event, in virtual time.

The one door of this room for everyone else. `advance` moves time, `snapshot` reads, `fork` copies,
`inject` and `end` change the faults, `skip` passes over a steady stretch. There is no clock and no
outside here: the same seed, topology and plan give the same bytes, whoever looks and how often.
"""

from __future__ import annotations

from bisect import bisect_right
from copy import deepcopy
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.faults import accounts
from simulator.faults import composition as effects
from simulator.faults.catalogue import CounterReset, Fault
from simulator.faults.declared_effect import ActiveFault, DeclaredEffect, strength_at
from simulator.faults.measures import begin_account
from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.snapshot_reader import read
from simulator.kernel.state import aligned, ns, view
from simulator.kernel.streams import Streams, generator
from simulator.snapshot import FaultEffect, FaultStatus, ScrapePath, Snapshot
from simulator.topology import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.plan import Plan
    from simulator.topology import Topology

EFFECTS_KEPT = 1024
"""So many effects of faults that have ended are kept, for worlds that live for weeks."""


@dataclass(slots=True)
class _FaultRecord:
    """A fault that has begun: whom it strikes, and what it did up to the last mark."""

    fault: Fault
    aim: effects.FaultTargets
    account: accounts.Account


@dataclass(slots=True)
class _Burst:
    """The two-state chain of a bursty load."""

    chance: np.random.Generator
    high: bool = False
    at_ns: int = k.NEVER


@dataclass(slots=True)
class PlanProgress:
    """Where the world stands in its plan. Edges are the instants at which something changes."""

    plan: Plan
    origin_ns: int
    edges: list[int] = field(default_factory=list)
    burst: _Burst | None = None
    in_effect: dict[str, _FaultRecord] = field(default_factory=dict)
    ended: tuple[FaultEffect, ...] = ()
    mark: accounts.CounterReading | None = None
    sample_ns: int = k.NEVER
    load_per_s: float = 0.0
    trace_at_s: float = 0.0
    restarts: int = 0
    exporter_up: bool = True
    scrape_path: ScrapePath = field(default_factory=ScrapePath)

    def end_ns(self, fault: Fault) -> int:
        """When, on the world's clock, a fault of the plan is over."""
        return self.origin_ns + ns(fault.end_s)


class World:
    """One simulated system. Not for use by two threads at once."""

    def __init__(self, topology: Topology, plan: Plan, seed: int) -> None:
        """Begin at time 0 with an idle fleet at its floor.

        Raises `ValueError` when a fault of the plan aims at a tier, host or pool that is not there.
        """
        require(seed >= 0, "seed", "at least 0", seed)
        self.topology = topology
        self.seed = seed
        self._state = build(topology)
        self._streams = Streams(topology, seed, _trace_gaps(plan))
        self._streams.refill(self._state)
        self._state.real_head[k.GAP_LEFT] = self._state.gaps[0]
        self._course = self._set_course(plan)
        self._refresh()

    # --- time

    @property
    def now_s(self) -> float:
        """Virtual seconds since the world began."""
        return self.now_ns / 1e9

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the world began, exactly."""
        return int(self._state.head[k.NOW])

    @property
    def plan(self) -> Plan:
        """What the world is living through."""
        return self._course.plan

    @property
    def plan_s(self) -> float:
        """Seconds since the plan began."""
        return (self.now_ns - self._course.origin_ns) / 1e9

    @property
    def origin_s(self) -> float:
        """When, on the world's clock, the plan began."""
        return self._course.origin_ns / 1e9

    def advance(self, until_s: float) -> None:
        """Simulate every event up to and including `until_s` of the world's clock."""
        self.advance_ns(ns(until_s))

    def advance_ns(self, until_ns: int) -> None:
        """`advance` in exact nanoseconds. Raises `ValueError` for a time that has passed."""
        require(until_ns >= self.now_ns, "time", f"{self.now_ns} ns or later", until_ns)
        course = self._course
        while (at := min(self.next_change_ns(), course.sample_ns)) <= until_ns:
            self._do(k.ADVANCE, at)
            if at < self.next_change_ns():
                self._book()
                course.sample_ns += accounts.SAMPLE_NS
                continue
            while course.edges and course.edges[0] == at:
                heappop(course.edges)
            self._refresh()
        self._do(k.ADVANCE, until_ns)

    def next_change_ns(self) -> int:
        """The next instant at which load or faults change, or `kernel.NEVER`."""
        return self._course.edges[0] if self._course.edges else k.NEVER

    def skip_ns(self, passed: int) -> None:
        """Pass over `passed` ns without living them: every pending instant moves with the clock.

        Only for a stretch that is steady, in which nothing was going to change.
        Raises `ValueError` when an edge of the plan lies within it.
        """
        require(
            passed >= 0 and self.now_ns + passed <= self.next_change_ns(),
            "skip",
            "no longer than until the next change",
            passed,
        )
        s = self._state
        for scalar in (k.NOW, k.NEXT_ARRIVAL, k.NEXT_CONTROL, k.NEXT_TICK, k.NEXT_EXPIRY,
                       k.NEXT_FLOOD, k.TOKENS_AT):  # fmt: skip
            if s.head[scalar] != k.NEVER:
                s.head[scalar] += passed
        s.due[s.due != k.NEVER] += passed
        for column in (k.INBOX_AT, k.ARRIVED_AT, k.DISPATCHED_AT, k.READY_AT, k.ENDS_AT,
                       k.RELEASE_1, k.RELEASE_2, k.RELEASE_3, k.STARTED_AT):  # fmt: skip
            pending = s.agent[:, column] != k.NEVER
            s.agent[pending, column] += passed
        s.ring[:, :, [k.Q_ARRIVED_AT, k.Q_QUEUED_AT]] += passed
        s.host[:, k.SETTLED_AT] += passed
        course = self._course
        if course.sample_ns != k.NEVER:
            course.sample_ns += passed
        if course.mark is not None:
            course.mark = course.mark._replace(now_ns=course.mark.now_ns + passed)

    # --- looking

    def snapshot(self) -> Snapshot:
        """One consistent frozen reading of this instant. Looking changes nothing."""
        k.run(self._state.w, self._state.x, k.SETTLE, 0)
        stretch = self._stretch()
        statuses = tuple(self._status(one, stretch) for one in self._course.in_effect.values())
        return read(
            self._state,
            self.topology,
            self.seed,
            faults=statuses,
            exporter_up=self._course.exporter_up,
            exporter_restarts=self._course.restarts,
            scrape_path=self._course.scrape_path,
        )

    def effects(self) -> tuple[FaultEffect, ...]:
        """What every fault of the plan that has begun did, the ended ones as they ended.

        A fault with several measures has a line for each. Those of the observability path stay at
        nothing here: only who is scraped knows. The last `EFFECTS_KEPT` that ended are kept.
        """
        k.run(self._state.w, self._state.x, k.SETTLE, 0)
        stretch = self._stretch()
        now = (self._effects_of(one, stretch, None) for one in self._course.in_effect.values())
        return (*self._course.ended, *(effect for each in now for effect in each))

    @property
    def leaked_bytes(self) -> int:
        """Memory that leaks hold at this instant, over all agents."""
        return int(self._state.agent[:, k.LEAKED_BYTES].sum())

    def recent_durations_s(self, which: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The last durations (at most `kernel.RECENT`) of a histogram row, unordered, exact."""
        seen = int(self._state.recent_count[which])
        return self._state.recent[which, : min(seen, k.RECENT)] / 1e9

    def fingerprint(self) -> bytes:
        """Every byte of the world's state, for comparing two worlds."""
        k.run(self._state.w, self._state.x, k.SETTLE, 0)
        return self._state.w.tobytes() + self._state.x.tobytes()

    # --- branching and changing

    def fork(self, plan: Plan | None = None) -> World:
        """An independent copy; with a `plan`, one that begins that plan at this instant."""
        other = object.__new__(World)
        other.topology = self.topology
        other.seed = self.seed
        other._state = view(self.topology, aligned(self._state.w), self._state.x.copy())
        other._streams = deepcopy(self._streams)
        other._course = deepcopy(self._course)
        if plan is not None:
            recorded = plan.load.trace_s or self.plan.load.trace_s
            require(
                recorded is None,
                "load of a fork with a plan",
                "without a recorded trace",
                recorded and recorded[:3],
            )
            other._course = other._set_course(plan)
            other._refresh()
        return other

    def inject(self, fault: Fault) -> None:
        """Add a fault; its times count from the plan's origin.

        One that starts at this instant is in effect once the world has been advanced to it. Faults
        that are over are forgotten, so that their names are free. Raises `ValueError`, and changes
        nothing, for a second fault of the same name or unknown targets.
        """
        course = self._course
        start = course.origin_ns + ns(fault.start_s)
        require(start >= self.now_ns, f"fault {fault.name}: start", "now or later", fault.start_s)
        effects.resolve_targets(fault, self.topology, self._state, self.seed)
        kept = [one for one in course.plan.faults if course.end_ns(one) > self.now_ns]
        course.plan = replace(course.plan, faults=(*kept, fault))
        for edge in _fault_edges(fault):
            heappush(course.edges, course.origin_ns + edge)

    def change(self, fault: Fault) -> None:
        """Give the fault in effect of that name other numbers or another end, from now on.

        Whom it strikes, since when, and what it has done so far stay. Raises `KeyError` when no
        fault of that name is in effect, `ValueError` when more than parameters and duration differ
        or it would be over.
        """
        course = self._course
        one = course.in_effect[fault.name]
        k.run(self._state.w, self._state.x, k.SETTLE, 0)
        same = replace(fault, parameters=one.fault.parameters, duration_s=one.fault.duration_s)
        require(
            same == one.fault and type(fault.parameters) is type(one.fault.parameters),
            f"fault {fault.name}",
            "the one in effect but for parameters and duration",
            fault,
        )
        end = course.end_ns(fault)
        require(end > self.now_ns, f"fault {fault.name}: end", "later than now", fault.end_s)
        faults = (fault if old is one.fault else old for old in course.plan.faults)
        course.plan = replace(course.plan, faults=tuple(faults))
        self._book()
        one.fault = fault
        one.account = replace(one.account, fault=fault)
        heappush(course.edges, end)
        self._refresh()

    def end(self, name: str) -> None:
        """End a fault now and forget it. Raises `KeyError` when none of that name is in effect."""
        ended = self._course.in_effect[name].fault
        self._book()
        self._forget(name)
        faults = (one for one in self._course.plan.faults if one is not ended)
        self._course.plan = replace(self._course.plan, faults=tuple(faults))
        self._refresh()

    # --- the plan's course

    def _do(self, deed: int, which: int) -> None:
        while k.run(self._state.w, self._state.x, deed, which) == k.REFILL:
            self._streams.refill(self._state)

    def _set_course(self, plan: Plan) -> PlanProgress:
        for fault in plan.faults:
            effects.resolve_targets(fault, self.topology, self._state, self.seed)
        course = PlanProgress(plan, origin_ns=self.now_ns)
        edges = set(_load_edges(plan))
        for fault in plan.faults:
            edges.update(_fault_edges(fault))
        course.edges = [course.origin_ns + edge for edge in edges if edge > 0]
        heapify(course.edges)
        if plan.load.burst is not None:
            course.burst = _Burst(generator(self.seed, "burst"))
        return course

    def _refresh(self) -> None:
        """Compose the effective parameters of this instant anew, from the base and the plan."""
        now = self.now_ns
        s = self._state
        self._book()
        course = self._course
        passed = now - course.origin_ns
        begun = self._choose_in_effect(now)
        measures = (m for one in course.in_effect.values() for m in one.account.measures)
        sampled = any(measure.sampled for measure in measures)
        course.sample_ns = now + accounts.SAMPLE_NS if sampled else k.NEVER
        composition = effects.Composition(self.topology, s)
        for one in course.in_effect.values():
            strength = _strength(one.fault, passed)
            if strength > 0:
                composition.add(one.fault, one.aim, strength)
        composition.bound()
        composition.write(s, now)
        course.exporter_up = composition.exporter_up
        course.scrape_path = composition.scrape_path()
        for one in begun:
            effects.begin(one.fault, one.aim, s, self._do)
            course.restarts += isinstance(one.fault.parameters, CounterReset)
        effects.move_slots(s, generator(self.seed, f"slots:{now}"), self._do)
        self._set_rate(passed, composition.traffic, now)

    def _choose_in_effect(self, now: int) -> list[_FaultRecord]:
        course = self._course
        begun = []
        for fault in course.plan.faults:
            starts = course.origin_ns + ns(fault.start_s)
            active = starts <= now < course.end_ns(fault)
            if active and fault.name not in course.in_effect:
                aim = effects.resolve_targets(fault, self.topology, self._state, self.seed)
                peers = [one.account for one in course.in_effect.values()]
                account = begin_account(self.topology, fault, aim, self._state, peers)
                one = _FaultRecord(fault, aim, account)
                course.in_effect[fault.name] = one
                begun.append(one)
            elif not active and fault.name in course.in_effect:
                self._forget(fault.name)
        return begun

    def _set_rate(self, passed: int, traffic: float, now: int) -> None:
        course = self._course
        load = course.plan.load
        course.load_per_s = 0.0
        if load.trace_s is not None:
            effects.set_rate(self._state, 1e9 * traffic, now)
            return
        burst = 1.0
        if load.burst is not None and course.burst is not None:
            self._step_burst(course.burst, now)
            burst = load.burst.factor if course.burst.high else 1.0
        if load.daily is not None:
            step = now - passed % effects.DAILY_STEP_NS + effects.DAILY_STEP_NS
            if step not in course.edges:
                heappush(course.edges, step)
        course.load_per_s = effects.load_rate(load, passed, burst)
        effects.set_rate(self._state, course.load_per_s * traffic, now)

    def _step_burst(self, burst: _Burst, now: int) -> None:
        """Change the burst's state when its sojourn is over and draw the next one."""
        load = self._course.plan.load.burst
        assert load is not None  # noqa: S101
        if burst.at_ns != k.NEVER and now < burst.at_ns:
            return
        if burst.at_ns != k.NEVER:
            burst.high = not burst.high
        sojourn = load.last_s if burst.high else load.every_s
        burst.at_ns = now + max(1, ns(sojourn * float(burst.chance.standard_exponential())))
        heappush(self._course.edges, burst.at_ns)

    # --- what faults did

    def _stretch(self) -> accounts.Interval | None:
        """What happened since the last mark; None while no fault is in effect."""
        course = self._course
        if course.mark is None or not course.in_effect:
            return None
        after = accounts.mark(self._state)
        middle = (course.mark.now_ns + after.now_ns) // 2 - course.origin_ns
        return accounts.Interval(
            topology=self.topology,
            s=self._state,
            before=course.mark,
            after=after,
            declared=DeclaredEffect(
                self.topology,
                tuple(
                    ActiveFault(one.fault, one.aim, strength_at(one.fault, middle))
                    for one in course.in_effect.values()
                ),
            ),
            passed_ns=after.now_ns - course.origin_ns,
            asked=self._asked((after.now_ns - course.mark.now_ns) / 1e9),
        )

    def _asked(self, lived_s: float) -> Callable[[float], float]:
        """How many tasks the load sends in `lived_s` after the mark, by its factor."""
        course = self._course
        trace = course.plan.load.trace_s
        if trace is None:
            return lambda factor: course.load_per_s * factor * lived_s
        begins = bisect_right(trace, course.trace_at_s)
        at_s = course.trace_at_s
        return lambda factor: float(bisect_right(trace, at_s + factor * lived_s) - begins)

    def _book(self) -> None:
        """Settle, and add what happened since the last mark to the accounts of those it saw."""
        k.run(self._state.w, self._state.x, k.SETTLE, 0)
        course = self._course
        stretch = self._stretch()
        if course.mark is not None:
            lived_s = (self.now_ns - course.mark.now_ns) / 1e9
            course.trace_at_s += lived_s * (stretch.declared.traffic() if stretch else 1.0)
        if stretch is not None:
            for one in course.in_effect.values():
                one.account = accounts.book(one.account, stretch)
        course.mark = accounts.mark(self._state) if stretch is None else stretch.after

    def _forget(self, name: str) -> None:
        """Close the account of a fault that is over."""
        one = self._course.in_effect.pop(name)
        last = self._effects_of(one, None, self.now_ns)
        self._course.ended = (*self._course.ended, *last)[-EFFECTS_KEPT:]

    def _effects_of(
        self, one: _FaultRecord, stretch: accounts.Interval | None, ended_ns: int | None
    ) -> tuple[FaultEffect, ...]:
        account = one.account if stretch is None else accounts.book(one.account, stretch)
        began_ns = self._course.origin_ns + ns(one.fault.start_s)
        return accounts.effects_of(account, began_ns, ended_ns)

    def _status(self, one: _FaultRecord, stretch: accounts.Interval | None) -> FaultStatus:
        course = self._course
        strength = _strength(one.fault, self.now_ns - course.origin_ns)
        effect = self._effects_of(one, stretch, None)[0]
        return FaultStatus(
            name=one.fault.name,
            fault=one.fault.kind,
            magnitude=one.fault.parameters.magnitude * strength,
            effect=effect.measured,
            effect_unit=effect.unit,
            declared=one.fault.parameters.magnitude,
            began_ns=effect.began_ns,
            ends_ns=course.end_ns(one.fault),
            expected=effect.expected,
        )


def _strength(fault: Fault, passed_ns: int) -> float:
    """How much of a fault's magnitude is in effect: a ramp climbs in steps of one second."""
    return effects.climbed(passed_ns - ns(fault.start_s), ns(fault.ramp_s))


def _steps(start_ns: int, length_ns: int) -> Iterator[int]:
    """The edges of a ramp: its start, every second of it, and its end."""
    yield from range(start_ns, start_ns + length_ns, effects.RAMP_STEP_NS)
    yield start_ns + length_ns


def _fault_edges(fault: Fault) -> Iterator[int]:
    yield from _steps(ns(fault.start_s), ns(fault.ramp_s))
    yield ns(fault.end_s)


def _load_edges(plan: Plan) -> Iterator[int]:
    """Where the load changes: a stage that holds has an edge only at its end."""
    rate = plan.load.rate
    begins = 0
    ends_s = 0.0
    for stage in plan.load.stages:
        ends_s += stage.duration_s
        ends = ns(ends_s)
        if stage.target == rate:
            yield ends
        else:
            yield from _steps(begins, ends - begins)
        rate = stage.target
        begins = ends


def _trace_gaps(plan: Plan) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Recorded arrival times as gaps in whole ns, or None when arrivals are drawn."""
    if plan.load.trace_s is None:
        return None
    return np.diff(np.rint(np.array(plan.load.trace_s) * 1e9), prepend=0.0)
