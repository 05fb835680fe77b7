"""Rule files of one alert, for tests that need some rule, whichever it is."""

from __future__ import annotations

from documents.mistakes import Place
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup


def rule_files(alert: str = "Slow", *, interval_s: float = 1.0, expr: str = "up == 0") -> RuleFiles:
    """Return rules in one group, evaluated each `interval_s`."""
    rule = AlertRule(
        alert=alert,
        expr=expr,
        for_s=0.0,
        keep_firing_for_s=0.0,
        labels=(),
        annotations=(),
        position=Place("rules.yaml", 1, 1),
    )
    return RuleFiles((RuleGroup("group", "rules.yaml", interval_s, (rule,)),))


def recording(record: str, expr: str, **labels: str) -> RecordingRule:
    """Return a recording rule."""
    return RecordingRule(record, expr, tuple(sorted(labels.items())), Place("rules.yaml", 1, 1))
