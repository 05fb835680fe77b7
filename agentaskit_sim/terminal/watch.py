"""What `up` shows of a live world and the stack around it: a block that moves, or plain lines.

On a terminal the block stands below a log of what changed; on a pipe there is the log, and a line
on how it goes now and then. Both are made from values by pure functions; what the stack has to say
is read in a thread, so that a server that does not answer delays nothing.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from math import isinf
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Group
from rich.live import Live as Block
from rich.text import Text

from agentaskit_sim.terminal.status import (
    LOOK_S,
    LOOKS_PER_PLAIN_LINE,
    describe_rates,
    describe_time,
)
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from agentaskit_sim.terminal.status import Status, StatusReading
    from exporter.server.exposition import Exposition
    from simulator.snapshot import FaultStatus
    from verifier.servers.foreign_server import ActiveAlert
    from verifier.servers.ledger import Notification

COMMON: Final = frozenset({"job", "instance"})
"""Labels that tell one alert of this world from another never."""
SECTIONS: Final = 3
HEAD_LINES: Final = 3
_STYLES: Final = {"firing": "bold red", "pending": "yellow"}


@dataclass(frozen=True, slots=True)
class StackStatus:
    """What the stack had to say at one instant.

    `alerts` are the last that are known, also while `unreachable` tells why there are no newer
    ones. `given` are the labels that each rule gives to its alerts, by alert.
    """

    alerts: tuple[ActiveAlert, ...] = ()
    told: tuple[Notification, ...] = ()
    unreachable: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenContent:
    """Everything the block shows; times are Unix seconds, `began_s` that of 0:00:00."""

    title: str
    look: StatusReading
    heard: StackStatus
    scrapes: int
    began_s: float
    now_s: float


class Source(Protocol):
    """Where news of the stack comes from; called from a thread, may wait."""

    def start(self) -> None:
        """Do what is to be done once, when the world is served."""

    def hear(self, last: StackStatus) -> StackStatus:
        """Return what there is to say now; raises when the run cannot go on."""


def notice(before: StackStatus, after: StackStatus) -> list[str]:
    """Return a sentence for everything that changed at the stack between two instants."""
    said = [*after.restarts[len(before.restarts) :]]
    said += [why for why in after.unreachable if why not in before.unreachable]
    if before.unreachable and not after.unreachable:
        said.append("every server answers again")
    old, new = ({(one.alert, one.series): one for one in heard.alerts} for heard in (before, after))
    for key, active in new.items():
        last = old.get(key)
        if last is None or last.state != active.state or last.active_s != active.active_s:
            said.append(_describe_change(active))
    for key, gone in old.items():
        if key not in new:
            how = "has resolved" if gone.state == "firing" else "is no longer pending"
            said.append(f"{describe_alert(gone.alert, gone.series)} {how}")
    for one in after.told[len(before.told) :]:
        verb = "fires" if one.status == "firing" else "has resolved"
        said.append(f"{one.receiver} was told: {describe_notified(one, after.given)} {verb}")
    return said


def describe_alert(alert: str, series: Iterable[tuple[str, str]]) -> str:
    """Return an alert's name, and the labels by which it differs from others of its rule."""
    return " ".join([alert, *(f"{key}={value}" for key, value in series if key not in COMMON)])


def describe_notified(one: Notification, given: Mapping[str, frozenset[str]]) -> str:
    """Return the alert of a notification, as that alert is told of."""
    labels = dict(one.labels)
    alert = labels.pop("alertname", "an alert")
    hidden = given.get(alert, frozenset(labels))
    return describe_alert(alert, [(k, v) for k, v in labels.items() if k not in hidden])


def describe_fault(fault: FaultStatus, now_ns: int) -> str:
    """Return how a fault stands: what it is, what it did so far, when it ends."""
    strength = f"{fault.magnitude:.4g}"
    if fault.magnitude != fault.declared:
        strength += f" of {fault.declared:.4g}"
    name = "" if fault.name.replace("-", "_") == fault.fault else f"{fault.name}: "
    effect = f"{fault.effect:,.0f}" if abs(fault.effect) >= 100 else f"{fault.effect:.3g}"
    left = format_duration(max(0, round((fault.ends_ns - now_ns) / 1e9)))
    return f"{name}{fault.fault} {strength}, {effect} {fault.effect_unit}, ends in {left}"


def count_alerts(alerts: Sequence[ActiveAlert]) -> str:
    """Return how many are in which state."""
    firing = sum(one.state == "firing" for one in alerts)
    return f"{firing} firing, {len(alerts) - firing} pending"


