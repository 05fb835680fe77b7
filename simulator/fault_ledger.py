"""The faults of a world that are in effect, and the accounts of what each of them has done.

Held by `world`. It reads the kernel's counters and never writes to them; reading the ledger changes
nothing. What an effect is and how it is measured stands in `faults`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulator.faults import effect_accounts as accounts
from simulator.faults.declared_effect import ActiveFault, DeclaredEffect
from simulator.faults.effective_parameters import EffectiveParameters
from simulator.faults.fault import resolve_targets
from simulator.faults.measure import Interval, read_counters
from simulator.faults.targets import Onset, name_targets
from simulator.kernel.loop import NEVER
from simulator.kernel.state import ns
from simulator.snapshot import FaultStatus, ScrapePath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.faults.fault import Fault
    from simulator.faults.measure import Account, CounterReading
    from simulator.faults.targets import Command, FaultTargets
    from simulator.kernel.state import State
    from simulator.plan_progress import PlanProgress
    from simulator.snapshot import FaultEffect
    from simulator.topology import Topology

EFFECTS_MAX: Final = 1024
"""So many effects of faults that have ended are kept, for worlds that run for weeks."""


@dataclass(slots=True)
class FaultRecord:
    """A fault that has begun: its targets, and what it did up to the last reading."""

    fault: Fault
    targets: FaultTargets
    account: Account


@dataclass(slots=True)
class FaultLedger:
    """Records by name, effects of ended faults, and what faults do to exporter, cell and load.

    `last_reading` holds the counters at the end of the last recorded interval, `sample_ns` when
    faults whose measure is sampled are recorded next. `declared` is what was last declared, for as
    long as it stays: adding up many faults anew for each reading would cost half of the speed.
    """

    topology: Topology
    seed: int
    in_effect: dict[str, FaultRecord] = field(default_factory=dict)
    ended: tuple[FaultEffect, ...] = ()
    last_reading: CounterReading | None = None
    declared: DeclaredEffect | None = None
    sample_ns: int = NEVER
    exporter_restarts: int = 0
    exporter_up: bool = True
    cell_up: bool = True
    traffic_factor: float = 1.0
    scrape_path: ScrapePath = field(default_factory=ScrapePath)

    def begin_and_end(self, progress: PlanProgress, s: State, now_ns: int) -> list[FaultRecord]:
        """Open the accounts of faults that begin now, close those that are over.

        Returns the records of those that begin.
        """
        begun = []
        for fault in progress.plan.faults:
            active = progress.start_ns(fault) <= now_ns < progress.end_ns(fault)
            if active and fault.name not in self.in_effect:
                begun.append(self._open(fault, s))
            elif not active and fault.name in self.in_effect:
                self.close(fault.name, progress, now_ns)
        measures = (
            measure
            for record in self.in_effect.values()
            for measure in record.fault.parameters.measures()
        )
        sampled = any(measure.sampled for measure in measures)
        self.sample_ns = now_ns + accounts.SAMPLE_NS if sampled else NEVER
        return begun

    def compose(self, progress: PlanProgress, s: State, now_ns: int) -> None:
        """Compose the effective parameters of this instant from the base, and write them."""
        effective = EffectiveParameters(self.topology, s)
        for record in self.in_effect.values():
            strength = record.fault.strength(now_ns - progress.origin_ns)
            if strength > 0:
                record.fault.parameters.compose(effective, record.targets, strength)
        effective.bound()
        effective.write(s, now_ns)
        if effective.cell_up and not self.cell_up:
            # Whatever it counted has died with it.
            self.exporter_restarts += 1
        self.exporter_up, self.cell_up = effective.exporter_up, effective.cell_up
        self.scrape_path = effective.scrape_path()
        self.traffic_factor = effective.traffic_factor

    def carry_out_onsets(self, begun: Iterable[FaultRecord], s: State, command: Command) -> None:
        """Let those that have just begun do what they do once."""
        for record in begun:
            onset = Onset(record.targets, s, command)
            record.fault.parameters.at_onset(onset)
            self.exporter_restarts += onset.exporter_restarts

    def _open(self, fault: Fault, s: State) -> FaultRecord:
        targets = resolve_targets(fault, self.topology, s, self.seed)
        kind = type(fault.parameters)
        peers = [
            record.account
            for record in self.in_effect.values()
            if type(record.fault.parameters) is kind
        ]
        account = accounts.open_account(self.topology, fault, targets, s, peers=peers)
        opened = FaultRecord(fault, targets, account)
        self.in_effect[fault.name] = opened
        return opened

    def close(self, name: str, progress: PlanProgress, now_ns: int) -> None:
        """Close the account of a fault that is over, as it was last recorded."""
        closed = self.in_effect.pop(name)
        began_ns = progress.start_ns(closed.fault)
        effects = accounts.effects_of(closed.fault, closed.account, began_ns, now_ns)
        self.ended = (*self.ended, *effects)[-EFFECTS_MAX:]

    def change(self, fault: Fault) -> None:
        """Give the fault in effect of that name other numbers or another end."""
        self.in_effect[fault.name].fault = fault

    def record(self, progress: PlanProgress, s: State) -> None:
        """Add what happened since the last reading to every account; the kernel must be settled."""
        interval = self.interval(progress, s)
        reading = read_counters(s) if interval is None else interval.after
        if self.last_reading is not None:
            elapsed_s = (reading.now_ns - self.last_reading.now_ns) / 1e9
            factor = interval.declared.traffic_factor() if interval else 1.0
            progress.trace_at_s += elapsed_s * factor
        if interval is not None:
            for record in self.in_effect.values():
                record.account = accounts.record(record.fault, record.account, interval)
        self.last_reading = reading

    def interval(self, progress: PlanProgress, s: State) -> Interval | None:
        """What happened since the last reading; None while no fault is in effect."""
        before = self.last_reading
        if before is None or not self.in_effect:
            return None
        after = read_counters(s)
        # A ramp's mean over the interval is its strength in the middle.
        middle_ns = (before.now_ns + after.now_ns) // 2 - progress.origin_ns
        active = tuple(
            ActiveFault(
                record.fault.parameters,
                record.targets,
                start_ns=ns(record.fault.start_s),
                ramp_ns=ns(record.fault.ramp_s),
                plan_ns=middle_ns,
            )
            for record in self.in_effect.values()
        )
        if self.declared is None:
            self.declared = DeclaredEffect(self.topology, active)
        self.declared = self.declared.at(active)
        return Interval(
            topology=self.topology,
            state=s,
            before=before,
            after=after,
            declared=self.declared,
            plan_ns=after.now_ns - progress.origin_ns,
            requested_tasks=progress.requested_tasks((after.now_ns - before.now_ns) / 1e9),
        )

    def effects(self, progress: PlanProgress, s: State) -> tuple[FaultEffect, ...]:
        """What every fault that has begun did so far; the ended ones as they ended."""
        interval = self.interval(progress, s)
        if interval is None:
            return self.ended
        now = (self._effects_now(record, interval, progress) for record in self.in_effect.values())
        return (*self.ended, *(effect for effects in now for effect in effects))

    def statuses(self, progress: PlanProgress, s: State) -> tuple[FaultStatus, ...]:
        """The faults in effect, each with the first measure of its effect."""
        interval = self.interval(progress, s)
        if interval is None:
            return ()
        return tuple(self._status(record, interval, progress) for record in self.in_effect.values())

    @staticmethod
    def _effects_now(
        record: FaultRecord, interval: Interval, progress: PlanProgress
    ) -> tuple[FaultEffect, ...]:
        account = accounts.record(record.fault, record.account, interval)
        return accounts.effects_of(record.fault, account, progress.start_ns(record.fault), None)

    def _status(
        self, record: FaultRecord, interval: Interval, progress: PlanProgress
    ) -> FaultStatus:
        fault, parameters = record.fault, record.fault.parameters
        effect = self._effects_now(record, interval, progress)[0]
        return FaultStatus(
            name=fault.name,
            fault=fault.kind,
            magnitude=parameters.magnitude * fault.strength(interval.plan_ns),
            effect=effect.measured,
            effect_unit=effect.unit,
            declared=parameters.magnitude,
            began_ns=effect.began_ns,
            ends_ns=progress.end_ns(fault),
            expected=effect.expected,
            targets=name_targets(fault.targets.in_words()),
        )
