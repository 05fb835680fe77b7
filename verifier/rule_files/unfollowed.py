"""Takes rules out that we cannot follow, and those that depend on them; each is named, with why.

Called with rules that the engine takes. Its judge must know what an expression reads, else it would
give it the wrong history; a rule that reads what such a rule records would be judged without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.errors import NotJudged
from verifier.evaluation.label_templates import asks_outside
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles
from verifier.promql.parsing import UNASKED, is_askable, parse
from verifier.promql.reads import reads

if TYPE_CHECKING:
    from collections.abc import Collection


def without_unfollowed(rules: RuleFiles) -> RuleFiles:
    """Return the rules that can be judged; the others are in `not_judged`."""
    every = [rule for group in rules.groups for rule in group.rules]
    reasons = {id(rule): reason for rule in every if (reason := _why_not_followed(rule))}
    if not reasons:
        return rules
    before = -1
    while len(reasons) > before:
        before = len(reasons)
        lost = {r.record for r in every if isinstance(r, RecordingRule) and id(r) in reasons}
        for rule in every:
            if id(rule) not in reasons and (name := _lost_read(rule, lost)):
                reasons[id(rule)] = f"it reads {name}, whose rule is not judged"
    groups = tuple(
        replace(group, rules=tuple(rule for rule in group.rules if id(rule) not in reasons))
        for group in rules.groups
    )
    named = tuple(
        NotJudged(subject(rule), reasons[id(rule)], rule.position)
        for rule in every
        if id(rule) in reasons
    )
    return replace(rules, groups=groups, not_judged=(*rules.not_judged, *named))


def subject(rule: AlertRule | RecordingRule) -> str:
    """Return what people call a rule."""
    return f"alert {rule.alert}" if isinstance(rule, AlertRule) else f"recording rule {rule.record}"


def _why_not_followed(rule: AlertRule | RecordingRule) -> str:
    if not is_askable(rule.expr):
        return UNASKED
    try:
        parse(rule.expr)
    except ValueError as error:
        return f"the engine takes its expression, but we cannot follow it: {error}"
    for name, text in rule.labels if isinstance(rule, AlertRule) else ():
        if asks_outside(text):
            return f"its label {name} asks the engine for data or the time, by a template"
    return ""


def _lost_read(rule: AlertRule | RecordingRule, lost: Collection[str]) -> str:
    """Return what a rule reads of what is not recorded any more."""
    return next((name for read in reads(rule.expr) for name in lost if read.matches(name)), "")
