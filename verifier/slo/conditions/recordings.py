"""The recording rules of a pack, looked up by what reads them.

Called by the reader, which reads a recorded series as the expression that records it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.promql.parsing import parse
from verifier.slo.conditions.unreadable import UnreadableConditionError

if TYPE_CHECKING:
    import promql_parser as promql

    from verifier.pack.rules import RecordingRule
    from verifier.slo.conditions.quantities import Matcher


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recording rules of a pack."""

    rules: tuple[RecordingRule, ...] = ()

    def find(self, metric: str, matchers: frozenset[Matcher]) -> RecordingRule | None:
        """Return the only rule whose series the selector reads, None when no rule records it.

        Raises UnreadableConditionError when the selector reads the series of none, or of several.
        """
        recorded = [rule for rule in self.rules if rule.record == metric]
        if not recorded:
            return None
        read = [rule for rule in recorded if _selects(matchers, dict(rule.labels))]
        if not read:
            raise UnreadableConditionError(
                f"no series of {metric} has the labels that are selected: the rule that records it"
                f" sets {dict(recorded[0].labels)}"
            )
        if len(read) > 1:
            raise UnreadableConditionError(f"{len(read)} rules record {metric}")
        return read[0]

    def parsed(self, rule: RecordingRule) -> promql.Expr:
        """Return the syntax tree of a rule's expression."""
        try:
            return parse(rule.expr)
        except ValueError as error:
            raise UnreadableConditionError(f"{rule.record} cannot be parsed: {error}") from error


def _selects(matchers: frozenset[Matcher], labels: dict[str, str]) -> bool:
    return all(matches(sign, value, labels.get(name, "")) for name, sign, value in matchers)


def matches(sign: str, value: str, text: str) -> bool:
    """Whether a label's `text` passes a matcher; raise UnreadableConditionError for its pattern."""
    if sign in ("=", "!="):
        return (text == value) == (sign == "=")
    try:
        return (re.fullmatch(value, text) is not None) == (sign == "=~")
    except re.error as error:
        raise UnreadableConditionError(f"the pattern {value!r} is not compared: {error}") from error
