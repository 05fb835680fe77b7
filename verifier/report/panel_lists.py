"""What the report says of panels: those that failed, those that are empty and healthy, the others.

Called by `verifier.report.lists`. Each reason is written once, with the scenarios that it holds in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from verifier.judge.verdict import PanelVerdict, ScenarioOutcome

NAMED_MAX: Final = 3
"""Scenarios that a line names."""


def unanswered(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return a line for each panel and reason of those that did not answer."""
    return _failed(outcomes, lambda panel: not panel.is_untrue)


def untrue(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return a line for each panel and reason of those that show what the world did not have."""
    return _failed(outcomes, lambda panel: panel.is_untrue)


def _failed(
    outcomes: Sequence[ScenarioOutcome], is_listed: Callable[[PanelVerdict], bool]
) -> list[str]:
    scenarios: dict[str, list[str]] = {}
    for outcome in outcomes:
        for panel in outcome.panels:
            if not panel.ok and is_listed(panel):
                line = f"{_name(panel)}: {panel.reason}"
                scenarios.setdefault(line, []).append(outcome.name)
    return [f"{_named(dict.fromkeys(names))}: {line}" for line, names in scenarios.items()]


def answered(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return how many panels answered, which of them with nothing, and which were accepted."""
    every = {_name(panel) for o in outcomes for panel in o.panels}
    failed = any(not panel.ok and not panel.is_untrue for o in outcomes for panel in o.panels)
    count = [] if failed or not every else [_count(len(every), len(accepted_panels(outcomes)))]
    count += _agreement(outcomes)
    remarks: dict[str, None] = {}
    for outcome in outcomes:
        for panel in outcome.panels:
            if panel.accepted is not None:
                remarks[f"{_name(panel)}: {panel.reason}; accepted: {panel.accepted}"] = None
            elif panel.ok and panel.reason:
                remarks[f"{_name(panel)}: {panel.reason}"] = None
    return [*count, *remarks]


def _agreement(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return how many panels show what the world counted, of those of which it is declared."""
    compared: dict[str, bool] = {}
    instants = 0
    for panel in (panel for outcome in outcomes for panel in outcome.panels):
        if panel.truth is None or not (panel.truth.instants_s or panel.truth.reason):
            continue
        name = _name(panel)
        compared[name] = compared.get(name, True) and panel.truth.agrees
        instants += len(panel.truth.instants_s)
    if not compared:
        return []
    agree = sum(compared.values())
    times = amount(instants, "instants")
    return [f"{agree} of {len(compared)} agree with the world, compared at {times}"]


def accepted_panels(outcomes: Sequence[ScenarioOutcome]) -> set[tuple[str, str]]:
    """Return the panels that did not answer and were accepted; one that also failed is not."""
    panels = [panel for outcome in outcomes for panel in outcome.panels]
    failed = {(panel.dashboard, panel.panel) for panel in panels if not panel.ok}
    return {(p.dashboard, p.panel) for p in panels if p.accepted is not None} - failed


def not_judged(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return what nothing was said about, each once, with its place."""
    return list(
        dict.fromkeys(
            f"{item.subject}: {item.reason} ({item.place})"
            for o in outcomes
            for item in o.not_judged
        )
    )


def _count(every: int, accepted: int) -> str:
    if not accepted:
        return f"all {every} answered"
    return f"{every - accepted} of {every} answered, {accepted} accepted"


def _name(panel: PanelVerdict) -> str:
    return f"{panel.dashboard} / {panel.panel}"


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - NAMED_MAX
    return ", ".join(listed[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
