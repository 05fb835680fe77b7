"""What the policy promises of every burn, and which alerts break it.

Called after `measure`, by the front door. An alert on a window promises to fire before the share of
the budget is spent that its rate spends in that window, plus what burns while it waits (`for`, two
evaluations, scrapes); below its rate it promises silence. And every alert promises to fire at all.
Values only; `verifier.slo.measurement.report` writes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, TypeAlias

from exporter.target import SCRAPE_S
from verifier.pack.history_depth import depths
from verifier.slo.alignment import recordings_of
from verifier.slo.conditions.branches import branches_of
from verifier.slo.conditions.indicator import WrongEventsError
from verifier.slo.conditions.unreadable import UnreadableConditionError
from verifier.slo.measurement.burns import alone
from verifier.slo.policy import PERIOD_S
from verifier.slo.shares import share_conditions

if TYPE_CHECKING:
    from documents.mistakes import Place
    from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup
    from verifier.slo.measurement.measure import MeasuredBurn, Measurement, Response
    from verifier.slo.policy import Policy

APART: Final = 0.03
"""Rates nearer to each other than this are not told apart: a burn is made of drawn minutes."""
STANDARD_ERRORS: Final = 2.5
"""And none that the errors within a window, which come at random, may bring together."""
SURE: Final = 1.25
"""A short outage must be seen by a window whose rate it passes by this factor."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What an alert owes: to fire above `rate`, seen over `window_s`, and to wait `wait_s` then.

    Below `quiet_rate` it must not fire: that is lower where it watches slower windows as well.
    """

    rate: float
    window_s: float
    wait_s: float
    quiet_rate: float

    def margin(self, burn: MeasuredBurn) -> float:
        """Return by which factor a rate must differ from this to be told apart in a burn."""
        errors = max(burn.failed_per_s * self.window_s, 1.0)
        return APART + STANDARD_ERRORS / math.sqrt(errors)

    def within_s(self, burn: MeasuredBurn) -> float:
        """Return how long after the onset of a burn it must have fired at the latest."""
        filled = self.rate / burn.rate * (1 + 2 * self.margin(burn))
        return self.window_s * min(1.0, filled) + self.wait_s


@dataclass(frozen=True, slots=True)
class NeverFires:
    """An alert fired in none of the burns."""

    place: Place
    alert: str
    burns: int


@dataclass(frozen=True, slots=True)
class FiresWhenHealthy:
    """An alert fired before anything failed."""

    place: Place
    alert: str


@dataclass(frozen=True, slots=True)
class FiresBelowRate:
    """An alert fired in a burn below its rate."""

    place: Place
    alert: str
    measured_rate: float
    fired_s: float
    rate: float


@dataclass(frozen=True, slots=True)
class MissesBurn:
    """An alert did not fire in a burn that it promises to see, of which `spent_share` was spent."""

    place: Place
    alert: str
    burn: str
    measured_rate: float
    spent_share: float
    rate: float


@dataclass(frozen=True, slots=True)
class FiresLate:
    """An alert fired later than the policy promises, when more of the budget was spent."""

    place: Place
    alert: str
    burn: str
    fired_s: float
    spent_share: float
    within_s: float
    promised_share: float


BrokenPromise: TypeAlias = NeverFires | FiresWhenHealthy | FiresBelowRate | MissesBurn | FiresLate


def promise_of(
    policy: Policy, rules: RuleFiles, group: RuleGroup, rule: AlertRule
) -> Promise | None:
    """Return what an alert of `rules` promises, None for one that the policy gives no rate."""
    labels = dict(rule.labels)
    wait_s = rule.for_s + 2 * group.interval_s + 2 * SCRAPE_S
    if labels.get("slo") == "availability":
        read_s = depths(alone(rules, group, rule), remembered=False).longest_s
        return Promise(1.0, read_s, wait_s, 1.0)
    for window in policy.windows:
        if labels.get("slo") == "burn_rate" and labels.get("window") == window.name:
            quiet_rate = min(window.burn_rate, *_rates_beside(policy, rules, rule), inf)
            return Promise(window.burn_rate, window.lookback_s, wait_s, quiet_rate)
    return None


def _rates_beside(policy: Policy, rules: RuleFiles, rule: AlertRule) -> list[float]:
    """Return the rates of the policy's windows that an alert watches, each in a branch."""
    try:
        branches = branches_of(rule.expr, recordings_of(rules))
        shares = [share_conditions(branch, policy.events) for branch in branches]
    except (UnreadableConditionError, WrongEventsError):
        return []
    read_s = {max(share.window_s for share in branch) for branch in shares if branch}
    return [window.burn_rate for window in policy.windows if window.lookback_s in read_s]


