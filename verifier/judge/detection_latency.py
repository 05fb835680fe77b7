"""Detection latency: from a true condition in the world to the first notification; its bound.

Used by the judge of runs in real time for every alert that fired. Pure; times are scenario seconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from verifier.judge.verdict import Latency

if TYPE_CHECKING:
    from verifier.judge.verdict import AlertVerdict

_TOLERANCE: Final = 1e-9
"""Keeps a `for` of whole evaluations from being rounded up to one more."""


def bound_s(*, scrape_s: float, evaluation_s: float, for_s: float, group_wait_s: float) -> float:
    """Return within what time a true condition is notified if no hop waits longer than it must.

    The next scrape sees the condition, the next evaluation sees that scrape's sample, and the alert
    is then pending. It fires at the first evaluation at least `for_s` later, so `for_s`
    counts in whole evaluations (`AlertingRule.Eval`, rules/alerting.go of Prometheus 2.42: the
    evaluation's time on the group's grid minus ActiveAt reaches the hold duration), and is sent at
    once. Alertmanager notifies a new group after its group_wait (dispatch/dispatch.go of 0.25).

    Not covered: an alert that joins a group which was notified before waits for that group's next
    group_interval; a range must first hold enough of the new data for the condition to be true.
    """
    held_s = math.ceil(for_s / evaluation_s - _TOLERANCE) * evaluation_s
    return scrape_s + evaluation_s + held_s + group_wait_s


def latency(verdict: AlertVerdict, *, condition_s: float | None, within_s: float) -> Latency | None:
    """Return how long the alert of `verdict` took to reach a receiver; None when it never fired.

    `condition_s` counts from the cause's onset, `within_s` is what `bound_s` returns. A condition
    that was not measured counts from the evaluation that saw it: it cannot have become true later.
    """
    if verdict.firing_s is None or verdict.pending_s is None:
        return None
    notified_s = [each.at_s for each in verdict.deliveries if each.status == "firing"]
    return Latency(
        condition_s=condition_s,
        pending_s=verdict.pending_s,
        firing_s=verdict.firing_s,
        notified_s=min(notified_s) - verdict.onset_s if notified_s else None,
        bound_s=(verdict.pending_s if condition_s is None else condition_s) + within_s,
    )