def render(scene: ScreenContent, height: int) -> Group:
    """Return the block for a terminal of `height` lines; each line is cut at its width."""
    room = max(1, (height - HEAD_LINES - 1) // SECTIONS)
    look, heard = scene.look, scene.heard
    time_text = describe_time(look.pace.elapsed_s)
    faults = [Text(describe_fault(one, look.now.now_ns)) for one in look.now.faults]
    alerts = [_alert_line(one, scene.now_s) for one in sorted(heard.alerts, key=_urgency)]
    # The last word comes first.
    told = [_told_line(one, scene) for one in reversed(heard.told)]
    lines = [
        Text(f"{time_text}  {scene.title}", style="bold"),
        Text(f"{describe_rates(look.before, look.now)}  {scene.scrapes:,} scrapes"),
        *_section("Faults", faults, room),
        *(Text(one, style="yellow") for one in heard.unreachable),
        *_section("Alerts", alerts, room - len(heard.unreachable)),
        *_section("Told", told, room),
    ]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


class Watch:
    """Tells a person on `console` how a live world and its stack go; `run` once."""

    def __init__(
        self,
        live: Exposition,
        status: Status,
        source: Source,
        console: Console,
        titles: ScenarioTitle,
    ) -> None:
        """Take the status that tells of the world alone."""
        self._live, self._status, self._source = live, status, source
        self._console, self._titles = console, titles
        self._block = Block(console=console, auto_refresh=False, transient=True)
        self._heard = self._shown = StackStatus()
        self._began_s = time.time() - live.pace().elapsed_s

    def say(self, sentence: str) -> None:
        """Print a line of its own, with the time."""
        self._status.say(sentence)

    async def run(self) -> None:
        """Start what is to be watched, then look again and again until cancelled."""
        hearing = asyncio.create_task(self._hear())
        try:
            with self._block if self._console.is_terminal else nullcontext():
                await self._show(hearing)
        finally:
            hearing.cancel()

    async def _hear(self) -> None:
        await asyncio.to_thread(self._source.start)
        while True:
            self._heard = await asyncio.to_thread(self._source.hear, self._heard)
            await asyncio.sleep(LOOK_S)

    async def _show(self, hearing: asyncio.Task[None]) -> None:
        looks = 0
        while True:
            await asyncio.wait([hearing], timeout=LOOK_S)
            if hearing.done():
                hearing.result()
            look, looks = self._status.look(), looks + 1
            for sentence in notice(self._shown, self._heard):
                self.say(sentence)
            self._shown = self._heard
            if self._console.is_terminal:
                group = render(self._scene(look), self._console.height)
                self._block.update(group, refresh=True)
            elif looks % LOOKS_PER_PLAIN_LINE == 0:
                alerts = count_alerts(self._shown.alerts)
                line = f"{look.line}  alerts: {alerts}  told: {len(self._shown.told)}"
                self._console.print(line, markup=False)

    def _scene(self, look: StatusReading) -> ScreenContent:
        return ScreenContent(
            title=self._titles.title(look.now.time_s),
            look=look,
            heard=self._shown,
            scrapes=self._live.scrapes_served,
            began_s=self._began_s,
            now_s=time.time(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioTitle:
    """Says which part of a scenario a world is in; times are of its clock, in seconds.

    A scenario in which nothing ever happens ends at infinity.
    """

    name: str
    begins_s: float
    ends_s: float
    factor: float

    def title(self, now_s: float) -> str:
        """Return the title at an instant."""
        compression = f", time compressed {self.factor:g} times" if self.factor != 1 else ""
        if isinf(self.ends_s):
            return f"{self.name}{compression}"
        if now_s < self.begins_s:
            left = format_duration(round(self.begins_s - now_s))
            return f"{self.name} begins in {left}{compression}"
        if now_s >= self.ends_s:
            return f"{self.name} has ended, the world goes on{compression}"
        at, of = (
            format_duration(round((until_s - self.begins_s) * self.factor))
            for until_s in (now_s, self.ends_s)
        )
        return f"{self.name} {at} of {of}{compression}"


def learn(last: StackStatus, alerts: tuple[ActiveAlert, ...]) -> StackStatus:
    """Return what was heard last with newer alerts, and what they tell of their rules."""
    given = {one.alert: frozenset(key for key, _ in one.rule) for one in alerts}
    return replace(last, alerts=alerts, given={**last.given, **given})


def _describe_change(one: ActiveAlert) -> str:
    name = describe_alert(one.alert, one.series)
    if one.state == "pending":
        return f"{name} is pending"
    waited_s = round(one.since_s - one.active_s)
    return f"{name} FIRES" + (f" after {format_duration(waited_s)} pending" if waited_s else "")


def _urgency(one: ActiveAlert) -> tuple[bool, float]:
    """What fires before what pends, the latest first."""
    return one.state != "firing", -one.since_s


def _alert_line(one: ActiveAlert, now_s: float) -> Text:
    state_s = format_duration(max(0, round(now_s - one.since_s)))
    name = describe_alert(one.alert, one.series)
    severity = dict(one.rule).get("severity", "")
    return Text.assemble(
        (f"{one.state:<7} {state_s:>6}", _STYLES[one.state]), f"  {name}", f"  {severity}"
    )


def _told_line(one: Notification, scene: ScreenContent) -> Text:
    at = describe_time(max(0.0, one.received_s - scene.began_s))
    again = f" ({one.deliveries} times)" if one.deliveries > 1 else ""
    verb = "fires" if one.status == "firing" else "resolved"
    alert = describe_notified(one, scene.heard.given)
    return Text(f"{at}  {one.receiver}: {alert} {verb}{again}")


def _section(name: str, lines: Sequence[Text], room: int) -> list[Text]:
    """Return the lines under a name, at most `room` of them; the last may count the others."""
    shown = list(lines[: max(1, room)]) or [Text("none", style="dim")]
    if len(lines) > len(shown):
        more = len(lines) - len(shown) + 1
        shown[-1] = Text(f"and {more} more", style="dim")
    heads = [name, *[""] * (len(shown) - 1)]
    return [
        Text.assemble((f"{head:<8}", "bold"), line) for head, line in zip(heads, shown, strict=True)
    ]
