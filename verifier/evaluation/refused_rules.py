"""Rules that the engine cannot evaluate, in its own words.

Used by `engine`, which sees every evaluation of virtual time itself, and after a run in real time:
of a rule that fails nothing is stored, so the server is asked again, at some instants of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.errors import NotJudged
from verifier.pack.rules import AlertRule
from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from verifier.evaluation.rule_graph import Rule
    from verifier.pack.rules import RuleFiles
    from verifier.servers.prometheus import Prometheus

INSTANTS: Final = 5
"""At which a rule is asked again: one that fails at each of them always did, as far as we know."""


def refused_rules(
    server: Prometheus, rules: RuleFiles, start_s: float, end_s: float
) -> tuple[NotJudged, ...]:
    """Return the rules that failed all through a run, which lasted between two Unix times."""
    every = [rule for group in rules.groups for rule in group.rules]
    reasons = ((rule, _reason(server, rule, start_s, end_s)) for rule in every)
    return tuple(not_evaluated(rule, reason) for rule, reason in reasons if reason is not None)


def subject_of(rule: Rule) -> str:
    """Return what a rule is called where it stands among others."""
    if isinstance(rule, AlertRule):
        return f"alert {rule.alert}"
    return f"recording rule {rule.record}"


def not_evaluated(rule: Rule, reason: str) -> NotJudged:
    """Return a rule that the engine refuses, with the engine's `reason`."""
    return NotJudged(subject_of(rule), f"Prometheus cannot evaluate it: {reason}", rule.position)


def _reason(server: Prometheus, rule: Rule, start_s: float, end_s: float) -> str | None:
    """Return why a rule fails at every instant, None where it answers at one."""
    reason = None
    for at_s in np.linspace(end_s, start_s, INSTANTS).tolist():
        try:
            server.query(rule.expr, at_s)
        except QueryError as error:
            reason = reason or str(error)
        else:
            return None
    return reason
