"""What the console of a world in real time shows: a line that moves, or a plain line now and then.

The line is made from two readings by a pure function. Faults and changes of the load that begin,
are changed and end, and a world that falls behind real time, are printed at once in a line of their
own. Used by `serve`, and by `up` within its screen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from agentaskit_sim.terminal.notices import describe_load_change
from documents.durations import format_duration
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts

if TYPE_CHECKING:
    from exporter.server.exposition import LoadReading
    from scenarios.scenario import Scenario
    from simulator.pacer import Pace
    from simulator.snapshot import FaultStatus, Snapshot

OBSERVE_EVERY_S: Final = 1.0
READINGS_PER_PLAIN_LINE: Final = 10
BEHIND_S: Final = 1.0
"""From this delay on a world has fallen behind: less is one late tick of a busy machine."""


class ServiceConsole(Console):
    """Standard output of a world in real time; nothing in it is highlighted or wrapped."""

    def __init__(self) -> None:
        """Write to standard output."""
        super().__init__(highlight=False, soft_wrap=True)

    def announce_page(self, url: str) -> None:
        """Print the page's address before everything else: it is what a person waits for."""
        self.print(f"{'Page:':<14}{url}/ (once all is prepared)", markup=False)

    def announce_preparation(self, scenario: Scenario) -> None:
        """Print what is about to be prepared, since that takes seconds."""
        self.print(
            f"Preparing {scenario.name}, seed {scenario.seed}"
            " (the first run also compiles the simulator) ...",
            markup=False,
        )


class ObservedWorld(Protocol):
    """What the console reads."""

    def catch_up(self) -> Snapshot:
        """Return the reading of this instant."""

    def pace(self) -> Pace:
        """Return how well the world keeps real time."""

    def load(self) -> LoadReading:
        """Return the load at this instant."""


@dataclass(frozen=True, slots=True)
class StatusReading:
    """Two readings, a moment apart, the load, and how well the world keeps real time."""

    before: Snapshot
    now: Snapshot
    pace: Pace
    load: LoadReading

    @property
    def line(self) -> str:
        """The status in one line."""
        line = describe(self.before, self.now, self.pace)
        change = describe_load_change(self.load)
        return f"{line}  {change}" if change else line


def describe(before: Snapshot, now: Snapshot, pace: Pace) -> str:
    """Return one line on what happened between two readings, in virtual time."""
    faults = ", ".join(fault.name for fault in now.faults) or "none"
    return (
        f"{describe_time(pace.elapsed_s)}  {describe_rates(before, now)}  "
        f"{pace.drift_s * 1000:,.0f} ms behind  headroom {pace.times_real_time:,.0f}x  "
        f"faults: {faults}"
    )


def describe_rates(before: Snapshot, now: Snapshot) -> str:
    """Return what the world did between two readings, per virtual second, and how much waits."""
    passed_s = (now.now_ns - before.now_ns) / 1e9 or 1.0
    tasks = int(now.tasks_processed.sum() - before.tasks_processed.sum()) / passed_s
    messages = int(now.messages_delivered.sum() - before.messages_delivered.sum()) / passed_s
    return (
        f"{tasks:,.0f} tasks/s  {messages:,.0f} messages/s  "
        f"{now.queue_depth.sum():,} waiting  {now.active_agents.sum():,} agents"
    )


def describe_time(seconds: float) -> str:
    """Return whole seconds as h:mm:ss."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def notice_changes(before: Snapshot, now: Snapshot) -> list[str]:
    """Return a sentence for each fault that began, was changed or ended between two readings."""
    old, new = ({fault.name: fault for fault in s.faults} for s in (before, now))
    began = [f"fault {_named(new[name])} begins" for name in new.keys() - old.keys()]
    ended = [
        f"fault {_named(old[name])} {_how_ended(old[name], now)}"
        for name in old.keys() - new.keys()
    ]
    changed = [
        f"fault {_named(new[name])} is changed: ends in {_left(new[name], now)}"
        for name in old.keys() & new.keys()
        if _plan(old[name]) != _plan(new[name])
    ]
    return sorted(began) + sorted(changed) + sorted(ended) + _restarts(before, now)


def _restarts(before: Snapshot, now: Snapshot) -> list[str]:
    """Return a sentence for the exporter, or each cell's, that restarted between two readings."""
    pairs = list(zip(before.cells or (before,), now.cells or (now,), strict=True))
    return [
        f"the exporter{f' of cell {number}' * bool(now.cells)} has restarted: counters begin at 0"
        for number, (was, cell) in enumerate(pairs)
        if cell.exporter_restarts > was.exporter_restarts
    ]


