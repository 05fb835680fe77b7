"""The real stack around one live world: Prometheus, Alertmanager and a receiver, on loopback.

Started by the live judge and by `up`. The world's page is a scrape target; the past is pushed
before the first scrape, then the rules are loaded and alerts are routed to the receiver. Whoever
holds the stack calls `check` now and then: a server that died is started again where nothing is
lost by that, and told of, or the run is over.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from exporter.recorder import INSTANCE, JOB
from verifier.alertmanager import Alertmanager
from verifier.binaries import require
from verifier.errors import JudgeError
from verifier.prometheus import Prometheus
from verifier.receiver import Receiver
from verifier.rule_files import write_rules

if TYPE_CHECKING:
    from exporter.history import History
    from verifier.ledger import Notification
    from verifier.routing import Routing
    from verifier.rules import RuleFiles
    from verifier.tempo import Tempo
    from verifier.verdict import Labels


class Stack:
    """The three servers, inside a `with` block; nothing of them is left after it.

    `rules` are as they shall be evaluated: compressed already when `tempo` says so. `restarts`
    tells of every server that had to be started again, `seen` which alerts Alertmanager has shown.
    """

    def __init__(self, rules: RuleFiles, routing: Routing, tempo: Tempo) -> None:
        """Start nothing yet."""
        self._rules, self._routing, self._tempo = rules, routing, tempo
        self.prometheus = Prometheus(factor=tempo.factor)
        self.alertmanager = Alertmanager()
        self.receiver = Receiver()
        self.restarts: list[str] = []
        self.seen: set[Labels] = set()
        self._servers = ExitStack()

    def __enter__(self) -> Self:
        """Start all three; raises JudgeError when one is missing or does not start."""
        require("prometheus")
        require("alertmanager")
        with ExitStack() as servers:
            servers.enter_context(self.prometheus)
            servers.enter_context(self.receiver)
            servers.enter_context(self.alertmanager)
            self.alertmanager.start(self._routing.config(self.receiver.url, self._tempo.factor))
            self._servers = servers.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """End all three and remove their directories."""
        self._servers.close()

    def begin(self, history: History | None, target: str) -> None:
        """Store the past, then scrape `target` (host:port), evaluate the rules and notify."""
        if history is not None:
            self.prometheus.push(history)
        rules = write_rules(self._rules, self.prometheus.directory)
        config = {
            "global": {
                "scrape_interval": _ms(self._tempo.scrape_s),
                "scrape_timeout": _ms(self._tempo.scrape_timeout_s),
                "evaluation_interval": _ms(self._tempo.real_s(60.0)),
            },
            "rule_files": [str(path) for path in rules],
            "alerting": {
                "alertmanagers": [
                    {
                        "path_prefix": self.alertmanager.path_prefix,
                        "static_configs": [{"targets": [self.alertmanager.target]}],
                    }
                ]
            },
            "scrape_configs": [
                {
                    "job_name": JOB,
                    "static_configs": [{"targets": [target]}],
                    # The past was stored under this name: live samples go on with its series.
                    "relabel_configs": [{"target_label": "instance", "replacement": INSTANCE}],
                }
            ],
        }
        self.prometheus.configure(json.dumps(config, indent=1))

    def check(self) -> None:
        """Look after the servers; raises JudgeError when the run cannot go on.

        Alertmanager and the receiver are started again: what they told is in the ledger, and what
        they did not tell is told again. Prometheus would have a gap nobody can fill.
        """
        self.prometheus.check()
        for name, server in (("Alertmanager", self.alertmanager), ("the receiver", self.receiver)):
            status = server.exit_status()
            if status is not None:
                server.restart()
                how = f"signal {-status}" if status < 0 else f"status {status}"
                self.restarts.append(f"{name} ended with {how} and was started again")
        try:
            alerts = self.alertmanager.alerts()
        except JudgeError:
            if self.alertmanager.exit_status() is None:
                raise
            return  # it died since: the next look starts it again
        for alert in alerts:
            self.seen.add(tuple(sorted(alert["labels"].items())))

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver, each notification once."""
        return self.receiver.notifications()


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
