"""What a run in real time has come to so far: read from the stack, judged as far as the receiver.

Called by `RealTimeRun` while a run comes to its end, and once more for the verdict. It changes
nothing; it reads only what Prometheus stored and the receiver wrote down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from exporter.history.samples import EPOCH_S
from exporter.history.scrape_series import UP
from verifier.alert_texts.text_mistakes import notified_texts, text_findings
from verifier.evaluation.observed_timelines import ALERT_STATES, observed_timelines
from verifier.judge.alert_verdicts import judge
from verifier.judge.detection_latency import bound_s, latency
from verifier.judge.fault_effects import effect_status
from verifier.judge.hop_evidence import HopEvidence, NotificationDeadlines
from verifier.judge.notification_verdicts import judge_deliveries, routing_findings
from verifier.servers.prometheus import RangeQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from simulator.snapshot import FaultEffect
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.verdict import AlertVerdict
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.real_time.stack import Stack
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.prometheus import Series
    from verifier.time_compression import TimeCompression

MACHINE_S: Final = 2.0
"""What a busy machine may add to any notification, real seconds."""
CONDITION_POINTS: Final = 4
"""Points per scrape interval of the query for the instant at which a condition became true."""


@dataclass(frozen=True, slots=True)
class RunObservation:
    """A run up to `ended_s` (scenario seconds); `stored` are the samples of `ALERTS`.

    Within `due_s` scenario seconds of firing or resolving, every receiver must be notified.
    """

    ended_s: float
    alerts: tuple[AlertVerdict, ...]
    timelines: tuple[Timeline, ...]
    stored: tuple[Series, ...]
    due_s: float

    @property
    def ok(self) -> bool:
        """Whether every alert did what it had to, as far as the receiver."""
        return all(alert.ok for alert in self.alerts)

    @property
    def must_resolve(self) -> bool:
        """Whether an alert still has to resolve."""
        return any(
            alert.resolves_within_s is not None
            and alert.firing_s is not None
            and alert.resolved_s is None
            for alert in self.alerts
        )

    @property
    def must_notify(self) -> bool:
        """Whether a receiver has not been notified of what fired or resolved, and may still be."""
        return any(self._must_notify(alert) for alert in self.alerts)

    def _must_notify(self, alert: AlertVerdict) -> bool:
        if alert.firing_s is None or alert.expected not in {"fires", "explained"}:
            return False
        last = {delivery.receiver: delivery.status for delivery in alert.deliveries}
        all_notified = last and last.keys() >= set(alert.receivers or ())
        if alert.expected == "fires" and alert.receivers != () and not all_notified:
            return self.ended_s < alert.onset_s + alert.firing_s + self.due_s
        if alert.resolved_s is None or not alert.notifies_resolved:
            return False
        resolved_s = alert.onset_s + alert.resolved_s
        return "firing" in last.values() and self.ended_s < resolved_s + self.due_s


@dataclass(frozen=True, slots=True)
class RunObserver:
    """Observes one run from outside its world.

    `rules` are those of the user, `compressed` those that Prometheus evaluates. `lead_s` real
    seconds passed between the exporter's start and the scenario's beginning, which is at `date_s`
    of the scenario's date (Unix seconds).
    """

    stack: Stack
    rules: RuleFiles
    compressed: RuleFiles
    routing: Routing
    compression: TimeCompression
    clock: ScenarioClock
    lead_s: float
    date_s: float = EPOCH_S

    @property
    def started_s(self) -> float:
        """When the exporter started, Unix time: up to that instant the past was stored."""
        return self.clock.start_s - self.lead_s

    def observe(
        self, scenario: Scenario, end_s: float, *, effects: Sequence[FaultEffect] = ()
    ) -> RunObservation:
        """Judge what happened up to `end_s` of Unix time, by the expectations of `scenario`.

        Of the `effects` of faults some were none: what is missing then broke there.
        """
        server, clock = self.stack.prometheus, self.clock
        stored = tuple(server.stored(ALERT_STATES, self.started_s, end_s))
        timelines = observed_timelines(stored, self.compressed, clock, end_s)
        names = [rule.alert for _, rule in self.rules.alerts]
        evidence = HopEvidence(
            clock=clock,
            ended_s=clock.scenario_s(end_s),
            seen_by_alertmanager=frozenset(self.stack.seen),
            failed_notifications=self.stack.failed_notifications(),
            failed_scrapes_s=self._failed_scrapes_s(end_s),
            without_effect=frozenset(o.name for o in effects if effect_status(o) == "ineffective"),
            routing=self.routing,
            date_s=self.date_s,
        )
        deadlines = self._deadlines(timelines)
        alerts = judge_deliveries(
            judge(scenario, names, timelines),
            timelines,
            self.stack.notifications(),
            evidence=evidence,
            deadlines=deadlines,
        )
        return RunObservation(evidence.ended_s, alerts, timelines, stored, deadlines.due_s)

    def findings(self, scenario: Scenario) -> tuple[str, ...]:
        """Return what to know of the routing, and which texts the receivers could not read."""
        texts = text_findings(self.rules, notified_texts(self.stack.notifications()))
        return (*routing_findings(scenario, self.routing), *texts)

    def with_latency(self, alerts: Sequence[AlertVerdict]) -> tuple[AlertVerdict, ...]:
        """Return the verdicts with how long each alert took to reach a receiver."""
        return tuple(self._timed(alert) for alert in alerts)

    def _timed(self, alert: AlertVerdict) -> AlertVerdict:
        if alert.cause is None or alert.firing_s is None or alert.pending_s is None:
            return alert
        labels = {"alertname": alert.alert, **dict(alert.labels)}
        group, rule = next(pair for pair in self.rules.alerts if pair[1].alert == alert.alert)
        within_s = bound_s(
            scrape_s=self.compression.scrape_s * self.compression.factor,
            evaluation_s=group.interval_s,
            for_s=rule.for_s,
            group_wait_s=self.routing.group_wait_s(labels),
        )
        condition_s = self._condition_s(alert, alert.onset_s + alert.pending_s)
        return replace(alert, latency=latency(alert, condition_s=condition_s, within_s=within_s))

    def _condition_s(self, alert: AlertVerdict, pending_s: float) -> float | None:
        """Return when, after the onset, the condition became true in what was stored."""
        rule = next(rule for _, rule in self.compressed.alerts if rule.alert == alert.alert)
        step_s = max(1, round(self.compression.scrape_s * 1000 / CONDITION_POINTS)) / 1000
        until_s = self.clock.unix_s(pending_s)
        # Steps back from the evaluation at which it was pending, where the condition surely held: a
        # fault that is seen within a step would otherwise have no instant at all. At most as many
        # as a range query may have.
        steps = min(int((until_s - self.clock.unix_s(alert.onset_s)) / step_s), 8000)
        from_s = until_s - steps * step_s
        # Half a step further, so that no rounding leaves out the last point.
        query = RangeQuery(rule.expr, from_s, until_s + step_s / 2, step_s)
        answer = self.stack.prometheus.query_range(query)
        labels = dict(alert.labels)
        # Of a rule with several series, that of this alert carries no label that differs.
        times = [
            float(series.times_s[0])
            for series in answer
            if all(labels.get(key, value) == value for key, value in series.labels.items())
        ]
        return self.clock.scenario_s(min(times)) - alert.onset_s if times else None

    def _deadlines(self, timelines: Sequence[Timeline]) -> NotificationDeadlines:
        labels = [{"alertname": line.alert, **dict(line.labels)} for line in timelines]
        interval_s = max((group.interval_s for group, _ in self.rules.alerts), default=0.0)
        machine_s = MACHINE_S * self.compression.factor
        return NotificationDeadlines(
            due_s=max(map(self.routing.hold_s, labels), default=0.0) + interval_s + machine_s,
            early_s=interval_s + machine_s,
        )

    def _failed_scrapes_s(self, end_s: float) -> tuple[float, ...]:
        scraped = self.stack.prometheus.stored(UP, self.clock.start_s, end_s)
        return tuple(
            self.clock.scenario_s(at_s)
            for series in scraped
            for at_s, up in zip(series.times_s.tolist(), series.values.tolist(), strict=True)
            if not up
        )
