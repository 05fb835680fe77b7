"""A scenario simulated in virtual time, its history sent to a store while it is made.

Every series of every cell, at every scrape: what a Prometheus would have stored that had scraped
the system from so long before the scenario's start to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from exporter.history.retention import COARSE_S, Need
from exporter.history.stream import HistoryStream
from exporter.target import SCRAPE_S
from verifier.stores.sender import Sender
from verifier.virtual_time.run import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.mapping.metric_mapping import MetricMapping
    from scenarios.scenario import Scenario
    from verifier.stores.address import StoreAddress
    from verifier.stores.receipt import Receipt
    from verifier.stores.sender import SendingSetup
    from verifier.virtual_time.healthy_world import HealthyWorlds
    from verifier.virtual_time.progress import Report

PAST_S: Final = 3600.0
"""As deep as the fast burn rate reads."""


@dataclass(frozen=True, slots=True)
class SentHistory:
    """What of a scenario is sent: from `past_s` before its start, which is at `start_s` (Unix)."""

    scenario: Scenario
    start_s: float
    past_s: float = PAST_S
    exact: bool = False
    mapping: MetricMapping | None = None

    @property
    def span_ms(self) -> tuple[int, int]:
        """When its first and last scrapes may be, Unix milliseconds."""
        before_s, after_s = self.past_s + COARSE_S, self.scenario.duration_s
        return round((self.start_s - before_s) * 1000), round((self.start_s + after_s) * 1000)


@dataclass(frozen=True, slots=True)
class EverySeries:
    """Every metric so deep, every scrape of it."""

    past_s: float

    def need(self, metric: str, duration_s: float) -> Need:  # noqa: ARG002 - every metric alike
        """Return the same for each metric."""
        return Need(self.past_s - SCRAPE_S, ((-self.past_s - COARSE_S, inf),))


def send_scenario(  # noqa: PLR0913 - what is sent, where to, how, and who watches
    sent: SentHistory,
    store: StoreAddress,
    setup: SendingSetup,
    healthy_worlds: HealthyWorlds,
    *,
    report: Report | None = None,
    watch: Callable[[Sender], None] = lambda _: None,
) -> Receipt:
    """Simulate and send; return what came of it. Raises JudgeError where the store ends it.

    `watch` is called now and then while the store is waited for, and once when a run is ended.
    """
    with Sender(store, setup, sent.span_ms) as sender:
        try:
            simulate(
                sent.scenario, EverySeries(sent.past_s), healthy_worlds, exact=sent.exact,
                mapping=sent.mapping, report=report,
                stream=HistoryStream(sender.take, sent.start_s),
            )  # fmt: skip
            return sender.finish(lambda: watch(sender))
        except BaseException:
            watch(sender)
            raise
