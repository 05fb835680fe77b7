"""The outcome of an SLO check: its ten steps, and what policy, alerts and panels hold.

Values only: made by `check`, written by `report` and the front door. A step that is `not seen` is
no failure: what it needs (a git checkout, a workflow) is not to be seen from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from verifier.errors import Finding
    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.slo.objectives import Objective
    from verifier.slo.panels import AlertPanels
    from verifier.slo.policy import Policy

Status = Literal["ok", "fail", "not seen", "skipped"]

CHECKOUT: Final = "checkout"
POLICY_EXISTS: Final = "policy exists"
TOOLING: Final = "tooling"
POLICY_SYNTAX: Final = "policy syntax"
ALERT_SYNTAX: Final = "alert syntax"
COMPLETENESS: Final = "completeness"
BURN_RATES: Final = "burn-rate thresholds"
ALIGNMENT: Final = "dashboard/alert alignment"
REPORT: Final = "compliance report"
RETENTION: Final = "report kept 30 days"
STEPS: Final = (
    CHECKOUT,
    POLICY_EXISTS,
    TOOLING,
    POLICY_SYNTAX,
    ALERT_SYNTAX,
    COMPLETENESS,
    BURN_RATES,
    ALIGNMENT,
    REPORT,
    RETENTION,
)
"""All steps, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the check: its outcome, and a line for each reason."""

    name: str
    status: Status
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveAlerts:
    """An objective, its alerts, and whether there are any and all say what the policy says."""

    objective: Objective
    alerts: tuple[AlertRule, ...]
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """The outcome of a check. `policy` and `rules` are None when the files could not be read."""

    pack: str
    checked_at: datetime
    engine: str
    steps: tuple[Step, ...]
    policy: Policy | None
    objectives: tuple[ObjectiveAlerts, ...]
    alert_panels: tuple[AlertPanels, ...]
    findings: tuple[Finding, ...]
    rules: RuleFiles | None = None

    @property
    def passed(self) -> bool:
        """Whether no step failed or had to be skipped."""
        return all(step.status in ("ok", "not seen") for step in self.steps)

    def with_step(self, step: Step) -> Compliance:
        """Return the same outcome with the step of that name replaced."""
        steps = tuple(step if other.name == step.name else other for other in self.steps)
        return replace(self, steps=steps)

    def with_further(self, step: Step) -> Compliance:
        """Return the same outcome with a step after all others."""
        return replace(self, steps=(*self.steps, step))


def outcome(name: str, problems: list[str], reason: str = "") -> Step:
    """Return a step that fails for these problems, or is ok for this reason."""
    return Step(name, "fail" if problems else "ok", tuple(problems or [reason]))


def skipped(name: str, reason: str) -> Step:
    """Return a step that could not be done, and why."""
    return Step(name, "skipped", (reason,))
