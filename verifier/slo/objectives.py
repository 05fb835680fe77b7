"""The objectives that a policy states, and the alerts that watch them.

Called by the SLO check. Every objective finds its alerts by their labels; whether these say what
the policy says is decided in `verifier.slo.alignment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.pack.rules import RuleFiles
from verifier.slo.disagreements import NoAlert

if TYPE_CHECKING:
    from documents.document import Step
    from verifier.pack.rules import AlertRule
    from verifier.slo.policy import Policy, Window


OPTIONAL: Final = "extras.yaml"
"""Alerts in a file of this name are loaded only on request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A number of the policy, and the labels by which its alerts are found.

    `limit` is what the alert's core must be compared with: a share of failed requests, or seconds.
    `range_s` and `quantile` are what must be read, None when the policy does not say.
    """

    name: str
    stated: str
    labels: dict[str, str]
    limit: float
    steps: tuple[Step, ...]
    is_share: bool = False
    range_s: float | None = None
    quantile: float | None = None

    def alerts(self, rules: RuleFiles) -> list[AlertRule]:
        """Return the alerts that carry this objective's labels."""
        labels = self.labels.items()
        return [rule for _, rule in rules.alerts if labels <= dict(rule.labels).items()]


def objectives(policy: Policy) -> list[Objective]:
    """Return every objective that the policy states, burn-rate windows among them."""
    stated = []
    budget = policy.budget
    if budget is not None:
        stated.append(
            Objective(
                name="availability",
                stated=f"{policy.target_percent:g} %",
                labels={"slo": "availability"},
                limit=budget,
                steps=("availability", "target"),
                is_share=True,
            )
        )
        stated += [_burn_rate(window, budget) for window in policy.windows]
    stated += [
        _response_time(section, field, limit_ms)
        for (section, field), limit_ms in policy.objectives_ms.items()
    ]
    return stated


def _burn_rate(window: Window, budget: float) -> Objective:
    return Objective(
        name=f"burn rate, window {window.name}",
        stated=f"{window.burn_rate:g} over {format_duration(window.lookback_s)}",
        labels={"slo": "burn_rate", "window": window.name},
        limit=window.burn_rate * budget,
        steps=(*window.steps, "burn_rate"),
        is_share=True,
        range_s=window.lookback_s,
    )


def _response_time(section: str, field: str, limit_ms: float) -> Objective:
    percentile = field.removesuffix("_ms")
    labels = {"slo": section}
    return Objective(
        name=f"{section} {percentile}",
        stated=f"{limit_ms:g} ms",
        labels=labels | ({"percentile": percentile} if section == "latency" else {}),
        limit=limit_ms / 1000,
        steps=(section, field),
        quantile=float(percentile[1:]) / 100,
    )


def objectives_without_alert(policy: Policy, rules: RuleFiles) -> list[NoAlert]:
    """Return every objective, and the error budget, that no alert watches.

    Alerts of a file called `OPTIONAL` are compared like all others but do not count here: they may
    not be loaded.
    """
    loaded = RuleFiles(tuple(g for g in rules.groups if Path(g.file).name != OPTIONAL))
    missing = [
        NoAlert(
            policy.place(objective.steps),
            objective.name,
            tuple(objective.labels.items()),
            tuple(rule.alert for rule in objective.alerts(rules)),
        )
        for objective in objectives(policy)
        if not objective.alerts(loaded)
    ]
    if policy.budget is not None and not budget_rules(loaded):
        place = policy.place(("availability", "target"))
        missing.append(NoAlert(place, "error budget", (("slo", "error_budget"),)))
    return missing


def budget_rules(rules: RuleFiles) -> list[AlertRule]:
    """Return the alerts on the error budget that is left."""
    return [rule for _, rule in rules.alerts if ("slo", "error_budget") in rule.labels]


def share_rules(policy: Policy, rules: RuleFiles) -> list[AlertRule]:
    """Return every alert on the share of failed requests, each once, availability first."""
    shares = [objective for objective in objectives(policy) if objective.is_share]
    alerts = [rule for objective in shares for rule in objective.alerts(rules)]
    alerts += budget_rules(rules) if policy.budget is not None else []
    return list({id(rule): rule for rule in alerts}.values())
