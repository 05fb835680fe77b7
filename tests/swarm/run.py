"""One trial of the swarm carried out: the world and, beside it, the control run without faults.

Both advance in step. Every law is checked at every reading, and the arrivals of both are compared;
then all faults end, the load ends, and the world must drain and agree with the control run (see
`healing`). Faults are injected, changed and ended as the fault API does it: by `FaultControl`, from
JSON bodies.
"""

from __future__ import annotations

import json
import traceback
from collections import deque
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from documents.durations import format_duration
from documents.mistakes import InputError
from exporter.server.fault_api.control import FaultConflictError, FaultControl
from scenarios.injection_form import FaultForm
from simulator.cells.system import build_system
from simulator.kernel import loop as k
from simulator.plan import Plan
from simulator.snapshot import DurationHistogram, Snapshot
from tests.simulator.cells.laws import broken_laws_of_router
from tests.simulator.faults.declared_parameters import undeclared_parameters
from tests.simulator.kernel.laws import broken_laws, broken_ties, decreased_counters
from tests.swarm.coverage import reached_by, reached_of_router
from tests.swarm.healing import (
    differences,
    ineffective,
    miscounted_reservation,
    parameters_left,
    probe,
    remains,
)

if TYPE_CHECKING:
    from simulator.cells.system import SimulatedSystem
    from simulator.world import World
    from tests.swarm.trial import Action, Trial

LOG_LINES = 14
DRAIN_STEP_NS, DRAIN_MAX_NS = 5 * 10**9, 900 * 10**9


