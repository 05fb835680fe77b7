"""How a rule differs from the bundled rule of its name, which users' rules were written after.

Called for alerts that failed, with the files of the pack, handed down by the front door. A rule
that says what the bundled one says is no suspect; one that says otherwise is the first. Files are
read when the first alert of a scenario failed, and not before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.evidence.silence import static_labels
from verifier.pack.rules import load_rules
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from verifier.pack.rules import AlertRule

WINDOW: Final = re.compile(r"\[[^\]]*\]")
LETTERS_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class BundledRules:
    """The alerts of the pack."""

    rules: tuple[AlertRule, ...] = ()

    def difference(self, rule: AlertRule, factor: float = 1.0) -> str | None:
        """Say what a rule has, and the bundled one of its name instead; "" when it has the same.

        None when there is none of its name. Time runs `factor` times as fast for `rule`.
        """
        named = [each for each in self.rules if each.alert == rule.alert]
        if not named:
            return None
        labels = set(static_labels(rule))
        bundled = max(named, key=lambda each: len(labels & set(static_labels(each))))
        differing = []
        if _expression(rule, factor) != _expression(bundled, 1.0, whole=factor == 1):
            own = rule.expr if factor == 1 else text_of(parse(rule.expr), factor)
            differing.append((_short(own), _short(bundled.expr)))
        waits_s = rule.for_s * factor, bundled.for_s
        if not isclose(*waits_s, rel_tol=0.01, abs_tol=1e-6):
            own, meant = (f"for: {format_duration(round(wait_s, 1))}" for wait_s in waits_s)
            differing.append((own, meant))
        own, meant = (" and ".join(f"`{each[at]}`" for each in differing) for at in (0, 1))
        return f"{own}, the bundled rule of this name {meant}" if differing else ""


def read_bundled(files: Iterable[Path]) -> BundledRules:
    """Read the pack's rules, which are known to be good."""
    return BundledRules(tuple(rule for _, rule in load_rules(files).alerts))


def longest_for_s(rules: Sequence[AlertRule], but: AlertRule, factor: float) -> float:
    """Return the longest `for` of all rules but one, in scenario seconds; 0 without others."""
    return max((rule.for_s * factor for rule in rules if rule is not but), default=0.0)


def _expression(rule: AlertRule, factor: float, *, whole: bool | None = None) -> str:
    """Return an expression as both rules would be written.

    Compression may have rounded a window, so there windows are not compared.
    """
    text = text_of(parse(rule.expr), factor)
    return text if (factor == 1 if whole is None else whole) else WINDOW.sub("[]", text)


def _short(expr: str) -> str:
    text = " ".join(expr.split())
    return text if len(text) <= LETTERS_MAX else f"{text[: LETTERS_MAX - 4]} ..."
