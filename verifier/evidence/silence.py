"""Whether the alerts that did not fire could have: what their silence is worth.

Called by the judges of both clocks right after the evaluation, on the server that evaluated. An
alert is vacuous when what it reads never existed, when its relaxed expression never had a value,
when a filter in it lets nothing through, or when its `for` is longer than what was watched. It
judges nothing: `verifier.judge` does.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import promql_parser as promql

from documents.durations import format_duration
from exporter.history.samples import EPOCH_S
from exporter.target import SCRAPE_S
from verifier.evidence.clock_reading import clock_finding
from verifier.evidence.comparison import opened
from verifier.evidence.contradictions import contradictions, known_facts
from verifier.evidence.emptiness import EmptinessCheck, Recording
from verifier.evidence.relaxed import bare, is_filter, relax
from verifier.evidence.stock import EvaluationSpan, Stock
from verifier.evidence.value_bounds import unreachable
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.promql.reads import all_reads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.evaluation.timeline import Timeline
    from verifier.evidence.relaxed import Relaxed
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup
    from verifier.pack.spread import Spread
    from verifier.servers.prometheus import Prometheus


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """What was watched of a scenario: `rules` on `server`, whose scenario began at `epoch_s`.

    `end_s` is in the seconds of the server, from `epoch_s`; `spread` says when each group was
    evaluated. Time runs `factor` times as fast there
    as the rules were written for; the rules are those that the server evaluated. `stock` is what
    was asked of the server so far, by whoever asked.
    """

    server: Prometheus
    rules: RuleFiles
    epoch_s: float
    end_s: float
    spread: Spread
    scrape_s: float = SCRAPE_S
    factor: float = 1.0
    stock: Stock = field(init=False)

    def __post_init__(self) -> None:
        """Ask nothing yet."""
        object.__setattr__(self, "stock", Stock(self.server))

    def span(self, group: RuleGroup, rule: AlertRule) -> EvaluationSpan:
        """Return the evaluations of a rule, those of the past that it remembers among them."""
        memory_s = rule.for_s + rule.keep_firing_for_s + 2 * group.interval_s
        offset_s = self.spread.offset_s(group)
        before = math.ceil((memory_s + offset_s) / group.interval_s)
        return EvaluationSpan(
            first_s=self.epoch_s + offset_s - before * group.interval_s,
            start_s=self.epoch_s,
            end_s=self.epoch_s + self.end_s,
            interval_s=group.interval_s,
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A rule that did not fire, and what its silence is worth.

    `labels` are those that the rule sets, templates apart. `vacuous` says why it could not have
    fired, whatever the scenario does; `too_slow_s` is its `for` where that is what does not fit
    into the scenario, in scenario seconds. `findings` change no verdict. `shadowed` is one that
    could not have fired behind another rule of its name and labels that did.
    """

    alert: str
    labels: Labels
    place: str
    vacuous: str | None = None
    too_slow_s: float | None = None
    findings: tuple[str, ...] = ()
    shadowed: bool = False


def silences(run: WatchedRun, timelines: Sequence[Timeline]) -> tuple[Silence, ...]:
    """Return every rule without a firing timeline, in the order of the files.

    A timeline does not say whose it is: of several rules of one name, one that could not have fired
    is returned whatever the others did.
    """
    check = emptiness_check(run)
    of_name: dict[str, list[Timeline]] = {}
    for timeline in timelines:
        of_name.setdefault(timeline.alert, []).append(timeline)
    rules_of_name = Counter(rule.alert for _, rule in run.rules.alerts)
    silent: list[Silence] = []
    for group, rule in run.rules.alerts:
        has_fired = any(_fired(rule, timeline) for timeline in of_name.get(rule.alert, ()))
        if has_fired and rules_of_name[rule.alert] == 1:
            continue
        silence = _silence(run, check, group, rule)
        if not has_fired:
            silent.append(silence)
        elif silence.vacuous is not None:
            silent.append(replace(silence, shadowed=True, too_slow_s=None))
    return tuple(silent)


def emptiness_check(run: WatchedRun) -> EmptinessCheck:
    """Return a check of what the server of a run holds, for rules and panels alike."""
    return EmptinessCheck(
        run.stock,
        tuple(_recordings(run.rules)),
        frozenset(rule.alert for _, rule in run.rules.alerts),
        run.scrape_s,
        run.factor,
        run.rules.metrics,
    )


def rule_findings(run: WatchedRun, silent: Sequence[Silence] = ()) -> tuple[str, ...]:
    """Return what is odd about the alerts of a run, whether they fired or not.

    What makes one of the `silent` ones vacuous is not a finding as well.
    """
    vacuous = {silence.place for silence in silent if silence.vacuous is not None}
    findings: list[str] = []
    facts = known_facts(run.rules.metrics, tuple(_recordings(run.rules)))
    for _, rule in run.rules.alerts:
        tree = _tree(rule.expr)
        if tree is None:
            continue
        if str(rule.position) not in vacuous:
            findings += [f"alert {rule.alert}: {text}" for text in unreachable(tree, facts)]
        if run.epoch_s != EPOCH_S:
            continue  # in real time the clock is the machine's, and `starts_at` chose another
        finding = clock_finding(rule.alert, tree, run.epoch_s)
        findings += [finding] if finding is not None else []
    return tuple(findings)