def _named(fault: FaultStatus) -> str:
    """Return a fault's name, kind and strength, and what it targets if not the whole system."""
    strength = f" {fault.declared:.4g}" if parameter_facts(FAULTS[fault.fault]) else ""
    targets = f" on {fault.targets}" if fault.targets else ""
    return f"{fault.name} ({fault.fault}{strength}{targets})"


def _plan(fault: FaultStatus) -> tuple[int, float, int, str]:
    """Return what of a fault stands until somebody changes it, or begins it anew."""
    return fault.began_ns, fault.declared, fault.ends_ns, fault.targets


def _left(fault: FaultStatus, now: Snapshot) -> str:
    return format_duration(max(0, round((fault.ends_ns - now.now_ns) / 1e9)))


def _how_ended(fault: FaultStatus, now: Snapshot) -> str:
    """Say whether a fault came to its end, or was ended before it."""
    is_early = fault.ends_ns > now.now_ns
    return f"has ended by hand, {_left(fault, now)} before its time" if is_early else "has ended"


def notice_load(before: LoadReading, now: LoadReading) -> list[str]:
    """Return a sentence when the load was changed by hand between two readings, or is back."""
    if (before.change, before.began_s) == (now.change, now.began_s):
        return []
    if now.change is not None:
        return [f"the load is changed: {describe_load_change(now)}"]
    rate_per_s = now.profile_per_s or 0.0
    return [f"the change of the load has ended: {rate_per_s:,.0f} tasks/s again"]


class Status:
    """Shows on a console how `world` is doing, once a second on a terminal."""

    def __init__(self, world: ObservedWorld, console: Console) -> None:
        """Print nothing yet."""
        self._world, self._console = world, console
        self._line = Live(console=console, auto_refresh=False, transient=True)
        self._before, self._load = world.catch_up(), world.load()
        self._behind = False
        self._readings = 0

    def say(self, sentence: str) -> None:
        """Print a line of its own, with the time."""
        time = describe_time(self._world.pace().elapsed_s)
        self._console.print(f"{time}  {sentence}", markup=False)

    def observe(self) -> StatusReading:
        """Print what has changed in the world since the last reading; return this one."""
        now, pace, load = self._world.catch_up(), self._world.pace(), self._world.load()
        for sentence in (*notice_changes(self._before, now), *notice_load(self._load, load)):
            self.say(sentence)
        if self._behind != (pace.drift_s > BEHIND_S):
            self._behind = not self._behind
            self.say(
                f"FALLING BEHIND: the world is {pace.drift_s:.1f} s late, "
                f"{pace.times_real_time:,.1f} times real time possible"
                if self._behind
                else "the world is back in real time"
            )
        reading = StatusReading(self._before, now, pace, load)
        self._before, self._load = now, load
        self._readings += 1
        return reading

    async def run(self) -> None:
        """Observe until cancelled."""
        if not self._console.is_terminal:
            while True:
                await asyncio.sleep(OBSERVE_EVERY_S)
                reading = self.observe()
                if self._readings % READINGS_PER_PLAIN_LINE == 0:
                    self._console.print(reading.line, markup=False)
        with self._line:
            while True:
                await asyncio.sleep(OBSERVE_EVERY_S)
                style = "bold red" if self._behind else ""
                line = self.observe().line
                self._line.update(Text(line, style=style, overflow="ellipsis", no_wrap=True))
                self._line.refresh()
