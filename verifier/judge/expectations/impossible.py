"""Expectations that can never hold, whatever the world does: mistakes, with their place.

Called before anything runs, where it is also checked that alerts exist. Only what can be proved
from the rules is refused: a bound below the `for`, a label value that the rule sets otherwise, a
label that no series of the rule can carry, a cell that is not there, a label that the rule sets and
that may not be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.durations import format_duration, show_duration
from documents.mistake_kinds import BrokenRule
from documents.mistakes import gather
from documents.sentences import list_choices
from exporter.target import CELL
from verifier.evidence.carried_labels import SCRAPED, SCRAPED_OF_CELLS, carried_labels
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.scenario import Expectation
    from verifier.pack.rules import AlertRule, RuleFiles


def check_expectations(
    expectations: Sequence[Expectation], rules: RuleFiles, cells: int = 1
) -> None:
    """Raise `InputError` for every expectation that can never hold in a system of `cells`.

    One whose alert no rule defines is another check's business.
    """
    mistakes = [
        expectation.place.mistake(problem)
        for expectation in expectations
        for problem in _problems(expectation, rules, cells)
    ]
    if mistakes:
        raise gather(mistakes)


def _problems(expectation: Expectation, rules: RuleFiles, cells: int) -> Iterator[BrokenRule]:
    named = [rule for _, rule in rules.alerts if rule.alert == expectation.alert]
    if not named:
        return
    fitting = []
    refused: list[list[BrokenRule]] = []
    for rule in named:
        problems = [*_wrong_labels(expectation, rule, rules, cells)]
        refused.append(problems)
        if not problems:
            fitting.append(rule)
    if not fitting:
        # Several rules may share a name: the nearest of them is the one that is meant.
        yield from min(refused, key=len)
        return
    shortest = min(fitting, key=lambda rule: rule.for_s)
    bound_s = expectation.fires_within_s
    # What holds before a cause in the past may fire at once; what begins in the scenario may not.
    begins_here = expectation.not_before_s >= expectation.onset_s
    if bound_s is not None and begins_here and bound_s < shortest.for_s:
        least = f"be at least {format_duration(shortest.for_s)}, the `for` of its rule"
        subject = f"fires_within of {expectation.alert}"
        yield BrokenRule(subject, f"{least} ({shortest.position})", show_duration(bound_s))


def _wrong_labels(
    expectation: Expectation, rule: AlertRule, rules: RuleFiles, cells: int
) -> Iterator[BrokenRule]:
    """Yield what is wrong with the labels of an expectation, if it is about this rule."""
    own = dict(rule.labels)
    carried = _carried(rule, rules, SCRAPED_OF_CELLS if cells > 1 else SCRAPED)
    if expectation.no_other_labels:
        # A template may come to nothing, and an empty label is none.
        for name in sorted({n for n, text in own.items() if text and "{{" not in text}):
            if name not in dict(expectation.labels):
                subject = f"label {name} of {expectation.alert}"
                yield BrokenRule(subject, "be named with no_other_labels: its rule sets it")
    for name, value in expectation.labels:
        subject = f"label {name} of {expectation.alert}"
        if name in own:
            text = own[name]
            if "{{" not in text and text != value:
                yield BrokenRule(subject, f"be {text!r}, as its rule sets it", value)
        elif carried is not None and name not in carried:
            known = sorted({*own, *carried})
            rule_text = "be left out: neither its rule nor its series have that label"
            if known:
                rule_text += f", but {list_choices(known)}"
            yield BrokenRule(subject, rule_text, value)
        elif name == CELL and value not in map(str, range(cells)) and _is_of_target(rule, rules):
            yield BrokenRule(subject, f"be a cell of this system, 0 to {cells - 1}", value)


def _is_of_target(rule: AlertRule, rules: RuleFiles) -> bool:
    """Whether the label `cell` of the rule's series can be that of their target alone."""
    own = _carried(rule, rules, SCRAPED)
    return own is not None and CELL not in own


def _carried(rule: AlertRule, rules: RuleFiles, scraped: frozenset[str]) -> frozenset[str] | None:
    try:
        return carried_labels(parse(rule.expr), rules.metrics, scraped)
    except ValueError:
        return None