class LawBrokenError(AssertionError):
    """A trial in which a law does not hold, or that failed in another way."""

    def __init__(self, at_s: float, laws: list[str]) -> None:
        """Keep when it was noticed, in virtual seconds, and what was broken."""
        super().__init__(at_s, laws)
        self.at_s, self.laws = at_s, laws


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: a hash of all its history, what it reached, and how it failed.

    `quiet` says that it failed after the load had ended.
    """

    seed: int
    history: str
    reached: frozenset[str]
    at_s: float = 0.0
    laws: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    quiet: bool = False


class SameInstant:
    """The part of an `Exposition` that the control of faults needs: nothing is paced here."""

    @property
    def scrape_effects(self) -> SameInstant:
        """Return what is shown of scrapes: nothing more."""
        return self

    @staticmethod
    def show(snapshot: Snapshot) -> Snapshot:
        """Return the snapshot as it is."""
        return snapshot

    def catch_up(self) -> None:
        """Do nothing: the trial has advanced the world."""

    def show_change(self) -> None:
        """Do nothing: nobody scrapes."""


def carry_out(trial: Trial, *, drains: bool = True) -> Outcome:
    """Run a trial to its end or to the first broken law; whatever else is raised is one too.

    Unless it `drains`, its end is that of its load.
    """
    progress: list[TrialRun] = []
    try:
        run = TrialRun(trial, drains=drains)
        progress.append(run)
        run.run()
    except LawBrokenError as broken:
        return progress[0].outcome(broken.at_s, tuple(broken.laws))
    except Exception as error:  # noqa: BLE001 - any stray exception is what a swarm looks for
        at_s = progress[0].world.now_s if progress else 0.0
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        law = f"no exception is raised: {type(error).__name__}: {error} ({place})"
        if not progress:
            return Outcome(trial.seed, "", frozenset(), 0.0, (law,))
        return progress[0].outcome(at_s, (law,))
    return run.outcome()


@dataclass(slots=True)
class TrialRun:
    """A trial under way: the world, the control run, what was seen so far."""

    trial: Trial
    drains: bool = True
    quiet: bool = False
    world: SimulatedSystem = field(init=False)
    calm: SimulatedSystem = field(init=False)
    before: Snapshot | None = None
    shares: tuple[float, ...] = ()
    skipped_ns: int = 0
    reached: set[str] = field(default_factory=set)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    history: Any = field(default_factory=sha256)

    def __post_init__(self) -> None:
        """Begin both worlds: at their plan, or with a healthy time before it."""
        trial = self.trial
        plans = [Plan(load=each.load, faults=each.faults) for each in (trial, trial.calm)]
        if not trial.warm_s:
            self.world, self.calm = (
                build_system(trial.topology, plan, trial.seed) for plan in plans
            )
            return
        healthy = build_system(trial.topology, Plan(load=trial.shape), trial.seed)
        healthy.advance(trial.warm_s)
        self.world, self.calm = (healthy.fork(plan) for plan in plans)
        self.reached.add("world: forked from a healthy one")

    def run(self) -> None:
        """Carry out everything; raises `LawBrokenError`."""
        trial = self.trial
        events: list[tuple[int, Action | None]] = [(at_ms, None) for at_ms in trial.readings_ms]
        events += [(action.at_ms, action) for action in trial.actions]
        self.read(just_changed=True)
        for at_ms, action in sorted(events, key=lambda event: event[0]):
            self.advance_to(at_ms)
            if action is not None:
                self.act(action)
            self.read(just_changed=action is not None)
        self.advance_to(trial.heal_ms)
        self.heal()
        self.advance_to(trial.quiet_ms)
        self.read()
        if not self.drains:
            return
        self.quiet = True
        self.drain()
        if trial.shape.trace_s is None and trial.topology.cells == 1:
            self.world, self.calm, laws = probe(self.world, self.calm, trial, self.reached)
            self.require(laws)
            self.before = None
            self.read()

    def advance_to(self, at_ms: int) -> None:
        """Advance both worlds to an instant of the plan; a skip may have gone beyond it."""
        until_ns = round(self.world.origin_s * 1e9) + at_ms * 1_000_000
        for world in (self.world, self.calm):
            world.advance_ns(max(until_ns, world.now_ns))

    def act(self, action: Action) -> None:
        """Do what is done by hand, to the control run too where it concerns the load."""
        self.note(str(action))
        match action.what:
            case "skip":
                self.skip(action.skip_ms * 1_000_000)
            case "fork":
                self.world, self.calm = self.world.fork(), self.calm.fork()
            case _:
                if self.command(self.world, action) and action in self.trial.calm.actions:
                    self.command(self.calm, action)
        self.reached.add(f"by hand: {action.what}")

    def skip(self, most_ns: int) -> None:
        """Pass over as much as fits before the world's next change, in both."""
        passed_ns = min(most_ns, self.world.next_change_ns() - self.world.now_ns)
        for world in (self.world, self.calm):
            world.skip_ns(passed_ns)
            # The next change may be due at this very instant.
            world.advance_ns(world.now_ns)
        self.skipped_ns += passed_ns

    def command(self, world: SimulatedSystem, action: Action) -> bool:
        """Inject, change or end as the fault API does; False when it refuses, changing nothing."""
        form = FaultForm(self.trial.topology)
        control = FaultControl(world, SameInstant())
        before = world.plan.faults
        try:
            if action.what == "end all":
                control.end_all()
            elif action.what == "end":
                control.end(action.name)
            elif action.what == "inject":
                body = json.dumps({**form.write(action.fault), "name": action.name}).encode()
                control.inject(lambda at_s: form.read_injection(body, at_s))
            else:
                change = _write_change(form, action)
                control.change(
                    action.name, lambda fault, at_s: form.read_change(change, fault, at_s)
                )
        except FaultConflictError as conflict:
            self.reached.add(f"refused: {conflict.reason}")
        except (KeyError, InputError) as refusal:
            self.reached.add(f"refused: {action.what}, {type(refusal).__name__}")
        else:
            self.reached.add(f"done by hand: {action.what}")
            return True
        if world.plan.faults != before:
            self.require(["what is refused changes no plan"])
        return False

    def heal(self) -> None:
        """End every fault; at once nothing of them is left in the kernel's parameters."""
        ended = FaultControl(self.world, SameInstant()).end_all()
        FaultControl(self.calm, SameInstant()).end_all()
        self.reached |= {"heal: ends faults"} if ended else set()
        self.note(f"heal: {len(ended)} faults end")
        self.require(parameters_left(self.world, self.calm))
        self.require(ineffective(self.world, self.trial, self.reached))
        self.read(just_changed=True)

    def drain(self) -> None:
        """Wait until nothing is left of the load and the faults; compare with the control run."""
        limit_ns = self.world.now_ns + DRAIN_MAX_NS
        while remains(self.world) or remains(self.calm):
            if self.world.now_ns >= limit_ns:
                left = remains(self.world) or [f"control: {text}" for text in remains(self.calm)]
                self.require([f"the world drains within 15 minutes, left: {'; '.join(left)}"])
            for world in (self.world, self.calm):
                world.advance_ns(world.now_ns + DRAIN_STEP_NS)
            self.read()
        self.require(differences(self.world, self.calm))

    def read(self, *, just_changed: bool = False) -> None:
        """Take a snapshot, check every law, add it to the history; raises `LawBrokenError`."""
        world = self.world
        snapshot = world.snapshot()
        laws = []
        if self.before is not None:
            laws += [f"{name} never falls" for name in decreased_counters(self.before, snapshot)]
        for cell, of_cell in zip(world.cells, snapshot.cells or (snapshot,), strict=True):
            laws += broken_laws(of_cell, world.topology, skipped_ns=self.skipped_ns)
            laws += broken_ties(cell, just_changed=just_changed)
            laws += miscounted_reservation(cell, of_cell) + undeclared_parameters(cell, of_cell)
            self.reached |= reached_by(cell, of_cell)
        if len(world.cells) == 1:
            laws += _unlike_arrivals(world.cells[0], self.calm.cells[0])
        else:
            laws += broken_laws_of_router(world)
            laws += [] if just_changed else self.moved_while_stale(snapshot)
            self.shares = world.shares
            self.reached |= {f"fault: {fault.fault}" for fault in snapshot.faults}
            self.reached |= reached_of_router(world)
        add_to(self.history, snapshot)
        self.before = snapshot
        self.note(_line(snapshot))
        self.require(laws)

    def moved_while_stale(self, snapshot: Snapshot) -> list[str]:
        """A router that was stale at the last reading and is so by the same fault moves no load."""
        if self.before is None:
            return []
        stale, still = (
            {fault.name for fault in each.faults if fault.fault == "router_stale"}
            for each in (self.before, snapshot)
        )
        moved = bool(stale & still) and self.world.shares != self.shares
        return ["a stale router moves no load"] if moved else []

    def note(self, text: str) -> None:
        """Keep a line of what happened; of lines that are alike the last."""
        if self.log and self.log[-1].endswith(f" s: {text}"):
            self.log.pop()
        self.log.append(f"{self.world.now_s:.9f} s: {text}")

    def require(self, broken: list[str]) -> None:
        """Raise `LawBrokenError` when anything is broken."""
        if broken:
            raise LawBrokenError(self.world.now_s, broken)

    def outcome(self, at_s: float = 0.0, laws: tuple[str, ...] = ()) -> Outcome:
        """Return what came of it."""
        seed, digest = self.trial.seed, self.history.hexdigest()
        log = tuple(self.log) if laws else ()
        return Outcome(seed, digest, frozenset(self.reached), at_s, laws, log, self.quiet)


