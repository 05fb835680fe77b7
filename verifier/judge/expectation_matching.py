"""Which expectation each episode of an alert is judged by.

Used by `judgement`. An episode belongs to the expectation that names its alert most precisely, and
of several to the one whose cause had begun last. Pure; times are virtual seconds from the
scenario's start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.scenario import Expectation
    from verifier.evaluation.timeline import Episode, Timeline


@dataclass(frozen=True, slots=True)
class EpisodeTimes:
    """When an alert was pending, fired and resolved, in seconds from an onset; None: it did not.

    `lost` are the times (from, until) that it was pending and did not fire, up to its first firing.
    `firings` are those that it fired, `FIRINGS_MAX` at most; the last may not have ended.
    """

    pending_s: float | None = None
    firing_s: float | None = None
    resolved_s: float | None = None
    lost: tuple[tuple[float, float], ...] = ()
    firings: tuple[tuple[float, float | None], ...] = ()


FIRINGS_MAX: Final = 100
"""Firings of an alert that are kept, the first ones."""
NEVER: Final = EpisodeTimes()
"""The times of an alert without episodes."""


@dataclass(frozen=True, slots=True)
class AssignedEpisodes:
    """Episodes of one label set of an alert, all judged by the same expectation (or by none)."""

    timeline: Timeline
    episodes: list[Episode] = field(default_factory=list)

    @property
    def fired(self) -> bool:
        """Whether the alert fired in any of them."""
        return any(episode.firing_s is not None for episode in self.episodes)

    @property
    def first_firing_s(self) -> float:
        """When it first fired; there must be an episode in which it did."""
        return min(e.firing_s for e in self.episodes if e.firing_s is not None)

    def times(self, onset_s: float) -> EpisodeTimes:
        """Return when the first that fired (else the first) began, and when all had resolved.

        What never fired was only pending, and did not resolve.
        """
        firing = [episode for episode in self.episodes if episode.firing_s is not None]
        first = (firing or self.episodes)[0]
        ends = [episode.resolved_s for episode in firing]
        last = None if None in ends else max((end for end in ends if end is not None), default=None)
        lost = [
            (each.pending_s - onset_s, each.resolved_s - onset_s)
            for each in self.episodes
            if each.firing_s is None
            and each.resolved_s is not None
            and (not firing or each.pending_s < first.pending_s)
        ]
        return EpisodeTimes(
            pending_s=first.pending_s - onset_s,
            firing_s=None if first.firing_s is None else first.firing_s - onset_s,
            resolved_s=None if last is None else last - onset_s,
            lost=tuple(lost),
            firings=tuple(
                (
                    each.firing_s - onset_s,
                    None if each.resolved_s is None else each.resolved_s - onset_s,
                )
                for each in firing[:FIRINGS_MAX]
                if each.firing_s is not None
            ),
        )

    def summary(self) -> str:
        """Say when it fired, or that it was only pending."""
        fired_s = [e.firing_s for e in self.episodes if e.firing_s is not None]
        if fired_s and fired_s[0] < 0:
            return "it fired before the start"
        if fired_s:
            return f"it fired at {time_text(fired_s[0])}"
        if self.episodes[0].pending_s < 0:
            return "it was only pending, from before the start"
        return f"it was only pending, from {time_text(self.episodes[0].pending_s)}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """All episodes of a scenario: those of each expectation, in its order, and all others."""

    expected: tuple[list[AssignedEpisodes], ...]
    unexpected: list[AssignedEpisodes]


def assign(expectations: Sequence[Expectation], timelines: Sequence[Timeline]) -> Assignment:
    """Return which expectation each episode is judged by; what resolved before 0 is left out."""
    assignment = Assignment(tuple([] for _ in expectations), [])
    for timeline in timelines:
        # What had resolved before the scenario began is history, which no expectation is about.
        judged = [e for e in timeline.episodes if e.resolved_s is None or e.resolved_s > 0]
        candidates = _matching_expectations(expectations, timeline)
        for episode in judged:
            assigned = assignment.unexpected
            if candidates:
                assigned = assignment.expected[_latest_begun(expectations, candidates, episode)]
            if not assigned or assigned[-1].timeline is not timeline:
                assigned.append(AssignedEpisodes(timeline))
            assigned[-1].episodes.append(episode)
    return assignment


def _matching_expectations(expectations: Sequence[Expectation], timeline: Timeline) -> list[int]:
    """Return the indices of the expectations of this alert, only those with the most labels."""
    carried = set(timeline.labels)
    matching = [
        index
        for index, expectation in enumerate(expectations)
        if expectation.alert == timeline.alert and carried.issuperset(expectation.labels)
    ]
    if not matching:
        return []
    precise = max((expectations[index].labels for index in matching), key=len)
    return [index for index in matching if expectations[index].labels == precise]


def _latest_begun(
    expectations: Sequence[Expectation], candidates: list[int], episode: Episode
) -> int:
    """Return the index of the latest cause that had begun by then, else of the earliest cause."""
    by_cause = sorted(candidates, key=lambda index: expectations[index].not_before_s)
    begun = [i for i in by_cause if expectations[i].not_before_s <= episode.pending_s]
    return begun[-1] if begun else by_cause[0]


def time_text(seconds: float) -> str:
    """Write a time to a tenth of a second; what is shorter than a second in full."""
    return format_duration(seconds if abs(seconds) < 1 else round(seconds, 1))


def times_text(number: int) -> str:
    """Write how often: `once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def at_least(firings: Sequence[tuple[float, float | None]]) -> str:
    """Return what stands before a count of firings: there may be more than are kept."""
    return "at least " if len(firings) >= FIRINGS_MAX else ""