def broken_promises(
    policy: Policy, rules: RuleFiles, measurement: Measurement
) -> list[BrokenPromise]:
    """Return every promise that is broken, by alert; an alert that never fires breaks one.

    Alerts that could not be judged are left to whoever names them.
    """
    broken: list[BrokenPromise] = []
    unjudged = {each.place for each in measurement.not_judged}
    for group, rule in rules.alerts:
        if rule.position in unjudged:
            continue
        promise = promise_of(policy, rules, group, rule)
        responses = [
            (burn, response)
            for burn in measurement.burns
            for response in burn.responses
            if response.alert.position == rule.position and response.is_evaluated
        ]
        if not responses:
            continue
        if all(response.fired_s is None for _, response in responses):
            broken.append(NeverFires(rule.position, rule.alert, len(responses)))
            continue
        if any(response.fired_before for _, response in responses):
            broken.append(FiresWhenHealthy(rule.position, rule.alert))
            continue
        for burn, response in responses if promise is not None else ():
            broken += _broken(promise, burn, response) if promise is not None else []
    return broken


@dataclass(frozen=True, slots=True)
class FiringBound:
    """The latest that an alert may fire in a burn, and the share of the budget spent by then."""

    within_s: float
    spent_share: float


def bounds(
    policy: Policy, rules: RuleFiles, measurement: Measurement
) -> dict[tuple[str, str], FiringBound]:
    """Return the bound of every alert that must fire in a burn, by the names of both."""
    return {
        (burn.burn.name, rule.alert): FiringBound(
            within_s := promise.within_s(burn),
            min(within_s, burn.burn.lasts_s) * burn.rate / PERIOD_S,
        )
        for group, rule in rules.alerts
        if (promise := promise_of(policy, rules, group, rule)) is not None
        for burn in measurement.burns
        if _is_owed(promise, burn, rule)
    }


def _broken(promise: Promise, burn: MeasuredBurn, response: Response) -> list[BrokenPromise]:
    place, alert = response.alert.position, response.alert.alert
    if burn.rate < promise.quiet_rate * (1 - promise.margin(burn)):
        if response.fired_s is None:
            return []
        return [FiresBelowRate(place, alert, burn.rate, response.fired_s, promise.quiet_rate)]
    if not _is_owed(promise, burn, response.alert):
        return []
    if response.fired_s is None or response.spent_share is None:
        return [MissesBurn(place, alert, burn.burn.name, burn.rate, burn.spent_share, promise.rate)]
    within_s = promise.within_s(burn)
    if response.fired_s <= within_s:
        return []
    promised = min(within_s, burn.burn.lasts_s) * burn.rate / PERIOD_S
    spent = response.spent_share
    return [FiresLate(place, alert, burn.burn.name, response.fired_s, spent, within_s, promised)]


def _is_owed(promise: Promise, burn: MeasuredBurn, alert: AlertRule) -> bool:
    """Whether a burn is long and strong enough that the alert must fire."""
    if burn.burn.is_steady:
        return burn.rate > promise.rate * (1 + 2 * promise.margin(burn))
    full = min(burn.burn.lasts_s, promise.window_s) / promise.window_s
    lasting = promise.rate > 1 or alert.for_s <= burn.burn.lasts_s
    return lasting and burn.rate * full > promise.rate * SURE
