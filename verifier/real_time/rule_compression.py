"""Compresses rules and panels: every duration in them is divided by the factor.

Called for a run in real time in which `factor` scenario seconds pass in one second. The world's
rates per second stay as they are, and so do thresholds. A rule that would then mean something else,
or see too few scrapes, is refused, never judged. Texts are changed where a duration stands and
nowhere else. It knows no metric by name.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.mistakes import gather
from exporter.target import SCRAPE_S
from verifier.pack.durations import parse_duration_s
from verifier.pack.rules import AlertRule
from verifier.promql.parsing import parse
from verifier.promql.reads import SUBQUERY_STEP_S
from verifier.promql.walker import nodes
from verifier.promql.window_dependence import bound_by
from verifier.time_compression import SCRAPE_MIN_S, TimeCompression

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from documents.mistakes import Place
    from verifier.pack.panels import Query
    from verifier.pack.rules import RecordingRule, RuleFiles, RuleGroup

SCRAPES_MIN: Final = 4
"""Fewest scrapes in a compressed range: with two, one late scrape leaves `rate` without a value,
and Prometheus 3 leaves out the one at the range's left end."""

COUNT_TOLERANCE: Final = 0.005
"""By how much scrapes in a range may differ from uncompressed: milliseconds rounded off."""

_NUMBER: Final = r"(?:(?:\d+(?:ms|[smhdwy]))+|0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_GAP: Final = r"(?:\s|\#[^\n]*\n)*"
_TOKEN: Final = re.compile(
    rf"""
    \#[^\n]* | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*`
    | \[(?P<before>\s*)(?P<range>{_NUMBER})(?P<after>\s*)(?::(?P<gap>\s*)(?P<step>{_NUMBER})?\s*)?\]
    | (?P<keyword>(?<![\w:])offset(?![\w:]){_GAP}[+-]?{_GAP})(?P<offset>{_NUMBER})(?![\w.])
    | [\w:]+
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def compress_rules(rules: RuleFiles, factor: float) -> RuleFiles:
    """Return the rules with every duration divided, findings and places kept.

    Intervals are rounded up to a millisecond, all else down, so that `for` takes as many
    evaluations as before. No interval falls below the shortest scrape interval in real time (or
    below itself): between two scrapes there is nothing new to see. Raises InputError for an
    expression whose durations cannot be distinguished.
    """
    if factor == 1:
        return rules
    groups = tuple(
        replace(
            group,
            interval_s=_interval_s(group, factor),
            query_offset_s=_ms(group.query_offset_s, factor) / 1000,
            rules=tuple(_rule(rule, factor) for rule in group.rules),
        )
        for group in rules.groups
    )
    return replace(rules, groups=groups)


def compress_query(query: Query, factor: float) -> Query:
    """Return a panel's query with every duration divided; raise InputError where that cannot be."""
    return replace(query, expr=_expression(query.expr, factor, query.position))


def compress_expression(expr: str, factor: float) -> str:
    """Return PromQL with its ranges, subqueries' ranges and steps and offsets divided by `factor`.

    Written in milliseconds, rounded down, never to 0. A subquery without a step gets the one it
    stands for. Raises ValueError when `expr` is not PromQL, or when a duration cannot be
    distinguished from something else.
    """
    if factor == 1:
        return expr
    compressed = _TOKEN.sub(lambda match: _compressed(match, factor), expr)
    # The text is changed token by token, so the syntax tree decides.
    if _durations(parse(compressed), 1) != _durations(parse(expr), factor):
        raise ValueError("its durations cannot be distinguished from the rest, write them plainly")
    return compressed


def check_compression(rules: RuleFiles, factor: float, scrape_s: float) -> None:
    """Raise one InputError with a mistake for every rule that `factor` would change in meaning.

    `scrape_s` is the scrape interval of the compressed run, in real seconds. Factor 1 is always
    allowed.
    """
    if factor == 1:
        return
    limits = [_limits(rule) for group in rules.groups for rule in group.rules]
    mistakes = list(_mistakes(limits, rules.groups, factor, scrape_s))
    if not mistakes:
        return
    for less in range(math.ceil(factor) - 1, 1, -1):
        if not any(_mistakes(limits, rules.groups, less, TimeCompression(less).scrape_s)):
            way_out = f"the highest factor that these rules allow is {less}"
            break
    else:
        way_out = "leave --compress out"
    raise gather([place.error(f"{message}: {way_out}") for place, message in mistakes])


@dataclass(frozen=True, slots=True)
class CompressionLimits:
    """What decides how far a rule may be compressed.

    `bound` is the answer of `window_scaling.bound_by` where compressed windows hold fewer samples
    than uncompressed ones, then where they hold as many.
    """

    place: Place
    ranges_s: tuple[float, ...]
    bound: tuple[str, str]


def _limits(rule: AlertRule | RecordingRule) -> CompressionLimits:
    ranges_s = {
        node.range.total_seconds()
        for node in nodes(parse(rule.expr))
        if isinstance(node, (promql.MatrixSelector, promql.SubqueryExpr)) and node.range
    }
    condition = isinstance(rule, AlertRule)
    few, as_many = (
        bound_by(rule.expr, condition=condition, counts_kept=kept) for kept in (False, True)
    )
    return CompressionLimits(rule.position, tuple(sorted(ranges_s)), (few, as_many))


def _mistakes(
    limits: Sequence[CompressionLimits], groups: Sequence[RuleGroup], factor: float, scrape_s: float
) -> Iterable[tuple[Place, str]]:
    """Yield what is wrong with each rule at `factor`, and where."""
    ratio = scrape_s * factor / SCRAPE_S
    counts_kept = abs(ratio - 1) < COUNT_TOLERANCE and all(
        _interval_s(group, factor) <= group.interval_s / factor + 0.001 for group in groups
    )
    for rule in limits:
        for range_s in rule.ranges_s:
            scrapes = int(_ms(range_s, factor) // round(scrape_s * 1000))
            if scrapes < SCRAPES_MIN:
                window = promql.display_duration(timedelta(seconds=range_s))
                message = (
                    f"[{window}] must hold at least {SCRAPES_MIN} scrapes, got {scrapes}"
                    f" at --compress {factor:g}"
                )
                yield rule.place, message
        function = rule.bound[counts_kept]
        if function:
            message = (
                f"{function} must not decide a compressed rule: its value depends on how much"
                " time has passed"
            )
            yield rule.place, message


def _interval_s(group: RuleGroup, factor: float) -> float:
    shortest_s = min(group.interval_s, SCRAPE_MIN_S)
    return max(math.ceil(group.interval_s * 1000 / factor - 1e-6) / 1000, shortest_s)


def _rule(rule: AlertRule | RecordingRule, factor: float) -> AlertRule | RecordingRule:
    expr = _expression(rule.expr, factor, rule.position)
    if not isinstance(rule, AlertRule):
        return replace(rule, expr=expr)
    return replace(
        rule,
        expr=expr,
        for_s=_ms(rule.for_s, factor) / 1000,
        keep_firing_for_s=_ms(rule.keep_firing_for_s, factor) / 1000,
    )


def _expression(expr: str, factor: float, place: Place) -> str:
    try:
        return compress_expression(expr, factor)
    except ValueError as error:
        raise place.error(f"expr cannot be compressed: {error}") from None


def _compressed(match: re.Match[str], factor: float) -> str:
    """Return a token of PromQL, its durations divided; a string or a name as it is."""

    def divided(name: str) -> str:
        return f"{_ms(_seconds(match[name]), factor)}ms"

    if match["offset"]:
        return match["keyword"] + divided("offset")
    if not match["range"]:
        return match.group()
    token = "[" + match["before"] + divided("range") + match["after"]
    if match["gap"] is not None:
        step = divided("step") if match["step"] else f"{_ms(SUBQUERY_STEP_S, factor)}ms"
        token += ":" + match["gap"] + step
    return token + "]"


def _durations(tree: promql.Expr, factor: float) -> list[tuple[str | int, ...]]:
    """Return all literals of an expression, and its durations in ms divided by `factor`."""
    values: list[tuple[str | int, ...]] = []

    def divided(duration: timedelta | None) -> int:
        seconds = duration.total_seconds() if duration else 0.0
        return int(math.copysign(_ms(abs(seconds), factor), seconds))

    for node in nodes(tree):
        if isinstance(node, promql.SubqueryExpr):
            step = node.step or timedelta(seconds=SUBQUERY_STEP_S)
            values.append(("subquery", divided(node.range), divided(step), divided(node.offset)))
        elif isinstance(node, promql.MatrixSelector):
            values.append(("range", divided(node.range)))
        elif isinstance(node, promql.VectorSelector):
            values.append(("selector", divided(node.offset)))
        elif isinstance(node, (promql.NumberLiteral, promql.StringLiteral)):
            values.append(("literal", repr(node.val)))
    return values


def _seconds(text: str) -> float:
    """Return the seconds of a duration of PromQL, which may be a number of seconds alone."""
    if text[-1] in "smhdwy":
        return parse_duration_s(text)
    return float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text)


def _ms(seconds: float, factor: float) -> int:
    """Return a compressed duration in whole ms, rounded down; only 0 gives 0."""
    return max(1, math.floor(seconds * 1000 / factor + 1e-6)) if seconds else 0
