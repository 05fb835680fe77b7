"""The real stack around one world in real time: Prometheus, Alertmanager and a receiver.

Started by `RealTimeRun` and for `up`, on loopback. The world's page is a scrape target; the past is
pushed before the first scrape, then the rules are loaded and alerts are routed to the receiver.
Whoever holds the stack calls `check` now and then: a server that died is started again and noted
where nothing is lost by that, or the run is over.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self, TypeVar

from exporter.history.samples import EPOCH_S
from exporter.server.discovery import describe_targets
from verifier.errors import JudgeError
from verifier.pack.routes.zone_files import DateClock
from verifier.pack.rule_writer import write_rules
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.binaries import require
from verifier.servers.prometheus import Prometheus
from verifier.servers.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.labels import Labels
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.servers.foreign_server import ForeignServer
    from verifier.servers.ledger import Notification
    from verifier.time_compression import TimeCompression

STALE_S: Final = 8.0
"""Prometheus' newest sample is never older than a scrape interval and this: its first scrape comes
within 6 s of the configuration, a busy machine takes its time."""

EVALUATION_S: Final = 60.0
"""Prometheus's own default, for groups that name no interval."""

_Answer = TypeVar("_Answer")


class Stack:
    """The three servers, inside a `with` block; nothing of them is left after it.

    `rules` are as Prometheus evaluates them: compressed already. `restarts` has a sentence for
    every server that had to be started again, `seen` the labels of every alert that Alertmanager
    showed.
    """

    def __init__(
        self,
        rules: RuleFiles,
        routing: Routing,
        compression: TimeCompression,
        *,
        receiver: Receiver | None = None,
        foreign_alertmanager: ForeignServer | None = None,
    ) -> None:
        """Start nothing yet. With a foreign Alertmanager none of ours is started or routed."""
        self._rules, self._routing, self._compression = rules, routing, compression
        self._foreign = foreign_alertmanager
        self.prometheus = Prometheus(factor=compression.factor)
        self.alertmanager = Alertmanager()
        self.receiver = receiver or Receiver()
        self.restarts: list[str] = []
        self.seen: set[Labels] = set()
        self._configured_s = math.inf
        self._servers = ExitStack()

    def __enter__(self) -> Self:
        """Start all three; raises JudgeError when one is missing or does not start."""
        require("prometheus")
        if self._foreign is None:
            require("alertmanager")
        with ExitStack() as servers:
            servers.enter_context(self.prometheus)
            servers.enter_context(self.receiver)
            if self._foreign is None:
                servers.enter_context(self.alertmanager)
                self._write_zones(DateClock(time.time(), EPOCH_S, 1, 0))
                self.alertmanager.start(
                    self._routing.config(self.receiver.url, self._compression.factor)
                )
            self._servers = servers.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """End all three and remove their directories."""
        self._servers.close()

    def set_date(self, clock: DateClock) -> None:
        """Give our Alertmanager the scenario's date and time of day; before any alert fires."""
        if self._foreign is None and self._routing.intervals:
            self._write_zones(clock)
            self.alertmanager.reload()

    def start_scraping(self, target: str, cells: int = 1) -> None:
        """Scrape `target` (host:port) from now on, each of its cells, evaluate and notify."""
        try:
            rules = write_rules(self._rules, self.prometheus.directory)
        except OSError as error:
            raise JudgeError(
                f"Prometheus' rules cannot be written ({error.strerror}): free some space or point"
                " TMPDIR elsewhere"
            ) from error
        config = self._config([str(path) for path in rules], target, cells)
        self.prometheus.configure(json.dumps(config, indent=1))
        self._configured_s = time.time()

    def check(self) -> None:
        """Start again what has ended; raises JudgeError when the run cannot go on.

        Alertmanager and the receiver may restart: the ledger keeps what was delivered, and what was
        not delivered is sent again. Prometheus would have a gap that nothing can fill.
        """
        since_s = time.time() - self._compression.scrape_s - STALE_S
        self.prometheus.check(since_s=since_s if since_s > self._configured_s else -math.inf)
        self.receiver.check()
        if self._foreign is None:
            self._check_alertmanager()
        self.restarts += revive("the receiver", self.receiver)

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver, each notification once."""
        return self.receiver.notifications()

    def failed_notifications(self) -> int:
        """Return how many of Alertmanager's attempts failed since it was last started."""
        name = "alertmanager_notification_requests_failed_total"
        return int(self._query(lambda: self.alertmanager.metric(name)) or 0)

    def _write_zones(self, clock: DateClock) -> None:
        try:
            self._routing.write_zones(self.alertmanager.directory, clock)
        except OSError as error:
            raise JudgeError(
                f"Alertmanager's time zones cannot be written ({error.strerror}): free some space"
                " or point TMPDIR elsewhere"
            ) from error

    def _config(self, rule_files: list[str], target: str, cells: int) -> dict[str, object]:
        """Return Prometheus's configuration."""
        notified = self._foreign or self.alertmanager
        alertmanager = {
            "scheme": self._foreign.scheme if self._foreign else "http",
            "path_prefix": notified.path_prefix,
            "static_configs": [{"targets": [notified.target]}],
        }
        own = {"target_label": "instance", "replacement": self._rules.target.instance}
        scrape = {
            "job_name": self._rules.target.job,
            # The past was stored under these names: scraped samples continue its series.
            "static_configs": describe_targets(target, cells, self._rules.target),
            "relabel_configs": [own] if cells == 1 else [],
            # A mapping may name the job and the instance of a single metric.
            "honor_labels": self._rules.mapping is not None,
        }
        return {
            "global": {
                "scrape_interval": _ms(self._compression.scrape_s),
                "scrape_timeout": _ms(self._compression.scrape_timeout_s),
                "evaluation_interval": _ms(self._compression.real_s(EVALUATION_S)),
            },
            "rule_files": rule_files,
            "alerting": {"alertmanagers": [alertmanager]},
            "scrape_configs": [scrape],
        }

    def _check_alertmanager(self) -> None:
        self.restarts += revive("Alertmanager", self.alertmanager)
        for alert in self._query(self.alertmanager.alerts) or []:
            self.seen.add(alert.labels)

    def _query(self, question: Callable[[], _Answer]) -> _Answer | None:
        """Ask Alertmanager; None when it died meanwhile: the next check starts it again."""
        try:
            return question()
        except JudgeError:
            if self.alertmanager.exit_status() is None:
                raise
            return None


def revive(name: str, server: Alertmanager | Receiver) -> list[str]:
    """Start a server again if it has ended; return how it ended, in a sentence, if it has."""
    status = server.exit_status()
    if status is None:
        return []
    server.restart()
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return [f"{name} ended with {how} and was started again"]


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