def static_labels(rule: AlertRule) -> Labels:
    """Return the labels that a rule sets to a fixed text."""
    return tuple((name, text) for name, text in rule.labels if "{{" not in text)


def _fired(rule: AlertRule, timeline: Timeline) -> bool:
    """Whether a timeline of the rule's name is the rule's, and says that it fired."""
    return set(static_labels(rule)) <= set(timeline.labels) and any(
        episode.firing_s is not None for episode in timeline.episodes
    )


def _silence(run: WatchedRun, check: EmptinessCheck, group: RuleGroup, rule: AlertRule) -> Silence:
    tree = _tree(rule.expr)
    span = run.span(group, rule)
    reasons: list[str] = []
    findings: list[str] = []
    if tree is None:
        reasons = ["only the engine can read its expression: nothing shows that it could fire"]
    else:
        relaxation = relax(tree)
        reasons = [r for root in relaxation.roots if (r := check.reason(root, span)) is not None]
        findings += [
            f"what `unless` takes away is never there: {reason}"
            for excluded in relaxation.excluded
            if (reason := check.reason(excluded, span)) is not None
        ]
        if not reasons:
            constant, removed = _removed(check, relaxation.remainders, span)
            reasons += constant or contradictions(check, tree, span)
            findings += removed
        if not reasons and (compared := _never_a_number(check, tree, span)) is not None:
            subject = "it" if compared is bare(tree) else f"`{text_of(compared)}`"
            findings.append(f"{subject} never has a value but NaN, with which no comparison holds")
    return Silence(
        alert=rule.alert,
        labels=static_labels(rule),
        place=str(rule.position),
        vacuous="; ".join(dict.fromkeys(reasons)) or None,
        too_slow_s=None if _fits(rule, span) else rule.for_s * run.factor,
        findings=tuple(f"alert {rule.alert}: {finding}" for finding in findings),
    )


def _never_a_number(
    check: EmptinessCheck, node: promql.Expr, span: EvaluationSpan
) -> promql.Expr | None:
    """Return the comparison for which a condition cannot hold, as its value is never a number.

    Filters below it stay as they are: what they take away may be what would be divided by 0.
    """
    node = bare(node)
    if not isinstance(node, promql.BinaryExpr):
        return None
    if is_filter(node):
        open_ = opened(node)
        # Of two vectors the difference is asked, and that of two infinite values is no number.
        is_asked = open_.constant is not None and open_.operator != "!="
        return node if is_asked and check.stock.answer(open_.expr, span).is_nan else None
    operator = str(node.op)
    if operator not in ("and", "or", "unless"):
        return None
    left, right = (_never_a_number(check, side, span) for side in (node.lhs, node.rhs))
    if operator == "unless":
        return left
    return left and right if operator == "or" else left or right


def _removed(
    check: EmptinessCheck, remainders: Sequence[Relaxed], span: EvaluationSpan
) -> tuple[list[str], list[str]]:
    """Return reasons and findings for each `unless` that left nothing at any evaluation.

    A right side that reads no series is always there, whatever happens: such an alert can never
    fire. One that does may go away, which may be what the alert waits for: that is a finding.
    """
    reasons: list[str] = []
    findings: list[str] = []
    for remainder in remainders:
        left, right = remainder.children
        answer = check.stock.answer(remainder.query, span)
        if answer.series or answer.refusal or not check.stock.answer(left.query, span).series:
            continue
        if all_reads(right.text):
            findings.append(
                f"its `unless` left nothing at any evaluation: {right.text} was there all along,"
                " and the alert can fire only where that is missing"
            )
        else:
            reasons.append(f"its `unless` always takes everything away: {right.text} is constant")
    return reasons, findings


def _fits(rule: AlertRule, span: EvaluationSpan) -> bool:
    """Whether a condition that becomes true in the scenario can last for the rule's `for`."""
    steps = math.ceil(rule.for_s / span.interval_s - 1e-9)
    return span.scenario_first_s + steps * span.interval_s <= span.end_s + 1e-9


def too_slow_text(for_s: float, duration_s: float) -> str:
    """Say that a `for` does not fit into a scenario."""
    return (
        f"its `for` of {format_duration(for_s)} is longer than the scenario's"
        f" {format_duration(duration_s)}: nothing that begins in it can make it fire; a longer"
        " `duration` would let it"
    )


def _recordings(rules: RuleFiles) -> Iterator[Recording]:
    for _, rule in rules.recordings:
        tree = _tree(rule.expr)
        if tree is not None:
            yield Recording(rule.record, tree, dict(rule.labels))


def _tree(expr: str) -> promql.Expr | None:
    """Return the syntax tree of a rule; None where only the engine can read it."""
    try:
        return parse(expr)
    except ValueError:
        return None
