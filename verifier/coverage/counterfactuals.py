"""Whether a scenario's expectations bind: whether its judge would have refused the opposite.

Used by whatever observes a cell. The opposite of what an alert did is put into its timelines, and
the judge of `verify` is asked. So a cell is proven by what the judge holds, never by a name. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.alert_verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.scenario import Scenario
    from verifier.coverage.cells import AlertCourse
    from verifier.labels import Labels

    Change = Callable[[Episode], Episode | None]


def is_refused(scenario: Scenario, course: AlertCourse, own: Sequence[Timeline]) -> bool:
    """Whether the judge refuses `own` in place of what the alerts of a rule did."""
    alert = course.rule.alert
    templated = {name for name, text in course.rule.labels if "{{" in text}
    expected = tuple(
        # What a template would say in the opposite is not known: no label of it may decide.
        replace(
            each,
            labels=tuple(pair for pair in each.labels if pair[0] not in templated),
            no_other_labels=each.no_other_labels and not templated,
        )
        for each in scenario.expectations
        if each.alert == alert
    )
    about = replace(scenario, expectations=expected)
    return any(not verdict.ok for verdict in judge(about, [alert], [*own, *course.others]))


def is_accepted(scenario: Scenario, course: AlertCourse) -> bool:
    """Whether the judge accepts what the alerts of a rule did."""
    return not is_refused(scenario, course, course.own)


def changed(timelines: Sequence[Timeline], change: Change) -> list[Timeline]:
    """Return timelines with every episode changed; those for which `change` says None are gone."""
    return [
        replace(
            timeline,
            episodes=tuple(
                other for each in timeline.episodes if (other := change(each)) is not None
            ),
        )
        for timeline in timelines
    ]


def with_firing(
    timelines: Sequence[Timeline], alert: str, labels: Labels, episode: Episode
) -> list[Timeline]:
    """Return timelines in which an alert with these labels has one more episode."""
    kept = [each for each in timelines if each.labels != labels]
    same = next((each for each in timelines if each.labels == labels), Timeline(alert, labels, ()))
    others = [each for each in same.episodes if not _overlap(each, episode)]
    episodes = tuple(sorted([*others, episode], key=lambda each: each.pending_s))
    return [*kept, replace(same, episodes=episodes)]


def _overlap(left: Episode, right: Episode) -> bool:
    """Whether two episodes share a moment."""
    return _ends(left) > right.pending_s and _ends(right) > left.pending_s


def _ends(episode: Episode) -> float:
    return float("inf") if episode.resolved_s is None else episode.resolved_s
