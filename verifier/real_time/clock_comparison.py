"""Two clocks, one world: a run in real time, replayed in virtual time, and both timelines compared.

Called by `RealTimeRun` for `--both`. What `replay` gives is judged as in virtual time: pushed, and
evaluated at the very evaluations of the run. A difference is then one between the
judge in virtual time and a Prometheus that scrapes.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np

from documents.mistakes import InputError
from verifier.evaluation.engine import evaluate_rules, record
from verifier.evaluation.observed_timelines import SAME_EPISODE
from verifier.evaluation.timeline import Episode, Grid, Timeline
from verifier.judge.verdict import ClockDifference
from verifier.pack.history_depth import depths
from verifier.pack.rules import AlertRule
from verifier.real_time.replay import read_scrapes, replay_scrapes
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenarios.scenario import Scenario
    from verifier.judge.verdict import Transition
    from verifier.labels import Labels
    from verifier.pack.history_depth import HistoryDepths
    from verifier.pack.rules import RecordingRule, RuleFiles, RuleGroup
    from verifier.real_time.observation import RunObservation, RunObserver
    from verifier.real_time.replay import ReplayOrigin, Scrapes
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.prometheus import Series

    EpisodePair = tuple[Episode | None, Episode | None]
    """An episode in virtual time and the same in real time; None where there is none."""

COMMIT_S: Final = 0.05
"""What a scrape may take from its end until rules see its samples."""
LONG_S: Final = 0.1
"""A scrape that takes longer shows a machine too busy for its clocks to be compared."""
_SAME_S: Final = 0.002
"""Timestamps are whole milliseconds."""
_TRANSITIONS: Final[tuple[Transition, ...]] = ("pending", "firing", "resolved")


def refuse_cells(scenario: Scenario) -> None:
    """Raise `InputError` for several cells: the scrapes of one target alone are replayed."""
    if scenario.topology.cells > 1:
        raise InputError(
            f"--both compares one target, the scenario has {scenario.topology.cells} cells:"
            " judge it in one clock after the other",
            path=scenario.path,
        )


def compare_clocks(
    observer: RunObserver, observation: RunObservation, origin: ReplayOrigin
) -> tuple[tuple[ClockDifference, ...], Scrapes]:
    """Replay a run from its `origin`; return both timelines side by side, and the run's scrapes."""
    clock, rules = observer.clock, observer.compressed
    end_s = clock.unix_s(observation.ended_s)
    scrapes = read_scrapes(observer.stack.prometheus, observer.started_s, end_s)
    with Prometheus(factor=clock.factor) as server:
        server.push(origin.history)
        record(server, rules, epoch_s=observer.started_s)
        server.push(replay_scrapes(origin.world, scrapes, rules.mapping))
        recorded = stored_records(observer.stack.prometheus, rules, observer.started_s, end_s)
        evidence = (*observation.stored, *recorded)
        virtual = evaluate_at(server, rules, evidence, clock=clock, end_s=end_s)
    run = ComparedRun(clock, scrapes, observation.ended_s)
    return compare(virtual, observation.timelines, rules, run), scrapes


def stored_records(
    server: Prometheus, rules: RuleFiles, start_s: float, end_s: float
) -> tuple[Series, ...]:
    """Return what `server` recorded itself between two Unix times, where one rule alone does."""
    count = Counter(rule.record for _, rule in rules.recordings)
    names = [name for name, times in count.items() if times == 1]
    return tuple(series for name in names for series in server.stored(name, start_s, end_s))


def evaluate_at(
    server: Prometheus,
    rules: RuleFiles,
    observed: Sequence[Series],
    *,
    clock: ScenarioClock,
    end_s: float,
) -> tuple[Timeline, ...]:
    """Evaluate `rules` on what `server` stored, at the evaluations of the run in real time.

    `observed` are the run's samples of `ALERTS` and of what it recorded: they show at which part of
    its interval a group was evaluated. Times of the result are scenario seconds; `end_s` is Unix
    time.
    """
    schedule = _ObservedSchedule(
        clock.start_s,
        end_s - clock.start_s,
        depths(rules),
        {
            (group.file, group.name): first_s - clock.start_s
            for group in rules.groups
            if (first_s := _first_evaluation_s(group, observed)) is not None
        },
    )
    evaluation = evaluate_rules(server, rules, schedule)
    return tuple(_in_scenario_time(timeline, clock.factor) for timeline in evaluation.timelines)


