"""The burns that are simulated: errors at a known multiple of what the policy allows.

Called by `measure`. Each rate that the policy names is tried from both sides, a tenth below and a
tenth above, and so is the allowed rate itself; a total outage comes once for five minutes, and once
until the budget is spent. Each is watched for as long as the policy's windows take to see it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from verifier.pack.history_depth import depths
from verifier.pack.rules import RecordingRule, RuleFiles
from verifier.promql.reads import all_reads
from verifier.slo.policy import DAY_S, PERIOD_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.pack.rules import AlertRule, RuleGroup
    from verifier.slo.policy import Policy

NEIGHBOURS: Final = (0.9, 1.1)
"""A tenth below and above a rate: further apart than what drawing at random can blur."""
FURTHER: Final = 1.25
"""A rate further above the allowed one, which a window of minutes tells apart for certain."""
OUTAGE_S: Final = 300.0
"""A short total outage: some minutes, as a failed release that is rolled back."""
SPENT_SHARE: Final = 0.95
"""An outage that spends the budget ends here: an alert on what is left has fired by then."""
SLACK_S: Final = 180.0
"""Beyond what windows and `for` take: scrapes, evaluations, a seam of the simulation."""
DEEP_S: Final = DAY_S
"""Rules that read further back are evaluated in those burns only that can move them."""
MOVED_SHARE: Final = 0.5
"""A burn moves a deep rule when it spends at least this part of what its window allows."""


@dataclass(frozen=True, slots=True)
class Burn:
    """Errors at `rate` times the allowed rate, for `lasts_s`, watched for `watched_s`.

    Both count from the onset. An outage is a burn in which every request fails.
    """

    name: str
    rate: float
    lasts_s: float
    watched_s: float
    is_outage: bool = False

    @property
    def is_steady(self) -> bool:
        """Whether it goes on until the end."""
        return self.lasts_s >= self.watched_s


def plan_burns(policy: Policy, alerts: Sequence[AlertRule]) -> list[Burn]:
    """Return the burns that show what `alerts` do; none without a target."""
    budget = policy.budget
    if budget is None:
        return []
    for_s = max((alert.for_s for alert in alerts), default=0.0)
    stated = {1.0, *(window.burn_rate for window in policy.windows)}
    rates = {rate * factor for rate in stated for factor in NEIGHBOURS} | {FURTHER}
    burns = [_steady(policy, rate, for_s) for rate in sorted(rates)]
    longest_s = max((window.lookback_s for window in policy.windows), default=0.0)
    outage = 1 / budget
    spent_s = max(SPENT_SHARE * budget * PERIOD_S, for_s) + for_s + SLACK_S
    return [
        *(burn for burn in burns if burn.rate < outage),
        Burn("total outage, short", outage, OUTAGE_S, longest_s + for_s + SLACK_S, is_outage=True),
        Burn("total outage, until the budget is spent", outage, spent_s, spent_s, is_outage=True),
    ]


def _steady(policy: Policy, rate: float, for_s: float) -> Burn:
    """Return a burn that is watched until every window has seen it, or is full without it."""
    seen_s = [window.lookback_s * min(1.0, window.burn_rate / rate) for window in policy.windows]
    watched_s = max(seen_s, default=0.0) + for_s + SLACK_S
    return Burn(f"{rate:g} times", rate, watched_s, watched_s)


def evaluated(burn: Burn, rules: RuleFiles) -> RuleFiles:
    """Return the rules that are evaluated in a burn: all but deep ones that it cannot move."""
    groups = []
    for group in rules.groups:
        kept = tuple(
            rule
            for rule in group.rules
            if isinstance(rule, RecordingRule) or _moves(burn, alone(rules, group, rule))
        )
        if kept:
            groups.append(replace(group, rules=kept))
    return RuleFiles(tuple(groups))


def alone(rules: RuleFiles, group: RuleGroup, rule: AlertRule) -> RuleFiles:
    """Return one alert of `rules` and the recording rules that it reads, be it through others."""
    read = _read_by(rule, [own for _, own in rules.recordings])
    recordings = (
        replace(each, rules=tuple(r for r in each.rules if id(r) in read)) for each in rules.groups
    )
    return RuleFiles((*recordings, replace(group, rules=(rule,))))


def _read_by(rule: AlertRule, recordings: Sequence[RecordingRule]) -> set[int]:
    """Return which recording rules, by their identity, a rule reads."""
    reached: set[int] = set()
    ahead: list[AlertRule | RecordingRule] = [rule]
    while ahead:
        reads = all_reads(ahead.pop().expr)
        for own in recordings:
            if id(own) not in reached and any(read.matches(own.record) for read in reads):
                reached.add(id(own))
                ahead.append(own)
    return reached


def _moves(burn: Burn, rules: RuleFiles) -> bool:
    """Whether a burn spends much of what the longest window of an alert allows."""
    read_s = max(depths(rules, remembered=False).longest_s, 1.0)
    burnt_s = burn.rate * min(burn.lasts_s, burn.watched_s)
    return read_s <= DEEP_S or burnt_s >= MOVED_SHARE * read_s
