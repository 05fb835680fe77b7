"""The expectation that an overlay would need for an alert that nobody expected.

Called for every unexpected alert; the report prints it to be pasted. It proposes what the run
showed, with room to the next minute. Pure; times are scenario seconds.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from documents.durations import format_duration, parse_duration
from documents.yaml_reader import parse
from exporter.target import CELL
from scenarios.expectations import NO_REASON
from verifier.judge.expectation_matching import time_text
from verifier.seeds.naming import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.scenario import Scenario
    from simulator.faults.fault import Fault
    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome
    from verifier.labels import Labels

ROOM_S: Final = 60.0


def stanza(
    verdict: AlertVerdict,
    scenario: Scenario,
    siblings: Sequence[AlertVerdict] = (),
    rule_labels: frozenset[str] = frozenset(),
) -> str:
    """Return the expectation, as YAML on one line, under which `verdict` would have been ok.

    `siblings` are all unexpected verdicts of its name, and `rule_labels` the names of the labels by
    which the rules of its name differ. A comment behind it says that the alert resolved before the
    fault ended.
    """
    texts: dict[Labels, set[str]] = {}
    for sibling in siblings:
        of_rule = tuple(label for label in sibling.labels if label[0] in rule_labels)
        texts.setdefault(of_rule, set()).add(_stanza(sibling, scenario, rule_labels))
    if all(len(of_rule) == 1 for of_rule in texts.values()):
        return _stanza(verdict, scenario, rule_labels)  # one expectation does for all of a rule
    # No two expectations may be of the same labels, and the one with the most labels counts: what
    # is not common to all belongs to one of them alone.
    common = set(verdict.labels).intersection(*(sibling.labels for sibling in siblings))
    own = {name for name, text in verdict.labels if (name, text) not in common}
    return _stanza(verdict, scenario, rule_labels | own)


def differing_labels(rules: Iterable[Labels]) -> frozenset[str]:
    """Return the names of the labels by which rules of one name differ, of those that each sets."""
    sets = [set(labels) for labels in rules]
    common = set[tuple[str, str]]().union(*sets).intersection(*sets)
    return frozenset(name for labels in sets for name, _ in labels - common)


def _stanza(verdict: AlertVerdict, scenario: Scenario, names: frozenset[str]) -> str:
    """Return the expectation with those labels that `names` has, and those that it always needs."""
    pairs = [f"alert: {_plain(verdict.alert)}"]
    # Of several cells it could have been another; beside an expectation of its name all tell.
    is_named = any(expectation.alert == verdict.alert for expectation in scenario.expectations)
    labels = [
        f"{_plain(name)}: {_plain(text)}"
        for name, text in verdict.labels
        if is_named or name == CELL or name in names
    ]
    if is_named or labels:
        pairs.append(f"labels: {{{', '.join(labels)}}}")
    fault = _cause(verdict, scenario.plan.faults)
    if fault is None or verdict.firing_s is None:
        return f"{{{', '.join((*pairs, f'explained: {NO_REASON}'))}}}"
    after_s = verdict.firing_s - fault.start_s
    fires_s = _room(after_s, scenario.duration_s - fault.start_s)
    if fires_s < after_s:  # it fired after the scenario's end: no limit of the scenario sees it
        return f"{{{', '.join((*pairs, f'explained: {NO_REASON}'))}}}"
    pairs += [f"cause: {_plain(fault.name)}", f"fires_within: {format_duration(fires_s)}"]
    remark = ""
    if verdict.resolved_s is not None:
        early_s = fault.end_s - verdict.resolved_s
        if early_s > 0:
            early = format_duration(round(early_s, 1))
            remark = f"  # it resolved {early} before {fault.name} ended: an all-clear too soon?"
        after_s = max(verdict.resolved_s - fault.end_s, 0.0)
        resolves_s = _room(after_s, scenario.duration_s - fault.end_s)
        if resolves_s >= after_s and resolves_s > 0:
            pairs.append(f"resolves_within: {format_duration(resolves_s)}")
    return f"{{{', '.join(pairs)}}}{remark}"


def active_fault(verdict: AlertVerdict, scenario: Scenario) -> str | None:
    """Return the fault, or the incident of the past, that had begun last when it was pending."""
    fault = _cause(verdict, scenario.plan.faults)
    if fault is not None:
        return fault.name
    pending_s = verdict.onset_s + verdict.pending_s if verdict.pending_s is not None else 0.0
    past = [each for each in scenario.past.incidents if -each.ago_s <= pending_s]
    return min(past, key=lambda incident: incident.ago_s).name if past else None


def since_onset(verdict: AlertVerdict, scenario: Scenario) -> str | None:
    """Say how long after the onset of the fault of `active_fault` an unexpected alert fired."""
    fault = _cause(verdict, scenario.plan.faults)
    if fault is None or verdict.firing_s is None or verdict.cause is not None:
        return None
    after_s = verdict.onset_s + verdict.firing_s - fault.start_s
    began = f"which began at {time_text(fault.start_s)}"
    return f"that is {time_text(after_s)} after the onset of {fault.name}, {began}"


def is_over(verdict: AlertVerdict, scenario: Scenario) -> bool:
    """Whether the fault of `active_fault` had ended before the alert was pending."""
    fault = _cause(verdict, scenario.plan.faults)
    if fault is None:
        return True
    return verdict.pending_s is not None and verdict.onset_s + verdict.pending_s >= fault.end_s


def overlay_lines(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return an overlay with the expectations that unexpected alerts would need; [] without any."""
    stanzas: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        for alert in outcome.alerts:
            if alert.evidence is not None and alert.evidence.overlay is not None:
                stanzas.setdefault(base_name(outcome), {})[alert.evidence.overlay] = None
    lines = []
    for name, texts in stanzas.items():
        lines += [f"  {_plain(name)}:", "    expectations:"]
        lines += [f"    - {text}" for text in _widest(texts)]
    return ["scenarios:", *lines] if lines else []


