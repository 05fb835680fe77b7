"""What the page of a world shows of the servers around it: a status of the stack, put on its board.

`watch` calls it once a second. The board is a port of the exporter, which knows no Prometheus; this
is where the words of both meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentaskit_sim.terminal.notices import SHARED_LABELS
from documents.durations import format_duration
from exporter.server.live_page.stack_board import AlertShown, NotificationShown, StackBoard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentaskit_sim.terminal.addresses import Addresses
    from exporter.server.live_page.stack_board import Labels
    from verifier.pack.rules import AlertRule
    from verifier.real_time.environment import StackStatus
    from verifier.real_time.start import RunRequest
    from verifier.servers.foreign_server import ActiveAlert
    from verifier.servers.ledger import Notification


def board_of(request: RunRequest) -> StackBoard:
    """Return an empty board for a run: a lane for each of its alerts, where the rules are ours."""
    ours = request.rules.alerts if request.prometheus is None else ()
    conditions: dict[str, list[str]] = {}
    for _, rule in ours:
        conditions.setdefault(rule.alert, []).append(_condition(rule))
    shown = {alert: "\nor ".join(texts) for alert, texts in conditions.items()}
    return StackBoard(shown, factor=request.compression.factor)


def _condition(rule: AlertRule) -> str:
    """Return what a rule compares, on one line, and for how long that must hold."""
    wait = f" for {format_duration(rule.for_s)}" if rule.for_s else ""
    return " ".join(rule.expr.split()) + wait


def link(board: StackBoard, addresses: Addresses) -> None:
    """Let the page link to the servers around the world that have a page for people."""
    links = {"Prometheus": addresses.prometheus, "Alertmanager": addresses.alertmanager}
    board.links = tuple((name, url) for name, url in links.items() if url is not None)


def show_on(board: StackBoard, status: StackStatus, now_s: float) -> None:
    """Put a status on the board, as it was at `now_s` of Unix time."""
    board.show(
        [_alert(alert) for alert in status.alerts],
        [_notification(each, status) for each in status.notifications],
        status.unreachable,
        now_s,
    )


def _alert(alert: ActiveAlert) -> AlertShown:
    return AlertShown(
        alert=alert.alert,
        labels=_distinguishing(alert.series),
        severity=dict(alert.rule).get("severity", ""),
        pending_s=alert.active_s,
        firing_s=alert.since_s if alert.state == "firing" else None,
    )


def _notification(notification: Notification, status: StackStatus) -> NotificationShown:
    """Return a notification under the labels by which its alert has a lane."""
    labels = dict(notification.labels)
    alert = labels.pop("alertname", "an alert")
    hidden = status.rule_labels.get(alert, frozenset(labels))
    return NotificationShown(
        receiver=notification.receiver,
        alert=alert,
        labels=_distinguishing((key, text) for key, text in labels.items() if key not in hidden),
        status=notification.status,
        at_s=notification.received_s,
    )


def _distinguishing(labels: Iterable[tuple[str, str]]) -> Labels:
    return tuple(sorted((key, text) for key, text in labels if key not in SHARED_LABELS))
