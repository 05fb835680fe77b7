"""Simulates burns and lets a real Prometheus evaluate the alerts: which fires, when, at what cost.

Called by `agentaskit-sim slo check --measure`. The world is the built-in one, at its usual load; a
share of its tasks fails as long as a burn lasts. What is judged of it is in `promises`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import EPOCH_S
from exporter.metrics.catalogue import WORLD
from exporter.target import SCRAPE_S
from scenarios.scenario import Scenario
from simulator.faults.fault import Fault
from simulator.faults.kinds.catalogue import FAULTS
from simulator.load import BASE_RATE_PER_S, Load
from simulator.plan import Plan
from simulator.snapshot import STATUSES
from simulator.topology import Topology
from verifier.errors import JudgeError, NotJudged
from verifier.evaluation.engine import evaluate
from verifier.pack.history_depth import depths
from verifier.pack.rules import AlertRule, RuleFiles
from verifier.pack.spread import spread
from verifier.promql.parsing import parse
from verifier.servers.prometheus import Prometheus, RangeQuery
from verifier.slo.conditions.clock import without_guards
from verifier.slo.measurement.burns import Burn, evaluated, plan_burns
from verifier.slo.policy import PERIOD_S
from verifier.virtual_time.healthy_world import HealthyWorlds
from verifier.virtual_time.run import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.faults.parameters import Parameters
    from verifier.evaluation.engine import Evaluation
    from verifier.evaluation.timeline import Timeline
    from verifier.slo.policy import Policy

    Column = NDArray[np.float64]
    Notify = Callable[[int, int, Burn], None]

ONSET_S: Final = 300.0
"""Healthy minutes before each burn: an alert that fires in them fires without a cause."""
SEED: Final = 42
OBJECTIVES: Final = ("availability", "error_budget", "burn_rate")
"""Labels `slo` of the alerts that watch the share of failed requests."""
STATUS: Final = "status"
"""The label by which the requests of the world are told apart."""


class NothingToMeasureError(JudgeError):
    """No burn of these alerts can be simulated; the message says why."""


@dataclass(frozen=True, slots=True)
class Response:
    """What an alert did in a burn; times count from the onset.

    `is_evaluated` is False where the burn is too small to move what it reads. `fired_s` is None
    when it did not fire, `resolved_s` when it still fired at the end; `spent_share` is the part of
    the 30 days' budget that was gone when it fired. `fired_before` says that it fired already when
    nothing failed yet.
    """

    alert: AlertRule
    is_evaluated: bool = True
    fired_s: float | None = None
    resolved_s: float | None = None
    spent_share: float | None = None
    fired_before: bool = False


@dataclass(frozen=True, slots=True)
class MeasuredBurn:
    """A burn as it came about: the rate that was measured in it, and what every alert did.

    `failed_per_s` requests failed in each second while it lasted.
    """

    burn: Burn
    rate: float
    failed_per_s: float
    spent_share: float
    responses: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """All burns; `engine` is the version of Prometheus that evaluated.

    `not_judged` are the rules that it could not evaluate in one of them.
    """

    burns: tuple[MeasuredBurn, ...]
    engine: str
    not_judged: tuple[NotJudged, ...] = ()


def measured_rules(rules: RuleFiles) -> RuleFiles:
    """Return the alerts on the share of failed requests, and all recording rules.

    Alerts of one name are numbered; guards by the clock are left out: which hour a burn comes at is
    no property of a rule.
    """
    names: Counter[str] = Counter()
    groups = []
    for group in rules.groups:
        kept = tuple(
            _measured(rule, names) if isinstance(rule, AlertRule) else rule
            for rule in group.rules
            if not isinstance(rule, AlertRule) or dict(rule.labels).get("slo") in OBJECTIVES
        )
        if kept:
            groups.append(replace(group, rules=kept))
    return RuleFiles(tuple(groups))


def _measured(rule: AlertRule, names: Counter[str]) -> AlertRule:
    names[rule.alert] += 1
    number = names[rule.alert]
    try:
        tree = parse(rule.expr)
    except ValueError:
        expr = rule.expr  # the engine may take what is not understood here
    else:
        bare = without_guards(tree)
        expr = rule.expr if bare is tree else bare.prettify()
    return replace(rule, alert=rule.alert if number == 1 else f"{rule.alert} ({number})", expr=expr)


def measure(policy: Policy, rules: RuleFiles, notify: Notify) -> Measurement:
    """Simulate every burn; `notify` is called before each with its number and how many there are.

    Raises InputError for a rule that the engine cannot evaluate, NothingToMeasureError without an
    alert that reads the world's requests, or where the world itself fails more of them than the
    policy allows.
    """
    chosen = measured_rules(rules)
    alerts = [rule for _, rule in chosen.alerts]
    burns = plan_burns(policy, alerts)
    budget = policy.budget
    if budget is None or not alerts:
        raise NothingToMeasureError("nothing to measure: no target, or no alert on availability")
    worlds = HealthyWorlds()
    healthy_share = _healthy_share(worlds)
    if healthy_share >= budget:
        raise NothingToMeasureError(
            f"the simulated system fails {100 * healthy_share:.3g} % of its requests when healthy,"
            f" more than a target of {policy.target_percent:g} % allows: it cannot be measured"
        )
    measured: list[MeasuredBurn] = []
    not_judged: dict[NotJudged, None] = {}
    engine = ""
    for number, burn in enumerate(burns, 1):
        notify(number, len(burns), burn)
        outcome, evaluation = _measure(burn, chosen, budget, (worlds, healthy_share))
        measured.append(outcome)
        not_judged |= dict.fromkeys(evaluation.not_judged)
        engine = evaluation.engine
    return Measurement(tuple(measured), engine, tuple(not_judged))


def _measure(
    burn: Burn, rules: RuleFiles, budget: float, healthy: tuple[HealthyWorlds, float]
) -> tuple[MeasuredBurn, Evaluation]:
    worlds, healthy_share = healthy
    share = 1.0 if burn.is_outage else (burn.rate * budget - healthy_share) / (1 - healthy_share)
    scenario = _scenario(burn, max(share, 0.0))
    chosen = evaluated(burn, rules)
    simulated = simulate(scenario, depths(chosen), worlds)
    end_s = scenario.duration_s
    with Prometheus() as server:
        server.push(simulated.history)
        evaluation = evaluate(server, chosen, start_s=0.0, end_s=end_s, spread=spread(SEED, chosen))
        spending = _spending(server, end_s)
    present = {id(rule) for _, rule in chosen.alerts}
    responses = tuple(
        _response(rule, evaluation.timelines, spending, budget)
        if id(rule) in present
        else Response(rule, is_evaluated=False)
        for _, rule in rules.alerts
    )
    lasts_s = min(burn.lasts_s, burn.watched_s)
    measured = MeasuredBurn(
        burn,
        spending.rate(lasts_s) / budget,
        spending.failed_since(lasts_s) / lasts_s,
        spending.spent(burn.watched_s) / budget,
        responses,
    )
    return measured, evaluation


def _scenario(burn: Burn, share: float) -> Scenario:
    watched_s = float(np.ceil((ONSET_S + burn.watched_s) / SCRAPE_S) * SCRAPE_S)
    lasts_s = watched_s if burn.is_steady else burn.lasts_s
    faults = []
    if share > 0:
        fail: Callable[..., Parameters] = FAULTS["task_failure"]
        failing = fail(share=share)
        faults.append(Fault(name="burn", parameters=failing, start_s=ONSET_S, duration_s=lasts_s))
    return Scenario(
        name=burn.name,
        story="",
        path=str(Path()),
        seed=SEED,
        duration_s=watched_s,
        topology=Topology(),
        plan=Plan(load=Load(rate=BASE_RATE_PER_S), faults=tuple(faults)),
    )


@dataclass(frozen=True, slots=True)
class _Spending:
    """Requests and failed requests since the onset, at each of `times_s` after it."""

    times_s: Column
    requests: Column
    failed: Column

    def spent(self, at_s: float) -> float:
        """Return the failed requests by then as a share of the requests of 30 days."""
        total_s = float(self.times_s[-1] - self.times_s[0])
        of_period = float(self.requests[-1] - self.requests[0]) / total_s * PERIOD_S
        return self.failed_since(at_s) / of_period

    def rate(self, lasts_s: float) -> float:
        """Return which share of the requests failed in the first `lasts_s`."""
        requests = float(np.interp(lasts_s, self.times_s, self.requests))
        return self.failed_since(lasts_s) / (
            requests - float(np.interp(0, self.times_s, self.requests))
        )

    def failed_since(self, at_s: float) -> float:
        """Return how many requests failed between the onset and then."""
        first = float(np.interp(0, self.times_s, self.failed))
        return float(np.interp(at_s, self.times_s, self.failed)) - first


def _spending(server: Prometheus, end_s: float) -> _Spending:
    """Ask the server how many requests there were, and how many failed."""
    metric = requests_metric()
    query = RangeQuery(f"sum by ({STATUS}) ({metric})", EPOCH_S, EPOCH_S + end_s, float(SCRAPE_S))
    series = server.query_range(query)
    if not series:
        raise NothingToMeasureError(f"nothing to measure: no alert on availability reads {metric}")
    times_s = series[0].times_s - EPOCH_S - ONSET_S
    columns = [np.interp(times_s, s.times_s - EPOCH_S - ONSET_S, s.values) for s in series]
    failed = [
        column
        for s, column in zip(series, columns, strict=True)
        if s.labels[STATUS].startswith("5")
    ]
    return _Spending(times_s, np.sum(columns, axis=0), np.sum(failed, axis=0))


def requests_metric() -> str:
    """Return the name of the world's counter of requests: the only one by status."""
    return next(
        metric.name for metric in WORLD if [label.name for label in metric.labels] == [STATUS]
    )


def _healthy_share(worlds: HealthyWorlds) -> float:
    """Return which share of the requests fails in a healthy world."""
    healthy = worlds.start_of(_scenario(Burn("healthy", 0.0, 0.0, 0.0), 0.0))
    answered = healthy.scrapes[-1].http_requests - healthy.before.http_requests
    failed = [status.startswith("5") for status in STATUSES]
    return float(answered[failed].sum() / answered.sum())


def _response(
    rule: AlertRule, timelines: tuple[Timeline, ...], spending: _Spending, budget: float
) -> Response:
    """Return what an alert did, whatever the labels under which it fired."""
    firing = [
        (episode.firing_s - ONSET_S, episode.resolved_s)
        for timeline in timelines
        if timeline.alert == rule.alert
        for episode in timeline.episodes
        if episode.firing_s is not None
    ]
    if not firing:
        return Response(rule)
    fired_s, resolved_s = min(firing, key=lambda each: (each[0], each[1] or inf))
    return Response(
        rule,
        fired_s=fired_s,
        resolved_s=None if resolved_s is None else resolved_s - ONSET_S,
        spent_share=spending.spent(fired_s) / budget,
        fired_before=fired_s < 0,
    )
