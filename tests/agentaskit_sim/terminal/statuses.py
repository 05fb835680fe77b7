"""An alert that becomes pending and fires, its notification, and what the stack shows of them."""

from __future__ import annotations

from dataclasses import replace

from verifier.real_time.environment import StackStatus
from verifier.servers.foreign_server import ActiveAlert
from verifier.servers.ledger import Notification

NOW_S = 1_700_000_000.0
EXHAUSTED = ActiveAlert(
    alert="PoolExhausted",
    state="pending",
    series=(("instance", "127.0.0.1:9464"), ("job", "agentaskit"), ("sandbox_type", "B")),
    rule=(("component", "sandbox"), ("severity", "warning")),
    active_s=NOW_S - 14,
    since_s=NOW_S - 14,
)
FIRING = replace(EXHAUSTED, state="firing", since_s=NOW_S - 2)
NOTIFICATION = Notification(
    receiver="slack-warnings",
    status="firing",
    group_key="{}",
    fingerprint="f",
    labels=(("alertname", "PoolExhausted"), *EXHAUSTED.series, *EXHAUSTED.rule),
    annotations=(),
    starts_at_s=NOW_S - 2,
    ends_at_s=None,
    received_s=NOW_S - 1,
)
NO_STATUS = StackStatus()
PENDING_STATUS, FIRING_STATUS = (
    NO_STATUS.with_alerts((EXHAUSTED,)),
    NO_STATUS.with_alerts((FIRING,)),
)