def add_to(history: Any, snapshot: Snapshot) -> None:
    """Add every column of a snapshot to a hash, and of each of its cells, if it has several."""
    for cell in snapshot.cells:
        add_to(history, cell)
    for column in fields(snapshot):
        value = getattr(snapshot, column.name)
        if column.name == "cells":
            continue
        if isinstance(value, DurationHistogram):
            history.update(value.counts.tobytes())
            value = value.sum_ns
        history.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())


def _write_change(form: FaultForm, action: Action) -> bytes:
    """The body of a change: new numbers, and for some a new end."""
    fault = action.fault
    body: dict[str, object] = {"parameters": form.write(fault)["parameters"]}
    if not body["parameters"] or fault.duration_s < 1:
        body["duration"] = format_duration(fault.duration_s)
    return json.dumps(body).encode()


def _unlike_arrivals(world: World, calm: World) -> list[str]:
    """No fault but those of the load moves an arrival, not by a nanosecond."""
    ours, theirs = world._state, calm._state
    alike = np.array_equal(ours.priority[:, k.ARRIVED], theirs.priority[:, k.ARRIVED])
    alike &= ours.head[k.NEXT_ARRIVAL] == theirs.head[k.NEXT_ARRIVAL]
    return [] if alike else ["the arrivals are those of the control run"]


def _line(s: Snapshot) -> str:
    faults = ", ".join(f"{fault.name} ({fault.fault})" for fault in s.faults) or "none"
    return (
        f"arrived {s.tasks_arrived.sum()}, queued {s.queue_depth.sum()}, in flight"
        f" {s.tasks_in_flight.sum()}, agents {s.agents.sum(axis=0).tolist()}, level"
        f" {s.backpressure_level}, faults: {faults}"
    )
