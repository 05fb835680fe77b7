"""Two clocks, one world: a live run lived again in virtual time, and both timelines compared.

The world is deterministic and every scrape says of which virtual instant it is. So the same world
is read once more at those instants, the judge's own way: a record, pushed, evaluated by range
queries. What differs is what the fast-forward judge does otherwise than a live Prometheus. Called
by the live judge for `--both`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import STALE, Block, History
from exporter.metrics.catalogue import WORLD_TIME, catalogue_world
from exporter.metrics.restart_view import RestartView
from exporter.scrape_path.losses import arrives, rank_series
from exporter.target import INSTANCE, JOB
from verifier.evaluation.timeline import Grid, timelines
from verifier.judge.verdict import ClockDifference
from verifier.servers.prometheus import RangeQuery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulator.world import World
    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.judge.verdict import Transition
    from verifier.pack.rules import RuleFiles
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.prometheus import Prometheus, Series

COMMIT_S: Final = 0.05
"""What a scrape may take from its end until rules see its samples."""
LONG_S: Final = 0.1
"""A scrape that takes longer shows a machine too busy for its clocks to be compared."""
_SAME_S: Final = 0.002
"""Timestamps are whole milliseconds."""
_TRANSITIONS: Final[tuple[Transition, ...]] = ("pending", "firing", "resolved")


@dataclass(frozen=True, slots=True)
class Scrapes:
    """The scrapes of a live run, real time. All arrays (n,).

    `at_s` are their timestamps, Unix seconds; `world_ns` the world's clock of the page, -1 for a
    scrape that failed; `took_s` how long each took.
    """

    at_s: NDArray[np.float64]
    world_ns: NDArray[np.int64]
    took_s: NDArray[np.float64]


def read_scrapes(server: Prometheus, start_s: float, end_s: float) -> Scrapes:
    """Return the scrapes that `server` stored between two Unix times."""
    up = _only(server.stored(f'up{{job="{JOB}"}}', start_s, end_s))
    took = _only(server.stored(f'scrape_duration_seconds{{job="{JOB}"}}', start_s, end_s))
    world = _only(server.stored(f'{WORLD_TIME}{{job="{JOB}"}}', start_s, end_s))
    clock = dict(zip(world.times_s.tolist(), world.values.tolist(), strict=True)) if world else {}
    times_s = up.times_s if up else np.empty(0)
    return Scrapes(
        times_s,
        np.array([_ns(clock.get(at_s)) for at_s in times_s.tolist()], np.int64),
        took.values if took and len(took.values) == len(times_s) else np.zeros(len(times_s)),
    )


def replay(world: World, scrapes: Scrapes) -> History:
    """Live `world` again, which is at the instant at which the live run's exporter began.

    Returns what the scrapes brought, as the record of virtual time would have it.
    """
    catalogue = catalogue_world(world.snapshot())
    view, ranks = RestartView(catalogue), rank_series(catalogue)
    view.restart(world.snapshot())
    values = np.full((len(catalogue.series) + 1, len(scrapes.at_s)), np.nan)
    there = np.zeros(len(catalogue.series), np.bool_)
    for scrape, at_ns in enumerate(scrapes.world_ns.tolist()):
        shown = np.zeros(len(there), np.bool_)
        if at_ns >= 0:
            while world.next_change_ns() <= at_ns:
                world.advance_ns(world.next_change_ns())
                view.read(world.snapshot())
            world.advance_ns(at_ns)
            snapshot = world.snapshot()
            if arrives(snapshot):
                shown = ranks >= snapshot.scrape_path.vanished_share
                values[:-1, scrape][shown] = view.read(snapshot)[shown]
        values[:-1, scrape][there & ~shown] = STALE
        values[-1, scrape] = float(shown.any())
        there = shown
    target = (("instance", INSTANCE), ("job", JOB))
    series = [tuple(sorted((*labels, *target))) for labels in catalogue.series]
    series.append(tuple(sorted((("__name__", "up"), *target))))
    stamps = np.rint(scrapes.at_s * 1000).astype(np.int64)
    return History(series, [Block(stamps, np.arange(len(series)), values)])


def evaluate_at(
    server: Prometheus,
    rules: RuleFiles,
    observed: Sequence[Series],
    clock: ScenarioClock,
    end_s: float,
) -> tuple[Timeline, ...]:
    """Evaluate `rules` on what `server` was given, at the evaluations of the live run.

    `observed` are the live samples of `ALERTS`: they tell at which part of its interval a group was
    evaluated. Times of the result are scenario seconds; `end_s` is Unix time.
    """
    found: list[Timeline] = []
    for group in rules.groups:
        alerts = [rule for mine, rule in rules.alerts if mine is group]
        names = {rule.alert for rule in alerts}
        evaluated = [s.times_s[0] for s in observed if s.labels["alertname"] in names]
        # An alert that was active from the first evaluation on tells when that was.
        first_s = float(min(evaluated, default=clock.start_s))
        grid = _grid(min(first_s, clock.start_s), end_s, group.interval_s, first_s)
        for rule in alerts:
            asked = RangeQuery(rule.expr, grid.start_s, grid.end_s, grid.interval_s)
            found += timelines(rule, server.query_range(asked), grid)
    return tuple(_told_in(one, clock) for one in found)


def compare(
    virtual: Sequence[Timeline],
    real: Sequence[Timeline],
    rules: RuleFiles,
    scrapes: Scrapes,
    clock: ScenarioClock,
) -> tuple[ClockDifference, ...]:
    """Hold every transition of both timelines side by side; each that came at all gives one entry.

    They must come at the same evaluation. Only where a scrape was under way at that very evaluation
    may they differ, by one scrape interval and one evaluation: whether its samples were seen is
    then a race, which may also make an alert pending for so long on one side only.
    """
    intervals = {rule.alert: group.interval_s for group, rule in rules.alerts}
    scrape_s = float(np.median(np.diff(scrapes.at_s))) if len(scrapes.at_s) > 1 else 0.0
    sides = [{(one.alert, one.labels): one.episodes for one in side} for side in (virtual, real)]
    differences = []
    for alert, labels in sorted({*sides[0], *sides[1]}):
        left, right = (side.get((alert, labels), ()) for side in sides)
        race_s = (scrape_s + intervals[alert]) * clock.factor
        for episode, pair in enumerate(_paired(left, right, race_s)):
            for transition, virtual_s, real_s in _transitions(pair):
                decisive = _decisive(pair, transition)
                racing = any(_under_way(scrapes, clock.unix_s(at_s)) for at_s in decisive)
                allowed_s = race_s if racing else 0.0
                ok, reason = _agree(pair, (virtual_s, real_s), allowed_s, clock.factor * _SAME_S)
                differences.append(
                    ClockDifference(
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
                )
    return tuple(differences)


def busy_share(scrapes: Scrapes) -> float:
    """Return the share of scrapes that were long under way: races are then the rule."""
    return float((scrapes.took_s > LONG_S).mean()) if len(scrapes.took_s) else 1.0


def _paired(
    left: Sequence[Episode], right: Sequence[Episode], within_s: float
) -> Iterator[tuple[Episode | None, Episode | None]]:
    """Yield the episodes of both sides in time; a pair overlaps, or nearly so."""
    ahead, behind = list(left), list(right)
    while ahead or behind:
        if not behind or (ahead and _over(ahead[0]) + within_s < behind[0].pending_s):
            yield ahead.pop(0), None
        elif not ahead or _over(behind[0]) + within_s < ahead[0].pending_s:
            yield None, behind.pop(0)
        else:
            yield ahead.pop(0), behind.pop(0)


def _agree(
    pair: tuple[Episode | None, Episode | None],
    seen: tuple[float | None, float | None],
    allowed_s: float,
    same_s: float,
) -> tuple[bool, str]:
    """Return whether a transition agrees, and how a person would say it."""
    virtual_s, real_s = seen
    racing = ", where a scrape was under way" if allowed_s else ""
    if virtual_s is None or real_s is None:
        side = "virtual" if real_s is None else "real"
        alone = next((one for one in pair if one is not None), None)
        spell_s = math.inf
        if None in pair and alone is not None and alone.firing_s is None:
            spell_s = _over(alone) - alone.pending_s
        return spell_s <= allowed_s + same_s, f"in {side} time only{racing}"
    apart_s = real_s - virtual_s
    if abs(apart_s) <= same_s:
        return True, "the same evaluation"
    when = "later" if apart_s > 0 else "earlier"
    return (
        abs(apart_s) <= allowed_s + same_s,
        f"{abs(apart_s):.1f} s {when} in real time{racing}",
    )


def _transitions(
    pair: tuple[Episode | None, Episode | None],
) -> Iterator[tuple[Transition, float | None, float | None]]:
    """Yield each transition that came on either side, with its times in virtual and real time."""
    for transition in _TRANSITIONS:
        virtual_s, real_s = (getattr(one, f"{transition}_s") if one else None for one in pair)
        if virtual_s is not None or real_s is not None:
            yield transition, virtual_s, real_s


def _decisive(pair: tuple[Episode | None, Episode | None], transition: Transition) -> list[float]:
    """Return the instants that decide when a transition comes: `for` counts from pending."""
    names: tuple[Transition, ...] = (transition,)
    if None in pair:
        names = _TRANSITIONS
    elif transition == "firing":
        names = ("pending", "firing")
    times = (getattr(one, f"{name}_s") for one in pair if one for name in names)
    return [at_s for at_s in times if at_s is not None]


def _over(episode: Episode) -> float:
    return math.inf if episode.resolved_s is None else episode.resolved_s


def _under_way(scrapes: Scrapes, at_s: float) -> bool:
    """Whether an evaluation at `at_s` met a scrape that had begun and was not yet stored."""
    since_s = at_s - scrapes.at_s
    return bool(((since_s >= -_SAME_S) & (since_s < scrapes.took_s + COMMIT_S)).any())


def _grid(start_s: float, end_s: float, interval_s: float, seen_s: float) -> Grid:
    """The evaluations after `start_s` of a group that was evaluated at `seen_s`."""
    first_s = seen_s - math.floor((seen_s - start_s) / interval_s) * interval_s
    return Grid(first_s, end_s, interval_s)


def _told_in(timeline: Timeline, clock: ScenarioClock) -> Timeline:
    """Return a timeline of Unix times in scenario seconds."""
    episodes = tuple(
        type(one)(
            clock.scenario_s(one.pending_s),
            None if one.firing_s is None else clock.scenario_s(one.firing_s),
            None if one.resolved_s is None else clock.scenario_s(one.resolved_s),
        )
        for one in timeline.episodes
    )
    return type(timeline)(timeline.alert, timeline.labels, episodes)


def _only(series: Sequence[Series]) -> Series | None:
    return series[0] if series else None


def _ns(world_s: float | None) -> int:
    return -1 if world_s is None else round(world_s * 1e9)
