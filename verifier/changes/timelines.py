"""Two sets of timelines side by side: which episodes are in both, moved, or in one of them alone.

Called for two versions of a rule file on one history, and for two engines on one. Alerts are the
same by name and by `key` of their labels. Pure; times are seconds of one clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.labels import Labels

SAME_S: Final = 1e-3
"""Times of evaluations are whole milliseconds."""


@dataclass(frozen=True, slots=True)
class EpisodePair:
    """An episode before and after, None where there is none of it."""

    before: Episode | None
    after: Episode | None

    @property
    def is_same(self) -> bool:
        """Whether it began to pend, fired and resolved at the same times."""
        return (
            self.before is not None
            and self.after is not None
            and all(map(_same, _times(self.before), _times(self.after)))
        )

    @property
    def fires_before(self) -> bool:
        """Whether it fired before."""
        return self.before is not None and self.before.firing_s is not None

    @property
    def fires_after(self) -> bool:
        """Whether it fires after."""
        return self.after is not None and self.after.firing_s is not None


@dataclass(frozen=True, slots=True)
class AlertChange:
    """The episodes of one alert with one set of labels, in order of time."""

    alert: str
    labels: Labels
    pairs: tuple[EpisodePair, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return all(pair.is_same for pair in self.pairs)

    @property
    def appears(self) -> int:
        """How many firings there are after that were none before."""
        return sum(pair.fires_after and not pair.fires_before for pair in self.pairs)

    @property
    def disappears(self) -> int:
        """How many firings there were before that are none after."""
        return sum(pair.fires_before and not pair.fires_after for pair in self.pairs)

    @property
    def fires_later_s(self) -> tuple[float, ...]:
        """By how much firings that are in both began later; negative: earlier."""
        return tuple(
            pair.after.firing_s - pair.before.firing_s
            for pair in self.pairs
            if pair.before is not None and pair.after is not None
            if pair.before.firing_s is not None and pair.after.firing_s is not None
            if not _same(pair.before.firing_s, pair.after.firing_s)
        )

    @property
    def resolves_later_s(self) -> tuple[float, ...]:
        """By how much firings that are in both resolved later; negative: earlier.

        Infinite where only one of them resolved.
        """
        return tuple(
            _end(pair.after) - _end(pair.before)
            for pair in self.pairs
            if pair.before is not None and pair.after is not None
            if pair.fires_before and pair.fires_after
            if not _same(pair.before.resolved_s, pair.after.resolved_s)
        )


def compare(
    before: Sequence[Timeline],
    after: Sequence[Timeline],
    key: Callable[[Timeline], Labels] = lambda timeline: timeline.labels,
) -> tuple[AlertChange, ...]:
    """Return every alert of either, in order of name and labels, the same ones too."""
    sides = _by_alert(before, key), _by_alert(after, key)
    return tuple(
        AlertChange(alert, labels, tuple(pairs(*(side.get((alert, labels), []) for side in sides))))
        for alert, labels in sorted({*sides[0], *sides[1]})
    )


def pairs(before: Sequence[Episode], after: Sequence[Episode]) -> Iterator[EpisodePair]:
    """Yield the episodes of one alert side by side, each list in order of time.

    Two are one if they overlap; of several that overlap the same one, the first is its own.
    """
    left, right = list(before), list(after)
    while left and right:
        if _end(left[0]) <= right[0].pending_s:
            yield EpisodePair(left.pop(0), None)
        elif _end(right[0]) <= left[0].pending_s:
            yield EpisodePair(None, right.pop(0))
        else:
            yield EpisodePair(left.pop(0), right.pop(0))
    yield from (EpisodePair(each, None) for each in left)
    yield from (EpisodePair(None, each) for each in right)


def change_text(change: AlertChange, *, before: str, after: str) -> str:
    """Say what changed of an alert; `before` and `after` are what the two sides are called."""
    parts = []
    if change.disappears:
        parts.append(f"{amount(change.disappears, 'firings')} only {before}")
    if change.appears:
        parts.append(f"{amount(change.appears, 'firings')} only {after}")
    for what, shifts in (("fires", change.fires_later_s), ("resolves", change.resolves_later_s)):
        for sooner in (True, False):
            own = [abs(shift) for shift in shifts if (shift < 0) == sooner]
            if own:
                parts.append(f"{what} {_shift_text(own, sooner=sooner)} {after}")
    return ", ".join(parts or _pending_texts(change, before, after)) or "the same"


def _pending_texts(change: AlertChange, before: str, after: str) -> Iterator[str]:
    """Yield what differs of episodes that fire alike, or not at all."""
    alone = [pair for pair in change.pairs if pair.before is None or pair.after is None]
    for side, count in (
        (before, sum(pair.after is None for pair in alone)),
        (after, sum(pair.before is None for pair in alone)),
    ):
        if count:
            yield f"pending, without firing, only {side}" + _times_text(count)
    moved: list[tuple[float, float]] = [
        (pair.before.pending_s, pair.after.pending_s)
        for pair in change.pairs
        if pair.before is not None and pair.after is not None
    ]
    for what, shifts in (
        ("begins to pend", [then - first for first, then in moved]),
        ("ends to pend", [_end_shift(pair) for pair in change.pairs if not pair.fires_before]),
    ):
        for sooner in (True, False):
            own = [abs(shift) for shift in shifts if abs(shift) > SAME_S and (shift < 0) == sooner]
            if own:
                yield f"{what} {_shift_text(own, sooner=sooner)} {after}"


def _end_shift(pair: EpisodePair) -> float:
    if pair.before is None or pair.after is None or _end(pair.before) == _end(pair.after):
        return 0.0
    return _end(pair.after) - _end(pair.before)


def _times_text(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def _shift_text(shifts_s: Sequence[float], *, sooner: bool) -> str:
    finite = [each for each in shifts_s if math.isfinite(each)]
    if not finite:
        return "in time alone" if sooner else "no more"
    most = format_duration(max(finite))
    text = most if min(finite) == max(finite) else f"{format_duration(min(finite))} to {most}"
    return f"{text} {'earlier' if sooner else 'later'}{_times_text(len(shifts_s))}"


def _by_alert(
    timelines: Sequence[Timeline], key: Callable[[Timeline], Labels]
) -> dict[tuple[str, Labels], list[Episode]]:
    """Return the episodes of each alert in order of time."""
    episodes: dict[tuple[str, Labels], list[Episode]] = {}
    for timeline in timelines:
        episodes.setdefault((timeline.alert, key(timeline)), []).extend(timeline.episodes)
    for own in episodes.values():
        own.sort(key=lambda episode: episode.pending_s)
    return episodes


def _times(episode: Episode) -> tuple[float | None, ...]:
    return episode.pending_s, episode.firing_s, episode.resolved_s


def _end(episode: Episode) -> float:
    return math.inf if episode.resolved_s is None else episode.resolved_s


def _same(one_s: float | None, other_s: float | None) -> bool:
    if one_s is None or other_s is None:
        return one_s is other_s
    return abs(one_s - other_s) <= SAME_S
