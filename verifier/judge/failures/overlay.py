"""The expectation that an overlay would need for an alert that nobody expected.

Called for every unexpected alert; the report prints it to be pasted. It proposes what the run
showed, with room to the next minute. Pure; times are scenario seconds.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from exporter.target import CELL
from scenarios.expectations import NO_REASON
from verifier.judge.expectation_matching import time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Scenario
    from simulator.faults.fault import Fault
    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

ROOM_S: Final = 60.0


def stanza(verdict: AlertVerdict, scenario: Scenario) -> str:
    """Return the expectation, as YAML on one line, under which `verdict` would have been ok.

    A comment behind it says that the alert resolved before the fault ended.
    """
    pairs = [f"alert: {_plain(verdict.alert)}"]
    # Of several cells it could have been another; beside an expectation of its name all tell.
    is_named = any(expectation.alert == verdict.alert for expectation in scenario.expectations)
    labels = [
        f"{name}: {_plain(text)}" for name, text in verdict.labels if is_named or name == CELL
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
    lines = []
    for outcome in outcomes:
        stanzas = dict.fromkeys(
            alert.evidence.overlay
            for alert in outcome.alerts
            if alert.evidence is not None and alert.evidence.overlay is not None
        )
        if stanzas:
            lines += [f"  {_plain(outcome.name)}:", "    expectations:"]
            lines += [f"    - {text}" for text in stanzas]
    return ["scenarios:", *lines] if lines else []


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
