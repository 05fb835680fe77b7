"""The block of `up` on a terminal: title, rates, faults, alerts and notifications, in few lines.

Made from values by pure functions; `watch` reads the values and draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from agentaskit_sim.terminal.notices import (
    describe_alert,
    describe_fault,
    describe_load_change,
    describe_notified,
)
from agentaskit_sim.terminal.status import describe_rates, describe_time
from documents.amounts import amount
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentaskit_sim.terminal.status import StatusReading
    from verifier.real_time.environment import StackStatus
    from verifier.servers.foreign_server import ActiveAlert
    from verifier.servers.ledger import Notification

SECTIONS: Final = 3
HEAD_LINES: Final = 3
HEADING_WIDTH: Final = 10
_STYLES: Final = {"firing": "bold red", "pending": "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenContent:
    """Everything the block shows; times are Unix seconds, `began_s` that of 0:00:00."""

    title: str
    reading: StatusReading
    stack: StackStatus
    scrapes: int
    began_s: float
    now_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioTitle:
    """Says which part of a scenario a world is in; times are of its clock, in seconds.

    A scenario in which nothing ever happens ends at infinity. `faults` are its faults, with the
    seconds of the scenario at which they begin; `after` is what goes on when it has ended.
    """

    name: str
    begins_s: float
    ends_s: float
    factor: float
    faults: tuple[tuple[float, str], ...] = ()
    after: str = "the world keeps running"

    def title(self, now_s: float) -> str:
        """Return the title at an instant."""
        compression = f", time compressed {self.factor:g} times" if self.factor != 1 else ""
        if isinf(self.ends_s):
            return f"{self.name}{compression}"
        if now_s < self.begins_s:
            left = format_duration(round(self.begins_s - now_s))
            return f"{self.name} begins in {left}{compression}"
        if now_s >= self.ends_s:
            return f"{self.name} has ended, {self.after}{compression}"
        at, of = (
            format_duration(round((until_s - self.begins_s) * self.factor))
            for until_s in (now_s, self.ends_s)
        )
        return f"{self.name} {at} of {of}{compression}{self.next_fault(now_s)}"

    def next_fault(self, now_s: float) -> str:
        """Return which fault of the scenario comes next and when, in real time; else nothing."""
        begins = ((self.begins_s + at_s / self.factor, name) for at_s, name in self.faults)
        at_s, name = min((item for item in begins if item[0] > now_s), default=(inf, ""))
        if isinf(at_s):
            return ""
        return f", {name} in {format_duration(max(1, round(at_s - now_s)))}"


def render(content: ScreenContent, height: int) -> Group:
    """Return the block for a terminal of `height` lines; each line is cut at its width."""
    room = max(1, (height - HEAD_LINES - 1) // SECTIONS)
    reading, stack = content.reading, content.stack
    time_text = describe_time(reading.pace.elapsed_s)
    faults = [Text(describe_fault(fault, reading.now.now_ns)) for fault in reading.now.faults]
    alerts = [_alert_line(alert, content.now_s) for alert in sorted(stack.alerts, key=_urgency)]
    # The latest comes first: it is what the reader waits for.
    latest = reversed(stack.notifications)
    notified = [_notification_line(notification, content) for notification in latest]
    rates = (
        describe_rates(reading.before, reading.now),
        amount(content.scrapes, "scrapes"),
        describe_load_change(reading.load),
    )
    lines = [
        Text(f"{time_text}  {content.title}", style="bold"),
        Text("  ".join(filter(None, rates))),
        *_section("Faults", faults, room),
        *(Text(why, style="yellow") for why in stack.unreachable),
        *_section("Alerts", alerts, room - len(stack.unreachable)),
        *_section("Notified", notified, room),
    ]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def _urgency(alert: ActiveAlert) -> tuple[bool, float]:
    """Firing before pending, the latest first."""
    return alert.state != "firing", -alert.since_s


def _alert_line(alert: ActiveAlert, now_s: float) -> Text:
    state_s = format_duration(max(0, round(now_s - alert.since_s)))
    name = describe_alert(alert.alert, alert.series)
    severity = dict(alert.rule).get("severity", "")
    return Text.assemble(
        (f"{alert.state:<7} {state_s:>6}", _STYLES[alert.state]), f"  {name}", f"  {severity}"
    )


def _notification_line(notification: Notification, content: ScreenContent) -> Text:
    at = describe_time(max(0.0, notification.received_s - content.began_s))
    again = f" ({notification.deliveries} times)" if notification.deliveries > 1 else ""
    verb = "fires" if notification.status == "firing" else "resolved"
    alert = describe_notified(notification, content.stack.rule_labels)
    return Text(f"{at}  {notification.receiver}: {alert} {verb}{again}")


def _section(heading: str, lines: Sequence[Text], room: int) -> list[Text]:
    """Return the lines under a heading, at most `room` of them; the last may count the others."""
    shown = list(lines[: max(1, room)]) or [Text("none", style="dim")]
    if len(lines) > len(shown):
        more = len(lines) - len(shown) + 1
        shown[-1] = Text(f"and {more} more", style="dim")
    headings = [heading, *[""] * (len(shown) - 1)]
    return [
        Text.assemble((f"{text:<{HEADING_WIDTH}}", "bold"), line)
        for text, line in zip(headings, shown, strict=True)
    ]
