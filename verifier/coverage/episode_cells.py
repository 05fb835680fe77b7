"""The cells that an alert's episodes show: fires, resolves, near miss of `for`, notified.

Called once for each rule of a scenario that accepts what the rule's alerts did. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.coverage.cells import Observation
from verifier.coverage.counterfactuals import changed, is_refused
from verifier.coverage.stretches import ROOM_S
from verifier.judge.expectation_matching import assign, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.scenario import Expectation, Scenario
    from verifier.coverage.cells import AlertCourse
    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.pack.routes.routing import Routing

HELD_SHARE: Final = 0.5
"""For which share of its `for` a condition must hold to be a near miss of it."""


def episode_cells(scenario: Scenario, course: AlertCourse) -> Iterator[Observation]:
    """Yield what the episodes of a rule's alerts show."""
    firing = [each for _, each in _episodes(course) if each.firing_s is not None]
    if firing:
        silent = changed(course.own, lambda each: None if each.firing_s is not None else each)
        first_s = min(each.firing_s for each in firing if each.firing_s is not None)
        yield Observation(
            number=course.number,
            cell="fires",
            shown=f"fired at {time_text(first_s)}",
            binds=is_refused(scenario, course, silent),
        )
    ended_s = [each.resolved_s for each in firing if each.resolved_s is not None]
    if ended_s:
        endless = changed(
            course.own,
            lambda each: each if each.firing_s is None else replace(each, resolved_s=None),
        )
        yield Observation(
            number=course.number,
            cell="resolves",
            shown=f"resolved at {time_text(max(ended_s))}",
            binds=is_refused(scenario, course, endless),
        )
    yield from _near_for(scenario, course)


def _near_for(scenario: Scenario, course: AlertCourse) -> Iterator[Observation]:
    """Yield the time in which the condition held longest, though not for long enough."""
    for_s, interval_s = course.rule.for_s, course.group.interval_s
    best: tuple[float, Episode] | None = None
    for _, each in _episodes(course):
        if each.firing_s is not None or each.resolved_s is None or each.pending_s < 0:
            continue
        held_s = each.resolved_s - interval_s - each.pending_s
        if held_s >= HELD_SHARE * for_s - ROOM_S and (best is None or held_s > best[0]):
            best = held_s, each
    if not for_s or best is None:
        return
    held_s, nearest = best
    fired = changed(
        course.own,
        lambda each: replace(each, firing_s=each.pending_s + held_s) if each is nearest else each,
    )
    yield Observation(
        number=course.number,
        cell="near_for",
        shown=(
            f"held for {time_text(held_s)} of {format_duration(for_s)}"
            f" from {time_text(nearest.pending_s)}"
        ),
        binds=is_refused(scenario, course, fired),
    )


def routed(
    scenario: Scenario, course: AlertCourse, routing: Routing, epoch_s: float
) -> Iterator[Observation]:
    """Yield to whom the routes bring an alert that fired, and whether an expectation names them."""
    expectations = [e for e in scenario.expectations if e.alert == course.rule.alert]
    assignment = assign(expectations, course.own)
    for expectation, episodes in zip(expectations, assignment.expected, strict=True):
        for assigned in episodes:
            firing = next((e for e in assigned.episodes if e.firing_s is not None), None)
            if firing is None:
                continue
            names = _notified(course, assigned.timeline, routing, epoch_s + (firing.firing_s or 0))
            if names:
                yield Observation(
                    number=course.number,
                    cell="notified",
                    shown=f"routed to {', '.join(names)}",
                    binds=_names(expectation, names),
                )


def misrouted(observations: list[Observation], scenario: Scenario, alert: str) -> str | None:
    """Say that an alert goes to others than those that a scenario names; None where it does not."""
    named = [e.receivers for e in scenario.expectations if e.alert == alert and e.receivers]
    wrong = [each for each in observations if not each.binds]
    if not named or not wrong or len(wrong) < len(observations):
        return None
    return f"{wrong[0].shown}, expected {', '.join(named[0])}"


def _notified(
    course: AlertCourse, timeline: Timeline, routing: Routing, date_s: float
) -> tuple[str, ...]:
    """Return who is notified of an alert that fires at a date, by the routes."""
    labels = {"alertname": course.rule.alert, **dict(timeline.labels)}
    receivers = routing.receivers_of(labels)
    return tuple(name for name in receivers if routing.muting(labels, name, date_s) is None)


def _names(expectation: Expectation, names: tuple[str, ...]) -> bool:
    """Whether an expectation names exactly these receivers."""
    return expectation.receivers is not None and set(expectation.receivers) == set(names)


def _episodes(course: AlertCourse) -> Iterator[tuple[Timeline, Episode]]:
    """Yield the episodes of the scenario: what resolved before its start is past."""
    for timeline in course.own:
        for each in timeline.episodes:
            if each.resolved_s is None or each.resolved_s > 0:
                yield timeline, each
