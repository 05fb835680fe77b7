"""The world: a topology simulated through a plan, event by event, in virtual time.

The one door of this room for everyone else. `advance` moves time, `snapshot` reads, `fork` copies,
`inject`, `change` and `end` change the faults, `skip_ns` passes over a steady interval. It must
never know a clock or the outside: the same seed, topology and plan give the same bytes, whatever
reads it and how often. What is still to change is in `plan_progress`, what faults did in
`fault_ledger`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.arrivals import set_rate, trace_gaps
from simulator.bounds import require
from simulator.fault_ledger import FaultLedger
from simulator.faults.effect_accounts import SAMPLE_NS
from simulator.faults.effective_parameters import move_slots
from simulator.faults.fault import require_change, require_to_come, resolve_targets
from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.snapshot_reader import read
from simulator.kernel.state import aligned, ns, require_within_clock, shift_instants, view
from simulator.kernel.streams import Streams, generator
from simulator.load import LoadChange
from simulator.plan_progress import PlanProgress
from simulator.snapshot import CellReading

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from simulator.load import Stage
    from simulator.plan import Plan
    from simulator.snapshot import FaultEffect, Snapshot
    from simulator.topology import Topology


class World:
    """One simulated system, or one cell of it. Not for use by two threads at once."""

    router_changes = 0
    """No router is in front of a world: the whole load comes to it."""

    def __init__(
        self, topology: Topology, plan: Plan, seed: int, *, load_seed: int | None = None
    ) -> None:
        """Begin at time 0 with an idle fleet at its floor.

        `load_seed` is the seed of what all cells of a system share: its bursts. Raises `BoundError`
        when a fault of the plan targets a tier, host or pool that is not there.
        """
        require(seed >= 0, "seed", "at least 0", seed)
        self.topology = topology
        self.seed, self._load_seed = seed, seed if load_seed is None else load_seed
        self._state = build(topology)
        self._streams = Streams(topology, seed, trace_gaps(plan.load))
        self._streams.refill(self._state)
        self._state.real_head[k.GAP_LEFT] = self._state.gaps[0]
        self._begin(plan)

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
        """The plan in progress."""
        return self._progress.plan

    @property
    def plan_s(self) -> float:
        """Seconds since the plan began."""
        return (self.now_ns - self._progress.origin_ns) / 1e9

    @property
    def origin_s(self) -> float:
        """When, on the world's clock, the plan began."""
        return self._progress.origin_ns / 1e9

    def advance(self, until_s: float) -> None:
        """Simulate every event up to and including `until_s` of the world's clock."""
        self.advance_ns(ns(until_s))

    def advance_ns(self, until_ns: int) -> None:
        """`advance` in exact nanoseconds.

        Raises `BoundError` for a time that has passed, or beyond what the world's clocks hold.
        """
        require(until_ns >= self.now_ns, "time", f"{self.now_ns} ns or later", until_ns)
        require_within_clock(self._state, self.topology, until_ns)
        while (at_ns := min(self.next_change_ns(), self._ledger.sample_ns)) <= until_ns:
            self._command(k.ADVANCE, at_ns)
            if at_ns < self.next_change_ns():
                self._record()
                self._ledger.sample_ns += SAMPLE_NS
                continue
            self._progress.pass_edge(at_ns)
            self._refresh()
        self._command(k.ADVANCE, until_ns)

    def read_through(self) -> None:
        """Read the tables in the order of memory: quicker where other cells had the caches."""
        for table in (self._state.agent, self._state.inbox, self._state.due):
            table.sum()

    def next_change_ns(self) -> int:
        """The next instant at which load or faults change, or `kernel.NEVER`."""
        return self._progress.next_edge_ns

    def skip_ns(self, passed_ns: int) -> None:
        """Pass over `passed_ns` without simulating: every pending instant moves with the clock.

        Only for an interval that is steady, in which nothing was going to change.
        Raises `BoundError` when an edge of the plan lies within it.
        """
        fits = passed_ns >= 0 and self.now_ns + passed_ns <= self.next_change_ns()
        require(fits, "skip", "no longer than until the next change", passed_ns)
        rule = f"no longer than to {k.CLOCK_MAX_NS} ns since the world began"
        require(self.now_ns + passed_ns <= k.CLOCK_MAX_NS, "skip", rule, passed_ns)
        shift_instants(self._state, passed_ns)
        ledger = self._ledger
        if ledger.sample_ns != k.NEVER:
            ledger.sample_ns += passed_ns
        if (reading := ledger.last_reading) is not None:
            ledger.last_reading = reading._replace(now_ns=reading.now_ns + passed_ns)

    # --- reading

    def snapshot(self) -> Snapshot:
        """One consistent frozen reading of this instant. Reading changes nothing."""
        self._settle()
        ledger, s = self._ledger, self._state
        kernel_per_s = float(s.real_head[k.RATE]) * 1e9  # it counts by the nanosecond
        arrived = int(s.priority[:, k.ARRIVED].sum())
        return read(
            s,
            self.topology,
            self.seed,
            arrival_rate=self._progress.rate_now_per_s(kernel_per_s, arrived),
            faults=ledger.statuses(self._progress, s),
            exporter_up=ledger.exporter_up,
            exporter_restarts=ledger.exporter_restarts,
            scrape_path=ledger.scrape_path,
        )

    def effects(self) -> tuple[FaultEffect, ...]:
        """What every fault of the plan that has begun did, the ended ones as they ended.

        A fault with several measures has a line for each. Those of the observability path stay at
        nothing here: only the exporter can count them. The last `EFFECTS_MAX` that ended are kept.
        """
        self._settle()
        return self._ledger.effects(self._progress, self._state)

    @property
    def exporter_restarts(self) -> int:
        """How often faults of the plan have restarted the exporter."""
        return self._ledger.exporter_restarts

    @property
    def cells(self) -> tuple[World, ...]:
        """Itself alone: what holds for a system of cells holds for one."""
        return (self,)

    @property
    def leaked_bytes(self) -> int:
        """Memory that leaks hold at this instant, over all agents."""
        return int(self._state.agent[:, k.LEAKED_BYTES].sum())

    def router_effects(self) -> tuple[FaultEffect, ...]:
        """None: no router is in front of it."""
        return ()

    @property
    def cell_reading(self) -> CellReading:
        """What a router sees of it: whether it is up, its answers so far, its errors."""
        answers = self._state.http
        answered = int(answers.sum())
        return CellReading(self._ledger.cell_up, answered, answered - int(answers[k.OK]))

    def take_share(self, share: float) -> bool:
        """Get `share` times the load from now on; return whether that is another share."""
        if share == self._progress.share:
            return False
        self._record()
        self._progress.share = share
        self._set_rate()
        self._command(k.ADVANCE, self.now_ns)
        return True

    def fingerprint(self) -> bytes:
        """Every byte of the world's state, for comparing two worlds."""
        self._settle()
        return self._state.w.tobytes() + self._state.x.tobytes()

    # --- branching and changing

    def fork(self, plan: Plan | None = None) -> World:
        """An independent copy; with a `plan`, one that begins that plan at this instant."""
        other = object.__new__(World)
        other.topology = self.topology
        other.seed, other._load_seed = self.seed, self._load_seed
        other._state = view(self.topology, aligned(self._state.w), self._state.x.copy())
        other._streams = self._streams.fork()
        if plan is None:
            # In one go: a record and its account share the very same targets. Values never change.
            shared = {id(value): value for value in (self.topology, self.plan, *self.plan.faults)}
            other._progress, other._ledger = deepcopy((self._progress, self._ledger), shared)
            return other
        trace_s = plan.load.trace_s or self.plan.load.trace_s
        rule = "without a recorded trace"
        require(trace_s is None, "load of a fork with a plan", rule, trace_s and trace_s[:3])
        other._begin(plan)
        other._command(k.ADVANCE, other.now_ns)
        return other

    def inject(self, fault: Fault) -> None:
        """Add a fault; its times count from the plan's origin.

        One that starts at this instant is in effect once the world has been advanced to it. Faults
        that are over are forgotten, so that their names are free. Raises `BoundError`, and changes
        nothing, for a second fault of the same name or unknown targets.
        """
        progress = self._progress
        require_to_come(fault, self.now_ns - progress.origin_ns)
        resolve_targets(fault, self.topology, self._state, self.seed)
        faults = (old for old in self.plan.faults if progress.end_ns(old) > self.now_ns)
        progress.plan = replace(self.plan, faults=(*faults, fault))
        progress.add_edges_of(fault)

    def change(self, fault: Fault) -> None:
        """Give the fault in effect of that name other numbers or another end, from now on.

        Its targets, its onset, and what it has done so far stay. Raises `KeyError` when no fault of
        that name is in effect, `BoundError` when more than parameters and duration differ or it
        would be over.
        """
        old = self._ledger.in_effect[fault.name].fault
        require_change(fault, old, self.now_ns - self._progress.origin_ns)
        faults = (fault if planned is old else planned for planned in self.plan.faults)
        self._progress.plan = replace(self.plan, faults=tuple(faults))
        self._record()
        self._ledger.change(fault)
        self._progress.add_edge(self._progress.end_ns(fault))
        self._refresh_now()

    def end(self, name: str) -> None:
        """End a fault now and forget it. Raises `KeyError` when none of that name is in effect."""
        ended = self._ledger.in_effect[name].fault
        self._record()
        self._ledger.close(name, self._progress, self.now_ns)
        self._progress.plan = replace(self.plan, faults=_without(self.plan.faults, ended))
        self._refresh_now()

    @property
    def load_change(self) -> LoadChange | None:
        """The change of the load that is in effect."""
        return self._progress.load_change_at(self.now_ns)

    @property
    def requested_per_s(self) -> float:
        """Tasks a second that the load asks for now, whatever faults make of it; 0 for a trace."""
        return self._progress.load_per_s

    def change_load(self, stages: tuple[Stage, ...]) -> LoadChange:
        """Let `stages` be the load from now on; after the last the plan's load is back.

        A change in effect is replaced. Raises `BoundError`, and changes nothing, where the load is
        a recorded trace, or the stages take no time.
        """
        trace_s, now_per_s = self.plan.load.trace_s, self._progress.load_per_s
        require(trace_s is None, "load", "without a recorded trace", trace_s and trace_s[:3])
        change = LoadChange(stages=stages, start_s=self.plan_s, from_per_s=now_per_s)
        self._progress.change_load(change)
        self.advance_ns(self.now_ns)
        return change

    def end_load_change(self) -> None:
        """Let the plan's load be back now. Raises `KeyError` when no change is in effect."""
        if self.load_change is None:
            raise KeyError("load")
        self._record()
        self._progress.load_change = None
        self._refresh_now()

    def withdraw(self, name: str) -> None:
        """Forget a fault of the plan that has not begun. Raises `KeyError` when there is none."""
        start_ns, now_ns, faults = self._progress.start_ns, self.now_ns, self.plan.faults
        planned = {fault.name: fault for fault in faults if start_ns(fault) > now_ns}
        self._progress.plan = replace(self.plan, faults=_without(faults, planned[name]))

    # --- the kernel and the plan

    def _command(self, command: int, which: int) -> None:
        """Run a kernel command; it stops whenever a stream of random numbers must be refilled."""
        while k.run(self._state.w, self._state.x, command, which) == k.REFILL:
            self._streams.refill(self._state)

    def _settle(self) -> None:
        """Bring accounts that the kernel settles lazily (CPU, memory) up to this instant."""
        k.run(self._state.w, self._state.x, k.SETTLE, 0)

    def _record(self) -> None:
        self._settle()
        self._ledger.record(self._progress, self._state)

    def _begin(self, plan: Plan) -> None:
        for fault in plan.faults:
            resolve_targets(fault, self.topology, self._state, self.seed)
        self._progress = PlanProgress.begin(plan, self.now_ns, self._load_seed)
        self._ledger = FaultLedger(self.topology, self.seed)
        self._refresh()

    def _refresh_now(self) -> None:
        """Compose anew between two advances, and let happen what that makes due at once."""
        self._refresh()
        self._command(k.ADVANCE, self.now_ns)

    def _refresh(self) -> None:
        """Compose the effective parameters of this instant anew, from the base and the plan."""
        now_ns, s = self.now_ns, self._state
        progress, ledger = self._progress, self._ledger
        self._record()
        begun = ledger.begin_and_end(progress, s, now_ns)
        ledger.compose(progress, s, now_ns)
        # What is in progress goes on at the new speeds.
        k.run(s.w, s.x, k.RETIME, 0)
        # Only now: what dies at an onset must restart under the parameters of the fault.
        ledger.carry_out_onsets(begun, s, self._command)
        move_slots(s, lambda: generator(self.seed, f"slots:{now_ns}"), self._command)
        self._set_rate()

    def _set_rate(self) -> None:
        rate_per_s = self._progress.arrivals_per_s(self.now_ns, self._ledger.traffic_factor)
        set_rate(self._state, rate_per_s, self.now_ns)


def _without(faults: tuple[Fault, ...], forgotten: Fault) -> tuple[Fault, ...]:
    return tuple(fault for fault in faults if fault is not forgotten)
