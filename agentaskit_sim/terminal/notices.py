"""Sentences on alerts, notifications and faults of a world in real time; pure functions of values.

Called by `watch` for its log and by `screen` for its block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exporter.server.exposition import LoadReading
    from simulator.snapshot import FaultStatus
    from verifier.real_time.environment import StackStatus
    from verifier.servers.foreign_server import ActiveAlert
    from verifier.servers.ledger import Notification

SHARED_LABELS: Final = frozenset({"job", "instance"})
"""Labels that every alert of a world has: they distinguish none from another."""
PLAIN_FROM: Final = 100
"""Effects of this size on are written as whole numbers."""


def notice_stack(before: StackStatus, after: StackStatus) -> list[str]:
    """Return a sentence for everything that changed at the stack between two instants."""
    sentences = [*after.restarts[len(before.restarts) :]]
    sentences += [why for why in after.unreachable if why not in before.unreachable]
    if before.unreachable and not after.unreachable:
        sentences.append("every server answers again")
    sentences += _notice_alerts(before, after)
    for notification in after.notifications[len(before.notifications) :]:
        verb = "fires" if notification.status == "firing" else "has resolved"
        alert = describe_notified(notification, after.rule_labels)
        sentences.append(f"{notification.receiver} was notified: {alert} {verb}")
    return sentences


def describe_alert(alert: str, series: Iterable[tuple[str, str]]) -> str:
    """Return an alert's name, and the labels by which it differs from others of its rule."""
    labels = [f"{key}={value}" for key, value in series if key not in SHARED_LABELS]
    return " ".join([alert, *labels])


def describe_notified(notification: Notification, rule_labels: Mapping[str, frozenset[str]]) -> str:
    """Return the alert of a notification, written as by `describe_alert`.

    Of an alert whose rule is not known yet it is the name alone.
    """
    labels = dict(notification.labels)
    alert = labels.pop("alertname", "an alert")
    hidden = rule_labels.get(alert, frozenset(labels))
    return describe_alert(alert, [(k, v) for k, v in labels.items() if k not in hidden])


def describe_load_change(load: LoadReading) -> str:
    """Return the change of the load in effect, and when it ends; nothing without one."""
    if load.change is None:
        return ""
    left = format_duration(max(0, round(load.ends_s - load.now_s)))
    return f"{load.change_name}, ends in {left}"


def describe_fault(fault: FaultStatus, now_ns: int) -> str:
    """Return the status of a fault: what it is, what it did so far, when it ends."""
    strength = f"{fault.magnitude:.4g}"
    if fault.magnitude != fault.declared:
        strength += f" of {fault.declared:.4g}"
    name = "" if fault.name.replace("-", "_") == fault.fault else f"{fault.name}: "
    whole = abs(fault.effect) >= PLAIN_FROM
    effect = f"{fault.effect:,.0f}" if whole else f"{fault.effect:.3g}"
    left = format_duration(max(0, round((fault.ends_ns - now_ns) / 1e9)))
    return f"{name}{fault.fault} {strength}, {amount(effect, fault.effect_unit)}, ends in {left}"


def count_alerts(alerts: Sequence[ActiveAlert]) -> str:
    """Return how many are in which state."""
    firing = sum(alert.state == "firing" for alert in alerts)
    return f"{firing} firing, {len(alerts) - firing} pending"


def _notice_alerts(before: StackStatus, after: StackStatus) -> Iterable[str]:
    """Yield what became pending or fires, then what is over."""
    old, new = (
        {(alert.alert, alert.series): alert for alert in status.alerts}
        for status in (before, after)
    )
    for key, alert in new.items():
        last = old.get(key)
        # The same state since another instant: it resolved and began again in between.
        if last is None or last.state != alert.state or last.active_s != alert.active_s:
            yield _describe_change(alert)
    for key, alert in old.items():
        if key not in new:
            how = "has resolved" if alert.state == "firing" else "is no longer pending"
            yield f"{describe_alert(alert.alert, alert.series)} {how}"


def _describe_change(alert: ActiveAlert) -> str:
    name = describe_alert(alert.alert, alert.series)
    if alert.state == "pending":
        return f"{name} is pending"
    waited_s = round(alert.since_s - alert.active_s)
    return f"{name} FIRES" + (f" after {format_duration(waited_s)} pending" if waited_s else "")
