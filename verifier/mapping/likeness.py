"""How near a metric of another exporter is to a quantity of ours, by the words of both names.

Called for a proposal of a mapping. It knows the words that exporters use for the same thing, and
decides nothing but a number. Pure.
"""

from __future__ import annotations

import re
from typing import Final

CONCEPTS: Final = {
    "request": "http https request requests req call calls rpc grpc hit hits query queries",
    "response": "response responses reply replies",
    "duration": "duration durations latency latencies elapsed seconds milliseconds millis ms micros"
    " microseconds us time",
    "queue": "queue queued queues backlog waiting pending depth length lag",
    "flight": "flight inflight progress inprogress running busy concurrent",
    "active": "active alive up current live",
    "agent": "agent agents worker workers instance instances replica replicas pod pods thread"
    " threads node nodes",
    "task": "task tasks job jobs item items work order orders operation operations request"
    " requests",
    "message": "message messages event events record records publish published",
    "drop": "drop drops dropped lost discarded",
    "fail": "error errors fail fails failed failure failures exception exceptions",
    "retry": "retry retries retried",
    "reject": "reject rejected rejections throttled shed denied limited",
    "timeout": "timeout timeouts timed",
    "memory": "memory mem heap rss resident",
    "cpu": "cpu",
    "pool": "pool pools connection connections slot slots sandbox permits",
    "free": "available free idle",
    "network": "network net transmit transmitted receive received",
    "send": "sent send transmit transmitted egress",
    "receive": "receive received ingress",
    "start": "start started starts startup boot",
    "crash": "crash crashes crashed restarts died",
    "arrive": "arrive arrived arrivals incoming enqueued submitted",
    "process": "processed processing completed finished done handled consumed",
    "saturation": "saturation utilization utilisation usage ratio percent",
    "execution": "execution executions runs",
}
"""A concept, and the words that exporters have for it."""
_CONCEPT_OF: Final = {
    word: frozenset(c for c, words in CONCEPTS.items() if word in words.split())
    for words in CONCEPTS.values()
    for word in words.split()
}
NEAR_ENOUGH: Final = 0.34
"""More than a third of all concepts in common: below, a proposal would be a guess."""


def concepts(name: str) -> frozenset[str]:
    """Return what a metric's name is about; words that are no concept are left out."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
    return frozenset().union(*(_CONCEPT_OF.get(word, frozenset()) for word in words))


def likeness(name: str, ours: str, more: frozenset[str] = frozenset()) -> float:
    """Return the share of concepts that two names have in common, 0 to 1; `more` are ours too."""
    theirs, own = concepts(name), concepts(ours) | more
    return len(theirs & own) / len(theirs | own) if theirs and own else 0.0