@dataclass(frozen=True, slots=True)
class _ObservedSchedule:
    """The evaluations of a run in real time, in real seconds from its scenario's start.

    `first_s` has the first one that shows of each group, by file and name; what shows none was
    evaluated somehow. A group that shows one from before the start is evaluated from there on.
    """

    epoch_s: float
    end_s: float
    needed: HistoryDepths
    first_s: Mapping[tuple[str, str], float]
    start_s: float = 0.0

    def grid(self, group: RuleGroup, _rule: AlertRule | RecordingRule, /) -> Grid:
        """Return the evaluations of a rule."""
        first_s = self.first_s.get((group.file, group.name), 0.0)
        if first_s > 0:
            first_s -= math.floor(first_s / group.interval_s) * group.interval_s
        return Grid(first_s, self.end_s, group.interval_s)


def _first_evaluation_s(group: RuleGroup, observed: Sequence[Series]) -> float | None:
    """Return the Unix time of the first evaluation of `group` that stored anything."""
    names = {rule.alert if isinstance(rule, AlertRule) else rule.record for rule in group.rules}
    times_s = [
        float(series.times_s[0])
        for series in observed
        if names & {series.labels.get("alertname"), series.labels.get("__name__")}
    ]
    return min(times_s, default=None)


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run in real time up to `ended_s` (scenario seconds), and what was scraped in it."""

    clock: ScenarioClock
    scrapes: Scrapes
    ended_s: float = math.inf


def compare(
    virtual: Sequence[Timeline], real: Sequence[Timeline], rules: RuleFiles, run: ComparedRun
) -> tuple[ClockDifference, ...]:
    """Compare every transition of both timelines; each that came on either side is an entry.

    They must come at the same evaluation. Only where a scrape was under way at that very evaluation
    may they differ, by one scrape interval and one evaluation: whether its samples were seen is
    then a race, which may also make an alert pending for so long on one side only.

    What only one side shows in the last evaluation and a half of the run is not compared: an alert
    that missed one evaluation there does not count as resolved yet, and the last may not be stored.
    """
    scrapes, factor = run.scrapes, run.clock.factor
    intervals = {rule.alert: group.interval_s for group, rule in rules.alerts}
    scrape_s = float(np.median(np.diff(scrapes.at_s))) if len(scrapes.at_s) > 1 else 0.0
    sides = [
        {(timeline.alert, timeline.labels): timeline.episodes for timeline in side}
        for side in (virtual, real)
    ]
    differences: list[ClockDifference] = []
    for alert, labels in sorted({*sides[0], *sides[1]}):
        left, right = (side.get((alert, labels), ()) for side in sides)
        race_s = (scrape_s + intervals[alert]) * factor
        known_s = run.ended_s - SAME_EPISODE * intervals[alert] * factor
        for episode, pair in enumerate(_paired(left, right, race_s)):
            compared = _compare_pair(pair, (alert, labels, episode), race_s=race_s, run=run)
            differences += (each for each in compared if _is_known(each, known_s))
    return tuple(differences)


def _is_known(difference: ClockDifference, known_s: float) -> bool:
    """Whether both sides would show a transition by then: both do, or it came before `known_s`."""
    times = [at_s for at_s in (difference.virtual_s, difference.real_s) if at_s is not None]
    return len(times) > 1 or times[0] <= known_s


def busy_share(scrapes: Scrapes) -> float:
    """Return the share of scrapes that were long under way: races are then the rule."""
    return float((scrapes.took_s > LONG_S).mean()) if len(scrapes.took_s) else 1.0


def _compare_pair(
    pair: EpisodePair,
    key: tuple[str, Labels, int],
    *,
    race_s: float,
    run: ComparedRun,
) -> Iterator[ClockDifference]:
    """Yield the transitions of one episode; `key` is its alert, labels and number."""
    alert, labels, episode = key
    clock, scrapes = run.clock, run.scrapes
    for transition, virtual_s, real_s in _transitions(pair):
        decisive = _decisive(pair, transition)
        racing = any(_under_way(scrapes, clock.unix_s(at_s)) for at_s in decisive)
        allowed_s = race_s if racing else 0.0
        ok, reason = _agree(pair, (virtual_s, real_s), allowed_s, clock.factor * _SAME_S)
        yield ClockDifference(
            alert=alert,
            labels=labels,
            transition=transition,
            episode=episode,
            virtual_s=virtual_s,
            real_s=real_s,
            allowed_s=allowed_s,
            ok=ok,
            reason=reason,
        )


def _paired(
    left: Sequence[Episode], right: Sequence[Episode], within_s: float
) -> Iterator[EpisodePair]:
    """Yield the episodes of both sides in time; a pair overlaps, or nearly so."""
    ahead, behind = list(left), list(right)
    while ahead or behind:
        if not behind or (ahead and _ended_s(ahead[0]) + within_s < behind[0].pending_s):
            yield ahead.pop(0), None
        elif not ahead or _ended_s(behind[0]) + within_s < ahead[0].pending_s:
            yield None, behind.pop(0)
        else:
            yield ahead.pop(0), behind.pop(0)


def _agree(
    pair: EpisodePair,
    times: tuple[float | None, float | None],
    allowed_s: float,
    same_s: float,
) -> tuple[bool, str]:
    """Return whether a transition agrees, and the sentence that a person reads of it."""
    virtual_s, real_s = times
    racing = ", where a scrape was under way" if allowed_s else ""
    if virtual_s is None or real_s is None:
        side = "virtual" if real_s is None else "real"
        only = next((episode for episode in pair if episode is not None), None)
        lasted_s = math.inf
        if None in pair and only is not None and only.firing_s is None:
            lasted_s = _ended_s(only) - only.pending_s
        return lasted_s <= allowed_s + same_s, f"in {side} time only{racing}"
    apart_s = real_s - virtual_s
    if abs(apart_s) <= same_s:
        return True, "the same evaluation"
    when = "later" if apart_s > 0 else "earlier"
    return (
        abs(apart_s) <= allowed_s + same_s,
        f"{abs(apart_s):.1f} s {when} in real time{racing}",
    )


def _transitions(
    pair: EpisodePair,
) -> Iterator[tuple[Transition, float | None, float | None]]:
    """Yield each transition that came on either side, with its times in virtual and real time."""
    for transition in _TRANSITIONS:
        virtual_s, real_s = (_time_s(episode, transition) for episode in pair)
        if virtual_s is not None or real_s is not None:
            yield transition, virtual_s, real_s


def _decisive(pair: EpisodePair, transition: Transition) -> list[float]:
    """Return the instants that decide when a transition comes: `for` counts from pending."""
    names: tuple[Transition, ...] = (transition,)
    if None in pair:
        names = _TRANSITIONS
    elif transition == "firing":
        names = ("pending", "firing")
    times = (_time_s(episode, name) for episode in pair for name in names)
    return [at_s for at_s in times if at_s is not None]


def _time_s(episode: Episode | None, transition: Transition) -> float | None:
    """Return when a transition came, None if it did not."""
    if episode is None:
        return None
    match transition:
        case "pending":
            return episode.pending_s
        case "firing":
            return episode.firing_s
        case "resolved":
            return episode.resolved_s
        case _:
            assert_never(transition)


def _ended_s(episode: Episode) -> float:
    return math.inf if episode.resolved_s is None else episode.resolved_s


def _under_way(scrapes: Scrapes, at_s: float) -> bool:
    """Whether at `at_s` a scrape had begun and was not yet stored."""
    since_s = at_s - scrapes.at_s
    return bool(((since_s >= -_SAME_S) & (since_s < scrapes.took_s + COMMIT_S)).any())


def _in_scenario_time(timeline: Timeline, factor: float) -> Timeline:
    """Return a timeline of real seconds from the start in scenario seconds."""
    episodes = tuple(
        Episode(
            episode.pending_s * factor,
            None if episode.firing_s is None else episode.firing_s * factor,
            None if episode.resolved_s is None else episode.resolved_s * factor,
        )
        for episode in timeline.episodes
    )
    return Timeline(timeline.alert, timeline.labels, episodes)