def _widest(stanzas: Iterable[str]) -> list[str]:
    """Return expectations with one for each alert, labels and cause: that with all their room.

    On several seeds of a scenario an alert fires at several times, and in one it may not resolve.
    """
    alike: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for text in stanzas:
        keys: Any = parse(text, "a stanza").data
        head = json.dumps([keys.get(key) for key in ("alert", "labels", "cause", "explained")])
        alike.setdefault(head, []).append((text, keys))
    return [_joined(each) for each in alike.values()]


def _joined(stanzas: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Return the expectation that has room for all of some that differ in their limits only."""
    text = stanzas[0][0]
    if len(stanzas) == 1:
        return text
    # What stands before the limits is the same in all of them.
    pairs = [text[1 : text.index(", fires_within: ")]]
    for limit in ("fires_within", "resolves_within"):
        limits = [other[limit] for _, other in stanzas if limit in other]
        if len(limits) == len(stanzas):
            pairs.append(f"{limit}: {max(limits, key=parse_duration)}")
    return f"{{{', '.join(pairs)}}}"


def _cause(verdict: AlertVerdict, faults: Sequence[Fault]) -> Fault | None:
    """Return the fault that had begun last when the alert became pending."""
    pending_s = -math.inf
    if verdict.pending_s is not None:
        pending_s = verdict.onset_s + verdict.pending_s
    begun = [fault for fault in faults if fault.start_s <= pending_s]
    return max(begun, key=lambda fault: fault.start_s, default=None)


def _room(seconds: float, most_s: float) -> float:
    """Return a bound with some room, in whole minutes where the scenario is long enough."""
    return min(math.ceil((seconds + ROOM_S / 2) / ROOM_S) * ROOM_S, math.floor(most_s))


def _plain(text: str) -> str:
    """Return a text as YAML reads it back, in quotes where it needs them."""
    is_plain = text.replace("-", "").replace("_", "").isalnum() and not text[:1].isdigit()
    is_plain = is_plain and not text.startswith("-") and text.isascii()
    is_word = text.casefold() in ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    return text if is_plain and not is_word else json.dumps(text)
